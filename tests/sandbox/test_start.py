"""What a start of the sandbox waits for."""

from __future__ import annotations

import subprocess
import sys

#: Each takes a noticeable part of a second to import, and serves only some requests.
LATE = ("PIL", "cel", "duckdb", "grpc", "httpx", "jinja2", "promql_parser", "rich", "sqlglot")


def test_a_start_loads_nothing_that_only_some_requests_need() -> None:
    program = f"import sandbox.server, sys; print([name for name in {LATE!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
