"""Pictures for the sandbox's models: no art, but real PNG files that differ by prompt, seed, size and inputs."""

from __future__ import annotations

import hashlib
import io
import random
import textwrap

from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

#: Side lengths of a 1K picture by aspect ratio, in pixels; 2K and 4K are twice and four times as large.
#: Source: image generation page of the Agent Platform documentation (read 2026-08).
PIXELS = {
    "1:1": (1024, 1024),
    "2:3": (848, 1264),
    "3:2": (1264, 848),
    "3:4": (896, 1200),
    "4:3": (1200, 896),
    "4:5": (928, 1152),
    "5:4": (1152, 928),
    "9:16": (768, 1376),
    "16:9": (1376, 768),
    "21:9": (1584, 672),
    "9:21": (672, 1584),
    "1:4": (512, 2048),
    "4:1": (2048, 512),
    "1:8": (384, 3072),
    "8:1": (3072, 384),
}
FACTOR = {"512": 0.5, "1K": 1.0, "2K": 2.0, "4K": 4.0}
SHAPES = 14
CAPTION_SHARE = 26


def dimensions(aspect_ratio: str, size: str) -> tuple[int, int]:
    """Width and height in pixels."""
    width, height = PIXELS[aspect_ratio]
    return int(width * FACTOR[size]), int(height * FACTOR[size])


def draw(
    prompt: str, *, aspect_ratio: str, size: str, seed: int, inputs: bytes = b"", quality: int | None = None
) -> bytes:
    """Draw one picture; the same arguments give the same bytes.

    Args:
        prompt: shown as a caption.
        aspect_ratio: a key of ``PIXELS``.
        size: a key of ``FACTOR``.
        seed: changes the composition.
        inputs: digest of reference pictures; changes the composition, too.
        quality: JPEG quality 1 to 100; None makes a PNG.
    """
    digest = hashlib.sha256(f"{prompt}\0{seed}\0{size}\0{aspect_ratio}\0".encode() + inputs).digest()
    chance = random.Random(digest)  # noqa: S311 -- composition, not cryptography
    width, height = dimensions(aspect_ratio, size)
    picture = background(width, height, chance)
    pen = ImageDraw.Draw(picture)
    for _ in range(SHAPES):
        shape(pen, width, height, chance)
    caption(pen, prompt, width, height)
    output = io.BytesIO()
    if quality is None:
        notes = PngInfo()
        notes.add_text("Software", "Local Google Cloud sandbox: drawn, not generated")
        picture.save(output, "PNG", compress_level=1, pnginfo=notes)
    else:
        picture.save(output, "JPEG", quality=quality)
    return output.getvalue()


def background(width: int, height: int, chance: random.Random) -> Image.Image:
    """A vertical gradient between two colours."""
    top, bottom = colour(chance), colour(chance)
    column = Image.new("RGB", (1, 256))
    for y in range(256):
        column.putpixel((0, y), tuple(a + (b - a) * y // 255 for a, b in zip(top, bottom, strict=True)))
    return column.resize((width, height), Image.Resampling.BILINEAR)


def shape(pen: ImageDraw.ImageDraw, width: int, height: int, chance: random.Random) -> None:
    """One ellipse, rectangle or triangle somewhere on the picture."""
    extent = chance.uniform(0.05, 0.3) * min(width, height)
    x, y = chance.uniform(0, width), chance.uniform(0, height)
    box = (x - extent, y - extent, x + extent, y + extent)
    kind = chance.randrange(3)
    if kind == 0:
        pen.ellipse(box, fill=colour(chance))
    elif kind == 1:
        pen.rectangle(box, fill=colour(chance))
    else:
        pen.polygon([(x, y - extent), (x - extent, y + extent), (x + extent, y + extent)], fill=colour(chance))


def caption(pen: ImageDraw.ImageDraw, prompt: str, width: int, height: int) -> None:
    """The prompt in the lower part of the picture."""
    points = max(14, min(width, height) // CAPTION_SHARE)
    font = ImageFont.load_default(size=points)
    lines = textwrap.wrap(prompt, max(12, int(width * 0.9 / (points * 0.55))))[:4]
    text = "\n".join(lines)
    box = pen.multiline_textbbox((0, 0), text, font=font)
    left, top = int(width * 0.05), int(height - (box[3] - box[1]) - height * 0.06)
    margin = points // 2
    pen.rectangle((left - margin, top - margin, left + box[2] + margin, top + box[3] + margin), fill=(20, 20, 20))
    pen.multiline_text((left, top), text, font=font, fill=(245, 245, 245))


def colour(chance: random.Random) -> tuple[int, int, int]:
    """Any colour."""
    return chance.randrange(256), chance.randrange(256), chance.randrange(256)
