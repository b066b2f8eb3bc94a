"""Whether one image can be traced: pure functions of its record, its objects and its bytes.

Regulation (EU) 2024/1689 (AI Act), article 50(2), asks for a machine-readable mark; the Code of Practice of 2026-06-10
for signed metadata besides a watermark that nothing takes away. The watermark (SynthID) cannot be read here, so nothing
is said about it: what is checked is the mark beside the bytes, and that the bytes are those the model returned.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from generation.picture import read_picture
from generation.record import KeptImage, Record
from plantain.audit.canonical import canonical, sha256

RECORD = "record.json"
#: Metadata of an image's object by which machines recognise it as generated.
MARK = "ai-generated"
PRESENT, ABSENT, STRIPPED = "present", "absent", "stripped"


@dataclass(frozen=True)
class Stored:
    """One object of an image's folder.

    Attributes:
        name: in the bucket.
        metadata: of the object; None where the source has none, as a folder on disk.
        size: bytes.
    """

    name: str
    metadata: Mapping[str, str] | None
    size: int


@dataclass
class Traced:
    """What is known of one image id.

    Attributes:
        id: 64 hexadecimal digits.
        images: how many images were read.
        bytes: how many bytes they have.
        content_credentials: C2PA: present; absent, because the model returned none; or stripped, which is a problem.
        problems: what is wrong, as kind and sentence.
    """

    id: str
    images: int = 0
    bytes: int = 0
    content_credentials: str = ABSENT
    problems: list[tuple[str, str]] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """The result as JSON."""
        reason = {ABSENT: "the model returned none"}.get(self.content_credentials)
        return {
            "id": self.id,
            "status": "fail" if self.problems else "pass",
            "images": self.images,
            "bytes": self.bytes,
            "contentCredentials": {"state": self.content_credentials, **({"reason": reason} if reason else {})},
            "problems": [{"kind": kind, "message": message} for kind, message in self.problems],
        }


def parse(id_: str, data: bytes | None, traced: Traced) -> Record | None:
    """The record of an image; None when it is missing or incomplete, which is a problem."""
    if data is None:
        traced.problems.append(("record-missing", "has no record, so nobody can say what made it"))
        return None
    try:
        record = Record.model_validate_json(data)
    except ValidationError as error:
        where = ", ".join(sorted({str(one["loc"][0]) if one["loc"] else "it" for one in error.errors()}))
        traced.problems.append(("record-incomplete", f"its record lacks or misstates {where}"))
        return None
    traced.problems += _record_problems(id_, record)
    return record


def _record_problems(id_: str, record: Record) -> Iterator[tuple[str, str]]:
    if record.id != id_:
        yield "record-misplaced", "its record is that of another image"
    if sha256(canonical(record.canonical)) != record.id:
        yield "request-changed", "the recorded request is not the one the id was made from"
    if not record.images:
        yield "record-incomplete", "its record names no image"
    if not record.prompt or not record.provenance.model_version:
        yield "record-incomplete", "its record lacks the prompt or the model's version"
    disclosure = record.disclosure
    if disclosure is None or not disclosure.ai_generated or not disclosure.digital_source_type:
        yield "mark-missing", "its record does not say that a model made it"


def check_image(kept: KeptImage, stored: Stored | None, data: bytes | None, traced: Traced) -> None:
    """Compare one image with its record; what is wrong is added to ``traced``."""
    if stored is None or data is None:
        traced.problems.append(("image-missing", f"{kept.object} is recorded and not there"))
        return
    traced.images += 1
    traced.bytes += len(data)
    if hashlib.sha256(data).hexdigest() != kept.sha256 or len(data) != kept.bytes:
        traced.problems.append(("bytes-changed", f"{kept.object} has other bytes than were recorded"))
    if stored.metadata is not None and stored.metadata.get(MARK) != "true":
        traced.problems.append(("mark-missing", f"{kept.object} does not say to machines that a model made it"))
    picture = read_picture(data)
    if picture is None:
        traced.problems.append(("not-an-image", f"{kept.object} is no image of a known format"))
        return
    if picture.mime_type != kept.mime_type:
        traced.problems.append(("format-changed", f"{kept.object} is not of the recorded format"))
    if kept.content_credentials and not picture.content_credentials:
        traced.content_credentials = STRIPPED
        traced.problems.append(("credentials-stripped", f"{kept.object} has lost the C2PA manifest it came with"))
    elif picture.content_credentials and traced.content_credentials != STRIPPED:
        traced.content_credentials = PRESENT
