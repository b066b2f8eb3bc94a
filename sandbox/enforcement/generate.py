"""Compare roles.json with Google's own role definitions, or make its roles from them.

    python -m sandbox.enforcement.generate FOLDER [--write --source TEXT --as-of DATE --licence TEXT]

FOLDER holds one JSON file for each predefined role in the form of IAM's ``roles.get``: ``gcloud iam roles describe
ROLE --format=json`` writes one, and public mirrors of ``roles.list`` hold them all. Without ``--write`` the differences
are printed, as far as they concern permissions of methods that the sandbox knows: what it grants and Google does not,
and the reverse. With ``--write`` the roles of roles.json, and all further ones of the covered services, are replaced.
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
from sandbox.enforcement.permissions import NAMESPACES, holds, permission, table

FILE = Path(__file__).with_name("roles.json")
Definitions = dict[str, frozenset[str]]


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
    """Permissions by role.

    Raises:
        ValueError: the folder holds no role.
    """
    found: Definitions = {}
    for path in sorted(folder.glob("*.json")):
        role = json.loads(path.read_text())
        if isinstance(role, dict) and "includedPermissions" in role:
            found[role["name"]] = frozenset(
                name.replace(".googleapis.com/", ".") for name in role["includedPermissions"]
            )
    if not found:
        raise ValueError(
            f"{folder} holds no role: each file is what `gcloud iam roles describe ROLE --format=json` says."
        )
    return found


def known_permissions() -> set[str]:
    """The permissions of all described methods."""
    methods = (method for service in described().services for method in described().methods(service))
    return {needed for needed in map(permission, methods) if needed}


def differences(roles: dict[str, list[str]], google: Definitions) -> list[Difference]:
    """Where the table and Google's definitions disagree about permissions that both know."""
    common = known_permissions() & frozenset().union(*google.values())
    found = []
    for role, patterns in sorted(roles.items()):
        here, there = {name for name in common if holds(patterns, name)}, google.get(role, frozenset()) & common
        if here != there:
            found.append(Difference(role, tuple(sorted(here - there)), tuple(sorted(there - here))))
    return found


def unknown(google: Definitions) -> list[str]:
    """Permissions that the sandbox asks for and no role of Google holds: their methods need another one."""
    return sorted(known_permissions() - frozenset().union(*google.values()))


def compact(permissions: Iterable[str], every: frozenset[str]) -> list[str]:
    """Patterns that admit exactly these of all permissions: a star for the whole of a service or of a collection."""
    left, patterns = set(permissions), []
    for depth in (1, 2):
        prefixes = sorted({".".join(name.split(".")[:depth]) + "." for name in left})
        for prefix in prefixes:
            whole = {name for name in every if name.startswith(prefix)}
            if len(whole) > 1 and whole <= left:
                patterns.append(f"{prefix}*")
                left -= whole
    return sorted([*patterns, *left])


def made(google: Definitions, wanted: Iterable[str]) -> dict[str, list[str]]:
    """The roles of the table: those wanted and those of the covered services, without other services' permissions."""
    covered = {NAMESPACES.get(service, service) for service in described().services}
    kept = {role: {name for name in held if name.split(".")[0] in covered} for role, held in google.items()}
    every = frozenset().union(*kept.values())
    named = {role for role in kept if role.removeprefix("roles/").split(".")[0] in covered}
    return {role: compact(kept[role], every) for role in sorted(named | (set(wanted) & kept.keys()))}


def main(arguments: list[str] | None = None) -> int:
    """The command line; 1 when there are differences, 2 when the folder holds no role."""
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
        document: dict[str, Any] = {**table(), "source": options.source, "asOf": options.as_of}
        document |= {"licence": options.licence, "roles": made(google, table()["roles"])}
        lines = [f"  {json.dumps(role)}: {json.dumps(held)}" for role, held in document.pop("roles").items()]
        head = json.dumps(document, indent=1).removesuffix("\n}")
        options.write.write_text("\n".join([f"{head},", ' "roles": {', ",\n".join(lines), " }", "}", ""]))
        return 0
    found = differences(table()["roles"], google)
    sys.stdout.writelines(f"{line}\n" for line in found)
    sys.stdout.writelines(f"no role holds {name}\n" for name in unknown(google))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
