"""The campaign's bucket: objects are created once and never changed, which is all the runtime identity may do.

Every method blocks in a worker thread and not in the event loop. Cloud Storage's client retries what is safe to retry;
creating with `ifGenerationMatch=0` is.
"""

import base64
import datetime as dt
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import requests
from anyio import to_thread
from google.api_core.exceptions import (
    GoogleAPICallError,
    NotFound,
    PreconditionFailed,
    RetryError,
    from_http_response,
)
from google.auth.credentials import Credentials
from google.auth.exceptions import GoogleAuthError
from google.cloud import storage  # type: ignore[import-untyped] # ships no types
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse  # type: ignore[import-untyped] # ships no types
from google.cloud.storage.retry import DEFAULT_RETRY  # type: ignore[import-untyped] # ships no types

from generation.credentials import identity_failure
from generation.errors import GenerationError, Reason, failure
from generation.refusals import STORAGE, Refusal, translate
from generation.settings import Settings
from generation.signing import Signer
from generation.transport import prepared

T = TypeVar("T")
CALL_SECONDS = 30.0
RETRY_SECONDS = 60.0
CACHE_CONTROL = "private, max-age=31536000, immutable"
SIGNED_URL_LIFETIME = dt.timedelta(hours=1)
NO_BUCKET = "bucket does not exist"


@dataclass(frozen=True, slots=True)
class Stored:
    """An object's metadata.

    Attributes:
        name: in its bucket.
        generation: changes with the contents.
        mime_type: as stored.
        bytes: size.
        created: when.
        metadata: custom metadata.
    """

    name: str
    generation: int
    mime_type: str
    bytes: int
    created: dt.datetime
    metadata: dict[str, str] = field(default_factory=dict)


class ObjectStore(Protocol):
    """Whatever keeps objects."""

    async def create(self, name: str, data: bytes, mime_type: str, metadata: dict[str, str]) -> bool:
        """Store an object; False when there was one with other contents."""
        ...

    async def read(self, name: str) -> bytes | None:
        """Contents of an object; None when there is none."""
        ...

    async def list(self, prefix: str) -> list[Stored]:
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

    async def close(self) -> None:
        """Give up connections."""
        ...


def storage_client(settings: Settings, credentials: Credentials) -> storage.Client:
    """The only place where a storage client is made. Blocks: it may ask the metadata server for the universe."""
    # Otherwise the client looks up the bucket itself for traces nobody collects, which the identity may not do.
    os.environ.setdefault("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")
    client = storage.Client(project=settings.project, credentials=credentials)
    prepared(client._http)  # noqa: SLF001 -- no public way
    return client


class Bucket:
    """One bucket in Cloud Storage.

    Args:
        settings: name it.
        client: talks to Cloud Storage.
        signer: signs URLs.
        patience: seconds for which failed calls are tried again.
    """

    def __init__(
        self, settings: Settings, client: storage.Client, signer: Signer, *, patience: float = RETRY_SECONDS
    ) -> None:
        self._settings = settings
        self._client = client
        self._bucket = client.bucket(settings.bucket)
        self._signer = signer
        self._retry = DEFAULT_RETRY.with_timeout(patience)

    async def create(self, name: str, data: bytes, mime_type: str, metadata: dict[str, str]) -> bool:
        """Store an object unless one is there; True also when the one that is there has the same contents.

        Raises:
            GenerationError: it could not be stored.
        """
        return await self._run(lambda: self._create(name, data, mime_type, metadata), self._settings.bucket)

    def _create(self, name: str, data: bytes, mime_type: str, metadata: dict[str, str]) -> bool:
        blob = self._bucket.blob(name)
        blob.metadata = metadata
        blob.cache_control = CACHE_CONTROL
        # Cloud Storage checks this sum itself. A check by the client would delete a damaged object, which the identity
        # may not do.
        blob.md5_hash = _md5(data)
        try:
            blob.upload_from_string(
                data,
                content_type=mime_type,
                if_generation_match=0,
                timeout=CALL_SECONDS,
                checksum=None,
                retry=self._retry,
            )
        except PreconditionFailed:
            # A retried upload meets its own first try, whose answer was lost.
            there = self._bucket.get_blob(name, timeout=CALL_SECONDS, retry=self._retry)
            return there is not None and there.md5_hash == _md5(data)
        return True

    async def read(self, name: str) -> bytes | None:
        """Contents of an object; None when there is none.

        Raises:
            GenerationError: it could not be read.
        """
        return await self._run(lambda: self._read(name), self._settings.bucket)

    def _read(self, name: str) -> bytes | None:
        try:
            data: bytes = self._bucket.blob(name).download_as_bytes(timeout=CALL_SECONDS, retry=self._retry)
        except NotFound as error:
            if _is_object_missing(error):
                return None
            raise
        return data

    async def list(self, prefix: str) -> list[Stored]:
        """Objects whose names start with a prefix, by name.

        Raises:
            GenerationError: they could not be listed.
        """
        return await self._run(
            lambda: [
                _stored(blob)
                for blob in self._bucket.list_blobs(prefix=prefix, timeout=CALL_SECONDS, retry=self._retry)
            ],
            self._settings.bucket,
        )

    async def find(self, uri: str) -> Stored | None:
        """Metadata of any gs:// object; None when there is none, or no such bucket.

        Raises:
            GenerationError: it could not be looked up.
        """
        bucket, _, name = uri.removeprefix("gs://").partition("/")
        return await self._run(lambda: self._find(bucket, name), bucket)

    def _find(self, bucket: str, name: str) -> Stored | None:
        blob = self._client.bucket(bucket).get_blob(name, timeout=CALL_SECONDS, retry=self._retry)
        return _stored(blob) if blob else None

    async def sign(self, name: str) -> str:
        """A V4 signed URL for reading, valid for SIGNED_URL_LIFETIME; IAM signs it, there is no key.

        Raises:
            GenerationError: IAM did not sign.
        """
        blob = self._bucket.blob(name)
        return await self._run(
            lambda: str(
                blob.generate_signed_url(
                    version="v4", expiration=SIGNED_URL_LIFETIME, method="GET", credentials=self._signer
                )
            ),
            self._settings.bucket,
        )

    async def check(self) -> None:
        """Look for an object that is not there: the answer takes the same permission as reading one.

        Raises:
            GenerationError: objects could not be read now.
        """
        await self.read("readyz")

    async def close(self) -> None:
        """Close the HTTP session."""
        await to_thread.run_sync(self._client.close)

    async def _run(self, work: Callable[[], T], resource: str) -> T:
        try:
            # A caller who has no more time does not wait for the thread; what it stores is stored.
            return await to_thread.run_sync(work, abandon_on_cancel=True)
        except Exception as error:
            raise self._failure(error, resource) from error

    def _failure(self, error: Exception, resource: str) -> Exception:
        if isinstance(error, RetryError) and isinstance(error.cause, Exception):
            error = error.cause
        if isinstance(error, GenerationError):
            return error
        if isinstance(error, InvalidResponse):
            # What is left of a media call when its retries are used up.
            error = from_http_response(error.response)
        if isinstance(error, GoogleAPICallError):
            return translate(_refusal(error, resource), self._settings)
        if isinstance(error, GoogleAuthError):
            return identity_failure(error)
        if isinstance(error, requests.exceptions.RequestException | ConnectionError | DataCorruption | RetryError):
            return failure(
                Reason.STORAGE_UNAVAILABLE,
                f"gs://{resource} cannot be reached: {type(error).__name__}",
                hint=f"Check that the network resolves {STORAGE} to restricted.googleapis.com (199.36.153.4/30)",
                retry_after=1.0,
            )
        return error


def _md5(data: bytes) -> str:
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()


def _is_object_missing(error: NotFound) -> bool:
    # A missing bucket is a 404, too, but not "not stored yet".
    return NO_BUCKET not in error.message


def _refusal(error: GoogleAPICallError, resource: str) -> Refusal:
    body: Any = {}
    headers: dict[str, str] = {}
    if isinstance(error.response, requests.Response):
        headers = {key.lower(): value for key, value in error.response.headers.items()}
        try:
            body = error.response.json()
        except ValueError:
            body = {}
    if not isinstance(body, dict) or not body:
        # Media downloads and uploads answer plain text, which the client appends to a message of its own.
        body = {"message": error.message, "errors": list(error.errors or [])}
    return Refusal(STORAGE, int(error.code or 500), body, headers, resource)


def _stored(blob: Any) -> Stored:
    return Stored(
        name=blob.name,
        generation=int(blob.generation),
        mime_type=blob.content_type or "",
        bytes=int(blob.size or 0),
        created=blob.time_created,
        metadata=dict(blob.metadata or {}),
    )
