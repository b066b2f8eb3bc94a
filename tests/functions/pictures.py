"""Small real image files."""

import io
import struct
import zlib

from PIL import Image

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int = 4, height: int = 3, *, colour: int = 7, credentials: bool = False, padding: int = 0) -> bytes:
    """A grey PNG; with a C2PA chunk if asked for, and larger by `padding` bytes."""
    rows = b"".join(b"\0" + bytes([colour % 256]) * width for _ in range(height))
    return (
        PNG_SIGNATURE
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
        + (chunk(b"caBX", b"a manifest") if credentials else b"")
        + (chunk(b"juNK", bytes(padding)) if padding else b"")
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def encoded(form: str, width: int = 40, height: int = 30, **options: object) -> bytes:
    """An image as Pillow writes it: JPEG, WEBP."""
    output = io.BytesIO()
    Image.new("RGB", (width, height), (200, 30, 90)).save(output, form, **options)
    return output.getvalue()
