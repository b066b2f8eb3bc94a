"""Where images lie: in a bucket, or in a folder that is a copy of one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from plantain.audit.errors import SourceError
from plantain.audit.provenance.check import Stored
from plantain.errors import GoogleCloudError
from plantain.google_cloud import GoogleCloud

PREFIX = "images/"
FIELDS = "items(name,size,metadata),nextPageToken"
NOT_FOUND = 404
SCHEME = "gs://"


class Source(Protocol):
    """Images by id."""

    def groups(self) -> Iterator[tuple[str, list[Stored]]]:
        """Each image's id with its objects, in order of the ids."""

    def read(self, name: str) -> bytes | None:
        """The bytes of an object; None when it is not there."""


class Bucket:
    """Images in a bucket.

    Args:
        cloud: Google's APIs.
        name: the bucket.
    """

    def __init__(self, cloud: GoogleCloud, name: str) -> None:
        self._cloud, self._name = cloud, name

    def groups(self) -> Iterator[tuple[str, list[Stored]]]:
        """Each image's id with its objects. The list is in order of names, so an image's objects are together."""
        items = self._cloud.pages(
            "storage", f"storage/v1/b/{self._name}/o", "items", prefix=PREFIX, fields=FIELDS, maxResults=1000
        )
        found = (Stored(item["name"], item.get("metadata") or {}, int(item.get("size", 0))) for item in items)
        for id_, stored in groupby(found, key=lambda entry: entry.name.split("/")[1]):
            yield id_, list(stored)

    def read(self, name: str) -> bytes | None:
        """The bytes of an object; None when it is not there.

        Raises:
            GoogleCloudError: it may not be read, as when its key is disabled.
        """
        try:
            path = f"storage/v1/b/{self._name}/o/{quote(name, safe='')}"
            return self._cloud.download("storage", path, params={"alt": "media"})
        except GoogleCloudError as error:
            if error.status == NOT_FOUND:
                return None
            raise


class Folder:
    """Images in a folder, as ``gcloud storage rsync`` copies a bucket.

    Args:
        path: the folder that holds ``images/``.

    Raises:
        SourceError: it holds none.
    """

    def __init__(self, path: Path) -> None:
        if not (path / PREFIX).is_dir():
            raise SourceError(
                f"{path} holds no folder {PREFIX}, so there is nothing to audit.",
                cure=f"gcloud storage rsync -r gs://BUCKET {path}",
            )
        self._path = path

    def groups(self) -> Iterator[tuple[str, list[Stored]]]:
        """Each image's id with its objects; a file has no metadata."""
        for folder in sorted((self._path / PREFIX).iterdir()):
            if folder.is_dir():
                files = sorted(path for path in folder.iterdir() if path.is_file())
                yield (
                    folder.name,
                    [Stored(f"{PREFIX}{folder.name}/{path.name}", None, path.stat().st_size) for path in files],
                )

    def read(self, name: str) -> bytes | None:
        """The bytes of a file; None when it is not there."""
        try:
            return (self._path / name).read_bytes()
        except FileNotFoundError:
            return None


def source(address: str, cloud: GoogleCloud | None) -> Source:
    """The source that an address names: gs://BUCKET, or a folder.

    Raises:
        SourceError: the folder holds no images.
    """
    if address.startswith(SCHEME):
        if cloud is None:
            raise SourceError("A bucket cannot be read offline.", cure="copy it to a folder first")
        return Bucket(cloud, address.removeprefix(SCHEME).partition("/")[0])
    return Folder(Path(address))
