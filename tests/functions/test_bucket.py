"""The bucket: created once, read, listed; failures that last become failures of ours."""

import contextlib
from collections.abc import AsyncIterator

import pytest
from google.oauth2.credentials import Credentials

from generation.bucket import Bucket
from generation.credentials import Identity
from generation.errors import GenerationError, Reason
from generation.settings import read
from generation.signing import Signer
from generation.transport import Transport
from tests.functions.conftest import ENVIRONMENT, QUICK
from tests.functions.fake_google import STORAGE, TOKEN, FakeGoogle


@contextlib.asynccontextmanager
async def opened(patience: float = 60) -> AsyncIterator[Bucket]:
    """The campaign's bucket, through the real client."""
    settings, credentials = read(ENVIRONMENT), Credentials(token=TOKEN)
    transport = Transport(Identity(credentials))
    try:
        yield Bucket(settings, transport, Signer(settings, transport), policy=QUICK, patience=patience)
    finally:
        await transport.close()


async def test_an_object_is_created_once(google: FakeGoogle) -> None:
    async with opened() as bucket:
        assert await bucket.create("a", b"one", "text/plain", {"k": "v"})
        assert not await bucket.create("a", b"two", "text/plain", {})
        assert await bucket.read("a") == b"one"
        assert await bucket.read("b") is None
    assert google.objects["spring-images"]["a"].metadata == {"k": "v"}


async def test_an_upload_whose_answer_was_lost_has_succeeded(google: FakeGoogle) -> None:
    async with opened() as bucket:
        google.put("spring-images", "a", b"one")

        assert await bucket.create("a", b"one", "text/plain", {}), "the same contents: it was this very upload"


async def test_objects_are_listed_with_when_they_were_made(google: FakeGoogle) -> None:
    google.put("spring-images", "claims/x/00000", b"1", **{"lease-seconds": "5"})
    google.put("spring-images", "claims/y/00000", b"1")
    async with opened() as bucket:
        listed = await bucket.list("claims/x/")

    assert [(stored.name, stored.metadata) for stored in listed] == [("claims/x/00000", {"lease-seconds": "5"})]
    assert listed[0].created.tzinfo is not None


async def test_a_failure_that_passes_is_tried_again(google: FakeGoogle) -> None:
    google.put("spring-images", "a", b"one")
    google.fail(STORAGE, 503, "busy", times=1)
    async with opened() as bucket:
        assert await bucket.read("a") == b"one"


@pytest.mark.parametrize("way", ["busy", "unreachable"])
async def test_a_failure_that_lasts_is_one_of_storage(google: FakeGoogle, way: str) -> None:
    if way == "busy":
        google.fail(STORAGE, 503, "busy", times=99)
    else:
        google.unreachable = {STORAGE}
    async with opened(patience=0.1) as bucket:
        with pytest.raises(GenerationError) as caught:
            await bucket.read("a")

    assert caught.value.reason is Reason.STORAGE_UNAVAILABLE
    assert caught.value.may_succeed_later
    assert caught.value.hint


async def test_a_missing_bucket_is_not_a_missing_object(google: FakeGoogle) -> None:
    del google.objects["spring-images"]
    async with opened() as bucket:
        for call in (bucket.read("a"), bucket.list("a"), bucket.create("a", b"", "text/plain", {})):
            with pytest.raises(GenerationError) as caught:
                await call
            assert caught.value.reason is Reason.BUCKET_NOT_FOUND
