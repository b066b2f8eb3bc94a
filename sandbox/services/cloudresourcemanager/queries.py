"""Queries over projects, as ``projects.search`` of v3 and the filter of v1 take them.

Source: https://docs.cloud.google.com/resource-manager/reference/rest/v3/projects/search (read 2026-11): terms with
``:`` or ``=``, joined by blanks or ``AND``, case-insensitive, ``*`` for any text.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import Any

from sandbox.errors import InvalidArgument

Document = dict[str, Any]

TERM = re.compile(r'([\w.\-]+)\s*([:=])\s*("[^"]*"|\S+)')
FIELDS = {
    "displayname": "displayName",
    "name": "displayName",
    "id": "projectId",
    "projectid": "projectId",
    "state": "state",
    "lifecyclestate": "state",
    "parent": "parent",
}


def admits(query: str, project: Document) -> bool:
    """Whether a project, as it is stored, meets every term of a query.

    Raises:
        InvalidArgument: a term names no field of a project, or is none.
    """
    rest = TERM.sub(" ", query)
    if rest.upper().replace("AND", "").strip():
        raise InvalidArgument(f"Invalid query: {query!r}. Terms are field:value, joined by blanks or AND.")
    return all(met(project, field, value.strip('"').lower()) for field, _, value in TERM.findall(query))


def met(project: Document, field: str, wanted: str) -> bool:
    """Whether one term is met.

    Raises:
        InvalidArgument: the field is unknown.
    """
    labels: dict[str, str] = project.get("labels", {})
    name = field.lower()
    if name == "labels":
        return any(fnmatchcase(text.lower(), wanted) for text in (*labels, *labels.values()))
    if name.startswith("labels."):
        key = name.removeprefix("labels.")
        return key in labels and fnmatchcase(labels[key].lower(), wanted)
    kind, _, number = project.get("parent", "").partition("/")
    if name in {"parent.type", "parent.id"}:
        return fnmatchcase(kind.removesuffix("s") if name == "parent.type" else number, wanted)
    if name not in FIELDS:
        raise InvalidArgument(f"Invalid query: projects have no field {field!r} to be searched by.")
    return fnmatchcase(str(project.get(FIELDS[name], "")).lower(), wanted)
