"""Breaks a deployed campaign by hand, in everything that both auditors look at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.end_to_end.deployment import Deployment

EVERYBODY = "allUsers"
EVE = "user:eve@example.com"


class Vandal:
    """Somebody with every right and no idea.

    Args:
        deployment: what is broken.
    """

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._campaign = deployment.campaign()
        self._project = str(self._campaign["projectId"])

    def break_everything(self) -> None:
        """Everything that can be broken without taking the project away.

        Raises:
            httpx.HTTPStatusError: something refused to break.
        """
        self.buckets()
        self.keys()
        self.grants()
        self.network()
        self.alarms()
        self.perimeter()

    def _call(self, verb: str, path: str, body: Any = None) -> dict[str, Any]:
        reply = self._deployment.call(verb, path, body).raise_for_status()
        found: dict[str, Any] = reply.json() if reply.content else {}
        return found

    def _grant(self, path: str, *given: tuple[str, str], read: str = "POST", **changes: Any) -> None:
        policy = self._call(read, f"{path}:getIamPolicy", {} if read == "POST" else None)
        bindings = [*policy.get("bindings", ()), *({"role": role, "members": [member]} for role, member in given)]
        self._call("POST", f"{path}:setIamPolicy", {"policy": {**policy, "bindings": bindings, **changes}})

    def buckets(self) -> None:
        """The bucket of images loses every protection, and everybody may read it."""
        path = f"storage/v1/b/{self._campaign['bucket']}"
        protection = {"publicAccessPrevention": "inherited", "uniformBucketLevelAccess": {"enabled": True}}
        self._call("PATCH", path, {"iamConfiguration": protection})
        policy = self._call("GET", f"{path}/iam")
        public = {"role": "roles/storage.objectViewer", "members": [EVERYBODY]}
        self._call("PUT", f"{path}/iam", {**policy, "bindings": [*policy.get("bindings", ()), public]})
        protection["uniformBucketLevelAccess"] = {"enabled": False}
        lost = {"versioning": {"enabled": False}, "lifecycle": {"rule": []}}
        gone = {"softDeletePolicy": {"retentionDurationSeconds": "0"}}
        self._call("PATCH", path, {"iamConfiguration": protection, **lost, **gone})

    def keys(self) -> None:
        """One key no longer rotates, and everybody may use it; another rotates once a year."""
        first, second = list(self._campaign["keys"].values())[:2]
        none: Mapping[str, Any] = {}
        self._call("PATCH", f"cloudkms/v1/{first}?updateMask=rotationPeriod,nextRotationTime", none)
        self._call("PATCH", f"cloudkms/v1/{second}?updateMask=rotationPeriod", {"rotationPeriod": "31536000s"})
        self._grant(f"cloudkms/v1/{first}", ("roles/cloudkms.cryptoKeyDecrypter", EVERYBODY), read="GET")

    def grants(self) -> None:
        """Roles that are too large, duties that are not separate, an account's key, a public secret, no audit log."""
        account = f"serviceAccount:{self._campaign['runtimeServiceAccount']}"
        self._grant(
            f"cloudresourcemanager/v1/projects/{self._project}",
            ("roles/editor", account),
            ("roles/iam.serviceAccountTokenCreator", EVE),
            ("roles/iam.serviceAccountUser", EVE),
            ("roles/iam.serviceAccountAdmin", EVE),
            ("roles/cloudkms.admin", EVE),
            ("roles/cloudkms.cryptoKeyEncrypterDecrypter", EVE),
            auditConfigs=[],
        )
        self._call("POST", f"iam/v1/projects/-/serviceAccounts/{account.partition(':')[2]}/keys", {})
        services = f"serviceusage/v1/projects/{self._project}/services"
        for service in ("generativelanguage", "secretmanager"):
            self._call("POST", f"{services}/{service}.googleapis.com:enable", {})
        path = f"secretmanager/v1/projects/{self._project}/secrets"
        self._call("POST", f"{path}?secretId=public", {"replication": {"automatic": {}}})
        self._grant(f"{path}/public", ("roles/secretmanager.secretAccessor", EVERYBODY), read="GET")
        self._grant(f"run/v2/{self._service()}", ("roles/run.invoker", EVERYBODY), read="GET")

    def _service(self) -> str:
        function = self._call("GET", f"cloudfunctions/v2/{self._campaign['functionName']}")
        return str(function["serviceConfig"]["service"])

    def network(self) -> None:
        """A default network, and nothing is written down of what passes."""
        root = f"compute/v1/projects/{self._project}"
        self._call("POST", f"{root}/global/networks", {"name": "default", "autoCreateSubnetworks": False})
        for scope in self._call("GET", f"{root}/aggregated/subnetworks")["items"].values():
            for subnet in scope.get("subnetworks", ()):
                path = f"{root}/regions/{subnet['region'].rpartition('/')[2]}/subnetworks/{subnet['name']}"
                quiet = {"fingerprint": subnet.get("fingerprint", ""), "logConfig": {"enable": False}}
                self._call("PATCH", path, quiet)
        for policy in self._call("GET", f"dns/v1/projects/{self._project}/policies")["policies"]:
            path = f"dns/v1/projects/{self._project}/policies/{policy['name']}"
            self._call("PATCH", path, {"enableLogging": False})

    def alarms(self) -> None:
        """No alert is left, and the sinks are off."""
        for policy in self._call("GET", f"monitoring/v3/projects/{self._project}/alertPolicies")["alertPolicies"]:
            self._call("DELETE", f"monitoring/v3/{policy['name']}")
        for sink in self._call("GET", f"logging/v2/projects/{self._project}/sinks")["sinks"]:
            if sink["name"] != "_Required":
                path = f"logging/v2/projects/{self._project}/sinks/{sink['name']}?updateMask=disabled"
                self._call("PATCH", path, {"disabled": True})

    def perimeter(self) -> None:
        """The project is taken out of the perimeter."""
        name = self._deployment.stack.outputs()["perimeter"]
        path = f"accesscontextmanager/v1/{name}"
        status = {**self._call("GET", path)["status"], "resources": []}
        self._call("PATCH", f"{path}?updateMask=status.resources", {"status": status})
