"""Calls a campaign's function."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from plantain.errors import GenerationError

TIMEOUT_SECONDS = 600
ACCEPTED = 202
POLL_SECONDS = 5
LONGEST_QUEUED_SECONDS = 3600
EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}


@dataclass(frozen=True)
class Refusal:
    """An answer without images.

    Attributes:
        kind: retryable, quota, auth, safety, invalid or fatal.
        retry_after: seconds that the function asks to wait; None when it does not say.
    """

    code: int
    status: str
    message: str
    reason: str = ""
    kind: str = "fatal"
    hint: str = ""
    retry_after: float | None = None


@dataclass(frozen=True)
class Function:
    """The function of one campaign.

    Attributes:
        uri: its HTTPS address.
        token: identity token of the caller, or what gives a fresh one: they expire within the hour.
    """

    uri: str
    token: str | Callable[[], str]

    def generate(self, request: dict[str, Any]) -> dict[str, Any] | Refusal:
        """The function's answer to one request.

        Raises:
            GenerationError: the function cannot be reached.
        """
        headers = {"Authorization": f"Bearer {self.token if isinstance(self.token, str) else self.token()}"}
        try:
            reply = httpx.post(f"{self.uri}/images", json=request, headers=headers, timeout=TIMEOUT_SECONDS)
        except httpx.HTTPError as error:
            raise GenerationError(
                f"The function at {self.uri} cannot be reached ({type(error).__name__}: {error}).",
                cure="its ingress is internal: call from the campaign's network, or through its load balancer",
            ) from None
        if reply.status_code == ACCEPTED:
            return self.when_ready(reply)
        if reply.is_success:
            answer: dict[str, Any] = reply.json()
            return answer
        return refusal(reply)

    def when_ready(
        self, accepted: httpx.Response, sleep: Callable[[float], None] = time.sleep
    ) -> dict[str, Any] | Refusal:
        """The answer to a request that the queue has taken: asked for until it is there.

        Raises:
            GenerationError: the function cannot be reached, or the image is not there after an hour.
        """
        waited, reply = 0.0, accepted
        path = f"{self.uri}/images/{accepted.json()['id']}"
        while reply.status_code == ACCEPTED:
            pause = float(reply.headers.get("retry-after") or POLL_SECONDS)
            waited += pause
            if waited > LONGEST_QUEUED_SECONDS:
                raise GenerationError(
                    f"{path} is not there after {LONGEST_QUEUED_SECONDS / 60:.0f} minutes in the queue.",
                    cure="ask again later: the same request is never made twice",
                )
            sleep(pause)
            token = self.token if isinstance(self.token, str) else self.token()
            try:
                reply = httpx.get(path, headers={"Authorization": f"Bearer {token}"}, timeout=TIMEOUT_SECONDS)
            except httpx.HTTPError as error:
                raise GenerationError(f"{path} cannot be read ({type(error).__name__}: {error}).") from None
        if reply.is_success:
            answer: dict[str, Any] = reply.json()
            return answer
        return refusal(reply)

    def download(self, image: dict[str, Any], path: Path) -> Path:
        """Fetch an image by its signed URL and check its digest.

        Raises:
            GenerationError: the URL is refused, or the bytes are not the recorded ones.
        """
        path = path.with_suffix(f".{EXTENSIONS.get(image['mimeType'], 'bin')}")
        try:
            reply = httpx.get(image["signedUrl"], timeout=TIMEOUT_SECONDS)
        except httpx.HTTPError as error:
            raise GenerationError(f"{image['uri']} cannot be fetched ({type(error).__name__}: {error}).") from None
        if reply.is_error:
            raise GenerationError(f"{image['uri']} cannot be fetched: HTTP {reply.status_code}\n{reply.text[:500]}")
        digest = hashlib.sha256(reply.content).hexdigest()
        if digest != image["sha256"]:
            raise GenerationError(f"{image['uri']} has SHA-256 {digest}, but the function recorded {image['sha256']}.")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(reply.content)
        return path


def refusal(reply: httpx.Response) -> Refusal:
    """What an error answer says, whether it comes from the function or from the front end before it."""
    try:
        error = reply.json()["error"]
        detail = (error.get("details") or [{}])[0]
        return Refusal(
            error["code"],
            error["status"],
            error["message"],
            detail.get("reason", ""),
            detail.get("class", "fatal"),
            detail.get("hint", ""),
            detail.get("retryAfterSeconds"),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return front_end_refusal(reply.status_code)


def front_end_refusal(code: int) -> Refusal:
    """The refusals of Cloud Run's front end, which answers with a page instead of the function's envelope."""
    if code in {401, 403}:
        return Refusal(
            code,
            "PERMISSION_DENIED",
            "The caller may not invoke the function.",
            "INVOKER",
            "auth",
            "add the caller to a group that the campaign file lists under invokers",
        )
    if code == 404:  # noqa: PLR2004 -- Not Found
        return Refusal(
            code,
            "NOT_FOUND",
            "The function's ingress is internal and the call came from outside its network, or it is not deployed.",
            "INGRESS",
            "auth",
            "call from the campaign's network, or from inside its perimeter",
        )
    return Refusal(code, "UNAVAILABLE", f"The function answered HTTP {code} without an explanation.", kind="retryable")
