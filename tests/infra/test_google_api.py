"""As whom the program itself asks Google's APIs: the same as the provider, without a word of configuration."""

from __future__ import annotations

from typing import Any

import google.auth
import pytest
from google.auth.credentials import Credentials

from infra import settings
from infra.google_api import GIVEN_TOKEN, GoogleApi

TOLD = {
    "organization": "123456789012",
    "billingAccount": "0A0A0A-0A0A0A-0A0A0A",
    "region": "europe-west4",
    "campaigns": "",
}


class Usual(Credentials):  # type: ignore[no-untyped-call,unused-ignore]
    """The usual credentials, whose token was fetched before."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call,unused-ignore]
        self.token = "usual"

    def refresh(self, request: Any) -> None:
        raise AssertionError("its token is valid")


@pytest.fixture(autouse=True)
def usual(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(GIVEN_TOKEN, raising=False)
    monkeypatch.setattr(google.auth, "default", lambda **_: (Usual(), "p"))


def asking(**more: str) -> GoogleApi:
    return GoogleApi.of(settings.parse({**TOLD, **more}, stack="test"))


def test_the_usual_credentials_are_used() -> None:
    assert asking().token() == "usual"


def test_a_token_that_was_given_comes_before_the_usual_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(GIVEN_TOKEN, "given")
    assert asking().token() == "given"


def test_the_setting_comes_before_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(GIVEN_TOKEN, "given")
    assert asking(accessToken="mine").token() == "mine"
