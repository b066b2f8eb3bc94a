"""What a shell may complete: names that stand in the project's files. Nothing is asked of a cloud, nothing fails."""

from __future__ import annotations

from pathlib import Path


def _folder() -> Path | None:
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / "Pulumi.yaml").is_file()), None)


def stacks(incomplete: str) -> list[str]:
    """Stacks that have a settings file."""
    root = _folder()
    found = sorted(path.name.split(".")[1] for path in root.glob("Pulumi.*.yaml")) if root else []
    return [name for name in found if name.startswith(incomplete)]


def campaigns(incomplete: str) -> list[str]:
    """Campaigns that have a file."""
    root = _folder()
    found = sorted(path.stem for path in root.glob("campaigns/*.yaml")) if root else []
    return [name for name in found if name.startswith(incomplete)]


def models(incomplete: str) -> list[str]:
    """Ids of the table of models."""
    from generation.models import table  # noqa: PLC0415 -- only this completion needs the table

    return [name for name in table().ids if name.startswith(incomplete)]


def checks(incomplete: str) -> list[str]:
    """Names of what doctor looks at."""
    from plantain.doctor.catalogue import CHECKS  # noqa: PLC0415 -- only this completion needs the checks

    return [check.name for check in CHECKS if check.name.startswith(incomplete)]


def steps(incomplete: str) -> list[str]:
    """Steps of a retirement."""
    from plantain.campaigns.retirement import STEPS  # noqa: PLC0415 -- only this completion needs the steps

    return [step for step in STEPS if step.startswith(incomplete)]
