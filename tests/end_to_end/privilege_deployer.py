"""A deployer with exactly the rights that the seed project's stack gives it, made by hand in a moment.

What each right is needed for is asked of Google's APIs directly: one call that succeeds with the right and is refused
without it. `bench/grants.py` shows the same with the real engine, the real seed stack and a pipeline's token.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any
from urllib.parse import quote

import httpx

from infra.bootstrap import APIS
from infra.deployer import DEPLOYER_RIGHTS, Level, Right

from .organization import NUMBER, Organization
from .privilege_removal import Granted, Without

Document = dict[str, Any]

SEED = "acme-seed"
EMAIL = f"deployer@{SEED}.iam.gserviceaccount.com"
MEMBER = f"serviceAccount:{EMAIL}"
BILLING = "billingAccounts/010101-010101-010101"
ORGANIZATION = f"organizations/{NUMBER}"
LIFETIME_SECONDS = 43_200

POLICIES: Mapping[Level, str] = {
    Level.BILLING: f"cloudbilling/v1/{BILLING}",
    Level.ORGANIZATION: f"cloudresourcemanager/v1/{ORGANIZATION}",
    Level.SCOPE: f"cloudresourcemanager/v1/{ORGANIZATION}",
    Level.SEED: f"cloudresourcemanager/v1/projects/{SEED}",
}


@dataclass(frozen=True)
class Deployer:
    """The deployer of an organisation.

    Attributes:
        organization: where it deploys.
        token: its access token, for half a day.
    """

    organization: Organization
    token: str

    @classmethod
    def make(cls, organization: Organization) -> Deployer:
        """Make the seed project, the account, and grant what `DEPLOYER_RIGHTS` says."""
        project = {"projectId": SEED, "name": SEED, "parent": {"type": "organization", "id": NUMBER}}
        organization.call("POST", "cloudresourcemanager/v1/projects", project)
        for some in batches(APIS, 20):
            path = f"serviceusage/v1/projects/{SEED}/services:batchEnable"
            organization.call("POST", path, {"serviceIds": some})
        organization.call("POST", f"iam/v1/projects/{SEED}/serviceAccounts", {"accountId": "deployer"})
        for path in dict.fromkeys(POLICIES.values()):
            roles = [right.role for right in DEPLOYER_RIGHTS if POLICIES[right.level] == path]
            verb = "GET" if path.startswith("cloudbilling") else "POST"
            policy = organization.call(verb, f"{path}:getIamPolicy")
            added = [{"role": role, "members": [MEMBER]} for role in roles]
            bindings = [*policy.get("bindings", []), *added]
            organization.call("POST", f"{path}:setIamPolicy", {"policy": {"bindings": bindings}})
        body = {"member": MEMBER, "lifetime": LIFETIME_SECONDS}
        return cls(organization, organization.sandbox.post("tokens", body)["token"])

    def asks(self, verb: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """A call of the deployer."""
        return httpx.request(
            verb,
            f"{self.organization.sandbox.url}/{path}",
            json=body,
            headers={"Authorization": f"Bearer {self.token}", **headers},
            trust_env=False,
            timeout=60,
        )

    @contextmanager
    def without(self, right: Right) -> Iterator[None]:
        """The right is taken away inside."""
        kind = "billing/accountIamMember" if right.level is Level.BILLING else "projects/iAMMember"
        granted = Granted(right.role, right.role, MEMBER, kind, POLICIES[right.level], "")
        with Without(self.organization.answer, granted):
            yield


def batches(items: Iterable[str], size: int) -> Iterator[list[str]]:
    """Lists of at most ``size``."""
    rest = list(items)
    while rest:
        yield rest[:size]
        rest = rest[size:]


@dataclass(frozen=True)
class Place:
    """What a foundation stack of the deployer's has made.

    Attributes:
        project: id of the log project.
        perimeter: full name.
        tag: a tag value.
        policy: full name of an organisation policy.
    """

    project: str
    perimeter: str
    tag: str
    policy: str


Probe = Callable[[Deployer, Place], httpx.Response]
NUMBERS = count(1)


def project(deployer: Deployer, place: Place) -> httpx.Response:
    """Create a project."""
    del place
    body = {
        "projectId": f"probe-{next(NUMBERS):04}",
        "name": "probe",
        "parent": {"type": "organization", "id": NUMBER},
    }
    return deployer.asks("POST", "cloudresourcemanager/v1/projects", body)


def link(deployer: Deployer, place: Place) -> httpx.Response:
    """Let the billing account pay for a project."""
    body = {"billingAccountName": BILLING}
    return deployer.asks("PUT", f"cloudbilling/v1/projects/{place.project}/billingInfo", body)


def budget(deployer: Deployer, place: Place) -> httpx.Response:
    """Create a budget."""
    del place
    body = {"displayName": "probe", "amount": {"specifiedAmount": {"units": "1", "currencyCode": "USD"}}}
    return deployer.asks("POST", f"billingbudgets/v1/{BILLING}/budgets", body)


def perimeter(deployer: Deployer, place: Place) -> httpx.Response:
    """Change the perimeter."""
    path = f"accesscontextmanager/v1/{place.perimeter}?updateMask=description"
    return deployer.asks("PATCH", path, {"description": "Campaigns of Plantain, membership delegated."})


def charge(deployer: Deployer, place: Place) -> httpx.Response:
    """Charge a call to the seed project."""
    path = f"cloudresourcemanager/v1/projects/{place.project}"
    return deployer.asks("GET", path, **{"X-Goog-User-Project": SEED})


def policy(deployer: Deployer, place: Place) -> httpx.Response:
    """Set an organisation policy to what it is."""
    found = deployer.organization.call("GET", f"orgpolicy/v2/{place.policy}")
    return deployer.asks("PATCH", f"orgpolicy/v2/{place.policy}", {key: found[key] for key in ("name", "spec")})


def sink(deployer: Deployer, place: Place) -> httpx.Response:
    """Create a sink above all projects."""
    body = {
        "name": f"probe-{next(NUMBERS)}",
        "destination": f"logging.googleapis.com/projects/{place.project}",
        "filter": "severity>=ERROR",
    }
    return deployer.asks("POST", f"logging/v2/{ORGANIZATION}/sinks", body)


def contact(deployer: Deployer, place: Place) -> httpx.Response:
    """Set a contact."""
    del place
    body = {
        "email": f"probe-{next(NUMBERS)}@example.com",
        "notificationCategorySubscriptions": ["ALL"],
        "languageTag": "en",
    }
    return deployer.asks("POST", f"essentialcontacts/v1/{ORGANIZATION}/contacts", body)


def tag_key(deployer: Deployer, place: Place) -> httpx.Response:
    """Create a tag key."""
    del place
    body = {"parent": ORGANIZATION, "shortName": f"probe-{next(NUMBERS)}"}
    return deployer.asks("POST", "cloudresourcemanager/v3/tagKeys", body)


def tag(deployer: Deployer, place: Place) -> httpx.Response:
    """Bind a tag to a project, and take it off again."""
    number = deployer.organization.call("GET", f"cloudresourcemanager/v1/projects/{place.project}")["projectNumber"]
    resource = f"//cloudresourcemanager.googleapis.com/projects/{number}"
    body = {"parent": resource, "tagValue": place.tag}
    reply = deployer.asks("POST", "cloudresourcemanager/v3/tagBindings", body)
    if reply.is_success:
        name = f"tagBindings/{quote(resource, safe='')}/{place.tag}"
        return deployer.asks("DELETE", f"cloudresourcemanager/v3/{name}")
    return reply


def deny_policy(deployer: Deployer, place: Place) -> httpx.Response:
    """Create a deny policy on the organisation."""
    del place
    point = quote(quote(f"cloudresourcemanager.googleapis.com/{ORGANIZATION}", safe=""), safe="")
    rule = {
        "denyRule": {
            "deniedPrincipals": ["principalSet://goog/group/nobody@example.com"],
            "deniedPermissions": ["iam.googleapis.com/serviceAccountKeys.create"],
        }
    }
    path = f"iam/v2/policies/{point}/denypolicies?policyId=probe-{next(NUMBERS)}"
    return deployer.asks("POST", path, {"rules": [rule]})


PROBES: Mapping[str, Probe] = {
    "roles/accesscontextmanager.policyEditor": perimeter,
    "roles/billing.costsManager": budget,
    "roles/billing.user": link,
    "roles/essentialcontacts.admin": contact,
    "roles/iam.denyAdmin": deny_policy,
    "roles/logging.configWriter": sink,
    "roles/orgpolicy.policyAdmin": policy,
    "roles/resourcemanager.projectCreator": project,
    "roles/resourcemanager.tagAdmin": tag_key,
    "roles/resourcemanager.tagUser": tag,
    "roles/serviceusage.serviceUsageConsumer": charge,
}
"""What the deployer does with each of its rights, as one call."""
