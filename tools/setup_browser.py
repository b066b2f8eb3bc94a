"""Make sure of a Chromium for the tests that look at pages: installed where apt may be used, asked for elsewhere."""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
VARIABLE = "PLANTAIN_CHROMIUM"
NO_BROWSER = 3


def find() -> str | None:
    """The browser's program: the one that ``PLANTAIN_CHROMIUM`` names, else the first on PATH."""
    named = os.environ.get(VARIABLE)
    return named or next((path for name in NAMES if (path := shutil.which(name))), None)


def main() -> int:
    """Find or install it; 0, or 3 when there is none to be had."""
    if find():
        return 0
    if shutil.which("apt-get") and os.geteuid() == 0:
        sys.stdout.write("Installing Chromium for the tests that look at pages ...\n")
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["apt-get", "update"], ["apt-get", "install", "--yes", "--no-install-recommends", "chromium"]):
            done = subprocess.run(  # noqa: S603 -- apt-get, with our own arguments
                command, env=environment, capture_output=True, text=True, check=False
            )
            if done.returncode:
                sys.stderr.write("".join(done.stderr.splitlines(keepends=True)[-5:]))
    if find():
        return 0
    sys.stderr.write(
        "error: no Chromium is installed, so the tests that look at pages cannot run.\n"
        f"  cure: install it (apt-get install chromium), or set {VARIABLE} to a Chrome's program\n"
    )
    return NO_BROWSER


if __name__ == "__main__":
    sys.exit(main())
