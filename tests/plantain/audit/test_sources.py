"""States, previews, judgements, settings: what is read, and what is refused."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from plantain.audit import collection, events, grants, state
from plantain.audit.errors import SourceError
from plantain.audit.identity import identity
from plantain.audit.judgements import Judgements, load
from plantain.audit.resource_document import document, resource
from policies.catalogue import CONTROLS, Resource, Unknown

KNOWN = [control.id for control in CONTROLS]


def entry(**changes: Any) -> dict[str, Any]:
    return {"urn": "urn:pulumi:s::p::t::n", "type": "gcp:storage/bucket:Bucket", "custom": True, "id": "b", **changes}


def of_state(*entries: dict[str, Any]) -> list[Resource]:
    return list(state.resources({"deployment": {"resources": list(entries)}}))


def test_secrets_and_pending_values_of_a_state_are_unknown() -> None:
    secret = {state.SIGNATURE: state.SECRET_SIGNATURE, "ciphertext": "v1:x"}
    [found] = of_state(entry(inputs={"a": secret, "b": {"c": [state.UNKNOWN_TEXT]}, "__defaults": []}))
    assert found.properties["a"] == Unknown("a secret")
    assert found.properties["b"] == {"c": [Unknown()]}
    assert "__defaults" not in found.properties
    assert "v1:x" not in json.dumps(document(found))


@pytest.mark.parametrize(
    "left_out", [{"custom": False}, {"delete": True}, {"external": True}, {"type": "pulumi:providers:gcp"}]
)
def test_what_is_not_in_the_cloud_is_left_out(left_out: dict[str, Any]) -> None:
    assert of_state(entry(**left_out)) == []


def test_the_providers_project_and_default_labels_belong_to_its_resources() -> None:
    provider = {
        "urn": "urn:p", "id": "1", "type": "pulumi:providers:gcp", "custom": True,
        "inputs": {"project": "p", "defaultLabels": '{"managed-by": "plantain"}'},
    }  # fmt: skip
    outputs = {"labels": {"a": "1"}, "effectiveLabels": {state.SIGNATURE: state.SECRET_SIGNATURE}}
    [found] = of_state(provider, entry(provider="urn:p::1", outputs=outputs))
    assert found.provider_project == "p"
    assert found.properties["effectiveLabels"] == {"a": "1", "managed-by": "plantain"}


def test_a_resource_survives_being_written() -> None:
    made = Resource("u", "t", "n", {"a": [Unknown("x"), {"b": None}]}, "state", True, {"a": ["v"]}, "p")
    assert resource(json.loads(json.dumps(document(made)))) == made


def test_facts_of_a_state_that_auditors_ask_for() -> None:
    export = {
        "version": 3,
        "deployment": {
            "manifest": {"time": "t"},
            "pending_operations": [{}],
            "resources": [entry(ignoreChanges=["a"], retainOnDelete=True)],
        },
    }
    facts = state.facts(export)
    assert (facts["pendingOperations"], facts["resources"]) == (1, 1)
    assert facts["ignoreChanges"] == facts["retainOnDelete"] == ["urn:pulumi:s::p::t::n"]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"deployment": null}'])
def test_what_is_no_state_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text(content)
    with pytest.raises(SourceError) as raised:
        collection.load_export(path)
    assert raised.value.exit_code == 2
    assert "pulumi stack export" in str(raised.value.cure)


def test_a_preview_gives_what_will_be_there_and_what_policies_refused() -> None:
    read = {"op": "refresh", "urn": "urn:a", "type": "gcp:x", "old": entry(urn="urn:a")}
    component = {"op": "create", "urn": "urn:c", "type": "plantain:x", "new": {"urn": "urn:c", "type": "plantain:x"}}
    gone = {"op": "delete", "urn": "urn:a", "type": "gcp:x", "old": entry(urn="urn:a")}
    made = entry(urn="urn:b", id="", inputs={"a": 1})
    new = {"op": "create", "urn": "urn:b", "type": "gcp:x", "new": made, "diffs": ["a"]}
    said = {"resourceUrn": "urn:b", "policyName": "p", "policyPackName": "k", "enforcementLevel": "m"}
    refused = {"policyEvent": said}
    found: list[dict[str, Any]] = [{"resourcePreEvent": {"metadata": one}} for one in (read, component, gone, new)]
    found.append(refused)
    assert [one.urn for one in events.resources(found)] == ["urn:b"]
    plan = events.plan(found)
    assert plan["steps"] == {"delete": 1, "create": 1}
    assert plan["changes"][1] == {"urn": "urn:b", "op": "create", "properties": ["a"]}
    assert plan["policyViolations"][0]["policy"] == "p"


def test_no_secret_of_a_preview_becomes_evidence() -> None:
    prelude = {"preludeEvent": {"config": {"plantain:accessToken": "hush", "plantain:region": "r"}}}
    text = events.without_secrets(json.dumps(prelude) + "\n", collection.SECRET_SETTINGS)
    assert "hush" not in text
    assert json.loads(text) == {"preludeEvent": {"config": {"plantain:region": "r"}}}


@pytest.mark.parametrize("text", ["{", "[]", "1"])
def test_events_that_are_none_are_refused_with_their_line(text: str) -> None:
    with pytest.raises(SourceError, match="Line 2"):
        events.parse(f"{{}}\n{text}\n")


@pytest.mark.parametrize(
    ("type_", "properties", "scope"),
    [
        ("gcp:projects/iAMMember:IAMMember", {"project": "projects/p"}, "projects/p"),
        ("gcp:organizations/iAMMember:IAMMember", {"orgId": "1"}, "organizations/1"),
        ("gcp:folder/iAMMember:IAMMember", {"folder": "folders/2"}, "folders/2"),
        ("gcp:storage/bucketIAMMember:BucketIAMMember", {"bucket": "b/x"}, "buckets/x"),
        ("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember", {"cryptoKeyId": "p/l/r/k"},
         "projects/p/locations/l/keyRings/r/cryptoKeys/k"),
        ("gcp:serviceaccount/iAMMember:IAMMember", {"serviceAccountId": "projects/p/serviceAccounts/a"},
         "projects/p/serviceAccounts/a"),
        ("gcp:cloudrunv2/serviceIamMember:ServiceIamMember", {"project": "p", "location": "l", "name": "s"},
         "projects/p/locations/l/services/s"),
        ("gcp:artifactregistry/repositoryIamMember:RepositoryIamMember",
         {"repository": "projects/p/locations/l/repositories/r"},
         "projects/p/locations/l/repositories/r"),
        ("gcp:secretmanager/secretIamMember:SecretIamMember", {"project": "p", "secretId": "s"},
         "projects/p/secrets/s"),
    ],
)  # fmt: skip
def test_a_grant_is_on_the_same_resource_however_it_is_written(
    type_: str, properties: dict[str, str], scope: str
) -> None:
    made = Resource("u", type_, "n", {**properties, "role": "roles/r", "member": "user:A@Example.com"}, "state")
    [grant] = grants.grants(made)
    assert (grant.scope, grant.member) == (scope, "user:a@example.com")
    assert identity(made) == grant.key


def test_a_name_that_only_its_project_knows_is_told_apart_from_the_same_in_another() -> None:
    one, other = (Resource("u", "gcp:logging/metric:Metric", "n", {"id": "denials", "project": p}) for p in "ab")
    assert identity(one) != identity(other)


def test_a_whole_policy_declares_each_of_its_grants() -> None:
    data = {"bindings": [{"role": "r", "members": ["group:a@x.com", "group:b@x.com"], "condition": {"title": "t"}}]}
    made = Resource("u", "gcp:projects/iAMPolicy:IAMPolicy", "n", {"project": "p", "policyData": json.dumps(data)})
    assert [(grant.member, grant.condition) for grant in grants.grants(made)] == [
        ("group:a@x.com", "t"),
        ("group:b@x.com", "t"),
    ]
    broken = Resource("u", "gcp:projects/iAMPolicy:IAMPolicy", "n", {"project": "p", "policyData": "{"})
    assert list(grants.grants(broken)) == []


MANUAL = "- control: ai-literacy\n  result: pass\n  by: Kim\n  date: 2026-10-01\n  evidence: x\n  due: 2027-10-01\n"


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "manual.yaml"
    path.write_text(text)
    return path


def test_manual_results_and_exceptions_survive_the_evidence(tmp_path: Path) -> None:
    found = load(Path("none.yaml"), write(tmp_path, f"manual:\n{MANUAL}"), KNOWN)
    assert found.recorded("ai-literacy")
    assert Judgements.of(json.loads(json.dumps(found.document()))) == found
    allowed = tmp_path / "exceptions.yaml"
    allowed.write_text(
        f"exceptions:\n- control: {KNOWN[0]}\n  resource: '*'\n  owner: a@example.com\n  reason: r\n"
        "  approved: 2026-11-01\n  expires: 2026-12-01\n"
    )
    both = load(allowed, tmp_path / "none.yaml", KNOWN)
    assert both.exceptions.entries[0].expires == dt.date(2026, 12, 1)
    assert Judgements.of(json.loads(json.dumps(both.document()))) == both


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("manual: [", "cannot be read"),
        ("manual:\n- control: ai-literacy\n", "is wrong in 5 places"),
        ("other: 1", "is wrong in 1 places"),
        (f"manual:\n{MANUAL.replace('ai-literacy', 'no-such')}", "no-such, which is no control"),
    ],
)
def test_wrong_manual_results_are_refused(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=words):
        load(Path("none.yaml"), write(tmp_path, text), KNOWN)


def test_an_exception_of_no_control_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "exceptions.yaml"
    path.write_text("exceptions:\n- control: no-such\n")
    with pytest.raises(SourceError, match=r"exceptions\.yaml"):
        load(path, tmp_path / "none", KNOWN)


def test_no_secret_of_the_settings_becomes_evidence(tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.s.yaml"
    path.write_text(
        "config:\n  plantain:region: r\n  plantain:accessToken: t\n  plantain:x: {secure: c}\n"
        "  policies:residency: true\n"
    )
    assert collection.load_settings(path) == ({"region": "r"}, {"residency": True})
    path.write_text("[")
    with pytest.raises(SourceError, match="cannot be read"):
        collection.load_settings(path)
