"""A stack's own settings, turned towards the sandbox: what is tried there is what will be deployed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from plantain.errors import InputError
from plantain.project import PREFIX, settings_path, stack_settings

STACK = "rehearsal"
STAND_IN = "sandbox"
"""The stack whose file knows how to reach the sandbox."""
FROM_STAND_IN = ("organization", "billingAccount", "accessToken", "wheels", "pollInterval", "batchDelay", "endpoints")
"""What only the sandbox's own values can be: it has one organisation, one billing account, one address."""
NOT_THERE = ("folder", "quotaProject", "impersonate", "monitoringProject", "channelSecrets")
"""What names things of the real organisation that the sandbox does not hold."""
DEPLOYER = "user:user@example.com"
TOP_LEVEL = ("secretsprovider", "encryptedkey")
"""How Pulumi encrypts the real stack's secrets, which the sandbox's passphrase does not open."""


def rehearse(root: Path, stack: str, standard_url: str, url: str, *, name: str = STACK) -> tuple[Path, list[str]]:
    """Write ``Pulumi.<name>.yaml``: a stack's settings and comments, with the sandbox in the place of Google.

    Args:
        root: folder of Pulumi.yaml.
        stack: whose settings to try.
        standard_url: the sandbox's origin in the stand-in's file.
        url: where the sandbox is.
        name: stack to write for.

    Returns:
        The file, and what differs from the stack's own settings, one line each.

    Raises:
        InputError: there is no such stack, its settings are wrong, or the file would overwrite another stack's.
    """
    from ruamel.yaml import YAML  # noqa: PLC0415 -- only this needs an editor that keeps comments

    if name in {stack, STAND_IN}:
        raise InputError(
            f"A rehearsal of {stack} cannot be called {name!r}: a stack of that name has a file.", cure="--name NAME"
        )
    stack_settings(root, stack)  # what is wrong is reported of the file that is to be mended
    editor = YAML()
    editor.preserve_quotes = True
    editor.width = 4096
    document = editor.load(settings_path(root, stack).read_text(encoding="utf-8"))
    stand_in = editor.load(settings_path(root, STAND_IN).read_text(encoding="utf-8").replace(standard_url, url))
    config = document["config"]
    changes = [*_left_out(config), *_taken_over(config, stand_in["config"]), *_admitted(config)]
    config[f"{PREFIX}deletionProtection"] = "false"
    changes.append(f"{PREFIX}deletionProtection: false, because it is taken down again")
    for key in TOP_LEVEL:
        document.pop(key, None)
    document["encryptionsalt"] = stand_in["encryptionsalt"]
    path = root / f"Pulumi.{name}.yaml"
    with path.open("w", encoding="utf-8") as file:
        editor.dump(document, file)
    return path, changes


def _left_out(config: dict[str, Any]) -> Iterator[str]:
    """Take away what the sandbox has not."""
    for key in [key for key, value in config.items() if _secret(value)]:
        del config[key]
        yield f"{key}: left out, it is encrypted for the real stack"
    for key in NOT_THERE:
        if config.pop(f"{PREFIX}{key}", None) is not None:
            yield f"{PREFIX}{key}: left out, the sandbox has no such thing"


def _taken_over(config: dict[str, Any], known: dict[str, Any]) -> Iterator[str]:
    """Put in what only the sandbox's own values can be."""
    for key in (f"{PREFIX}{one}" for one in FROM_STAND_IN):
        if key in known and config.get(key) != known[key]:
            config[key] = known[key]
            yield f"{key}: {'of the sandbox' if isinstance(known[key], dict) else known[key]}"


def _admitted(config: dict[str, Any]) -> Iterator[str]:
    """Let the sandbox's administrator deploy, into an access policy of the stack's own."""
    perimeter = config.get(f"{PREFIX}perimeter")
    if not isinstance(perimeter, dict):
        return
    deployers = perimeter.setdefault("deployers", [])
    if DEPLOYER not in deployers:
        deployers.append(DEPLOYER)
        yield f"{PREFIX}perimeter.deployers: {DEPLOYER} too"
    if perimeter.pop("accessPolicy", None) is not None:
        yield f"{PREFIX}perimeter.accessPolicy: left out, the stack makes its own"


def _secret(value: Any) -> bool:
    return isinstance(value, dict) and ("secure" in value or any(map(_secret, value.values())))
