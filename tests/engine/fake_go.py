"""A stand-in for the ``go`` command: answers what the build asks, compiles nothing, fails when told to.

Its behaviour is set by the variable FAKE_GO, a JSON object: version, modules (folder), fail (exit code and last
words when building), wait (file to write when building begins, then sleep).
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

TOLD = json.loads(os.environ["FAKE_GO"])
BINARY = "#!/bin/sh\necho {version}\n"


def answer(value: dict[str, str]) -> None:
    sys.stdout.write(json.dumps(value))


def main(arguments: list[str]) -> int:
    with Path(TOLD["calls"]).open("a") as calls:
        calls.write(
            json.dumps({"arguments": arguments, "folder": str(Path.cwd()), "flags": os.environ["GOFLAGS"]}) + "\n"
        )
    if arguments[0] == "env":
        folders = {"GOMODCACHE": f"{TOLD['modules']}/mod", "GOCACHE": f"{TOLD['modules']}/build"}
        answer({"GOVERSION": TOLD["version"], "GOOS": "linux", "GOARCH": "amd64", **folders})
    elif arguments[:2] == ["mod", "download"]:
        sys.stderr.write("go: downloading something first\n")
        answer({"Dir": f"{TOLD['modules']}/{'provider' if 'provider' in arguments[-1] else 'sdk'}"})
    elif arguments[0] == "build":
        if "wait" in TOLD:
            Path(TOLD["wait"]).write_text(str(os.getpid()))
            time.sleep(300)
        if "fail" in TOLD:
            sys.stderr.write(f"{TOLD['fail']}\n")
            return 1
        flags = arguments[arguments.index("-ldflags") + 1]
        target = Path(arguments[arguments.index("-o") + 1])
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(BINARY.format(version=TOLD.get("lie") or flags.rsplit("=", 1)[1]))
        target.chmod(0o755)
    return 0


sys.exit(main(sys.argv[1:]))
