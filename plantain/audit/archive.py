"""Copies of evidence in a bucket with a locked retention, outside of every audited project.

The lock keeps what was written from being changed or removed before its time, by anybody; the chain shows what was left
out, the signature who wrote it. Each alone is not enough.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from plantain.audit import chain
from plantain.audit.errors import SourceError
from plantain.errors import GoogleCloudError
from plantain.google_cloud import GoogleCloud

SCHEME = "gs://"
PRECONDITION_FAILED = 412
SECONDS_A_DAY = 86_400
HEADS = "heads"
FIELDS = "items(name),nextPageToken"


@dataclass(frozen=True)
class Archive:
    """Where copies go.

    Attributes:
        bucket: its name.
        prefix: of object names; empty, or ending with a slash.
        retention_days: how long it keeps every object.
        locked: whether nobody can shorten that.
    """

    bucket: str
    prefix: str
    retention_days: int
    locked: bool


def archive(cloud: GoogleCloud, address: str, audited: set[str]) -> Archive:
    """The bucket that ``--to`` names.

    Args:
        cloud: Google's APIs.
        address: gs://BUCKET/PREFIX.
        audited: numbers and ids of the audited projects.

    Raises:
        SourceError: it is no such address, has no retention, or belongs to an audited project.
        GoogleCloudError: the bucket cannot be read.
    """
    bucket, _, prefix = address.removeprefix(SCHEME).strip("/").partition("/")
    if not address.startswith(SCHEME) or not bucket:
        raise SourceError(f"{address} is no bucket.", cure="plantain audit run --to gs://BUCKET/PREFIX")
    found = cloud.call("GET", "storage", f"storage/v1/b/{bucket}")
    if str(found.get("projectNumber", "")) in audited:
        raise SourceError(
            f"{address} lies in an audited project, so whoever runs that project could judge its own evidence.",
            cure="make the bucket in a project of its own",
        )
    retention = found.get("retentionPolicy")
    if not retention:
        raise SourceError(
            f"{address} has no retention policy, so copies there could be replaced.",
            cure=f"gcloud storage buckets update gs://{bucket} --retention-period=2190d, then --lock-retention-period",
        )
    days = int(retention.get("retentionPeriod", 0)) // SECONDS_A_DAY
    return Archive(bucket, f"{prefix}/" if prefix else "", days, bool(retention.get("isLocked")))


def copy(cloud: GoogleCloud, to: Archive, root: Path, folder: Path, advance: Callable[[], None] = lambda: None) -> int:
    """Copy a bundle and the head of its chain; returns the number of objects. What is there already is left as it is.

    Raises:
        GoogleCloudError: an object cannot be written.
    """
    count = 0
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        _create(cloud, to, f"{folder.name}/{path.relative_to(folder).as_posix()}", path.read_bytes())
        count += 1
        advance()
    _create(cloud, to, f"{HEADS}/{folder.name}.json", chain.head_document(root))
    return count + 1


def fetch(
    cloud: GoogleCloud,
    address: str,
    root: Path,
    advance: Callable[[], None] = lambda: None,
    *,
    last: int | None = None,
    may_be_empty: bool = False,
) -> int:
    """Bring copies back into a folder, with the ledger; returns the number of files. What is there already is left.

    Args:
        cloud: where the bucket is.
        address: gs://BUCKET/PREFIX.
        root: the folder.
        advance: called for each file.
        last: only so many of the newest bundles, which is what the next audit needs; all by default.
        may_be_empty: whether a bucket without evidence is no error, as before the first audit.

    Raises:
        SourceError: the bucket holds no evidence, or a name that leads out of the folder.
        GoogleCloudError: the bucket cannot be read.
    """
    bucket, _, prefix = address.removeprefix(SCHEME).strip("/").partition("/")
    prefix = f"{prefix}/" if prefix else ""
    listed = cloud.pages("storage", f"storage/v1/b/{bucket}/o", "items", prefix=prefix, fields=FIELDS, maxResults=1000)
    names = sorted(item["name"] for item in listed)
    heads = [name for name in names if name.startswith(f"{prefix}{HEADS}/")]
    if not heads and may_be_empty:
        return 0
    if not heads:
        raise SourceError(f"{address} holds no evidence.", cure=f"plantain audit run --to {address}")
    root.mkdir(parents=True, exist_ok=True)
    count = 0
    left = {PurePosixPath(name).stem for name in (heads[:-last] if last else ())}
    for name in names:
        target = root / name.removeprefix(prefix)
        if name in heads or target.exists() or name.removeprefix(prefix).partition("/")[0] in left:
            continue
        if not target.resolve().is_relative_to(root.resolve()):
            raise SourceError(f"{address} has an object whose name leads out of the folder: {name}.")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(_read(cloud, bucket, name))
        count += 1
        advance()
    (root / chain.LEDGER_FILE).write_bytes(b"".join(_read(cloud, bucket, name) for name in heads))
    return count


def _read(cloud: GoogleCloud, bucket: str, name: str) -> bytes:
    return cloud.download("storage", f"storage/v1/b/{bucket}/o/{quote(name, safe='')}", params={"alt": "media"})


def _create(cloud: GoogleCloud, to: Archive, name: str, content: bytes) -> None:
    params = {"uploadType": "media", "name": f"{to.prefix}{name}", "ifGenerationMatch": "0"}
    try:
        cloud.upload("storage", f"upload/storage/v1/b/{quote(to.bucket)}/o", content, params=params)
    except GoogleCloudError as error:
        if error.status != PRECONDITION_FAILED:
            raise
