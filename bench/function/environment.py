"""The function's own environment: what `functions/requirements.txt` locks and nothing else, as it is deployed.

The development environment would not do: functions-framework imports `google.cloud.functions` when it is there, and
with it gRPC and 300 modules that no deployed function has.
"""

import hashlib
import subprocess
import sys
from pathlib import Path

import platformdirs

REQUIREMENTS = Path(__file__).parents[2] / "functions" / "requirements.txt"


def python() -> Path:
    """Its interpreter; installed when it is not there."""
    digest = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()[:16]
    home = Path(platformdirs.user_cache_dir("plantain")) / "function" / digest
    interpreter = home / "bin" / "python"
    done = home / "installed"
    if not done.exists():
        uv = [sys.executable, "-m", "uv"]
        subprocess.run([*uv, "venv", "-q", "--clear", "--python", sys.executable, str(home)], check=True)  # noqa: S603 -- uv, with our own arguments
        install = [*uv, "pip", "install", "-q", "--require-hashes", "--compile-bytecode"]
        subprocess.run([*install, "--python", str(interpreter), "-r", str(REQUIREMENTS)], check=True)  # noqa: S603 -- as above
        done.touch()
    return interpreter
