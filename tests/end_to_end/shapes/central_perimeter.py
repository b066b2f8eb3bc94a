"""A perimeter that is the customer's own, made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.end_to_end.organization import ADMINISTRATOR, NUMBER, Organization, joined
from tests.end_to_end.shapes.life import destroyed, generates, organization, project, projects, quiet, whole
from tests.end_to_end.steps import Steps


def customers_perimeter(made: Organization) -> str:
    """A policy, a level and a perimeter with a member and rules, made by hand as an organisation has them; its name."""
    context = "accesscontextmanager/v1"
    number = project(made, "warehouse-1")
    parent = f"organizations/{NUMBER}"
    made.call("POST", f"{context}/accessPolicies", {"parent": parent, "title": "default policy"})
    [policy] = made.call("GET", f"{context}/accessPolicies?parent={parent}")["accessPolicies"]
    level = {
        "name": f"{policy['name']}/accessLevels/offices",
        "title": "offices",
        "basic": {"conditions": [{"ipSubnetworks": ["203.0.113.0/24"]}]},
    }
    made.call("POST", f"{context}/{policy['name']}/accessLevels", level)
    rules = {
        "resources": [f"projects/{number}"],
        "restrictedServices": ["aiplatform.googleapis.com", "bigquery.googleapis.com", "storage.googleapis.com"],
        "ingressPolicies": [
            {
                "title": "offices",
                "ingressFrom": {
                    "identityType": "ANY_IDENTITY",
                    "sources": [{"accessLevel": f"{policy['name']}/accessLevels/offices"}],
                },
                "ingressTo": {
                    "resources": [f"projects/{number}"],
                    "operations": [{"serviceName": "bigquery.googleapis.com", "methodSelectors": [{"method": "*"}]}],
                },
            }
        ],
    }
    perimeter: dict[str, Any] = {
        "name": f"{policy['name']}/servicePerimeters/corporate",
        "title": "corporate",
        "perimeterType": "PERIMETER_TYPE_REGULAR",
        "status": rules,
    }
    made.call("POST", f"{context}/{policy['name']}/servicePerimeters", perimeter)
    name: str = perimeter["name"]
    return name


def rules_of(made: Organization, perimeter: str) -> dict[str, Any]:
    """A perimeter without what every write changes, and without empty lists, which say the same as none."""
    found: dict[str, Any] = made.call("GET", f"accesscontextmanager/v1/{perimeter}")
    status = {key: value for key, value in found["status"].items() if value}
    return {key: value for key, value in found.items() if key not in {"etag", "updateTime"}} | {"status": status}


def central_perimeter(folder: Path, steps: Steps) -> None:
    """A perimeter of the customer's own, made by hand: a campaign joins it with rules of its own, and leaves it."""
    with organization(folder) as made:
        perimeter = customers_perimeter(made)
        before = rules_of(made, perimeter)
        uploads: dict[str, Any] = {"title": "agency uploads", "identities": ["user:producer@agency.example"]}
        leaving: dict[str, Any] = {"title": "catalogue", "identityType": "ANY_SERVICE_ACCOUNT"}
        own = {
            "deployers": [ADMINISTRATOR],
            "ingress": [{**uploads, "services": {"storage.googleapis.com": []}}],
            "egress": [{**leaving, "toProjects": ["projects/1"], "services": {"bigquery.googleapis.com": []}}],
        }
        stack = made.stack("spring", campaigns=made.campaign("spring-launch"), perimeter=joined(perimeter, **own))
        with steps.step("up"):
            stack.up()
            found = made.call("GET", f"accesscontextmanager/v1/{perimeter}")
            assert set(found["status"]["resources"]) == {*before["status"]["resources"], *projects(stack)}
            titles = [rule["title"] for rule in found["status"]["ingressPolicies"]]
            assert titles[0] == "offices"
            assert len(titles) == 3, titles
        quiet(steps, stack)
        with steps.step("an image"):
            generates(made, stack, "spring-launch")
        with steps.step("what the owner changes by hand meanwhile is no change of ours"):
            other = f"projects/{project(made, 'warehouse-2')}"
            found = made.call("GET", f"accesscontextmanager/v1/{perimeter}")
            found["status"]["resources"].append(other)
            found["status"]["restrictedServices"].append("pubsub.googleapis.com")
            mask = "status.resources,status.restrictedServices"
            made.call("PATCH", f"accesscontextmanager/v1/{perimeter}?updateMask={mask}", found)
            before["status"]["resources"].append(other)
            before["status"]["restrictedServices"].append("pubsub.googleapis.com")
            stack.preview(expect_no_changes=True)
        whole(steps, made)
        destroyed(steps, made, stack)
        with steps.step("the customer's perimeter is as it was"):
            left = rules_of(made, perimeter)
            assert left == before, left
