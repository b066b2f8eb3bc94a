"""A deployed campaign many times over, under other names: in Pulumi's state and in the sandbox's store.

To deploy fifty campaigns takes an hour; what a preview then costs does not depend on how they came to be. So one is
deployed, and everything that is its own is copied, under a name of the same length, for projects with numbers of their
own. The preview which follows proves the copies: it reads every resource, and finds nothing to change.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from infra.naming import source_object
from tests.end_to_end.deployment import CAMPAIGN, Deployment
from tests.end_to_end.sweep import JOURNALS

STORE = "state.sqlite3"
#: What tells from others of its kind a resource whose name says nothing of its campaign: budgets, hosts of services.
IDENTIFIER = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?<=-)[0-9a-f]{10}(?=-)")
ARCHIVE = re.compile(r"function-(?P<digest>[0-9a-f]{16})-[0-9a-f]{8}\.zip")
KEYS = "cloudkms.cryptoKeys"
PERIMETERS = "accesscontextmanager.servicePerimeters"

Row = tuple[str, str, str, str]
"""Kind, name, parent and document of the sandbox's store."""


@dataclass(frozen=True)
class Copy:
    """One more campaign.

    Attributes:
        name: its name.
        number: its project's number.
        words: what stands in it for what stands in the deployed one.
    """

    name: str
    number: str
    words: Mapping[str, str]

    def of(self, text: str) -> str:
        """A text of the deployed campaign, as this one has it."""
        return re.sub("|".join(map(re.escape, self.words)), lambda found: self.words[found[0]], text)


def names(count: int) -> list[str]:
    """Names of as many campaigns, all as long as the deployed one's."""
    return [CAMPAIGN, *(f"campaign-{number:04d}" for number in range(1, count))]


def write_files(folder: Path, count: int) -> None:
    """The files of as many campaigns, all like the deployed one's, and no others."""
    text = (folder / f"{CAMPAIGN}.yaml").read_text()
    for path in folder.glob("*.yaml"):
        path.unlink()
    for name in names(count):
        (folder / f"{name}.yaml").write_text(text.replace(CAMPAIGN, name))


def copies(rows: Iterable[Row], number: str, count: int) -> list[Copy]:
    """What ``count`` campaigns need beside the deployed one, whose project has this number."""
    nameless = {
        found
        for row in rows
        if own(row, number) and CAMPAIGN not in row[1] and number not in row[1]
        for found in IDENTIFIER.findall(row[1])
    }
    archives = _archives(rows)
    made = [
        Copy(
            name,
            str(int(number) + index),
            {CAMPAIGN: name, number: str(int(number) + index), **{one: _other(one, name) for one in sorted(nameless)}},
        )
        for index, name in enumerate(names(count)[1:], 1)
    ]
    return [replace(copy, words={**copy.words, **_renamed(copy, archives)}) for copy in made]


def _renamed(copy: Copy, archives: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """The names of source archives in a copy."""
    return {one: source_object(digest, copy.of(key)) for one, (digest, key) in archives.items()}


def _archives(rows: Iterable[Row]) -> dict[str, tuple[str, str]]:
    """Source archives, with the digest and the key that they are named after."""
    kept = list(rows)
    keys = [name for kind, name, *_ in kept if kind == KEYS]
    found = {one[0]: one["digest"] for _, name, *_ in kept for one in ARCHIVE.finditer(name)}
    return {one: (digest, key) for one, digest in found.items() for key in keys if source_object(digest, key) == one}


def _other(identifier: str, name: str) -> str:
    """An identifier of the same form, made of it and a name."""
    digits = iter(hashlib.sha256(f"{identifier} {name}".encode()).hexdigest())
    return "".join(next(digits) if letter != "-" else letter for letter in identifier)


def own(row: Row, number: str) -> bool:
    """Whether a row is of the deployed campaign alone, and no journal."""
    kind, *texts = row
    return (
        kind != PERIMETERS and not JOURNALS.search(kind) and any(CAMPAIGN in text or number in text for text in texts)
    )


def store(path: Path) -> list[Row]:
    """The rows of a sandbox's store, in order of creation."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return connection.execute("SELECT kind, name, parent, document FROM resources ORDER BY sequence").fetchall()


def write_store(path: Path, rows: Sequence[Row], number: str, made: Sequence[Copy]) -> None:
    """Add what the copies have to the store of a sandbox that does not run; rows are those of the deployed campaign."""
    members = _members(number, made)
    with closing(sqlite3.connect(path)) as connection, connection:
        for copy in made:
            connection.executemany(
                "INSERT OR REPLACE INTO resources (kind, name, parent, document) VALUES (?, ?, ?, ?)",
                [(row[0], *map(copy.of, row[1:])) for row in rows if own(row, number)],
            )
        for kind, name, _, document in rows:
            if kind == PERIMETERS:
                perimeter = _inside(json.loads(document), members)
                connection.execute(
                    "UPDATE resources SET document = ? WHERE kind = ? AND name = ?", (json.dumps(perimeter), kind, name)
                )


def state(deployed: Mapping[str, Any], number: str, made: Sequence[Copy]) -> dict[str, Any]:
    """The state of a stack that has the copies as well."""
    members = _members(number, made)
    resources = list(deployed["deployment"]["resources"])
    texts = [json.dumps(one) for one in resources if CAMPAIGN in one["urn"].rpartition("::")[2]]
    resources += [json.loads(copy.of(text)) for copy in made for text in texts]
    for one in resources:
        if one["type"].endswith(":ServicePerimeter"):
            one |= {side: _inside(one[side], members) for side in ("inputs", "outputs")}
    return {**deployed, "deployment": {**deployed["deployment"], "resources": resources}}


def _members(number: str, made: Sequence[Copy]) -> list[str]:
    return sorted(f"projects/{one}" for one in (number, *(copy.number for copy in made)))


def _inside(perimeter: Mapping[str, Any], members: list[str]) -> dict[str, Any]:
    """A perimeter with these members in both configurations."""
    return {**perimeter, **{one: {**perimeter[one], "resources": members} for one in ("status", "spec")}}


def multiply(deployment: Deployment, deployed: Mapping[str, Any], count: int) -> Deployment:
    """Make a stack of one campaign one of ``count``; the sandbox is started anew. May be called again for more.

    Args:
        deployment: one campaign's, or what this function made of it.
        deployed: the state when it was one campaign's, secrets in plain text: labels name the campaign.
        count: how many campaigns there are then.
    """
    number = str(deployment.campaign()["projectNumber"])
    write_files(deployment.project / "campaigns", count)
    sandbox = deployment.sandbox
    port = int(sandbox.url.rpartition(":")[2])
    sandbox.stop()
    path = sandbox.data / STORE
    rows = [row for row in store(path) if own(row, number) or row[0] == PERIMETERS]
    made = copies(rows, number, count)
    write_store(path, rows, number, made)
    again = Deployment(type(sandbox).start(sandbox.data, port), deployment.project, deployment.stack)
    deployment.stack.replace_state(state(deployed, number, made))
    return again
