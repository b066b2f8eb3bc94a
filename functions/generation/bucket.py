"""The campaign's bucket: objects are created once and never changed, which is all the runtime identity may do.

Cloud Storage's JSON API (docs.cloud.google.com/storage/docs/json_api/v1/objects, read 2026-08). Every call here may be
repeated: reading changes nothing, and creating with `ifGenerationMatch=0` happens once.
"""

import asyncio
import base64
import datetime as dt
import json
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, TypeVar
from urllib.parse import quote

import google_crc32c

from generation.connection import NoAnswer
from generation.errors import GenerationError, Reason, failure
from generation.refusals import STORAGE, Refusal, translate
from generation.retry import Policy, patiently
from generation.settings import Settings
from generation.signing import Signer
from generation.transport import Answer, Transport, unreachable

T = TypeVar("T")
CALL_SECONDS = 30.0
RETRY_SECONDS = 60.0
POLICY = Policy(attempts=8, first_delay=0.5, longest_delay=16.0, shortest_call=0.1)
CACHE_CONTROL = "private, max-age=31536000, immutable"
SIGNED_URL_LIFETIME = dt.timedelta(hours=1)
NO_BUCKET = "bucket does not exist"
MISSING = 404
CONDITION_NOT_MET = 412
BATCH = 1000


@dataclass(frozen=True, slots=True)
class Stored:
    """An object's metadata.

    Attributes:
        name: in its bucket.
        generation: changes with the contents.
        mime_type: as stored.
        bytes: size.
        created: when.
        crc32c: of the contents, in base64 as Cloud Storage has it.
        metadata: custom metadata.
    """

    name: str
    generation: int
    mime_type: str
    bytes: int
    created: dt.datetime
    crc32c: str = ""
    metadata: dict[str, str] = field(default_factory=dict)


class ObjectStore(Protocol):
    """Whatever keeps objects."""

    async def create(self, name: str, data: bytes, mime_type: str, metadata: dict[str, str]) -> bool:
        """Store an object; False when there was one with other contents."""
        ...

    async def read(self, name: str) -> bytes | None:
        """Contents of an object; None when there is none."""
        ...

    async def list(self, prefix: str, *, start: str = "", most: int | None = None) -> list[Stored]:
        """Objects whose names start with a prefix, by name."""
        ...

    async def find(self, uri: str) -> Stored | None:
        """Metadata of any gs:// object; None when there is none."""
        ...

    async def sign(self, name: str) -> str:
        """An address at which an object can be read for a while without credentials."""
        ...

    async def check(self) -> None:
        """Fail when objects could not be read now."""
        ...


class Bucket:
    """One bucket in Cloud Storage.

    Args:
        settings: name it.
        transport: talks to Cloud Storage.
        signer: signs URLs.
        policy: how often failed calls are tried again.
        patience: seconds for which they are.
    """

    def __init__(
        self,
        settings: Settings,
        transport: Transport,
        signer: Signer,
        *,
        policy: Policy = POLICY,
        patience: float = RETRY_SECONDS,
    ) -> None:
        self._settings = settings
        self._transport = transport
        self._signer = signer
        self._policy = policy
        self._patience = patience
        self._objects = f"/storage/v1/b/{settings.bucket}/o"

    async def create(self, name: str, data: bytes, mime_type: str, metadata: dict[str, str]) -> bool:
        """Store an object unless one is there; True also when the one that is there has the same contents.

        Raises:
            GenerationError: it could not be stored.
        """
        sum_of_it = checksum(data)
        resource = {
            "name": name,
            "contentType": mime_type,
            "cacheControl": CACHE_CONTROL,
            # Cloud Storage checks this sum, and keeps nothing that arrives changed.
            "crc32c": sum_of_it,
            "metadata": metadata,
        }
        boundary = secrets.token_hex(16)
        head = (
            f"--{boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n{json.dumps(resource)}\r\n"
            f"--{boundary}\r\nContent-Type: {mime_type}\r\n\r\n"
        )
        path = f"/upload{self._objects}?uploadType=multipart&ifGenerationMatch=0"
        body = (head.encode(), data, f"\r\n--{boundary}--\r\n".encode())

        async def once() -> bool:
            answer = await self._call("POST", path, body=body, mime_type=f"multipart/related; boundary={boundary}")
            if answer.status != CONDITION_NOT_MET:
                self._must(answer, self._settings.bucket)
                return True
            # A repeated upload meets its own first try, whose answer was lost.
            there = await self._found(self._settings.bucket, name)
            return there is not None and there.crc32c == sum_of_it

        return await self._patiently(once)

    async def read(self, name: str) -> bytes | None:
        """Contents of an object; None when there is none.

        Raises:
            GenerationError: it could not be read.
        """
        path = f"/download{self._objects}/{_encoded(name)}?alt=media"

        async def once() -> bytes | None:
            answer = await self._call("GET", path)
            if answer.status == MISSING and _is_object_missing(answer):
                return None
            self._must(answer, self._settings.bucket)
            return answer.body

        return await self._patiently(once)

    async def list(self, prefix: str, *, start: str = "", most: int | None = None) -> list[Stored]:
        """Objects whose names start with a prefix, by name.

        Args:
            prefix: of the names.
            start: names before this one are left out.
            most: objects after so many are left out.

        Raises:
            GenerationError: they could not be listed.
        """
        query = f"?prefix={_encoded(prefix)}&maxResults={min(most or BATCH, BATCH)}"
        query += f"&startOffset={_encoded(start)}" if start else ""
        found: list[Stored] = []
        token = ""
        while True:
            answer = await self._patiently(partial(self._page, query + token))
            found += [_stored(item) for item in answer.get("items") or []]
            if not answer.get("nextPageToken") or (most is not None and len(found) >= most):
                return found[:most]
            token = f"&pageToken={_encoded(answer['nextPageToken'])}"

    async def _page(self, query: str) -> dict[str, Any]:
        answer = await self._call("GET", self._objects + query)
        self._must(answer, self._settings.bucket)
        return answer.json()

    async def find(self, uri: str) -> Stored | None:
        """Metadata of any gs:// object; None when there is none, or no such bucket.

        Raises:
            GenerationError: it could not be looked up.
        """
        bucket, _, name = uri.removeprefix("gs://").partition("/")
        return await self._patiently(lambda: self._found(bucket, name))

    async def _found(self, bucket: str, name: str) -> Stored | None:
        answer = await self._call("GET", f"/storage/v1/b/{_encoded(bucket)}/o/{_encoded(name)}")
        if answer.status == MISSING:
            return None
        self._must(answer, bucket)
        return _stored(answer.json())

    async def sign(self, name: str) -> str:
        """A V4 signed URL for reading, valid for SIGNED_URL_LIFETIME; IAM signs it, there is no key.

        Raises:
            GenerationError: IAM did not sign.
        """
        return await self._signer.url(self._settings.bucket, name, SIGNED_URL_LIFETIME)

    async def check(self) -> None:
        """Look for an object that is not there: the answer takes the same permission as reading one.

        Raises:
            GenerationError: objects could not be read now.
        """
        await self.read("readyz")

    async def _patiently(self, once: Callable[[], Awaitable[T]]) -> T:
        async def call(_: float) -> T:
            return await once()

        result, _ = await patiently(call, deadline=time.monotonic() + self._patience, policy=self._policy)
        return result

    async def _call(self, method: str, path: str, **options: Any) -> Answer:
        try:
            async with asyncio.timeout(CALL_SECONDS):
                return await self._transport.call(STORAGE, method, path, **options)
        except TimeoutError:
            raise self._unreachable(NoAnswer("TimeoutError")) from None
        except NoAnswer as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: NoAnswer) -> GenerationError:
        return unreachable(Reason.STORAGE_UNAVAILABLE, STORAGE, error, f", nor gs://{self._settings.bucket}")

    def _must(self, answer: Answer, bucket: str) -> None:
        if not answer.ok:
            body = answer.json() or {"message": answer.body.decode("utf-8", "replace")[:1000]}
            raise translate(Refusal(STORAGE, answer.status, body, answer.headers, bucket), self._settings)


def checksum(data: bytes) -> str:
    """CRC32C in base64, as Cloud Storage states it."""
    return base64.b64encode(google_crc32c.value(data).to_bytes(4, "big")).decode()


def _encoded(text: str) -> str:
    return quote(text, safe="")


def _is_object_missing(answer: Answer) -> bool:
    # A missing bucket is a 404, too, but not "not stored yet".
    return NO_BUCKET not in answer.body.decode("utf-8", "replace")


def _stored(resource: dict[str, Any]) -> Stored:
    try:
        return Stored(
            name=resource["name"],
            generation=int(resource["generation"]),
            mime_type=resource.get("contentType") or "",
            bytes=int(resource.get("size") or 0),
            created=dt.datetime.fromisoformat(resource["timeCreated"]),
            crc32c=resource.get("crc32c") or "",
            metadata=resource.get("metadata") or {},
        )
    except (KeyError, TypeError, ValueError) as error:
        raise failure(
            Reason.STORAGE_UNAVAILABLE,
            f"An answer of {STORAGE} has an unknown shape: {type(error).__name__}",
            hint="Try again; if it lasts, compare the answer with the API's reference",
            retry_after=1.0,
        ) from None
