"""What an image file says about itself: format, size, content credentials. Reads headers, decodes nothing.

Formats: PNG (ISO/IEC 15948), JPEG (ITU-T T.81), WebP (developers.google.com/speed/webp/docs/riff_container),
HEIC/HEIF (ISO/IEC 23008-12). Content credentials lie in a `caBX` chunk of a PNG, an APP11 segment of a JPEG and a
`C2PA` chunk of a WebP (C2PA specification 2.2, section A.3).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEIC_BRANDS = {b"heic", b"heix", b"hevc", b"hevx"}
HEIF_BRANDS = {b"mif1", b"msf1", b"heif"}
MOST_PARTS = 4096
"""Parts of a file that are looked at; made of the smallest, 7 MB would have two million. What tells size and content
credentials comes before the pixels."""
START_OF_FRAME = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}
START_OF_SCAN = 0xDA
APP11 = 0xEB
PREFIX = 0xFF
EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/heic": "heic", "image/heif": "heif"}


@dataclass(frozen=True, slots=True)
class Picture:
    """The header of an image.

    Attributes:
        mime_type: as the bytes say, whatever their label says.
        width: pixels; 0 where the header does not say.
        height: pixels; 0 where the header does not say.
        content_credentials: whether a C2PA manifest is embedded. It is not verified here.
    """

    mime_type: str
    width: int
    height: int
    content_credentials: bool


def read_picture(data: bytes) -> Picture | None:
    """The header of an image; None for bytes of no known format or with a broken header."""
    try:
        if data.startswith(PNG_SIGNATURE):
            return _png(data)
        if data.startswith(b"\xff\xd8\xff"):
            return _jpeg(data)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _webp(data)
        if data[4:8] == b"ftyp":
            return _heif(data)
    except (struct.error, IndexError):
        return None
    return None


def _png(data: bytes) -> Picture | None:
    kind, width, height = struct.unpack(">4sII", data[12:24])
    if kind != b"IHDR" or not width or not height:
        return None
    return Picture("image/png", width, height, b"caBX" in (kind for kind, _ in islice(_png_chunks(data), MOST_PARTS)))


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int]]:
    at = len(PNG_SIGNATURE)
    while at + 8 <= len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        yield kind, length
        at += length + 12


def _jpeg(data: bytes) -> Picture | None:
    at, size, credentials, parts = 2, (0, 0), False, 0
    while at + 4 <= len(data):
        parts += 1
        if data[at] != PREFIX or parts > MOST_PARTS:
            return None
        marker = data[at + 1]
        if marker in WITHOUT_LENGTH or marker == PREFIX:
            at += 1 if marker == PREFIX else 2
            continue
        (length,) = struct.unpack(">H", data[at + 2 : at + 4])
        if marker in START_OF_FRAME:
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            size = (width, height)
        if marker == APP11 and b"c2pa" in data[at : at + 2 + length]:
            credentials = True
        if marker == START_OF_SCAN:
            break
        at += 2 + length
    return Picture("image/jpeg", *size, credentials)


def _webp(data: bytes) -> Picture | None:
    kind = data[12:16]
    if kind == b"VP8X":
        width = 1 + int.from_bytes(data[24:27], "little")
        height = 1 + int.from_bytes(data[27:30], "little")
    elif kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    elif kind == b"VP8 ":
        width, height = (value & 0x3FFF for value in struct.unpack("<HH", data[26:30]))
    else:
        return None
    return Picture("image/webp", width, height, b"C2PA" in islice(_riff_chunks(data), MOST_PARTS))


def _riff_chunks(data: bytes) -> Iterator[bytes]:
    at = 12
    while at + 8 <= len(data):
        kind, length = struct.unpack("<4sI", data[at : at + 8])
        yield kind
        at += 8 + length + length % 2


def _heif(data: bytes) -> Picture | None:
    (length,) = struct.unpack(">I", data[:4])
    brands = {data[8:12], *(data[at : at + 4] for at in range(16, min(length, 256), 4))}
    if brands & HEIC_BRANDS:
        return Picture("image/heic", 0, 0, content_credentials=False)
    if brands & HEIF_BRANDS:
        return Picture("image/heif", 0, 0, content_credentials=False)
    return None
