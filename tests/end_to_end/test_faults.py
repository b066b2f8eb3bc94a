"""The short form of the fault sweep; the whole one is ``python -m bench.fault_sweep``."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from plantain.engine import resolve
from plantain.sandbox_process import Sandbox
from plantain.sandbox_stack import sandbox_environment
from plantain.stack import Stack
from sandbox.settings import DEFAULT_PORT

from . import sweep
from .deployment import ROOT
from .swept_program import PROJECT

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]

APIS = ("cloudkms", "iam", "pubsub", "secretmanager")


class Swept:
    """One sandbox and one small program, deployed as often as wanted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.keeper = sweep.Keeper(Sandbox.start(folder / "sandbox", 0))
        settings = yaml.safe_load((ROOT / "Pulumi.sandbox.yaml").read_text())["config"]["plantain:endpoints"]
        standard = f"http://127.0.0.1:{DEFAULT_PORT}"
        endpoints = {name: url.replace(standard, self.keeper.sandbox.url) for name, url in settings.items()}
        sweep.write_program(folder / "program", ROOT, endpoints)
        self.expected: Counter[str] = Counter()
        self.requests = 0

    def fresh(self) -> Stack:
        """An empty organisation with one project, and a stack without a state."""
        sandbox = self.keeper.ready()
        sandbox.post("reset")
        for verb, path, body in (
            ("POST", "cloudresourcemanager/v1/projects", {"projectId": PROJECT, "parent": PARENT}),
            ("PUT", f"cloudbilling/v1/projects/{PROJECT}/billingInfo", {"billingAccountName": BILLING}),
            ("POST", f"serviceusage/v1/projects/{PROJECT}/services:batchEnable", {"serviceIds": HOSTS}),
        ):
            answer = sweep.call(sandbox, verb, path, body)
            assert answer.is_success, answer.text
        shutil.rmtree(sandbox.data / "pulumi", ignore_errors=True)
        environment = {**sandbox.client_environment(), **sandbox_environment(sandbox.data, resolve())}
        stack = Stack("swept", self.folder / "program", environment)
        stack.select()
        return stack

    def unharmed(self) -> None:
        """What an update without faults leaves, and how many requests it takes."""
        stack = self.fresh()
        sandbox = self.keeper.sandbox
        before = sandbox.get("status")["requests"]
        stack.up()
        self.requests = sandbox.get("status")["requests"] - before
        self.expected = sweep.resources(sandbox)


PARENT = {"type": "organization", "id": "123456789012"}
BILLING = "billingAccounts/010101-010101-010101"
HOSTS = [f"{api}.googleapis.com" for api in APIS]


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swept]:
    made = Swept(tmp_path_factory.mktemp("swept"))
    made.unharmed()
    yield made
    made.keeper.close()


@pytest.mark.parametrize("way", sweep.WAYS)
def test_an_update_whose_requests_failed_converges_when_it_is_run_again(swept: Swept, way: str) -> None:
    step = swept.requests // 4
    positions = [2] if way == "process kill" else [2, 2 + step, 2 + 2 * step, 2 + 3 * step]
    outcome = sweep.experiment(swept.fresh(), swept.keeper, swept.expected, way, positions)
    assert outcome.happened
    assert outcome.converged, outcome
