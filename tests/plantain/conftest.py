from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from plantain.errors import GoogleCloudError
from plantain.google_cloud import GoogleCloud

ROOT = Path(__file__).parents[2]
CAMPAIGN = (ROOT / "campaigns" / "spring-launch.yaml").read_text()
Answer = dict[str, Any] | GoogleCloudError | Callable[[dict[str, Any] | None], dict[str, Any]]


class FakeCloud:
    """Answers calls by ``METHOD service/path``: the longest known beginning wins; unknown ones are not found."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, Any, Any]] = []
        self.sandbox: str | None = None
        self.stored: list[str] = []

    def call(self, method: str, service: str, path: str, *, params: Any = None, body: Any = None) -> dict[str, Any]:
        key = f"{method} {service}/{path}"
        self.asked.append((key, params, body))
        known = sorted((begin for begin in self.answers if key.startswith(begin)), key=len)
        if not known:
            raise GoogleCloudError(404, "NOT_FOUND", f"no {key}", service, path)
        answer = self.answers[known[-1]]
        if isinstance(answer, GoogleCloudError):
            raise answer
        return answer(body) if callable(answer) else answer

    def upload(self, service: str, path: str, content: bytes, **_: Any) -> dict[str, Any]:
        assert content
        return self.call("UPLOAD", service, path)

    def lines(self, service: str, path: str, **_: Any) -> Iterator[str]:
        self.asked.append((f"LINES {service}/{path}", None, None))
        yield from self.stored

    def pages(
        self, service: str, path: str, field: str, *, method: str = "GET", body: Any = None, **params: Any
    ) -> Iterator[dict[str, Any]]:
        yield from self.call(method, service, path, params=params, body=body).get(field, [])


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> FakeCloud:
    """What GoogleCloud.from_environment gives."""
    fake = FakeCloud()
    monkeypatch.setattr(GoogleCloud, "from_environment", lambda *_, **__: fake)
    return fake


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one campaign, as the working folder."""
    (tmp_path / "Pulumi.yaml").write_text("name: plantain\n")
    (tmp_path / "Pulumi.sandbox.yaml").write_text((ROOT / "Pulumi.sandbox.yaml").read_text())
    (tmp_path / "Pulumi.prod.yaml").write_text((ROOT / "Pulumi.prod.yaml").read_text())
    (tmp_path / "campaigns").mkdir()
    (tmp_path / "campaigns" / "spring-launch.yaml").write_text(CAMPAIGN)
    monkeypatch.chdir(tmp_path)
    return tmp_path
