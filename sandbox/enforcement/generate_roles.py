"""Make roles.json from Google's own role definitions, or compare the two.

    python -m sandbox.enforcement.generate_roles FOLDER [--write --source TEXT --as-of DATE --licence TEXT]

FOLDER holds one JSON file for each predefined role in the form of IAM's ``roles.get``: ``gcloud iam roles describe
ROLE --format=json`` writes one, and public mirrors of ``roles.list`` hold them all. Without ``--write`` the differences
are printed: what the sandbox grants and Google does not, and the reverse. With it roles.json is made anew: every role
of a covered service, the basic roles and those that roles.json has already, with the permissions of covered services.
overlay.json says what differs on purpose; it is written by hand.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.description import described
from sandbox.enforcement.permissions import permission
from sandbox.enforcement.role_table import FILE, NAMESPACES, generated, holds, overlay, roles

WORTH_A_STAR = 2
BASIC = {"roles/browser", "roles/editor", "roles/owner", "roles/viewer"}


@dataclass(frozen=True, slots=True)
class Definition:
    """A predefined role as Google publishes it."""

    title: str
    permissions: frozenset[str]


Definitions = dict[str, Definition]


@dataclass(frozen=True, slots=True)
class Difference:
    """What a role grants here and not at Google, and the reverse."""

    role: str
    surplus: tuple[str, ...]
    missing: tuple[str, ...]

    def __str__(self) -> str:
        signs = [*(f"-{name}" for name in self.surplus), *(f"+{name}" for name in self.missing)]
        return f"{self.role}: {' '.join(signs)}"


def definitions(folder: Path) -> Definitions:
    """Definitions by role.

    Raises:
        ValueError: the folder holds no role.
    """
    found: Definitions = {}
    for path in sorted(folder.glob("*.json")):
        role = json.loads(path.read_text())
        if isinstance(role, dict) and "includedPermissions" in role:
            held = frozenset(name.replace(".googleapis.com/", ".") for name in role["includedPermissions"])
            found[role["name"]] = Definition(str(role.get("title", role["name"])), held)
    if not found:
        raise ValueError(
            f"{folder} holds no role: each file is what `gcloud iam roles describe ROLE --format=json` says."
        )
    return found


def covered() -> set[str]:
    """What the permissions of covered services begin with."""
    return {NAMESPACES.get(service, service) for service in described().services}


def vocabulary(google: Definitions) -> frozenset[str]:
    """All permissions of covered services that any role holds."""
    services = covered()
    return frozenset(name for role in google.values() for name in role.permissions if name.split(".")[0] in services)


def differences(google: Definitions) -> list[Difference]:
    """Where the sandbox and Google's definitions disagree about permissions that Google's roles know."""
    every, found = vocabulary(google), []
    for role, patterns in sorted(roles().items()):
        here = {name for name in every if holds(patterns, name)}
        there = google[role].permissions & every if role in google else frozenset()
        if here != there:
            found.append(Difference(role, tuple(sorted(here - there)), tuple(sorted(there - here))))
    return found


def unknown(google: Definitions) -> list[str]:
    """Permissions that the sandbox asks for and no role of Google holds: their methods need another one."""
    methods = (method for service in described().services for method in described().methods(service))
    return sorted({needed for needed in map(permission, methods) if needed} - vocabulary(google))


def cover(wanted: set[str], every: set[str]) -> list[str]:
    """Patterns that admit exactly some permissions of one service: a star for all of a collection, or of an action."""
    left, patterns = set(wanted), []
    groups: dict[str, set[str]] = {}
    for name in every:
        service, collection, action = name.split(".", 2)
        groups.setdefault(f"{service}.{collection}.*", set()).add(name)
        groups.setdefault(f"{service}.*.{action}", set()).add(name)
    fitting = {pattern: names for pattern, names in groups.items() if len(names) >= WORTH_A_STAR and names <= wanted}
    while fitting:
        best = max(sorted(fitting), key=lambda pattern: len(fitting[pattern] & left))
        if len(fitting[best] & left) < WORTH_A_STAR:
            break
        patterns.append(best)
        left -= fitting.pop(best)
    return sorted([*patterns, *left])


def compact(permissions: Iterable[str], every: frozenset[str]) -> list[str]:
    """Patterns that admit exactly these of all permissions: of a service all, all but a few, or some.

    A star also admits permissions that no published role knows yet, those of newer methods.
    """
    held: dict[str, set[str]] = {}
    whole: dict[str, set[str]] = {}
    for name in every:
        whole.setdefault(name.split(".")[0], set()).add(name)
    for name in permissions:
        held.setdefault(name.split(".")[0], set()).add(name)
    patterns: list[str] = []
    for service, names in sorted(held.items()):
        if names == whole[service]:
            patterns.append(f"{service}.*")
            continue
        some = cover(names, whole[service])
        others = whole[service] - names
        but = [f"!{pattern}" for pattern in cover(others, whole[service])]
        few = len(others) * 4 <= len(whole[service]) and len(but) < len(some)
        patterns += [*but, f"{service}.*"] if few else some
    return patterns


def tree(every: Iterable[str]) -> dict[str, dict[str, list[str]]]:
    """Permissions by service and collection."""
    found: dict[str, dict[str, list[str]]] = {}
    for name in sorted(every):
        service, collection, action = name.split(".", 2)
        found.setdefault(service, {}).setdefault(collection, []).append(action)
    return found


def made(google: Definitions, wanted: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The roles of the table: those wanted, the basic ones, and those of covered services."""
    every, services = vocabulary(google), covered()
    own = {role for role in google if role.removeprefix("roles/").split(".")[0] in services}
    chosen = (own | BASIC | set(wanted)) & google.keys()
    return {
        role: {"title": google[role].title, "permissions": compact(google[role].permissions & every, every)}
        for role in sorted(chosen)
    }


def write(path: Path, google: Definitions, head: dict[str, Any]) -> None:
    """One service and one role a line, so that a later date gives a readable difference."""
    known = tree(vocabulary(google))
    permissions = ",\n".join(f"  {json.dumps(service)}: {json.dumps(known[service])}" for service in known)
    found = made(google, generated()["roles"]) if FILE.exists() else made(google, ())
    lines = ",\n".join(f"  {json.dumps(role)}: {json.dumps(facts)}" for role, facts in found.items())
    opening = json.dumps(head, indent=1).removesuffix("\n}")
    path.write_text(f'{opening},\n "permissions": {{\n{permissions}\n }},\n "roles": {{\n{lines}\n }}\n}}\n')


def main(arguments: list[str] | None = None) -> int:
    """The command line; 1 when something differs that the overlay does not name, 2 when the folder holds no role."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", type=Path, nargs="?", const=FILE, help="make this table anew; roles.json by default")
    parser.add_argument("--source", default="", help="where the definitions come from")
    parser.add_argument("--as-of", default="", help="their date, as 2026-08-22")
    parser.add_argument("--licence", default="", help="under which they are published")
    options = parser.parse_args(arguments)
    try:
        google = definitions(options.folder)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if options.write:
        if not (options.source and options.as_of and options.licence):
            parser.error("--write needs --source, --as-of and --licence, which the table names.")
        head = {"madeBy": "python -m sandbox.enforcement.generate_roles", "source": options.source}
        write(options.write, google, {**head, "asOf": options.as_of, "licence": options.licence})
        return 0
    found = differences(google)
    meant = overlay()["roles"]
    for line in found:
        reason = meant.get(line.role, {}).get("reason", "")
        sys.stdout.write(f"{line.role}: on purpose. {reason}\n" if reason else f"{line}\n")
    sys.stdout.writelines(f"no role holds {name}\n" for name in unknown(google))
    return 1 if any(line.role not in meant for line in found) else 0


if __name__ == "__main__":
    sys.exit(main())
