"""The project on disk: its folder, a stack's settings, its campaign files. All read through infra's own models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plantain.errors import InputError
from plantain.suggestion import did_you_mean

if TYPE_CHECKING:
    from infra.campaign_model import Campaign
    from infra.settings import Settings

PREFIX = "plantain:"


def project_root(start: Path | None = None) -> Path:
    """The nearest folder, upwards, that holds ``Pulumi.yaml``.

    Raises:
        InputError: there is none.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / "Pulumi.yaml").is_file():
            return folder
    raise InputError(
        f"Neither {start} nor a folder above it holds Pulumi.yaml, so there is no project here.",
        cure="cd to the folder that holds Pulumi.yaml",
    )


def settings_path(root: Path, stack: str) -> Path:
    """The stack's settings file.

    Raises:
        InputError: there is no such stack.
    """
    path = root / f"Pulumi.{stack}.yaml"
    if not path.is_file():
        known = sorted(found.name.split(".")[1] for found in root.glob("Pulumi.*.yaml"))
        raise InputError(
            f"There is no stack {stack!r}: {path.name} does not exist. {did_you_mean(stack, known)}",
            cure=f"--stack {known[0]}" if known else "pulumi stack init prod",
        )
    return path


def raw_settings(root: Path, stack: str) -> dict[str, Any]:
    """The keys under ``plantain:`` of a stack, without the prefix, objects as objects.

    Raises:
        InputError: there is no such stack, or its file is not YAML.
    """
    return parse_raw_settings(settings_path(root, stack))


def parse_raw_settings(path: Path) -> dict[str, Any]:
    """The keys under ``plantain:`` of a settings file, as ``raw_settings``.

    Raises:
        InputError: the file cannot be read, or is not YAML.
    """
    import yaml  # noqa: PLC0415 -- only verbs that read settings need it

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        config: Mapping[str, Any] = document.get("config") or {}
        return {key.removeprefix(PREFIX): value for key, value in config.items() if key.startswith(PREFIX)}
    except (OSError, yaml.YAMLError, AttributeError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name} is not a stack's settings: {error}", cure=f"edit {path.name}") from None


def stack_settings(root: Path, stack: str) -> Settings:
    """A stack's settings, validated as ``pulumi up`` validates them; ``endpoints`` are left to Pulumi.

    Raises:
        InputError: there is no such stack, or its settings are wrong; the message lists every problem.
    """
    from infra import settings  # noqa: PLC0415 -- only verbs that read settings need it
    from infra.errors import InfraError  # noqa: PLC0415

    raw = raw_settings(root, stack)
    raw.pop("endpoints", None)
    try:
        return settings.parse({key: _text(value) for key, value in raw.items()}, stack=stack)
    except InfraError as error:
        raise InputError(str(error).replace("nothing was deployed", "so the stack cannot be deployed")) from None


def campaigns(root: Path, pattern: str = "campaigns/*.yaml") -> tuple[Campaign, ...]:
    """The campaigns of a glob, by name.

    Raises:
        InputError: a file is wrong; the message lists every problem of every file.
    """
    from infra import campaign_file  # noqa: PLC0415 -- only verbs that read campaigns need it
    from infra.errors import InfraError  # noqa: PLC0415

    try:
        return campaign_file.load(root, pattern)
    except InfraError as error:
        raise InputError(str(error).replace("nothing was deployed", "so nothing was done")) from None


def campaign(root: Path, name: str) -> Campaign:
    """One campaign, by name or by the path of its file.

    Raises:
        InputError: there is no such campaign, or its file is wrong.
    """
    from infra import campaign_file  # noqa: PLC0415 -- only verbs that read campaigns need it
    from infra.campaign_model import Campaign  # noqa: PLC0415

    path = Path(name) if name.endswith((".yaml", ".yml")) else root / "campaigns" / f"{name}.yaml"
    if not path.is_file():
        known = sorted(found.stem for found in (root / "campaigns").glob("*.yaml"))
        raise InputError(
            f"There is no campaign {name!r}: {path} does not exist. {did_you_mean(Path(name).stem, known)}",
            cure=f"plantain campaign list, or plantain campaign new {Path(name).stem}",
        )
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}") from None
    found = campaign_file.parse(text, file=path.name)
    if isinstance(found, Campaign):
        return found
    raise InputError("\n".join([f"{path} is wrong in {len(found)} places:", *map(str, found)]))


def _text(value: Any) -> str:
    """A value as Pulumi hands it to the program: text, or JSON for objects; secrets are not opened."""
    value = _opened(value)
    return value if isinstance(value, str) else json.dumps(value)


def _opened(value: Any) -> Any:
    """A value whose encrypted parts, wherever they stand, are the word ``secret``."""
    if isinstance(value, dict):
        return "secret" if set(value) == {"secure"} else {key: _opened(part) for key, part in value.items()}
    return [_opened(part) for part in value] if isinstance(value, list) else value
