"""Started inside a built environment: runs functions-framework, and ends with the sandbox that started it.

Only the standard library may be imported here: the environment belongs to the deployed function.
"""

import contextlib
import os
import runpy
import signal
import sys
import threading
import time

POLL_SECONDS = 0.5


def end_with_parent(parent: int) -> None:
    """End this process group as soon as the sandbox is gone, however it went."""
    while os.getppid() == parent:
        time.sleep(POLL_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(os.getpgid(0), signal.SIGKILL)


if __name__ == "__main__":
    threading.Thread(target=end_with_parent, args=(os.getppid(),), daemon=True).start()
    sys.path[0] = os.getcwd()  # noqa: PTH109 -- the function's source, where the framework expects it
    sys.argv = ["functions-framework", *sys.argv[1:]]
    runpy.run_module("functions_framework", run_name="__main__", alter_sys=True)
