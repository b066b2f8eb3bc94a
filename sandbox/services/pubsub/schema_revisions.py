"""Revisions of schemas: https://docs.cloud.google.com/pubsub/docs/commit-schema-revision (read 2026-11)."""

from __future__ import annotations

from typing import Any

from sandbox.call import Call
from sandbox.errors import FailedPrecondition, InvalidArgument, NotFound
from sandbox.paging import page
from sandbox.services.pubsub.snapshots import REVISIONS, Schema

Document = dict[str, Any]


def revision(document: Document, wanted: str) -> Document:
    """One revision of a schema.

    Raises:
        NotFound: it has none of that id.
    """
    for one in document.get(REVISIONS, []):
        if one["revisionId"] == wanted:
            return dict(one)
    raise NotFound(f"Resource not found (resource={document['name'].rpartition('/')[2]}@{wanted}).")


def listing(call: Call) -> Document:
    """``:listRevisions``, newest first; definitions only with ``view=FULL``."""
    resource = Schema()
    call.name = call.name.removesuffix(":listRevisions")
    document = resource.read(call)
    left_out = set() if call.query.get("view") == "FULL" else {"definition"}
    kept = {"name": document["name"], "type": document["type"]}
    found = [kept | {key: one[key] for key in one if key not in left_out} for one in document.get(REVISIONS, [])]
    shown, following = page(found, call.query)
    return {"schemas": shown, **({"nextPageToken": following} if following else {})}


def roll_back(call: Call) -> Document:
    """``:rollback``: a new revision with the definition of an older one."""
    resource = Schema()
    document = resource.read(call)
    document["definition"] = revision(document, str(call.body.get("revisionId", "")))["definition"]
    resource.prepare(call, document)
    call.cloud.store.put(resource.kind, call.name, document)
    return resource.view(call, document)


def delete(call: Call) -> Document:
    """``:deleteRevision``: not of the last one."""
    resource = Schema()
    name, _, named = call.name.removesuffix(":deleteRevision").partition("@")
    call.name = name
    document = resource.read(call)
    wanted = named or call.query.get("revisionId", "")
    if not wanted:
        raise InvalidArgument("A revision must be named: projects/P/schemas/S@REVISION.")
    gone = revision(document, wanted)
    left = [one for one in document.get(REVISIONS, []) if one["revisionId"] != gone["revisionId"]]
    if not left:
        raise FailedPrecondition(f"Cannot delete the only revision of schema {document['name']}: delete the schema.")
    document |= {**left[0], REVISIONS: left}
    call.cloud.store.put(resource.kind, call.name, document)
    return resource.view(call, document)


HANDLERS = {
    "pubsub.schemas.deleteRevision": delete,
    "pubsub.schemas.listRevisions": listing,
    "pubsub.schemas.rollback": roll_back,
}
