"""The function's dependencies as wheels, so that a build asks no package index.

They are fetched once for each lock file, with its hashes, and kept in the user's cache; afterwards nothing here needs
a network. Cloud Build installs them from the source archive alone (GOOGLE_VENDOR_PIP_DEPENDENCIES,
cloud.google.com/docs/buildpacks/python, 2026-11).

    python -m infra.wheels cloud

fetches them ahead, for a machine that has no index when `pulumi up` runs.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import platformdirs

from infra.errors import Problem, SourceError

REQUIREMENTS = "requirements.txt"
SECONDS = 300
TAIL = 2
CLOUD = (
    "--python-version=3.12",
    "--implementation=cp",
    *(f"--platform={name}_x86_64" for name in ("manylinux2014", "manylinux_2_17", "manylinux_2_28")),
)
"""What `function.RUNTIME` runs on."""
TARGETS: dict[str, tuple[str, ...]] = {"cloud": CLOUD, "local": ()}
"""For which builder: Google's, or one that uses this very interpreter, such as the sandbox's."""


def folder(function: Path, *, root: Path, wheels: str) -> Path:
    """Where the wheels for a function's lock file are, fetched if need be.

    Args:
        function: the function's folder; its requirements.txt has hashes.
        root: folder of Pulumi.yaml.
        wheels: a target of `TARGETS`, or a folder that holds the wheels already, relative to `root`.

    Raises:
        SourceError: when they cannot be had.
    """
    if wheels not in TARGETS:
        given = root / wheels
        if not any(given.glob("*.whl")):
            raise _problem(wheels, "no wheel lies there", "python -m infra.wheels cloud, and copy that folder")
        return given
    requirements = function / REQUIREMENTS
    try:
        digest = hashlib.sha256(requirements.read_bytes()).hexdigest()[:16]
    except FileNotFoundError:
        raise _problem(wheels, f"{requirements.name} is missing", "git checkout -- functions") from None
    interpreter = "" if wheels == "cloud" else f"-{sys.implementation.cache_tag}-{sys.platform}"
    kept = platformdirs.user_cache_path("plantain") / "wheels" / f"{wheels}{interpreter}-{digest}"
    if not kept.exists():
        _fetch(requirements, kept, wheels)
    return kept


def _fetch(requirements: Path, kept: Path, target: str) -> None:
    """Fill a folder, whole or not at all."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as name:
        partial = Path(name) / "wheels"
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += [
            "--require-hashes",
            "--only-binary=:all:",
            *TARGETS[target],
            "-d",
            str(partial),
            "-r",
            str(requirements),
        ]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)  # noqa: S603 -- fixed words and paths
        except subprocess.TimeoutExpired:
            raise _problem(target, f"no end after {SECONDS} s", f"python -m infra.wheels {target}") from None
        if done.returncode:
            said = done.stderr.strip().splitlines()
            tail = " ".join([line for line in said if line.startswith("ERROR")][-TAIL:]) or " ".join(said[-TAIL:])
            raise _problem(
                target,
                f"they cannot be fetched: {tail}",
                f"python -m infra.wheels {target}, where pip reaches an index",
            )
        try:
            partial.rename(kept)
        except OSError:
            # Another run was faster; its wheels are the same, the lock file's hashes say so.
            shutil.rmtree(partial, ignore_errors=True)


def _problem(target: str, cause: str, cure: str) -> SourceError:
    return SourceError(
        [
            Problem(
                file=f"functions/{REQUIREMENTS}",
                key="plantain:wheels" if target not in TARGETS else f"wheels for {target}",
                cause=cause,
                rule="wheels of every requirement, with the hashes of the lock file; on a machine without a package "
                "index, a folder that holds them: pulumi config set plantain:wheels FOLDER",
                cure=cure,
            )
        ]
    )


def main() -> None:
    """Entry point of `python -m infra.wheels`."""
    root = Path(__file__).resolve().parent.parent
    target = sys.argv[1] if len(sys.argv) > 1 else "cloud"
    sys.stdout.write(f"{folder(root / 'functions', root=root, wheels=target)}\n")


if __name__ == "__main__":
    main()
