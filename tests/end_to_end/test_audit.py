"""The audit of a deployed campaign: nothing to find in a clean one, and what somebody does by hand is found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from .deployment import CAMPAIGN, ROOT, Deployment

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]

JOINED = {
    "sources-agree", "declared-exists", "resource-declared", "grant-declared", "properties-held", "keys-usable",
    "alerts-reach-somebody", "project-inside-perimeter", "project-declared",
}  # fmt: skip


@dataclass(frozen=True)
class Audit:
    """Audits one deployment into one chain.

    Attributes:
        deployment: what is audited.
        folder: of state, evidence and key.
    """

    deployment: Deployment
    folder: Path

    def plantain(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PLANTAIN_SANDBOX": self.deployment.sandbox.url}
        return subprocess.run(
            [sys.executable, "-m", "plantain.main", "audit", *arguments],
            cwd=ROOT,
            env=environment,
            text=True,
            capture_output=True,
            check=False,
            timeout=300,
        )

    def run(self, *options: str) -> Path:
        """Audit; returns the bundle."""
        done = self.plantain(
            "run", "--stack", "sandbox", "--state", str(self.folder / "state.json"), "--out", str(self.evidence),
            "--key", str(self.folder / "audit.pem"), "--fail-on", "never", "--json", *options,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return Path(json.loads(done.stdout)["bundle"])

    @property
    def evidence(self) -> Path:
        return self.folder / "evidence"

    def findings(self, *options: str) -> set[tuple[str, str]]:
        """Control and resource of every failure of a control over several sources."""
        return {(control, name) for control, name in failures(self.run(*options)) if control in JOINED}


def failures(bundle: Path) -> set[tuple[str, str]]:
    """Control and resource of every failure in a bundle."""
    return {
        (row["control"], row["name"])
        for path in bundle.glob("units/*/results.ndjson")
        for row in map(json.loads, path.read_text().splitlines())
        if row["status"] == "fail"
    }


@pytest.fixture(scope="module")
def audit(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Audit:
    folder = tmp_path_factory.mktemp("audit")
    (folder / "state.json").write_text(json.dumps(deployment.stack.export()))
    made = Audit(deployment, folder)
    assert made.plantain("key", str(folder / "audit.pem")).returncode == 0
    return made


@pytest.fixture(scope="module")
def clean(audit: Audit) -> set[tuple[str, str]]:
    return audit.findings()


def call(deployment: Deployment, verb: str, path: str, body: Any = None) -> dict[str, Any]:
    reply = deployment.call(verb, path, body)
    assert reply.is_success, reply.text
    found: dict[str, Any] = reply.json()
    return found


@contextmanager
def granted(deployment: Deployment, path: str, role: str, member: str) -> Iterator[None]:
    policy = call(deployment, "POST", f"{path}:getIamPolicy", {})
    added = [*policy["bindings"], {"role": role, "members": [member]}]
    call(deployment, "POST", f"{path}:setIamPolicy", {"policy": {**policy, "bindings": added}})
    try:
        yield
    finally:
        kept = {key: value for key, value in policy.items() if key != "etag"}
        call(deployment, "POST", f"{path}:setIamPolicy", {"policy": kept})


def test_a_campaign_as_it_was_deployed_has_no_difference_to_its_state(clean: set[tuple[str, str]]) -> None:
    assert clean == set()


def test_the_population_is_stated_and_everything_could_be_read(audit: Audit, clean: set[tuple[str, str]]) -> None:
    bundle = min(audit.evidence.glob("0*"))
    inventory = json.loads((bundle / "inventory.json").read_text())
    assert inventory["totals"]["projects"] == 1
    assert inventory["totals"]["unread"] == 0
    [unit] = [unit for unit in inventory["units"] if unit["unit"] == "sandbox"]
    for kind in ("storage/bucket:Bucket", "kms/cryptoKey:CryptoKey", "cloudfunctionsv2/function:Function"):
        assert unit["live"][f"gcp:{kind}"] == unit["declared"][f"gcp:{kind}"]
    assert clean == set()


def test_a_binding_that_no_stack_declares_is_found(audit: Audit, clean: set[tuple[str, str]]) -> None:
    project = audit.deployment.campaign()["projectId"]
    path = f"cloudresourcemanager/v1/projects/{project}"
    with granted(audit.deployment, path, "roles/storage.admin", "user:eve@example.com"):
        found = audit.findings()
    assert found - clean == {("grant-declared", "roles/storage.admin user:eve@example.com")}


def test_a_member_that_was_added_to_a_keys_declared_role_is_found(audit: Audit, clean: set[tuple[str, str]]) -> None:
    key = audit.deployment.campaign()["keys"]["images"]
    role = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
    path = f"cloudkms/v1/{key}"
    policy = call(audit.deployment, "GET", f"{path}:getIamPolicy")
    [binding] = [entry for entry in policy["bindings"] if entry["role"] == role]
    changed = {**policy, "bindings": [{**binding, "members": [*binding["members"], "user:eve@example.com"]}]}
    call(audit.deployment, "POST", f"{path}:setIamPolicy", {"policy": changed})
    try:
        found = audit.findings()
    finally:
        kept = {name: value for name, value in policy.items() if name != "etag"}
        call(audit.deployment, "POST", f"{path}:setIamPolicy", {"policy": kept})
    assert found - clean == {("grant-declared", f"{role} user:eve@example.com")}


def test_a_disabled_key_is_found(audit: Audit, clean: set[tuple[str, str]]) -> None:
    key = audit.deployment.campaign()["keys"]["images"]
    version = call(audit.deployment, "GET", f"cloudkms/v1/{key}")["primary"]["name"]
    state = f"cloudkms/v1/{version}?updateMask=state"
    call(audit.deployment, "PATCH", state, {"state": "DISABLED"})
    try:
        found = audit.findings()
    finally:
        call(audit.deployment, "PATCH", state, {"state": "ENABLED"})
    assert found - clean == {("keys-usable", "images")}


def test_an_alert_without_its_channel_is_found(audit: Audit, clean: set[tuple[str, str]]) -> None:
    project = audit.deployment.campaign()["projectId"]
    channels = call(audit.deployment, "GET", f"monitoring/v3/projects/{project}/notificationChannels")
    [channel, *_] = channels["notificationChannels"]
    path = f"monitoring/v3/{channel['name']}?updateMask=enabled"
    call(audit.deployment, "PATCH", path, {**channel, "enabled": False})
    try:
        found = audit.findings()
    finally:
        call(audit.deployment, "PATCH", path, channel)
    assert "alerts-reach-somebody" in {control for control, _ in found - clean}


def test_a_project_outside_the_perimeter_is_found(audit: Audit, clean: set[tuple[str, str]]) -> None:
    name = audit.deployment.stack.outputs()["perimeter"]
    path = f"accesscontextmanager/v1/{name}?updateMask=status.resources"
    perimeter = call(audit.deployment, "GET", f"accesscontextmanager/v1/{name}")
    status = {**perimeter["status"], "resources": []}
    call(audit.deployment, "PATCH", path, {"status": status})
    try:
        found = audit.findings()
    finally:
        call(audit.deployment, "PATCH", path, {"status": perimeter["status"]})
    controls = {control for control, _ in found - clean}
    assert {"project-inside-perimeter", "properties-held"} <= controls


def test_a_bucket_that_somebody_made_and_one_that_was_changed_are_found(
    audit: Audit, clean: set[tuple[str, str]]
) -> None:
    campaign = audit.deployment.campaign()
    project, bucket = campaign["projectId"], campaign["bucket"]
    call(audit.deployment, "POST", f"storage/v1/b?project={project}", {"name": f"{project}-hand", "location": "EU"})
    kept = call(audit.deployment, "GET", f"storage/v1/b/{bucket}")["labels"]
    call(audit.deployment, "PATCH", f"storage/v1/b/{bucket}", {"labels": {**kept, "cost-center": "cc-0000"}})
    try:
        found = audit.findings()
    finally:
        assert audit.deployment.call("DELETE", f"storage/v1/b/{project}-hand").is_success
        call(audit.deployment, "PATCH", f"storage/v1/b/{bucket}", {"labels": kept})
    assert found - clean == {
        ("resource-declared", f"{project}-hand"),
        ("properties-held", f"{CAMPAIGN}-images-bucket"),
    }


def test_a_project_with_a_campaign_label_that_no_stack_declares_is_found(
    audit: Audit, clean: set[tuple[str, str]]
) -> None:
    body = {
        "projectId": "shadow-campaign",
        "labels": {"campaign": "shadow"},
        "parent": {"type": "organization", "id": "123456789012"},
    }
    call(audit.deployment, "POST", "cloudresourcemanager/v1/projects", body)
    try:
        found = audit.findings()
    finally:
        assert audit.deployment.call("DELETE", "cloudresourcemanager/v1/projects/shadow-campaign").is_success
    assert {("project-declared", "shadow-campaign"), ("project-inside-perimeter", "shadow-campaign")} <= found - clean


def test_a_stranger_in_a_group_within_a_group_that_holds_roles_is_found(
    audit: Audit, clean: set[tuple[str, str]]
) -> None:
    assert clean == set()
    outer, inner = "brand-studio@example.com", "agency@example.com"
    audit.deployment.sandbox.post("groups", {"group": inner, "members": ["user:jo@example.com"]})
    audit.deployment.sandbox.post("groups", {"group": outer, "members": [f"group:{inner}", "user:artist@example.com"]})
    before = audit.run("--groups")
    name = call(audit.deployment, "GET", f"cloudidentity/v1/groups:lookup?groupKey.id={inner}")["name"]
    eve = {"preferredMemberKey": {"id": "eve@example.org"}}
    path = f"cloudidentity/v1/{name}/memberships"
    made = call(audit.deployment, "POST", path, eve)["response"]["name"]
    try:
        found = failures(audit.run("--groups"))
    finally:
        call(audit.deployment, "DELETE", f"cloudidentity/v1/{made}")
    assert found - failures(before) == {("group-members-known", f"eve@example.org in {inner}")}
    above = next(
        unit for unit in json.loads((before / "inventory.json").read_text())["units"] if unit["unit"] == "organization"
    )
    assert outer in above["groups"]["holdingRoles"]
    assert above["live"]["gcp:cloudidentity/groupMembership:GroupMembership"] == 3


def test_a_firewall_policy_of_the_organisation_that_lets_everybody_in_is_found(
    audit: Audit, clean: set[tuple[str, str]]
) -> None:
    assert clean == set()
    root, parent = "compute/v1/locations/global/firewallPolicies", "organizations/123456789012"
    before = audit.run()
    operation = call(audit.deployment, "POST", f"{root}?parentId={parent}", {"shortName": "by-hand"})
    number = operation["targetLink"].rpartition("/")[2]
    match = {"srcIpRanges": ["0.0.0.0/1", "128.0.0.0/1"], "layer4Configs": [{"ipProtocol": "tcp", "ports": ["22"]}]}
    rule = {"priority": 10, "direction": "INGRESS", "action": "allow", "match": match}
    call(audit.deployment, "POST", f"{root}/{number}/addRule", rule)
    try:
        found = failures(audit.run())
    finally:
        call(audit.deployment, "DELETE", f"{root}/{number}")
    assert found - failures(before) == {("firewall-policy-no-open-ingress", f"{number} 10")}


def test_what_somebody_did_by_hand_to_any_part_of_a_campaign_is_found_at_once(
    audit: Audit, clean: set[tuple[str, str]]
) -> None:
    """Everything in one audit: grants on each kind of resource, an alert and a sink that were switched off."""
    deployment, campaign = audit.deployment, audit.deployment.campaign()
    project, bucket = campaign["projectId"], campaign["bucket"]
    eve = "user:eve@example.com"
    account = campaign["runtimeServiceAccount"]
    before = failures(audit.run())
    changed: list[tuple[str, str, Any]] = []

    def put(verb: str, path: str, body: Any, undo: Any) -> None:
        changed.append((verb, path, undo))
        call(deployment, verb, path, body)

    def grant(path: str, role: str, *, read: str = "GET") -> None:
        policy = call(deployment, read, f"{path}:getIamPolicy", None if read == "GET" else {})
        kept = {name: value for name, value in policy.items() if name != "etag"}
        more = {**kept, "bindings": [*kept.get("bindings", []), {"role": role, "members": [eve]}]}
        put("POST", f"{path}:setIamPolicy", {"policy": more}, {"policy": kept})

    try:
        grant("cloudresourcemanager/v3/organizations/123456789012", "roles/editor", read="POST")
        grant(f"iam/v1/projects/{project}/serviceAccounts/{account}", "roles/iam.serviceAccountUser", read="POST")
        function = campaign["functionName"]
        grant(f"run/v2/{function.replace('/functions/', '/services/')}", "roles/run.invoker")
        grant(f"cloudfunctions/v2/{function}", "roles/cloudfunctions.developer")
        ring = campaign["keys"]["images"].partition("/cryptoKeys/")[0]
        grant(f"cloudkms/v1/{ring}", "roles/cloudkms.admin")
        policy = call(deployment, "GET", f"storage/v1/b/{bucket}/iam")
        kept = {name: value for name, value in policy.items() if name != "etag"}
        more = [*kept["bindings"], {"role": "roles/storage.objectViewer", "members": [eve]}]
        put("PUT", f"storage/v1/b/{bucket}/iam", {**kept, "bindings": more}, kept)
        [alert, *_] = call(deployment, "GET", f"monitoring/v3/projects/{project}/alertPolicies")["alertPolicies"]
        put("PATCH", f"monitoring/v3/{alert['name']}?updateMask=enabled", {"enabled": False}, {"enabled": True})
        sinks = call(deployment, "GET", f"logging/v2/projects/{project}/sinks")["sinks"]
        sink = next(one for one in sinks if one["name"] not in {"_Default", "_Required"})
        path = f"logging/v2/projects/{project}/sinks/{sink['name']}?updateMask=disabled"
        put("PATCH", path, {**sink, "disabled": True}, {**sink, "disabled": False})
        found = failures(audit.run())
    finally:
        for verb, path, undo in reversed(changed):
            call(deployment, verb, path, undo)
    new = found - before
    for role in (
        "iam.serviceAccountUser",
        "run.invoker",
        "cloudfunctions.developer",
        "cloudkms.admin",
        "storage.objectViewer",
    ):
        assert ("grant-declared", f"roles/{role} {eve}") in new, role
    # Whoever owns the organisation grants there by other means: what is granted is judged, not who declared it.
    assert ("iam-no-basic-roles", f"roles/editor {eve}") in new
    assert len([name for control, name in new if control == "properties-held"]) >= 2, sorted(new)
    assert failures(audit.run()) == before
    assert clean == set()


def test_an_api_that_refuses_the_auditor_leaves_what_it_would_say_open_and_never_green(
    audit: Audit, clean: set[tuple[str, str]]
) -> None:
    fault = {"method": "cloudkms.*cryptoKeys.list", "kind": "error", "code": 403, "count": 0}
    planned = audit.deployment.sandbox.post("faults", fault)["id"]
    try:
        bundle = audit.run()
    finally:
        audit.deployment.sandbox.delete(f"faults?id={planned}")
    inventory = json.loads((bundle / "inventory.json").read_text())
    assert inventory["totals"]["unread"] >= 1
    status = {
        row["control"]: row["status"]
        for path in bundle.glob("units/sandbox/results.ndjson")
        for row in map(json.loads, path.read_text().splitlines())
        if row["control"] in {"inventory-complete", "keys-usable"}
    }
    assert status.get("inventory-complete") == "indeterminate"
    assert status.get("keys-usable") in {None, "indeterminate"}
    assert clean == set()


def test_a_real_preview_is_a_third_source_that_agrees_and_carries_no_token(audit: Audit, tmp_path: Path) -> None:
    (tmp_path / "events.ndjson").write_text(audit.deployment.stack.preview_events())
    folder = audit.run("--events", str(tmp_path / "events.ndjson")) / "units" / "sandbox"
    plan = json.loads((folder / "plan.json").read_text())
    assert set(plan["steps"]) == {"same"}
    assert 'accessToken":"sandbox' not in (folder / "events.ndjson").read_text()
    rows = [json.loads(row) for row in (folder / "results.ndjson").read_text().splitlines()]
    assert any(set(row["sources"]) == {"state", "preview", "live"} for row in rows)
    assert not [row for row in rows if row["control"] == "sources-agree"]


def test_every_audit_so_far_verifies_and_a_regression_reaches_the_log_and_opens_an_incident(
    audit: Audit, clean: set[tuple[str, str]]
) -> None:
    audit.run()
    project = audit.deployment.campaign()["projectId"]
    path = f"cloudresourcemanager/v1/projects/{project}"
    with granted(audit.deployment, path, "roles/editor", "user:eve@example.com"):
        audit.run("--log", project)
    query = {"resourceNames": [f"projects/{project}"], "filter": 'jsonPayload.event="control-regressed"'}
    entries = call(audit.deployment, "POST", "logging/v2/entries:list", query)["entries"]
    assert "grant-declared" in {entry["jsonPayload"]["control"] for entry in entries}
    for _ in range(5):
        audit.deployment.sandbox.post("clock", {"seconds": 60})
    alerts = call(audit.deployment, "GET", f"monitoring/v3/projects/{project}/alerts")["alerts"]
    ringing = {alert["policy"]["displayName"] for alert in alerts if alert["state"] == "OPEN"}
    assert any("a control that passed fails now" in name for name in ringing), ringing
    done = audit.plantain("verify", str(audit.evidence), "--public-key", str(audit.folder / "audit.pem.pub"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert clean == set()


def test_evidence_is_copied_to_a_bucket_with_locked_retention_outside_the_campaign(
    audit: Audit, clean: set[tuple[str, str]]
) -> None:
    campaign = audit.deployment.campaign()["projectId"]
    body = {"projectId": "evidence-1", "parent": {"type": "organization", "id": "123456789012"}}
    call(audit.deployment, "POST", "cloudresourcemanager/v1/projects", body)
    billing = {"billingAccountName": "billingAccounts/010101-010101-010101"}
    call(audit.deployment, "PUT", "cloudbilling/v1/projects/evidence-1/billingInfo", billing)
    service = "serviceusage/v1/projects/evidence-1/services/storage.googleapis.com:enable"
    call(audit.deployment, "POST", service, {})
    bucket = {"name": "evidence-1-kept", "location": "EU", "retentionPolicy": {"retentionPeriod": "86400"}}
    made = call(audit.deployment, "POST", "storage/v1/b?project=evidence-1", bucket)
    lock = f"storage/v1/b/evidence-1-kept/lockRetentionPolicy?ifMetagenerationMatch={made['metageneration']}"
    call(audit.deployment, "POST", lock)
    folder = audit.run("--to", "gs://evidence-1-kept/prod")
    listed = call(audit.deployment, "GET", "storage/v1/b/evidence-1-kept/o?maxResults=1000")["items"]
    names = {item["name"] for item in listed}
    files = {f"prod/{folder.name}/{p.relative_to(folder).as_posix()}" for p in folder.rglob("*") if p.is_file()}
    assert names == files | {f"prod/heads/{folder.name}.json"}
    name = f"prod%2F{folder.name}%2Fmanifest.json"
    assert audit.deployment.call("DELETE", f"storage/v1/b/evidence-1-kept/o/{name}").status_code == 403
    own = audit.plantain("run", "--stack", "sandbox", "--state", str(audit.folder / "state.json"),
                         "--out", str(audit.evidence), "--to", f"gs://{campaign}-images")  # fmt: skip
    assert own.returncode == 2
    assert "lies in an audited project" in own.stderr
    assert clean == set()


def test_images_that_the_function_made_can_be_traced(audit: Audit, tmp_path: Path) -> None:
    audit.deployment.generate("A plantain to be traced")
    bucket = audit.deployment.campaign()["bucket"]
    done = audit.plantain("provenance", f"gs://{bucket}", "--out", str(tmp_path / "p.ndjson"), "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["judged"] == found["passed"] >= 1
