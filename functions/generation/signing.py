"""Signed URLs without a key: IAM's signBlob signs them in the function's own name.

The form of a V4 signed URL: docs.cloud.google.com/storage/docs/authentication/signatures (read 2026-08). A test
compares it with the one of google-cloud-storage.
"""

import asyncio
import base64
import datetime as dt
import hashlib
import json
from collections.abc import Callable
from urllib.parse import quote

from generation.connection import NoAnswer
from generation.errors import Reason, failure
from generation.refusals import SIGNING, STORAGE, Refusal, translate
from generation.settings import Settings
from generation.transport import Answer, Transport, unreachable

SECONDS = 10.0
ALGORITHM = "GOOG4-RSA-SHA256"
PLACE = "auto/storage/goog4_request"


def now() -> dt.datetime:
    """The time, in UTC."""
    return dt.datetime.now(dt.UTC)


class Signer:
    """Makes signed URLs."""

    def __init__(self, settings: Settings, transport: Transport, *, clock: Callable[[], dt.datetime] = now) -> None:
        self._settings = settings
        self._transport = transport
        self._clock = clock

    async def url(self, bucket: str, name: str, lifetime: dt.timedelta) -> str:
        """An address at which an object can be read without credentials, for at most seven days.

        Raises:
            GenerationError: SIGNING_DENIED with the missing grant, IDENTITY_UNAVAILABLE, or another refusal of IAM.
        """
        resource, query, text = string_to_sign(
            bucket, name, self._settings.service_account, self._clock(), round(lifetime.total_seconds())
        )
        signature = await self._signed(text.encode())
        return f"https://{STORAGE}{resource}?{query}&X-Goog-Signature={signature.hex()}"

    async def _signed(self, message: bytes) -> bytes:
        email = self._settings.service_account
        path = f"/v1/projects/-/serviceAccounts/{email}:signBlob"
        body = json.dumps({"payload": base64.b64encode(message).decode()}).encode()
        consequence = ", so no signed URL could be made"
        try:
            async with asyncio.timeout(SECONDS):
                answer = await self._transport.call(SIGNING, "POST", path, body=body)
        except TimeoutError:
            raise unreachable(Reason.IDENTITY_UNAVAILABLE, SIGNING, NoAnswer("TimeoutError"), consequence) from None
        except NoAnswer as error:
            raise unreachable(Reason.IDENTITY_UNAVAILABLE, SIGNING, error, consequence) from error
        if not answer.ok:
            raise translate(
                Refusal(SIGNING, answer.status, answer.json(), answer.headers, email),
                self._settings,
            )
        return _signature(answer)


def _signature(answer: Answer) -> bytes:
    try:
        return base64.b64decode(answer.json()["signedBlob"], validate=True)
    except (KeyError, TypeError, ValueError):
        raise failure(
            Reason.IDENTITY_UNAVAILABLE,
            f"{SIGNING} answered without a signature, so no signed URL could be made",
            hint="Try again",
            retry_after=1.0,
        ) from None


def string_to_sign(bucket: str, name: str, email: str, at: dt.datetime, seconds: int) -> tuple[str, str, str]:
    """Path and query of a URL, and the text whose signature completes it.

    Args:
        bucket: name of the bucket.
        name: of the object.
        email: of the identity that signs.
        at: from when the URL is valid, in UTC.
        seconds: for how long, at most 604,800.
    """
    time, day = at.strftime("%Y%m%dT%H%M%SZ"), at.strftime("%Y%m%d")
    scope = f"{day}/{PLACE}"
    resource = f"/{bucket}/{quote(name, safe='/~')}"
    query = (
        f"X-Goog-Algorithm={ALGORITHM}&X-Goog-Credential={quote(f'{email}/{scope}', safe='~')}"
        f"&X-Goog-Date={time}&X-Goog-Expires={seconds}&X-Goog-SignedHeaders=host"
    )
    canonical = f"GET\n{resource}\n{query}\nhost:{STORAGE}\n\nhost\nUNSIGNED-PAYLOAD"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    return resource, query, f"{ALGORITHM}\n{time}\n{scope}\n{digest}"
