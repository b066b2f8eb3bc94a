"""What `pulumi up` runs."""

import gc
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

# Pulumi runs this folder as a program and puts it first on the path, where its modules would hide others of the
# same name; the packages lie in the folder above.
kept = [entry for entry in sys.path if Path(entry).resolve() != ROOT / "infra"]
sys.path[:] = [str(ROOT), str(ROOT / "functions"), *kept]

# A program of seconds that keeps nearly all it makes: to look for garbage while its modules load costs half a second.
gc.disable()

from infra import provider_modules  # noqa: E402 - the path comes first

provider_modules.install()

import pulumi  # noqa: E402 - the path comes first

from infra import campaign_file, settings, stack  # noqa: E402 - the path comes first
from infra.errors import InfraError  # noqa: E402 - the path comes first


async def program() -> Mapping[str, Any]:
    """The stack's outputs. Settings are read first, then everything is declared."""
    try:
        stack_settings = settings.load()
        campaigns = campaign_file.load(ROOT, stack_settings.campaigns)
        if any(campaign.project.existing for campaign in campaigns):
            # Only a stack with a project of others asks an API itself, so only it loads what asking takes.
            from infra import adoption  # noqa: PLC0415 -- only such a stack
            from infra.google_api import GoogleApi  # noqa: PLC0415 -- only such a stack

            adoption.check(GoogleApi.of(stack_settings), campaigns)
        return await stack.deploy(stack_settings, campaigns, root=ROOT, stack=pulumi.get_stack())
    except InfraError as error:
        raise pulumi.RunError(str(error)) from None


pulumi.run(program)
