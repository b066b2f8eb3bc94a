"""The whole sandbox as one object: every part a service may need, wired once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sandbox.blobs import Blobs
from sandbox.clock import Clock
from sandbox.consistency import Consistency
from sandbox.denials import Denials
from sandbox.description import described
from sandbox.enforcement.conditions import Conditions
from sandbox.enforcement.deny import DenyPolicies
from sandbox.enforcement.perimeter import Perimeters
from sandbox.enforcement.permissions import Permissions
from sandbox.enforcement.quotas import Quotas
from sandbox.faults import Faults
from sandbox.hierarchy import PROJECTS, RESOURCE_MANAGER, Hierarchy
from sandbox.identifiers import Identifiers
from sandbox.operations import Operations
from sandbox.policies import Policies
from sandbox.request_log import RequestLog
from sandbox.runtime.background import Background
from sandbox.services.registry import Services
from sandbox.settings import Settings
from sandbox.spend import Spend
from sandbox.store import Store
from sandbox.tokens import Tokens

if TYPE_CHECKING:
    from sandbox.runtime.agents import Agents
    from sandbox.runtime.gateway import Gateway
    from sandbox.runtime.instances import Instances
    from sandbox.services.monitoring.log_series import Counted

SERVICES = "serviceusage.services"
ORGANIZATIONS = "cloudresourcemanager.organizations"
ACCOUNTS = "cloudbilling.billingAccounts"

#: Google Workspace customer id of the organisation.
CUSTOMER = "C0sandbox"

#: What the administrator of a new organisation is given in practice.
ADMINISTRATOR_ROLES = (
    "roles/accesscontextmanager.policyAdmin",
    "roles/billing.admin",
    "roles/iam.denyAdmin",
    "roles/orgpolicy.policyAdmin",
    "roles/owner",
    "roles/resourcemanager.organizationAdmin",
)


class Cloud:
    """A running sandbox.

    Attributes:
        gateway, instances: set by the server once its sockets are open.
        agents: set by the application.
        log_series: what log-based metrics have counted, by project, and in what state of its entries.
        drop: set by the server: drops the connection of a client address without an answer.
        control_token: set by the server: what callers of the control interface must show to change anything.
    """

    gateway: Gateway
    instances: Instances
    agents: Agents
    drop: Callable[[tuple[str, int]], None] | None = None
    control_token: str = ""

    def __init__(self, settings: Settings, services: Services) -> None:
        self.settings = settings
        self.description = described()
        self.store = Store(settings.data / "state.sqlite3")
        self.clock = Clock(self.store)
        self.spend = Spend(self.store)
        self.blobs = Blobs(settings.data / "objects")
        self.identifiers = Identifiers(self.store, settings.seed)
        self.hierarchy = Hierarchy(self.store, settings.organization)
        self.consistency = Consistency(self.clock)
        self.policies = Policies(self.store, self.hierarchy, self.consistency, strict=settings.strict)
        conditions = Conditions(self.store, self.hierarchy)
        self.deny_policies = DenyPolicies(self.store, self.hierarchy, conditions, CUSTOMER)
        self.permissions = Permissions(self.store, self.policies, self.deny_policies, self.clock)
        self.operations = Operations(self.store, strict=settings.strict)
        self.faults = Faults(self.store.remember, settings.data / "faults.json")
        self.quotas = Quotas(self.store, self.clock)
        self.log = RequestLog()
        self.background = Background(self.log)
        self.denials = Denials(self.store)
        self.log_series: dict[str, tuple[Any, list[Counted]]] = {}
        self.services = services
        self.tokens = Tokens(
            self.store,
            self.clock,
            hashlib.sha256(f"token:{settings.seed}".encode()).digest(),
            settings.administrator,
            settings.administrator_token,
        )
        self.operations.interrupt()
        self.found_organization()

    def found_organization(self) -> None:
        """What exists before anybody does anything: an organisation, its administrator, a billing account."""
        name = f"organizations/{self.settings.organization}"
        if self.store.get(ORGANIZATIONS, name):
            return
        with self.store.transaction():
            self.store.put(ORGANIZATIONS, name, self._organization(name))
            account = f"billingAccounts/{self.settings.billing_account}"
            self.store.put(
                ACCOUNTS,
                account,
                {
                    "name": account,
                    "open": True,
                    "displayName": "Sandbox billing account",
                    "masterBillingAccount": "",
                    "parent": name,
                    "currencyCode": "USD",
                },
            )
            bindings = [{"role": role, "members": [self.settings.administrator]} for role in ADMINISTRATOR_ROLES]
            self.policies.replace(RESOURCE_MANAGER + name, {"bindings": bindings})

    def _organization(self, name: str) -> dict[str, Any]:
        return {
            "name": name,
            "displayName": self.settings.domain,
            "directoryCustomerId": CUSTOMER,
            "state": "ACTIVE",
            "createTime": self.clock.timestamp_millis(),
            "updateTime": self.clock.timestamp_millis(),
        }

    def reset(self) -> None:
        """Back to the first minute."""
        self.store.clear()
        self.clock.reset()
        self.tokens.forget_keys()
        self.found_organization()

    def service_enabled(self, project_id: str, host: str) -> bool:
        """Whether an API is enabled in a project."""
        name = f"projects/{project_id}/services/{host}"
        return self.store.get(SERVICES, name) is not None and not self.consistency.hides_service(name)

    def perimeters(self) -> Perimeters:
        """The perimeters and access levels as they stand."""
        levels = {level["name"]: level for level in self.store.documents("accesscontextmanager.accessLevels")}
        return Perimeters(tuple(self.store.documents("accesscontextmanager.servicePerimeters")), levels)

    def projects(self) -> list[dict[str, Any]]:
        """All projects, deleted ones included."""
        return self.store.documents(PROJECTS)

    def close(self) -> None:
        """Release what the process holds."""
        self.store.close()
