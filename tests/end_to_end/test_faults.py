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
        self.requests: list[sweep.Request] = []

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
        """What an update without faults leaves, and what it asks for."""
        stack = self.fresh()
        sandbox = self.keeper.sandbox
        before = sandbox.get("status")["requests"]
        stack.up()
        self.requests = sweep.identified(sandbox.get("requests?count=5000")[before:])
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


#: Two creations, of which the provider repeats one by itself, and what is made of them.
FAILING = {
    "503 once": ("topics.create", "secrets.create", "buckets.insert", "keyRings.create"),
    "reset": ("topics.create", "secrets.create", "buckets.insert", "keyRings.create"),
    "lost answer": ("topics.create", "secrets.create", "serviceAccounts.create", "cryptoKeys.get"),
    "process kill": ("cryptoKeys.create",),
}


@pytest.mark.parametrize("way", sweep.WAYS)
def test_an_update_whose_requests_failed_converges_when_it_is_run_again(swept: Swept, way: str) -> None:
    requests = [next(one for one in swept.requests if one.method.endswith(f".{end}")) for end in FAILING[way]]
    outcome = sweep.experiment(swept.fresh(), swept.keeper, swept.expected, way, requests)
    assert outcome.happened == outcome.wanted
    assert outcome.converged, outcome
    # In these two ways the work was done and nobody heard of it.
    assert (outcome.taken != ()) == (way in ("lost answer", "process kill"))
