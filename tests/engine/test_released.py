"""Pulumi's own release is fetched only when its hosts answer, and the question never hangs."""

from __future__ import annotations

import http.server
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from plantain.engine import Engine, released, versions
from plantain.engine.cache import UNFINISHED, Cache
from plantain.engine.installed import Absent
from plantain.engine.process import run
from plantain.engine.progress import Reporter
from plantain.engine.released import Release, unreachable
from tests.engine.conftest import Tool

WANTED = versions.load()

#: Does what the SDK's installer does, for a pulumi that does what `plugin install` does.
INSTALLER = """
import pathlib, sys
root = pathlib.Path(sys.argv[1]) / "bin"
root.mkdir()
(root / "pulumi").write_text('''#!/bin/sh
mkdir -p "$PULUMI_HOME/plugins/resource-$4-v$5" && echo "$@" > "$PULUMI_HOME/plugins/resource-$4-v$5/pulumi-resource-$4"
''')
(root / "pulumi").chmod(0o755)
(root / "pulumi-language-python").write_text(sys.argv[2])
"""


@contextmanager
def host(status: int) -> Iterator[str]:
    """An HTTP server that answers everything with one status."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def release(tool: Tool, cache: Cache, reporter: Reporter) -> Callable[[str], Release]:
    del tool  # only its empty PATH is wanted
    return lambda address: Release(WANTED, cache, reporter, address)


def absence(found: Engine | Absent) -> str:
    assert isinstance(found, Absent)
    return found.reason


def test_a_host_that_answers_is_reachable() -> None:
    with host(200) as address:
        assert unreachable(address) is None


def test_a_host_that_refuses_is_not() -> None:
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        problem = unreachable(f"http://127.0.0.1:{unused.getsockname()[1]}/")
    assert problem
    assert "refused" in problem


def test_a_gateway_that_denies_is_not() -> None:
    with host(403) as address:
        assert unreachable(address) == "HTTP 403"


def test_a_host_that_says_nothing_is_given_up() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        assert unreachable(f"http://127.0.0.1:{silent.getsockname()[1]}/", seconds=0.3)


def test_a_name_that_is_never_resolved_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def never(*_: object, **__: object) -> None:
        over.wait(60)
        raise socket.gaierror("given up")

    monkeypatch.setattr(socket, "getaddrinfo", never)
    assert unreachable("http://releases.invalid/", seconds=0.3) == "no answer in 0.3 s"
    over.set()


def test_a_release_is_fetched_into_the_cache(
    release: Callable[[str], Release], cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(released, "_INSTALL", INSTALLER)
    with host(200) as address:
        fetched = release(address).fetch()
    assert isinstance(fetched, Engine)
    assert fetched.source == "released"
    assert fetched.versions == {"pulumi": WANTED.pulumi.released, "gcp": WANTED.gcp.version}
    assert fetched.home == cache.folder(release("").name) / "home"
    assert fetched.plugin.read_text() == f"plugin install resource gcp {WANTED.gcp.version}\n"
    assert (fetched.pulumi.parent / "pulumi-language-python").read_text() == WANTED.pulumi.released
    assert release("").find(thorough=True) == fetched


def test_a_fetched_release_is_not_fetched_again(
    release: Callable[[str], Release], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(released, "_INSTALL", INSTALLER)
    with host(200) as address:
        first = release(address).fetch()
        monkeypatch.setattr(released, "_INSTALL", "raise SystemExit(1)")
        assert release(address).fetch() == first


def test_a_download_that_breaks_off_leaves_nothing_and_says_where_to_look(
    release: Callable[[str], Release], cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(released, "_INSTALL", "raise SystemExit('connection reset')")
    with host(200) as address:
        reason = absence(release(address).fetch())
    assert reason.startswith("Pulumi's release could not be fetched")
    assert str(cache.log(release("").name)) in reason
    assert "connection reset" in cache.log(release("").name).read_text()
    assert list(cache.root.glob(f"{UNFINISHED}*")) == []
    assert release("").find() is None


def test_no_download_is_begun_when_the_hosts_do_not_answer(
    release: Callable[[str], Release], cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(released, "_INSTALL", "raise SystemExit('begun')")
    with host(503) as address:
        assert absence(release(address).fetch()) == f"{address} does not answer (HTTP 503)"
    assert not cache.root.exists()


def test_the_installer_of_the_sdk_takes_what_it_is_given(tmp_path: Path) -> None:
    # A pulumi of the right version that is there already is all it wants: nothing is fetched.
    command = tmp_path / "bin" / "pulumi"
    command.parent.mkdir()
    command.write_text(f"#!/bin/sh\necho v{WANTED.pulumi.released}\n")
    command.chmod(0o755)
    log = tmp_path / "log"
    run([sys.executable, "-c", released._INSTALL, str(tmp_path), WANTED.pulumi.released], log=log)
    assert "Traceback" not in log.read_text()
