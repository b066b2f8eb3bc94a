from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from plantain.commands import sandbox as command
from plantain.errors import InputError, SandboxError
from plantain.sandbox_process import Sandbox

PROJECTS = "cloudresourcemanager/v1/projects"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    started = Sandbox.start(tmp_path_factory.mktemp("data"), 0)
    yield started
    started.stop()


def listing(sandbox: Sandbox, token: str = "sandbox") -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.get(f"{sandbox.url}/{PROJECTS}", headers=headers, trust_env=False).status_code


def test_faults_are_planned_listed_and_taken_back(running: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    command.faults("cloudresourcemanager.projects.list", code=429, count=2, data=running.data)
    assert "error 429" in capsys.readouterr().out
    assert listing(running) == 429
    command.faults(clear=True, data=running.data)
    assert capsys.readouterr().out == "No faults are planned.\n"
    assert listing(running) == 200


def test_a_fault_of_an_unknown_kind_is_refused(running: Sandbox) -> None:
    with pytest.raises(SandboxError, match="kind"):
        command.faults("*", kind="explode", data=running.data)


def test_the_clock_moves_by_a_length_or_to_a_moment(running: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    command.clock(advance="2d", data=running.data)
    assert "(2 days, 0:00:00 ahead of real time)" in capsys.readouterr().out
    command.clock(to="2099-01-01T00:00:00Z", data=running.data, json=True)
    assert json.loads(capsys.readouterr().out)["now"].startswith("2099-01-01T00:00:0")
    command.clock(data=running.data)
    assert capsys.readouterr().out.startswith("2099-01-01")
    running.post("reset")


@pytest.mark.parametrize("text", ["tomorrow", "5", "1w", "-3h"])
def test_no_length_of_time_is_refused_with_the_spelling(text: str) -> None:
    with pytest.raises(InputError) as caught:
        command.seconds_of(text)
    assert caught.value.cure == "say it as 90s, 30m, 6h or 10d"


def test_consistency_is_said_back(running: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    command.consistency(grants=3, data=running.data)
    assert "grants after 3 checks" in capsys.readouterr().out
    command.consistency(data=running.data)


def test_why_explains_the_last_refusal_and_any_by_its_id(running: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    running.post("reset")
    command.why(data=running.data)
    assert capsys.readouterr().out == "Nothing has been refused yet.\n"
    project = {"projectId": "some-project", "parent": {"type": "organization", "id": "123456789012"}}
    headers = {"Authorization": "Bearer sandbox"}
    assert httpx.post(f"{running.url}/{PROJECTS}", json=project, headers=headers, trust_env=False).is_success
    jo = running.post("tokens", {"member": "user:jo@example.com"})["token"]
    reply = httpx.get(
        f"{running.url}/{PROJECTS}/some-project", headers={"Authorization": f"Bearer {jo}"}, trust_env=False
    )
    assert reply.status_code == 403
    command.why(data=running.data)
    shown = capsys.readouterr().out
    assert "Roles that user:jo@example.com holds there: none." in shown
    assert "gcloud projects add-iam-policy-binding some-project --member=user:jo@example.com --role=roles/" in shown
    command.why("d1", data=running.data, json=True)
    assert json.loads(capsys.readouterr().out)["method"] == "cloudresourcemanager.projects.get"
    command.requests(data=running.data)
    assert "d1" in capsys.readouterr().out


def test_an_unknown_refusal_says_where_to_look(running: Sandbox) -> None:
    with pytest.raises(SandboxError, match="No refusal is known as d99"):
        command.why("d99", data=running.data)


def test_an_environment_may_stand_at_an_address_in_a_country(
    running: Sandbox, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    plain, _ = running.environment()
    placed, _ = running.environment(address="198.51.100.7", region="CH")
    assert "@" not in plain["HTTPS_PROXY"]
    assert "@" in placed["HTTPS_PROXY"]
    with pytest.raises(SandboxError, match="address"):
        running.environment(address="nowhere")
    assert capsys.readouterr().out == ""
