from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from plantain.errors import SandboxError
from plantain.sandbox_process import Sandbox
from tests.plantain.ending import ends


def plantain(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "plantain.main", *arguments]
    return subprocess.run(command, cwd=cwd, text=True, capture_output=True, check=False, timeout=60)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    started = Sandbox.start(tmp_path / "data", 0)
    yield started
    started.stop()


def test_status_as_json_has_the_url(sandbox: Sandbox, tmp_path: Path) -> None:
    done = plantain("sandbox", "status", "--json", "--data", str(sandbox.data), cwd=tmp_path)
    assert json.loads(done.stdout)["url"] == sandbox.url


def test_status_for_people_names_url_and_process(sandbox: Sandbox, tmp_path: Path) -> None:
    done = plantain("sandbox", "status", "--data", str(sandbox.data), cwd=tmp_path)
    assert sandbox.url in done.stdout
    assert str(sandbox.pid) in done.stdout
    assert f"Console for a browser: {sandbox.console}" in done.stdout


def test_a_second_start_on_the_same_folder_names_the_first(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxError) as caught:
        Sandbox.start(sandbox.data, 0)
    assert str(sandbox.pid) in caught.value.message
    assert caught.value.cure is not None
    assert "plantain sandbox down" in caught.value.cure


def test_a_taken_port_is_named_with_the_way_out(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = plantain("sandbox", "up", "--port", str(port), "--data", str(tmp_path / "d"), cwd=tmp_path)
    assert done.returncode == 3
    assert f"Port {port}" in done.stderr
    assert "--port 0" in done.stderr
    assert "Traceback" not in done.stderr
    assert Sandbox.find(tmp_path / "d") is None


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = plantain("sandbox", "up", "--port", "0", "--data", str(tmp_path / "file" / "d"), cwd=tmp_path)
    assert done.returncode == 3
    assert "cannot be written" in done.stderr
    assert "--data" in done.stderr


@pytest.mark.parametrize("verb", ["down", "status", "env", "requests", "reset"])
def test_without_a_sandbox_a_command_says_how_to_start_one(verb: str, tmp_path: Path) -> None:
    done = plantain("sandbox", verb, "--data", str(tmp_path / "nothing"), cwd=tmp_path)
    assert done.returncode == 3
    assert "plantain sandbox up" in done.stderr
    assert "Traceback" not in done.stderr


def test_down_ends_the_process_and_keeps_the_state(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert plantain("sandbox", "up", "--port", "0", "--data", str(data), cwd=tmp_path).returncode == 0
    found = Sandbox.attach(data)
    assert plantain("sandbox", "down", "--data", str(data), cwd=tmp_path).returncode == 0
    assert not psutil.pid_exists(found.pid)
    assert (data / "state.sqlite3").exists()
    assert Sandbox.find(data) is None


def test_a_killed_sandbox_leaves_nothing_that_hinders_the_next(tmp_path: Path) -> None:
    first = Sandbox.start(tmp_path / "data", 0)
    os.kill(first.pid, signal.SIGKILL)
    first.stop()
    second = Sandbox.start(tmp_path / "data", 0)
    assert second.answers()
    second.stop()


def test_env_prints_lines_that_a_shell_reads(sandbox: Sandbox, tmp_path: Path) -> None:
    member, network = "user:jo@example.com", "projects/p/global/networks/n"
    done = plantain("sandbox", "env", "--data", str(sandbox.data), "--as", member, "--network", network, cwd=tmp_path)
    script = f"{done.stdout}\necho $HTTPS_PROXY; cat $GOOGLE_APPLICATION_CREDENTIALS; echo; echo ${{https_proxy-unset}}"
    shell = subprocess.run(["/bin/sh", "-euc", script], text=True, capture_output=True, check=True)
    proxy, credentials, lower = shell.stdout.strip().splitlines()
    assert proxy.startswith("http://vpc:")
    assert json.loads(credentials)["type"] == "authorized_user"
    assert lower == "unset"


def test_in_a_shell_of_env_the_other_verbs_find_the_same_sandbox(sandbox: Sandbox, tmp_path: Path) -> None:
    done = plantain("sandbox", "env", "--data", str(sandbox.data), cwd=tmp_path)
    script = f'{done.stdout}\n"{sys.executable}" -m plantain.main sandbox status --json'
    shell = subprocess.run(["/bin/sh", "-euc", script], cwd=tmp_path, text=True, capture_output=True, check=True)
    assert json.loads(shell.stdout)["url"] == sandbox.url


def test_credentials_and_keys_are_readable_by_their_owner_only(sandbox: Sandbox) -> None:
    wanted, _ = sandbox.environment()
    for path in (Path(wanted["GOOGLE_APPLICATION_CREDENTIALS"]), sandbox.data / "authority" / "ca.key"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_it_listens_on_loopback_only(sandbox: Sandbox) -> None:
    listening = [c for c in psutil.Process(sandbox.pid).net_connections() if c.status == psutil.CONN_LISTEN]
    assert {c.laddr.ip for c in listening} == {"127.0.0.1"}
    assert len(listening) == 2


def test_ctrl_c_during_the_start_leaves_no_process(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "plantain.main", "sandbox", "up", "--port", "0", "--data", str(tmp_path / "d")]
    process = subprocess.Popen(command, cwd=tmp_path, start_new_session=True, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 20
    while not psutil.Process(process.pid).children() and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.01)
    children = psutil.Process(process.pid).children()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert not psutil.wait_procs(children, timeout=10)[1]


def test_a_folder_in_the_way_and_a_sandbox_that_fell_silent_end_with_3(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with ends(3, f"The folder {tmp_path / 'file' / 'd'} cannot be written (Not a directory)"):
        Sandbox.start(tmp_path / "file" / "d", 0)
    silent = Sandbox("http://127.0.0.1:1", 4711, tmp_path, "", "token")
    with ends(3, "The sandbox at http://127.0.0.1:1 does not answer (ConnectError)."):
        silent.get("status")
