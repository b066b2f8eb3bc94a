"""The function's own environment: what `functions/requirements.txt` locks and nothing else, as it is deployed.

The development environment would not do: functions-framework imports `google.cloud.functions` when it is there, and
with it gRPC and 300 modules that no deployed function has.
"""

from pathlib import Path

import platformdirs

from bench import locked_environment

REQUIREMENTS = Path(__file__).parents[2] / "functions" / "requirements.txt"


def python() -> Path:
    """Its interpreter; installed when it is not there."""
    home = Path(platformdirs.user_cache_dir("plantain")) / "function" / "environment"
    return locked_environment.bin_folder(home, REQUIREMENTS, "--compile-bytecode") / "python"
