"""The console in a real browser: by keyboard, live, dark and light, readable by a screen reader."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from plantain.sandbox_process import Sandbox

HEADERS = {"Authorization": "Bearer sandbox"}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox with a project that holds a topic."""
    started = Sandbox.start(tmp_path_factory.mktemp("console") / "data", 0)
    with httpx.Client(base_url=started.url, headers=HEADERS, trust_env=False) as client:
        parent = {"type": "organization", "id": "123456789012"}
        assert client.post("/cloudresourcemanager/v1/projects", json={"projectId": "campaign-one", "parent": parent})
        services = "/serviceusage/v1/projects/campaign-one/services"
        assert client.post(f"{services}/pubsub.googleapis.com:enable").is_success
        assert client.put("/pubsub/v1/projects/campaign-one/topics/news", json={}).is_success
    yield started
    started.stop()


def test_the_keyboard_reaches_the_content_and_a_resource(page: Page, sandbox: Sandbox) -> None:
    page.goto(f"{sandbox.url}/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    chip = page.locator("a.chip", has_text="topics")
    chip.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Resources")
    expect(page.locator("pre")).to_contain_text("projects/campaign-one/topics/news")


def test_every_page_has_one_heading_landmarks_and_a_current_link(page: Page, sandbox: Sandbox) -> None:
    page.goto(f"{sandbox.url}/")
    names = page.get_by_role("navigation", name="Pages").get_by_role("link").all_inner_texts()
    for name in names:
        page.get_by_role("navigation", name="Pages").get_by_role("link", name=name, exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(name)
        expect(page.get_by_role("main")).to_have_count(1)
        expect(page.locator("[aria-current=page]")).to_have_text(name)


def test_the_log_shows_a_new_request_by_itself_and_announces_it(page: Page, sandbox: Sandbox) -> None:
    page.goto(f"{sandbox.url}/_console/requests")
    before = page.locator("#rows tr").count()
    httpx.get(f"{sandbox.url}/pubsub/v1/projects/campaign-one/topics/absent", headers=HEADERS, trust_env=False)
    expect(page.locator("#rows tr")).not_to_have_count(before, timeout=15_000)
    expect(page.locator("#rows tr").first).to_contain_text("pubsub.projects.topics.get")
    expect(page.locator("#news")).to_contain_text("new")


def test_the_clock_moves_for_who_came_with_the_token(page: Page, sandbox: Sandbox) -> None:
    page.goto(f"{sandbox.url}/_console/clock")
    expect(page.get_by_role("button", name="Move")).to_have_count(0)
    page.goto(sandbox.console)
    expect(page).to_have_url(f"{sandbox.url}/")
    page.goto(f"{sandbox.url}/_console/clock")
    page.get_by_label("Move it forward by hours").fill("48")
    page.get_by_role("button", name="Move").click()
    expect(page.locator("main")).to_contain_text("2 days")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_the_page_in_either_scheme(page: Page, sandbox: Sandbox, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(f"{sandbox.url}/")
    ratio = page.evaluate(
        """() => {
          const channel = (v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
          const light = (colour) => {
            const [r, g, b] = colour.match(/\\d+/g).map(Number).map(channel);
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const style = getComputedStyle(document.body);
          const soft = getComputedStyle(document.querySelector(".figures dt"));
          const pair = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
          const paper = light(style.backgroundColor);
          return Math.min(pair(light(style.color), paper), pair(light(soft.color), paper));
        }"""
    )
    assert ratio >= 4.5, "WCAG 2.2, 1.4.3: text needs a contrast of 4.5 to 1"


def test_nothing_is_cut_off_on_a_narrow_screen(page: Page, sandbox: Sandbox) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    for path in ("/", "/_console/clock", "/_console/costs"):
        page.goto(f"{sandbox.url}{path}")
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_no_page_is_wider_than_a_phone(page: Page, sandbox: Sandbox) -> None:
    stranger = {"Authorization": "Bearer nonsense-that-is-long-enough-to-matter"}
    path = f"/secretmanager/v1/projects/campaign-one/secrets/{'long' * 30}"
    httpx.get(f"{sandbox.url}{path}", headers=HEADERS, trust_env=False)
    httpx.get(f"{sandbox.url}{path}", headers=stranger, trust_env=False)
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{sandbox.url}/")
    for link in page.get_by_role("navigation", name="Pages").get_by_role("link").all():
        address = f"{sandbox.url}{link.get_attribute('href')}"
        other = page.context.new_page()
        other.set_viewport_size({"width": 390, "height": 800})
        other.goto(address)
        assert other.evaluate("document.documentElement.scrollWidth") <= 390, address
        other.close()
