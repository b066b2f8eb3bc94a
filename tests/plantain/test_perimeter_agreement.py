from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from infra.perimeter_settings import OwnedPerimeter
from plantain.perimeters.document import POLICY, level_documents, perimeter_document
from plantain.perimeters.simulation import Answer, Question, passes, simulate
from sandbox.app import create_app
from sandbox.audit import record_perimeter_violation
from sandbox.call import Call, Origin, Principal
from sandbox.cloud import Cloud
from sandbox.enforcement import checks
from sandbox.enforcement.perimeter import Decision
from sandbox.runtime.gateway import Arrival
from tests.sandbox.conftest import ORGANIZATION, Caller, build_cloud

CASES = 1000
CALLS_OF_A_PERIMETER = 25
PROJECTS = ("inside-one", "inside-two", "outside-one")
MEMBERS = ("user:jo@example.com", "serviceAccount:app@inside-one.iam.gserviceaccount.com", "user:user@example.com")
ADDRESSES = ("203.0.113.9", "198.51.100.7")
COUNTRIES = ("DE", "CH")
CALLS = {
    "storage.googleapis.com": ("storage.buckets.list", "/storage/v1/b?project={project}"),
    "cloudkms.googleapis.com": (
        "cloudkms.keyRings.list",
        "/cloudkms/v1/projects/{project}/locations/europe-west4/keyRings",
    ),
    "pubsub.googleapis.com": ("pubsub.topics.list", "/pubsub/v1/projects/{project}/topics"),
    "serviceusage.googleapis.com": ("serviceusage.services.list", "/serviceusage/v1/projects/{project}/services"),
}


WORDS = (
    "identities: ",
    "ANY_SERVICE_ACCOUNT does not hold",
    "sources: ",
    "/accessLevels/plantain_office does not hold",
    "operations: ",
    "methodSelectors of ",
    "resources: ",
)
"""Why a rule does not admit a call, as the simulation words it."""
KINDS = (
    "NO_MATCHING_ACCESS_LEVEL",
    "NETWORK_NOT_IN_SAME_SERVICE_PERIMETER",
    "SERVICE_NOT_ALLOWED_FROM_VPC",
    "admitted by ingressPolicies",
    "admitted by egressPolicies",
    "refused by the dry run alone",
    "enforced and dry run differ",
    "not the perimeter's business",
    *WORDS,
)
"""What the thousand cases have to show, each at least five times."""


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    built = build_cloud(tmp_path)
    yield built
    built.close()


def prepared(cloud: Cloud) -> tuple[Caller, dict[str, str], str]:
    """The administrator, project numbers by id, and the name of an access policy."""
    admin = Caller(TestClient(create_app(cloud), base_url="http://127.0.0.1"), "sandbox")
    for project in PROJECTS:
        body = {"projectId": project, "parent": {"type": "organization", "id": ORGANIZATION.rpartition("/")[2]}}
        assert admin("POST", "/cloudresourcemanager/v1/projects", body)[0] == 200
        billing = {"billingAccountName": "billingAccounts/010101-010101-010101"}
        assert admin("PUT", f"/cloudbilling/v1/projects/{project}/billingInfo", billing)[0] == 200
        for service in CALLS:
            assert admin("POST", f"/serviceusage/v1/projects/{project}/services/{service}:enable")[0] == 200
    status, answer = admin("POST", "/accesscontextmanager/v1/accessPolicies", {"parent": ORGANIZATION, "title": "p"})
    assert status == 200, answer
    numbers = {project: f"projects/{cloud.hierarchy.project_number(project)}" for project in PROJECTS}
    policies = admin("GET", f"/accesscontextmanager/v1/accessPolicies?parent={ORGANIZATION}")[1]
    return admin, numbers, policies["accessPolicies"][0]["name"]


def settings(chance: random.Random, numbers: dict[str, str]) -> OwnedPerimeter:
    """A perimeter at random: levels, rules, callers."""

    def some(values: Any, least: int = 0) -> list[Any]:
        values = list(values)
        return chance.sample(values, chance.randint(least, len(values)))

    def services() -> dict[str, list[str]]:
        chosen = some([service for service in CALLS if not service.startswith("serviceusage")], 1)
        found = {service: chance.choice([[], [CALLS[service][0]], ["other.method"]]) for service in chosen}
        return {"*": []} if chance.random() < 0.1 else found

    def rule(number: int, *, ingress: bool) -> dict[str, Any]:
        who = {"identityType": chance.choice(["ANY_IDENTITY", "ANY_USER_ACCOUNT", "ANY_SERVICE_ACCOUNT"])}
        made: dict[str, Any] = {
            "title": f"rule {number}",
            **(who if chance.random() < 0.3 else {"identities": some(MEMBERS, 1)}),
            "services": services(),
            "accessLevels": some(["office", "country"]) if chance.random() < 0.5 else [],
        }
        if ingress and chance.random() < 0.3:
            made["fromProjects"] = [numbers["outside-one"]]
        if chance.random() < 0.5:
            made["toProjects"] = some(numbers.values(), 1)
        return made

    ingress = [rule(number, ingress=True) for number in range(chance.randint(0, 3))]
    egress = [rule(number + 10, ingress=False) for number in range(chance.randint(0, 3))]
    proposed: dict[str, Any] = {
        "additionalServices": some(["serviceusage.googleapis.com"]),
        "ingress": [rule(number + 20, ingress=True) for number in range(chance.randint(0, 1))],
        "egress": [rule(number + 30, ingress=False) for number in range(chance.randint(0, 1))],
        "without": some([one["title"] for one in (*ingress, *egress)]),
    }
    return OwnedPerimeter.model_validate(
        {
            "membership": chance.choice(["inline", "delegated"]),
            "enforcement": chance.choice(["enforced", "enforced", "enforced", "dry-run"]),
            "deployers": ["user:user@example.com"],
            "ipSubnetworks": chance.choice([[], ["198.51.100.0/24"]]),
            "accessLevels": [
                {"name": "office", "ipSubnetworks": ["198.51.100.0/24"]},
                {
                    "name": "country",
                    "countries": ["DE"],
                    "ipSubnetworks": some(["203.0.113.0/28"]),
                    "requires": some(["office"]),
                    "anyOf": chance.random() < 0.5,
                },
            ],
            "additionalServices": some(["serviceusage.googleapis.com"]) if chance.random() < 0.3 else [],
            "ingress": ingress,
            "egress": egress,
            **({"proposed": proposed} if chance.random() < 0.5 else {}),
        }
    )


def put(admin: Caller, policy: str, document: dict[str, Any], levels: dict[str, dict[str, Any]]) -> None:
    """Make the sandbox hold a perimeter and its levels in place of those before."""
    base = f"/accesscontextmanager/v1/{policy}"
    for old in admin("GET", f"{base}/servicePerimeters")[1].get("servicePerimeters", []):
        assert admin("DELETE", f"/accesscontextmanager/v1/{old['name']}")[0] == 200
    remaining = admin("GET", f"{base}/accessLevels")[1].get("accessLevels", [])
    for old in reversed(remaining):
        assert admin("DELETE", f"/accesscontextmanager/v1/{old['name']}")[0] == 200
    for level in levels.values():
        status, answer = admin("POST", f"{base}/accessLevels", {**level, "title": level["name"].rpartition("/")[2]})
        assert status == 200, answer
    status, answer = admin("POST", f"{base}/servicePerimeters", document)
    assert status == 200, answer


def moved(document: Any, policy: str) -> Any:
    """A document with the policy that the sandbox gave in place of the simulation's."""
    if isinstance(document, dict):
        return {moved(key, policy): moved(value, policy) for key, value in document.items()}
    if isinstance(document, list):
        return [moved(value, policy) for value in document]
    return document.replace(f"{POLICY}/", f"{policy}/") if isinstance(document, str) else document


def kinds(answers: list[Answer], *, barred: bool) -> Iterator[str]:
    """What a case shows."""
    enforced, tried = answers[0], answers[-1]
    if barred:
        yield "refused"
        yield enforced.reason
    elif not tried.allowed:
        yield "refused by the dry run alone"
    if enforced.rule:
        yield f"admitted by {enforced.rule.partition('[')[0]}"
    if enforced.allowed != tried.allowed:
        yield "enforced and dry run differ"
    misses = " ".join(miss for one in answers for miss in one.misses)
    yield from (word for word in WORDS if word in misses)
    if not enforced.rule and enforced.allowed and not barred:
        yield "not the perimeter's business"


def test_the_simulation_and_the_sandbox_give_the_same_answer_in_a_thousand_cases(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(20261121)  # noqa: S311 -- cases that are the same each time
    admin, numbers, policy = prepared(cloud)
    tokens = {member: cloud.tokens.access_token(Principal(member), 36_000) for member in MEMBERS}
    origin = [Origin()]
    logged: list[Decision] = []

    def record(call: Call, violation: Decision, project: str) -> tuple[str, str]:
        logged.append(violation)
        return record_perimeter_violation(call, violation, project)

    monkeypatch.setattr(checks, "record_perimeter_violation", record)
    disagreements: list[str] = []
    seen: Counter[str] = Counter()
    for _ in range(CASES // CALLS_OF_A_PERIMETER):
        rules = settings(chance, numbers)
        document = perimeter_document(rules, [numbers["inside-one"], numbers["inside-two"]])
        levels = level_documents(rules)
        origin[0] = Origin()
        monkeypatch.setattr(cloud.gateway, "arrival", lambda _: Arrival(origin[0]))
        put(admin, policy, moved(document, policy), moved(levels, policy))
        for _ in range(CALLS_OF_A_PERIMETER):
            service, (method, path) = chance.choice(list(CALLS.items()))
            member, target = chance.choice(MEMBERS), chance.choice(PROJECTS)
            source = chance.choice([None, None, *PROJECTS])
            network = f"projects/{source}/global/networks/default" if source else None
            address, country = chance.choice(ADDRESSES), chance.choice(COUNTRIES)
            origin[0] = Origin(network, address, country)
            logged.clear()
            status, answer = Caller(admin.client, tokens[member])("GET", path.format(project=target))
            barred = status == 403 and "vpcServiceControlsUniqueIdentifier" in str(answer)
            question = Question(
                member,
                service,
                method,
                numbers[target],
                source=numbers[source] if source else None,
                network=f"//compute.googleapis.com/{network}" if network else None,
                address=address,
                region=country,
            )
            answers = simulate([document], levels, question)
            told = next(((one.dry_run, one.direction, one.reason) for one in answers if not one.allowed), None)
            found = next(((one.dry_run, one.direction, one.reason) for one in logged), None)
            if passes(answers) == barred or told != found:
                disagreements.append(f"{question}: sandbox {'refuses' if barred else 'lets pass'} {found}: {answers}")
            seen.update(kinds(answers, barred=barred))
    assert not disagreements, "\n".join(disagreements[:3])
    assert CASES * 0.2 < seen["refused"] < CASES * 0.8
    rare = [kind for kind in KINDS if seen[kind] < CASES // 200]
    assert rare == [], f"the cases hardly show {rare}: {seen}"
