"""Images with records as the function writes them, on disk."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import struct
import zlib
from pathlib import Path
from typing import Any

from generation.disclosure import disclosure
from generation.record import Record
from plantain.audit.canonical import canonical, sha256

PNG = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def picture(size: int, *, credentials: bool = False) -> bytes:
    """A PNG of about so many bytes; its pixels are noise."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 16, 16, 8, 2, 0, 0, 0))
    manifest = chunk(b"caBX", b"c2pa") if credentials else b""
    return PNG + header + manifest + chunk(b"IDAT", os.urandom(max(0, size - 70))) + chunk(b"IEND", b"")


def record(prompt: str, data: bytes, *, credentials: bool = False, **changes: Any) -> Record:
    """The record of one image."""
    request = {"version": 1, "model": "gemini-3-pro-image", "prompt": prompt, "seed": 7}
    id_ = sha256(canonical(request))
    document: dict[str, Any] = {
        "id": id_,
        "campaign": "spring-launch",
        "project": "p",
        "location": "global",
        "model": "gemini-3-pro-image",
        "createdAt": dt.datetime(2026, 11, 21, tzinfo=dt.UTC),
        "canonical": request,
        "prompt": prompt,
        "seed": 7,
        "labels": {},
        "requestId": None,
        "images": [
            {
                "object": f"images/{id_}/0.png",
                "sha256": hashlib.sha256(data).hexdigest(),
                "mimeType": "image/png",
                "width": 16,
                "height": 16,
                "bytes": len(data),
                "contentCredentials": credentials,
            }
        ],
        "usage": {},
        "cost": {"amount": "0.134", "currency": "USD", "asOf": "2026-11-01"},
        "timing": {},
        "attempts": 1,
        "finishReason": "STOP",
        "text": "",
        "safety": {},
        "provenance": {
            "modelVersion": "gemini-3-pro-image",
            "responseIds": ["r"],
            "client": "test",
            "contentCredentials": credentials,
        },
        "disclosure": disclosure("gemini-3-pro-image", edited=False, content_credentials=credentials),
        **changes,
    }
    return Record.model_validate(document)


def write(folder: Path, made: Record, data: bytes) -> Path:
    """Write an image and its record; returns their folder."""
    place = folder / "images" / made.id
    place.mkdir(parents=True, exist_ok=True)
    (place / "0.png").write_bytes(data)
    (place / "record.json").write_text(made.model_dump_json(by_alias=True, indent=2))
    return place


def write_images(folder: Path, count: int, size: int) -> None:
    for number in range(count):
        data = picture(size)
        write(folder, record(f"plantain {number}", data), data)
