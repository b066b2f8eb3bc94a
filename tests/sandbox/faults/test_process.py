from __future__ import annotations

import os
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from plantain.sandbox_process import Sandbox
from sandbox.process import ProcessError, SandboxProcess
from sandbox.server import StartError, inherited, listen

FOLDERS = "cloudresourcemanager/v3/folders"
LISTED = f"{FOLDERS}?parent=organizations/123456789012"


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    started = SandboxProcess(tmp_path_factory.mktemp("sandbox"))
    started.start()
    yield started
    started.close()


@pytest.fixture(autouse=True)
def empty(process: SandboxProcess) -> None:
    if not process.alive:
        process.start()
    process.control("POST", "reset")


def call(process: SandboxProcess, verb: str, path: str, body: Any = None) -> Any:
    return process.request(verb, path, token="sandbox", body=body).json()


def make_folder(process: SandboxProcess, name: str) -> Any:
    return call(process, "POST", FOLDERS, {"displayName": name, "parent": "organizations/123456789012"})


def names(process: SandboxProcess) -> list[str]:
    return sorted(folder["displayName"] for folder in call(process, "GET", LISTED).get("folders", []))


@pytest.mark.parametrize(("kind", "done"), [("reset", []), ("lost", ["campaigns"])])
def test_a_dropped_connection_reaches_the_client_as_one(process: SandboxProcess, kind: str, done: list[str]) -> None:
    process.control("POST", "faults", {"method": "cloudresourcemanager.folders.create", "kind": kind})
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        make_folder(process, "campaigns")
    assert names(process) == done
    statuses = [e["status"] for e in process.control("GET", "requests") if e["method"].endswith("folders.create")]
    assert statuses == [444]


@pytest.mark.parametrize(("after", "done"), [(False, []), (True, ["campaigns"])])
def test_a_killed_sandbox_has_kept_what_it_had_done(process: SandboxProcess, after: bool, done: list[str]) -> None:
    url = process.url
    fault = {"method": "cloudresourcemanager.folders.create", "kind": "kill", "after": after}
    process.control("POST", "faults", fault)
    with pytest.raises(httpx.HTTPError):
        make_folder(process, "campaigns")
    process.stop()
    process.start()
    assert names(process) == done
    assert process.url == url


def test_what_else_was_to_fail_still_fails_after_a_kill(process: SandboxProcess) -> None:
    create = {"method": "cloudresourcemanager.folders.create", "kind": "kill"}
    for plan in (create, {"method": "*.list", "skip": 2, "count": 5}, {"method": "*.list", "count": 0, "kind": "slow"}):
        process.control("POST", "faults", plan)
    names(process)
    with pytest.raises(httpx.HTTPError):
        make_folder(process, "campaigns")
    process.stop()
    process.start()
    left = [(plan["method"], plan["skip"], plan["left"]) for plan in process.control("GET", "faults")]
    assert left == [("*.list", 1, 5), ("*.list", 0, None)]
    process.stop()
    process.start()
    assert process.control("GET", "faults") == []


def test_a_socket_of_the_parent_outlives_the_process_that_serves_it(tmp_path: Path) -> None:
    with listen(0) as listener:
        port = listener.getsockname()[1]
        for _ in range(2):
            sandbox = Sandbox.start(tmp_path, listener=listener)
            assert sandbox.url == f"http://127.0.0.1:{port}"
            with socket.create_connection(("127.0.0.1", port)):
                sandbox.stop()
        with socket.create_connection(("127.0.0.1", port)):
            assert Sandbox.find(tmp_path) is None


@pytest.mark.parametrize(("address", "says"), [("", "only 127.0.0.1 is served"), (None, "is no listening socket")])
def test_only_a_loopback_socket_is_taken_from_the_parent(address: str | None, says: str) -> None:
    with socket.socket() as other, tempfile.TemporaryFile() as file:
        if address is not None:
            other.bind((address, 0))
        with pytest.raises(StartError, match=says):
            inherited(os.dup(file.fileno() if address is None else other.fileno()))


def test_nothing_is_changed_without_the_token_of_the_run(process: SandboxProcess) -> None:
    stranger = httpx.Client(trust_env=False)
    with stranger:
        for path in (
            "reset",
            "faults",
            "tokens",
            "groups",
            "clock",
            "environment",
            "consistency",
            "issuers",
            "grants",
            "quotas",
        ):
            reply = stranger.post(f"{process.url}/_sandbox/{path}", json={})
            assert reply.status_code == 401, path
            assert "X-Sandbox-Token" in reply.json()["error"]["message"]
        assert stranger.get(f"{process.url}/_sandbox/status").status_code == 200


def test_a_name_that_was_made_to_resolve_to_this_machine_is_refused(process: SandboxProcess) -> None:
    for path in ("_sandbox/status", "_sandbox/requests", "storage/v1/b"):
        reply = httpx.get(f"{process.url}/{path}", headers={"Host": "rebound.example.org"}, trust_env=False)
        assert reply.status_code in {403, 404}
        assert "Host" in reply.text or "rebound.example.org" in reply.text


def test_the_state_is_for_its_owner_only(process: SandboxProcess) -> None:
    assert stat.S_IMODE(process.data.stat().st_mode) == 0o700
    assert stat.S_IMODE((process.data / "sandbox.json").stat().st_mode) == 0o600


def test_the_clock_stays_ahead_over_a_restart(process: SandboxProcess) -> None:
    process.control("POST", "clock", {"seconds": 86400})
    process.stop()
    process.start()
    assert process.control("GET", "clock")["ahead"] == 86400


def test_every_socket_is_a_loopback_one(process: SandboxProcess) -> None:
    make_folder(process, "campaigns")
    sockets = psutil.Process(process.pid).net_connections("inet")
    assert sockets
    assert {end.ip for connection in sockets for end in (connection.laddr, connection.raddr) if end} == {"127.0.0.1"}


def test_a_process_that_cannot_start_says_why(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises((ProcessError, OSError)):
        SandboxProcess(blocked / "data").start()
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
