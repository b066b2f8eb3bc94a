"""``python -m bench.settings [shape …]``: one change of every setting, planned and deployed by the real engine.

Each shape of a stack is deployed once. Then every case of ``tests.infra.setting_cases`` is previewed alone: what would
be made, updated, replaced, deleted. What holds data must not be replaced unless the case says why it has to be. After
that the cases are deployed, as many at once as fit together, and a second preview after each round has to be empty. So
every option of the settings was deployed at least once.

Writes settings.json, from which the table of docs/settings.md is made. ``--only SETTING`` previews one case again.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from bench.machine import machine
from infra import wheels
from plantain.audit.events import steps
from plantain.errors import StackError
from plantain.recovery.existing import take_over
from plantain.stack import Stack
from tests.end_to_end.organization import NUMBER, Organization
from tests.infra.setting_case import CAMPAIGN, FOUNDATION, JOINED, SEED, Case, changed, filled
from tests.infra.setting_cases import CASES
from tests.infra.setting_effects import kind, recorded
from tests.infra.setting_rounds import fits, rounds
from tests.infra.setting_shapes import ADMINISTRATOR, SHAPES

RESULTS = Path(__file__).with_name("settings.json")
GROUPS = ((CAMPAIGN,), (SEED,), (FOUNDATION, JOINED))
"""Shapes that share a sandbox: those that join need the perimeter of the foundation."""
OTHERS, SPRING, ACCOUNT = "acme-others", "acme-spring", "billingAccounts/010101-010101-010101"
REGION = "europe-west4"
ACCOUNT_WIDE = (
    "accesscontextmanager",
    "billingbudgets",
    "cloudasset",
    "cloudbilling",
    "cloudquotas",
    "cloudresourcemanager",
    "essentialcontacts",
    "orgpolicy",
)
"""APIs whose calls are about no project, so that they have to be enabled in the one that calls are charged to."""
STATEFUL = frozenset(
    {
        "accesscontextmanager.AccessPolicy",
        "accesscontextmanager.ServicePerimeter",
        "artifactregistry.Repository",
        "bigquery.Dataset",
        "cloudfunctionsv2.Function",
        "cloudtasks.Queue",
        "compute.Network",
        "compute.Subnetwork",
        "iam.WorkloadIdentityPool",
        "kms.CryptoKey",
        "kms.KeyRing",
        "logging.ProjectBucketConfig",
        "organizations.Project",
        "pubsub.Topic",
        "serviceaccount.Account",
        "storage.Bucket",
        "tags.TagKey",
        "tags.TagValue",
    }
)
"""Types whose replacement loses data, a name that others hold, or an identity that others trust."""
KINDS = {"create": "makes", "update": "changes", "replace": "replaces", "delete": "removes"}


def planned(events: str) -> dict[str, dict[str, int]]:
    """How many resources of each type a preview makes, changes, replaces and removes."""
    found: dict[str, dict[str, int]] = {name: {} for name in KINDS.values()}
    for step in steps(json.loads(line) for line in events.splitlines() if line.startswith("{")):
        if step["op"] in KINDS:
            types = found[KINDS[step["op"]]]
            types[kind(step["type"])] = types.get(kind(step["type"]), 0) + 1
    return {name: dict(sorted(types.items())) for name, types in found.items() if types}


def refusals(said: str) -> list[str]:
    """What the engine says is wrong, out of a failed preview's events."""
    found = []
    for line in said.splitlines():
        event = json.loads(line).get("diagnosticEvent", {}) if line.startswith("{") else {}
        if event.get("severity") == "error":
            found.append(str(event["message"]).strip())
    return found or said.strip().splitlines()[-5:]


class World:
    """A sandbox in which stacks of some shapes are deployed."""

    def __init__(self, folder: Path) -> None:
        self.organization = Organization.make(folder)
        functions = self.organization.project / "functions"
        local = wheels.folder(functions, root=self.organization.project, wheels="local")
        others = self.organization.project / "other-wheels"
        shutil.copytree(local, others)
        (others / "nothing-0.0.1-py3-none-any.whl").write_bytes(min(others.glob("*.whl")).read_bytes())
        self.context = {"others": self._project(OTHERS, {}), "policy": "1", "perimeter": "accessPolicies/1/x"}
        labels = filled(SHAPES[CAMPAIGN].campaign, {})["labels"]
        self._project(SPRING, labels)
        self._furnish()
        self.stacks: dict[str, Stack] = {}
        self.suffix = ""  # of the names of keys, once those without were given up

    def _project(self, project: str, labels: Mapping[str, str]) -> str:
        call = self.organization.call
        parent = {"type": "organization", "id": NUMBER}
        body = {"projectId": project, "name": project, "labels": labels, "parent": parent}
        call("POST", "cloudresourcemanager/v1/projects", body)
        call("PUT", f"cloudbilling/v1/projects/{project}/billingInfo", {"billingAccountName": ACCOUNT})
        number = str(call("GET", f"cloudresourcemanager/v1/projects/{project}")["projectNumber"])
        for api in ("cloudkms", "iam", "iamcredentials", "monitoring", "pubsub", "secretmanager", "serviceusage"):
            call("POST", f"serviceusage/v1/projects/{number}/services/{api}.googleapis.com:enable", {})
        return number

    def _furnish(self) -> None:
        """What cases name and no stack makes: a secret, a ring, a topic, an account, a tag, a folder."""
        call = self.organization.call
        secrets = f"secretmanager/v1/projects/{OTHERS}/secrets"
        call("POST", f"{secrets}?secretId=brand-key", {"replication": {"automatic": {}}})
        for _ in range(2):
            call("POST", f"{secrets}/brand-key:addVersion", {"payload": {"data": "aGVsbG8="}})
        call("POST", f"cloudkms/v1/projects/{OTHERS}/locations/{REGION}/keyRings?keyRingId=campaigns", {})
        call("PUT", f"pubsub/v1/projects/{OTHERS}/topics/budgets", {})
        for api in ACCOUNT_WIDE:  # of the project that calls are charged to, if one is named
            call("POST", f"serviceusage/v1/projects/{OTHERS}/services/{api}.googleapis.com:enable", {})
        self._deployer()
        key = self._done(call("POST", "cloudresourcemanager/v3/tagKeys", self._tag(f"organizations/{NUMBER}")))
        value = self._done(call("POST", "cloudresourcemanager/v3/tagValues", self._tag(key)))
        parent = f"organizations/{NUMBER}"
        body = {"displayName": "campaigns", "parent": parent}
        self.context["tag"] = value
        self.context["folder"] = self._done(call("POST", "cloudresourcemanager/v3/folders", body))
        self.context["token"] = self.organization.token(ADMINISTRATOR)

    def _deployer(self) -> None:
        """An account that may do everything, and that the administrator may act as."""
        call = self.organization.call
        call("POST", f"iam/v1/projects/{OTHERS}/serviceAccounts", {"accountId": "deployer", "serviceAccount": {}})
        name = f"deployer@{OTHERS}.iam.gserviceaccount.com"
        account = f"iam/v1/projects/{OTHERS}/serviceAccounts/{name}"
        acting = {"role": "roles/iam.serviceAccountTokenCreator", "members": [ADMINISTRATOR]}
        call("POST", f"{account}:setIamPolicy", {"policy": {"bindings": [acting]}})
        scope = f"cloudresourcemanager/v1/organizations/{NUMBER}"
        policy = call("POST", f"{scope}:getIamPolicy", {})
        owning = {"role": "roles/owner", "members": [f"serviceAccount:{name}"]}
        call("POST", f"{scope}:setIamPolicy", {"policy": {"bindings": [*policy["bindings"], owning]}})

    @staticmethod
    def _tag(parent: str) -> dict[str, str]:
        return {"parent": parent, "shortName": "reviewed"}

    def _done(self, operation: Mapping[str, Any]) -> str:
        while not operation.get("done"):
            operation = self.organization.call("GET", f"cloudresourcemanager/v3/{operation['name']}")
        return str(operation["response"]["name"])

    def deploy(self, name: str) -> float:
        """Deploy a shape; returns seconds."""
        self.stacks[name] = self.organization.stack(name)
        self.base = self._read(name)
        self.write(name, None)
        started = time.monotonic()
        self.stacks[name].up()
        if name == FOUNDATION:
            self.context["perimeter"] = self.stacks[name].outputs()["perimeter"]
            self.context["policy"] = self.context["perimeter"].split("/")[1]
        return time.monotonic() - started

    def _file(self, name: str) -> Path:
        return self.stacks[name].config_file or self.organization.project / f"Pulumi.{name}.yaml"

    def _read(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = yaml.safe_load(self._file(name).read_text())["config"]
        return {key.removeprefix("plantain:"): value for key, value in found.items() if key.startswith("plantain:")}

    def documents(self, name: str, cases: Iterable[Case]) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """Settings and campaign file of a shape with some changes."""
        shape, base = SHAPES[name], self.base
        for case in cases:
            settings, campaign = changed(shape, case, {}, base)
            shape, base = replace(shape, settings=settings, campaign=campaign), {}
        return (
            filled({**base, **shape.settings}, self.context),
            filled(shape.campaign, self.context) if shape.campaign is not None else None,
        )

    def write(self, name: str, cases: Case | Iterable[Case] | None) -> None:
        """Write the files of a shape with some changes."""
        chosen = [cases] if isinstance(cases, Case) else list(cases or ())
        settings, campaign = self.documents(name, chosen)
        folder = self.organization.project / "campaigns" / name
        shutil.rmtree(folder, ignore_errors=True)
        if campaign is not None:
            if self.suffix and chosen:
                campaign["keys"] = {"suffix": self.suffix, **campaign.get("keys", {})}
            folder.mkdir(parents=True)
            (folder / f"{campaign['labels']['campaign']}.yaml").write_text(yaml.safe_dump(campaign))
            if settings.get("campaigns") != "":
                settings["campaigns"] = f"campaigns/{name}/*.yaml"
        file = self._file(name)
        document = yaml.safe_load(file.read_text())
        document["config"] = {f"plantain:{key}": value for key, value in settings.items()}
        file.write_text(yaml.safe_dump(document))


def previewed(world: World, case: Case) -> dict[str, Any]:
    """What the engine would do for one change."""
    world.write(case.shape, case)
    started = time.monotonic()
    try:
        found: dict[str, Any] = planned(world.stacks[case.shape].preview_events(refresh=False))
    except StackError as error:
        found = {"refused": refusals(str(error))}
    return {"digest": case.digest, "seconds": round(time.monotonic() - started, 1), **found}


def deployed(world: World, name: str, without: Container[str] = ()) -> Iterator[dict[str, Any]]:
    """Deploy a shape's cases in rounds, apart from those that an earlier run deployed."""
    cases = [case for case in CASES if case.shape == name and not case.apart and case.name not in without]
    some = [case for case in cases if not case.alone]
    replacing = [[case] for case in cases if case.alone and case.why]
    lasting = [case for case in cases if case.alone and not case.why]  # cannot be taken back, so nothing comes after
    groups = [*rounds(some, lambda together: fits(*world.documents(name, together))), *replacing]
    for group in [*groups, lasting] if lasting else groups:
        world.write(name, group)
        started = time.monotonic()
        row: dict[str, Any] = {"shape": name, "settings": sorted(case.name for case in group)}
        try:
            if taken_over := up(world.stacks[name]):
                row["recovered"] = taken_over
            world.stacks[name].preview(expect_no_changes=True)
        except StackError as error:
            row["failed"] = str(error).strip().splitlines()[-40:]
        if any(case.path.startswith("keys.") for case in group):
            world.suffix = f"r{int(world.suffix[1:] or 0) + 1}"
        yield row | {"seconds": round(time.monotonic() - started, 1)}


def up(stack: Stack) -> list[str]:
    """Deploy, and do what the program says where a name is taken; returns what was taken over."""
    try:
        stack.up()
    except StackError as error:
        if "plantain recover" not in str(error) or "suffix" in str(error):
            raise
        stack.recover()
        with stack.cloud() as cloud:
            found = take_over(stack, cloud)
        stack.up()
        return sorted(one.name for one in found if not one.refusal)
    return []


def problems(case: Case, row: Mapping[str, Any]) -> Iterator[str]:
    """What a case's plan should not do."""
    lost = sorted(STATEFUL & {*row.get("replaces", ())})
    if lost and not case.why:
        yield f"{case.name} replaces {', '.join(lost)}"
    if row.get("refused"):
        yield f"{case.name}: {' '.join(row['refused'])[-400:]}"


def measure(
    names: tuple[str, ...],
    results: dict[str, Any],
    *,
    only: str,
    anew: Sequence[str],
    preview: bool,
    deploy: bool,
    without: Container[str] = (),
) -> list[str]:
    """Preview and deploy the cases of shapes that share a sandbox; returns what is wrong."""
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder) / "world")
        try:
            for name in names:
                results["deployed"][name] = round(world.deploy(name), 1)
                for case in CASES:
                    again = preview or stale(case) or any(part in case.name for part in anew)
                    if case.shape != name or only not in case.name or not again:
                        continue
                    row = previewed(world, case)
                    results["cases"][case.name] = row
                    wrong += problems(case, row)
                    sys.stderr.write(f"{case.name}: { ({k: v for k, v in row.items() if k != 'digest'}) }\n")
                    write(results)
                if deploy:
                    for row in deployed(world, name, without):
                        results["rounds"].append(row)
                        sys.stderr.write(f"{row}\n")
                        wrong += [f"{row['settings']}: {' '.join(row['failed'])[-600:]}"] if "failed" in row else []
                        write(results)
                world.write(name, None)
            status = world.organization.sandbox.get("status")
            missing = (status["notEmulated"], status["refusedHosts"], status["defects"])
            if any(missing):
                wrong.append(f"the sandbox lacks {missing}")
        finally:
            world.organization.close()
    return wrong


def stale(case: Case) -> bool:
    """Whether a case has no result, or one of another change."""
    kept: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    row = kept.get("cases", {}).get(case.name, {})
    return row.get("digest") != case.digest or "refused" in row or "recorded" in row


def succeeded() -> list[dict[str, Any]]:
    """The rounds that earlier runs deployed."""
    kept: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    return [row for row in kept.get("rounds", []) if "failed" not in row]


def record(folder: Path, results: dict[str, Any]) -> None:
    """Fill in what the program registers where the engine has planned nothing."""
    for name, text in (("functions/main.py", ""), ("functions/requirements.txt", ""), ("wheels/a.whl", "")):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    shutil.copytree(folder / "wheels", folder / "other-wheels")
    (folder / "other-wheels" / "b.whl").write_text("")
    results["cases"] = {case.name: dict(recorded(folder, case)) for case in CASES if stale(case)}
    write(results)


def write(results: dict[str, Any]) -> None:
    """Keep what was found so far, beside what another run found of other shapes at the same time."""
    shapes = {case.name: case.shape for case in CASES}
    mine = {row["shape"] for row in results["rounds"]}
    kept: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    cases = {name: row for name, row in kept.get("cases", {}).items() if name in shapes} | results["cases"]
    rounds = [row for row in kept.get("rounds", []) if row["shape"] not in mine] + results["rounds"]
    document = {
        **results,
        "deployed": {**kept.get("deployed", {}), **results["deployed"]},
        "rounds": sorted(rounds, key=lambda row: (row["shape"], -len(row["settings"]), row["settings"])),
        "cases": dict(sorted(cases.items())),
    }
    RESULTS.write_text(json.dumps(document, indent=1) + "\n")


def main() -> int:
    """Measure and write settings.json."""
    parser = argparse.ArgumentParser(prog="python -m bench.settings")
    parser.add_argument("shapes", nargs="*", help="campaign, or foundation (with those that need it); all by default")
    parser.add_argument("--only", default="", help="part of a setting's name: preview only these")
    parser.add_argument("--preview", action="store_true", help="only preview")
    parser.add_argument("--record", action="store_true", help="only fill in, without an engine, what has no result yet")
    parser.add_argument(
        "--anew", nargs="*", default=[], help="parts of names: preview these although they have a result"
    )
    parser.add_argument("--deploy", action="store_true", help="deploy, and preview what has no result yet")
    parser.add_argument("--missing", action="store_true", help="with --deploy: only what no run has deployed yet")
    chosen = parser.parse_args()
    kept = succeeded() if chosen.missing else []
    results: dict[str, Any] = {
        "measured": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": machine(),
        "deployed": {},
        "rounds": kept,
        "cases": {},
    }
    without = {name for row in kept for name in row["settings"]}
    wrong: list[str] = []
    if chosen.record:
        with tempfile.TemporaryDirectory() as folder:
            record(Path(folder), results)
        return 0
    for names in GROUPS:
        if not chosen.shapes or set(names) & set(chosen.shapes):
            preview = chosen.preview or not (chosen.deploy or chosen.anew)
            deploy = chosen.deploy or not (chosen.preview or chosen.only or chosen.anew)
            wrong += measure(
                names, results, only=chosen.only, anew=chosen.anew, preview=preview, deploy=deploy, without=without
            )
    sys.stdout.write("\n".join(wrong or [f"{len(results['cases'])} settings: {RESULTS.name} written"]) + "\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
