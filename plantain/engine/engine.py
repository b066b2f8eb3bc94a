"""A usable engine: where its parts lie and which variables make ``pulumi`` use them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

Source = Literal["installed", "released", "built"]
SOURCES: tuple[Source, ...] = get_args(Source)


@dataclass(frozen=True)
class Engine:
    """One engine.

    Attributes:
        source: installed by the user, released by Pulumi, or built from Go modules.
        pulumi: path of the command line; the Python language host lies beside it.
        plugin: path of the ``gcp`` plugin's binary or, for an installed engine, of the folder Pulumi keeps it in.
        versions: of ``pulumi`` and ``gcp``, without a leading v.
        home: PULUMI_HOME of this engine; None leaves the user's own.
    """

    source: Source
    pulumi: Path
    plugin: Path
    versions: Mapping[str, str] = field(default_factory=dict)
    home: Path | None = None

    def environment(self, base: Mapping[str, str] | None = None) -> dict[str, str]:
        """Variables to merge into a process's environment so that it runs this engine and nothing else.

        Args:
            base: the environment whose PATH is extended; the process's own by default.
        """
        base = os.environ if base is None else base
        folder = str(self.pulumi.parent)
        others = [part for part in base.get("PATH", os.defpath).split(os.pathsep) if part and part != folder]
        variables = {
            "PATH": os.pathsep.join([folder, *others]),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        if self.home is not None:
            variables["PULUMI_HOME"] = str(self.home)
            # A plugin that is missing must be an error at once, not a look-up at hosts that may never answer.
            variables["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] = "true"
        return variables
