"""Exports of the inventory: JSON Lines in a bucket, one asset a line, or rows of a table."""

from __future__ import annotations

import json
import re
from typing import Any

from sandbox.call import Call
from sandbox.errors import InvalidArgument
from sandbox.services.cloudasset import inventory, tables
from sandbox.services.cloudasset.searches import exported, known, scope
from sandbox.services.storage.contents import Upload, create, require

Document = dict[str, Any]

PACKAGE = "type.googleapis.com/google.cloud.asset.v1"
OBJECT = re.compile(r"gs://(?P<bucket>[^/]+)/(?P<name>.+)")


def export(call: Call) -> Document:
    """``exportAssets`` to one object, or to one for each asset type below a prefix.

    Raises:
        InvalidArgument: no destination, or a malformed one.
    """
    config = call.body.get("outputConfig", {})
    destination = config.get("gcsDestination", {})
    content = call.body.get("contentType") or "CONTENT_TYPE_UNSPECIFIED"
    wanted = call.body.get("assetTypes", [])
    known(wanted)
    lines: dict[str, list[Document]] = {}
    for asset in inventory.assets(call.cloud, scope(call), wanted):
        item = exported(call, asset, content)
        if item is not None:
            lines.setdefault(asset.type.asset_type, []).append(item)
    written: list[str] = []
    if "bigqueryDestination" in config:
        tables.write(call, config["bigqueryDestination"], lines)
    elif uri := destination.get("uri"):
        written = [write(call, uri, [line for group in lines.values() for line in group])]
    elif prefix := destination.get("uriPrefix"):
        written = [write(call, f"{prefix.rstrip('/')}/{kind}/0", group) for kind, group in lines.items()]
    else:
        raise InvalidArgument(
            "outputConfig needs a bigqueryDestination, or a gcsDestination with a uri or a uriPrefix."
        )
    response = {
        "@type": f"{PACKAGE}.ExportAssetsResponse",
        "readTime": call.cloud.clock.timestamp(),
        "outputConfig": config,
        **({"outputResult": {"gcsResult": {"uris": written}}} if written else {}),
    }
    name = f"{scope(call)}/operations/ExportAssets/{content}/{call.cloud.identifiers.hexadecimal('operations', 32)}"
    metadata = {"@type": f"{PACKAGE}.ExportAssetsRequest", "parent": scope(call), "outputConfig": config}
    return call.cloud.operations.finished("cloudasset", name, response, metadata)


def write(call: Call, uri: str, items: list[Document]) -> str:
    """One object of JSON Lines; the caller needs to be allowed to create it.

    Raises:
        InvalidArgument: the URI names no object.
    """
    found = OBJECT.fullmatch(uri)
    if found is None:
        raise InvalidArgument(f"Invalid Cloud Storage URI {uri!r}: gs://bucket/object.")
    require(call, "storage.objects.create", found["bucket"], found["name"])
    text = "".join(json.dumps(item, separators=(",", ":")) + "\n" for item in items)
    create(call, Upload(found["bucket"], found["name"], {"contentType": "application/json"}, text.encode()))
    return uri


HANDLERS = {"cloudasset.exportAssets": export}
