"""Images and their records in the bucket: `images/<id>/0.png`, `images/<id>/record.json`."""

import asyncio
import base64
import hashlib
from collections.abc import Sequence

from pydantic import ValidationError

from generation.bucket import ObjectStore
from generation.conversation import Turn
from generation.errors import GenerationError, Reason, failure
from generation.outcome import Drawn
from generation.picture import EXTENSIONS, Picture, read_picture
from generation.record import FOLDER, KeptImage, Record, image_object, record_object

JSON = "application/json"
LARGE = 4 * 1024 * 1024


class Archive:
    """The campaign's images."""

    def __init__(self, store: ObjectStore, bucket: str) -> None:
        self._store = store
        self._bucket = bucket

    def uri(self, name: str) -> str:
        """Address of an object."""
        return f"gs://{self._bucket}/{name}"

    async def record(self, image: str) -> Record | None:
        """The record of an image; None when there is none.

        Raises:
            GenerationError: the bucket failed, or the record was not written by this function.
        """
        data = await self._store.read(record_object(image))
        if data is None:
            return None
        try:
            record = Record.model_validate_json(data)
        except ValidationError as error:
            raise self._unreadable(image, f"{error.error_count()} problems") from None
        if record.id != image or not all(kept.object.startswith(f"{FOLDER}/{image}/") for kept in record.images):
            raise self._unreadable(image, "it speaks of another image")
        return record

    def _unreadable(self, image: str, why: str) -> GenerationError:
        return failure(
            Reason.INTERNAL,
            f"{self.uri(record_object(image))} cannot be read as a record ({why}): this function did not write it",
            hint=f"Look at it: gcloud storage cat {self.uri(record_object(image))}",
        )

    async def keep_image(
        self, image: str, index: int, drawn: Drawn, *, attempt: int, seed: int | None, notes: dict[str, str]
    ) -> KeptImage:
        """Store an image's bytes as they are.

        Raises:
            GenerationError: they could not be stored.
        """
        picture = read_picture(drawn.data) or Picture(drawn.mime_type, 0, 0, content_credentials=False)
        digest = await _sha256(drawn.data)
        extension = EXTENSIONS.get(picture.mime_type, "bin")
        metadata = {**notes, "index": str(index), "sha256": digest} | ({} if seed is None else {"seed": str(seed)})
        name = image_object(image, index, extension)
        if not await self._store.create(name, drawn.data, picture.mime_type, metadata):
            # An earlier attempt stored its image and failed before its record; that image stays what it is.
            name = image_object(image, index, extension, attempt=attempt)
            if not await self._store.create(name, drawn.data, picture.mime_type, metadata):
                raise failure(Reason.INTERNAL, f"{self.uri(name)} exists with other contents")
        return KeptImage(
            object=name,
            sha256=digest,
            mime_type=picture.mime_type,
            width=picture.width,
            height=picture.height,
            bytes=len(drawn.data),
            seed=seed,
            content_credentials=picture.content_credentials,
            thought_signature=base64.b64encode(drawn.thought_signature).decode(),
        )

    async def keep_record(self, record: Record) -> Record:
        """Store a record; the one that was there first wins and is returned.

        Raises:
            GenerationError: it could not be stored.
        """
        data = record.model_dump_json(by_alias=True, indent=2).encode()
        if await self._store.create(record_object(record.id), data, JSON, {"campaign": record.campaign}):
            return record
        found = await self.record(record.id)
        if found is None:
            raise failure(Reason.INTERNAL, f"The record of image {record.id} was there and is gone")
        return found

    async def bytes_of(self, record: Record) -> list[bytes]:
        """The bytes of a record's images.

        Raises:
            GenerationError: they are gone, or could not be read.
        """
        found = await asyncio.gather(*(self._store.read(image.object) for image in record.images))
        for image, data in zip(record.images, found, strict=True):
            if data is None:
                raise failure(
                    Reason.IMAGE_NOT_FOUND,
                    f"{self.uri(image.object)} is gone though its record is there",
                    hint=f"gcloud storage restore {self.uri(image.object)} brings back what was deleted lately",
                )
        return [data for data in found if data is not None]

    async def signed_urls(self, record: Record) -> list[str]:
        """A fresh signed URL for each of a record's images.

        Raises:
            GenerationError: they could not be signed.
        """
        return list(await asyncio.gather(*(self._store.sign(image.object) for image in record.images)))

    async def conversation(self, image: str, longest: int) -> Sequence[Turn]:
        """The turns that led to an image, oldest first, at most `longest` of them: the oldest are left out.

        Raises:
            GenerationError: the bucket failed.
        """
        turns: list[Turn] = []
        following: str | None = image
        while following is not None and len(turns) < longest:
            record = await self.record(following)
            if record is None:
                break
            first = record.images[0]
            try:
                signature = base64.b64decode(first.thought_signature, validate=True)
            except ValueError:
                raise self._unreadable(following, "its thoughtSignature is not base64") from None
            turns.append(Turn(record.prompt, self.uri(first.object), first.mime_type, signature))
            following = record.provenance.previous
        return turns[::-1]


async def _sha256(data: bytes) -> str:
    if len(data) < LARGE:
        return hashlib.sha256(data).hexdigest()
    # A large image would hold up all others for tens of milliseconds; the sum is computed without the interpreter's
    # lock.
    return (await asyncio.to_thread(hashlib.sha256, data)).hexdigest()
