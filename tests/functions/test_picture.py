"""Formats, sizes and content credentials are read from headers."""

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from generation.picture import Picture, read_picture
from tests.functions.pictures import encoded, png

SAMPLES = Path(__file__).with_name("samples")


def test_a_png() -> None:
    assert read_picture(png(1376, 768)) == Picture("image/png", 1376, 768, content_credentials=False)


def test_a_png_with_content_credentials() -> None:
    assert read_picture(png(2, 2, credentials=True)) == Picture("image/png", 2, 2, content_credentials=True)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"quality": 10}])
def test_a_jpeg(options: dict[str, object]) -> None:
    assert read_picture(encoded("JPEG", 64, 48, **options)) == Picture("image/jpeg", 64, 48, content_credentials=False)


def test_a_jpeg_with_content_credentials() -> None:
    plain = encoded("JPEG", 64, 48)
    manifest = b"JP\x00\x01\x00\x00\x00\x01jumb c2pa manifest"
    segment = b"\xff\xeb" + (len(manifest) + 2).to_bytes(2, "big") + manifest
    assert read_picture(plain[:2] + segment + plain[2:]) == Picture("image/jpeg", 64, 48, content_credentials=True)


@pytest.mark.parametrize("name", ["signed.png", "signed.jpg", "signed.webp"])
def test_content_credentials_of_the_reference_implementation_are_found(name: str) -> None:
    data = (SAMPLES / name).read_bytes()

    found = read_picture(data)

    assert found is not None
    assert (found.width, found.height, found.content_credentials) == (32, 24, True)
    assert found.mime_type == f"image/{name.partition('.')[2].replace('jpg', 'jpeg')}"


@pytest.mark.parametrize("options", [{}, {"lossless": True}, {"exif": b"Exif\x00\x00MM\x00*"}])
def test_a_webp(options: dict[str, object]) -> None:
    assert read_picture(encoded("WEBP", 64, 48, **options)) == Picture("image/webp", 64, 48, content_credentials=False)


@pytest.mark.parametrize(("brand", "mime_type"), [(b"heic", "image/heic"), (b"mif1", "image/heif")])
def test_a_heif(brand: bytes, mime_type: str) -> None:
    box = (24).to_bytes(4, "big") + b"ftyp" + brand + bytes(4) + brand + b"miaf"
    found = read_picture(box + bytes(64))
    assert found is not None
    assert found.mime_type == mime_type


@given(st.binary(max_size=200))
def test_bytes_of_any_kind_are_read_without_failing(data: bytes) -> None:
    read_picture(data)


@given(st.sampled_from(["PNG", "JPEG", "WEBP"]), st.integers(0, 400))
def test_a_truncated_image_is_read_without_failing(form: str, length: int) -> None:
    output = io.BytesIO()
    Image.new("RGB", (9, 7)).save(output, form)
    read_picture(output.getvalue()[:length])
