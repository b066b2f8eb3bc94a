"""The table of asset types: which kind of the sandbox is which type of Google's inventory."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class AssetType:
    """One row.

    Attributes:
        kind: the sandbox's kind, as ``storage.buckets``.
        asset_type: ``storage.googleapis.com/Bucket``.
        version: the API version whose answers the inventory shows.
    """

    kind: str
    asset_type: str
    version: str

    @property
    def host(self) -> str:
        """The host in the full resource name."""
        return f"{self.kind.partition('.')[0]}.googleapis.com"


@cache
def asset_types() -> tuple[AssetType, ...]:
    """The kinds that the inventory knows, by asset type."""
    table = json.loads(resources.files("sandbox").joinpath("asset_types.json").read_text())
    return tuple(AssetType(row["kind"], row["assetType"], row["version"]) for row in table["types"])


@cache
def asset_type_of_kind(kind: str) -> str:
    """The asset type of a kind; empty for one that the inventory does not know."""
    return next((row.asset_type for row in asset_types() if row.kind == kind), "")
