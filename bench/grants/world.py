"""One organisation whose seed stack is deployed, and the identities that work in it."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import yaml

from infra.deployer import DEPLOYER_RIGHTS
from plantain.engine import resolve
from plantain.sandbox_process import Sandbox
from plantain.sandbox_stack import sandbox_environment
from plantain.stack import Stack
from tests.end_to_end.deployment import ARTIST, CAMPAIGN, TEAM
from tests.end_to_end.organization import LABELS, NUMBER, Organization, change, owned
from tests.end_to_end.privilege_steps import said

Document = dict[str, Any]


ISSUER = "https://token.actions.githubusercontent.com"
GITHUB = {"repository": "acme/plantain", "repositoryId": "42"}
AUDITORS, AUDITOR = "auditors@example.com", "user:auditor@example.com"
SECRETS = "acme-secrets"
CLOUD = "https://www.googleapis.com/auth/cloud-platform"
SEED, PROD = "seed", "prod"
MOST_DENIALS = 1000
FACTS = "world.json"


@dataclass
class World:
    """One organisation in its folder.

    Attributes:
        folder: sandbox and project lie in it.
        organization: the organisation.
        outputs: what the seed stack says.
        parent: the folder of the hierarchy that everything is made in.
    """

    folder: Path
    organization: Organization
    outputs: Document = field(default_factory=dict)
    parent: str = ""

    @classmethod
    def found(cls, folder: Path) -> World:
        """A new organisation with its seed stack."""
        made = cls(folder, Organization.make(folder))
        call = made.organization.call
        parent = {"displayName": "image campaigns", "parent": f"organizations/{NUMBER}"}
        made.parent = call("POST", "cloudresourcemanager/v3/folders", parent)["response"]["name"]
        seed = made.organization.stack(
            SEED, campaigns="", labels=LABELS, folder=made.parent, bootstrap={"github": GITHUB}
        )
        seed.up()
        made.outputs = seed.outputs()["bootstrap"]
        made.secret()
        made.organization.sandbox.post("groups", {"group": TEAM, "members": [ARTIST]})
        made.organization.sandbox.post("groups", {"group": AUDITORS, "members": [AUDITOR]})
        return made

    def secret(self) -> None:
        """A secret of somebody else's project, which the deployer may let the function read."""
        call = self.organization.call
        body = {"projectId": SECRETS, "name": SECRETS, "parent": {"type": "organization", "id": NUMBER}}
        call("POST", "cloudresourcemanager/v1/projects", body)
        call("POST", f"serviceusage/v1/projects/{SECRETS}/services/secretmanager.googleapis.com:enable", {})
        secrets = f"secretmanager/v1/projects/{SECRETS}/secrets"
        call("POST", f"{secrets}?secretId=brand-key", {"replication": {"automatic": {}}})
        call("POST", f"{secrets}/brand-key:addVersion", {"payload": {"data": "aGVsbG8="}})
        admin = {"role": "roles/secretmanager.admin", "members": [f"serviceAccount:{self.outputs['deployer']}"]}
        viewer = {"role": "roles/secretmanager.viewer", "members": [f"serviceAccount:{self.outputs['previewer']}"]}
        policy = call("POST", f"cloudresourcemanager/v1/projects/{SECRETS}:getIamPolicy")
        bindings = [*policy["bindings"], admin, viewer]
        call("POST", f"cloudresourcemanager/v1/projects/{SECRETS}:setIamPolicy", {"policy": {"bindings": bindings}})

    def copied(self, folder: Path) -> World:
        """The same organisation once more; this one must not run."""
        facts = {"url": self.organization.sandbox.url, "outputs": self.outputs, "parent": self.parent}
        (self.folder / FACTS).write_text(json.dumps(facts))
        shutil.copytree(self.folder, folder, symlinks=True)
        return World.kept(folder)

    @classmethod
    def kept(cls, folder: Path) -> World:
        """An organisation that a copy was made of."""
        facts = json.loads((folder / FACTS).read_text())
        ended = Sandbox(facts["url"], 0, folder / "sandbox", "")
        return cls(folder, Organization(ended, folder / "project"), facts["outputs"], facts["parent"])

    def open(self) -> World:
        """Start its sandbox, on whatever port is free."""
        before = self.organization.sandbox.url
        sandbox = Sandbox.start(self.folder / "sandbox", 0)
        for path in (self.folder / "project").glob("Pulumi*.yaml"):
            path.write_text(path.read_text().replace(f"{before}/", f"{sandbox.url}/"))
        return replace(self, organization=Organization(sandbox, self.folder / "project"))

    def close(self) -> None:
        """Stop its sandbox."""
        self.organization.close()

    def federated(self, identity: str) -> httpx.Response:
        """What an identity of the seed project answers to a workflow of the main branch."""
        sandbox = self.organization.sandbox
        audience = f"iam.googleapis.com/{self.outputs['providers']['github']}"
        claims = {
            "aud": f"https://{audience}",
            "sub": "repo:acme/plantain",
            "repository": "acme/plantain",
            "repository_id": "42",
            "ref": "refs/heads/main",
            "event_name": "push",
        }
        asked = {"issuer": ISSUER, "claims": claims, "lifetime": 600}
        form = {
            "audience": f"//{audience}",
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "subject_token": sandbox.post("issuers", asked)["token"],
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "scope": CLOUD,
        }
        headers = {"Host": "sts.googleapis.com"}
        exchanged = httpx.post(f"{sandbox.url}/v1/token", data=form, headers=headers, trust_env=False)
        if not exchanged.is_success:
            return exchanged
        path = f"iamcredentials/v1/projects/-/serviceAccounts/{self.outputs[identity]}:generateAccessToken"
        return self.organization.answer("POST", path, {"scope": [CLOUD]}, token=exchanged.json()["access_token"])

    def stack(self, identity: str) -> Stack:
        """The stack that everything is in, used by an identity of the seed project; its state is in the seed's bucket.

        Raises:
            StackError: the identity cannot reach the state.
            Refused: the workflow does not become the identity.
        """
        reply = self.federated(identity)
        if not reply.is_success:
            raise Refused(said(reply))
        sandbox = self.organization.sandbox
        member = f"serviceAccount:{self.outputs[identity]}"
        environment = {
            **sandbox.client_environment(member=member),
            **sandbox_environment(sandbox.data, resolve()),
            "PULUMI_BACKEND_URL": self.outputs["backend"],
            # Not as a setting: that stays in the state, and whoever comes next would act as whoever was there last.
            "GOOGLE_OAUTH_ACCESS_TOKEN": reply.json()["accessToken"],
        }
        path = self.folder / "project" / f"Pulumi.{PROD}.yaml"
        if not path.exists():
            self.configure(path)
        found = Stack(PROD, self.folder / "project", environment, path)
        found.select()
        return found

    def configure(self, path: Path) -> None:
        """Write the settings of a whole organisation."""
        document = yaml.safe_load((self.folder / "project" / f"Pulumi.{SEED}.yaml").read_text())
        document["config"].pop("plantain:bootstrap")
        path.write_text(yaml.safe_dump(document))
        deployers = [f"serviceAccount:{self.outputs[name]}" for name in ("deployer", "previewer")]
        campaign = self.organization.campaign(
            CAMPAIGN,
            build={"privatePool": True},
            references={"editors": [f"group:{TEAM}"]},
            channels={"pubsub": ["alerts"]},
            capacity={"imagesPerMinute": 100, "provisionedUnits": 3},
            budget={"amount": 50, "topic": f"projects/{self.outputs['projectId']}/topics/budgets"},
            function={
                "secrets": {"BRAND_KEY": f"projects/{SECRETS}/secrets/brand-key/versions/1"},
                "minInstances": 1,
                "binaryAuthorization": True,
            },
        )
        settings: Document = {
            "accessToken": None,
            "campaigns": campaign,
            "folder": self.parent,
            "labels": LABELS,
            "quotaProject": self.outputs["projectId"],
            "centralLogs": {"auditors": [f"group:{AUDITORS}"], "defaultKey": True},
            "contacts": [{"email": "security@example.com", "categories": ["SECURITY"]}],
            "tags": {"keys": ["env"]},
            "organizationPolicies": {
                "enforcement": "dry-run",
                "locations": ["in:eu-locations"],
                "memberCustomers": ["C012abcde"],
            },
            "perimeter": owned(
                "inline", deployers=["user:user@example.com", *deployers], auditors=[f"group:{AUDITORS}"]
            ),
        }
        if any(right.role == "roles/iam.denyAdmin" for right in DEPLOYER_RIGHTS):
            settings["denyPolicy"] = {}
        change(Stack(PROD, path.parent, {}, path), **settings)

    def newest(self) -> int:
        """Number of the newest refusal; 0 when there is none."""
        return max((int(one["id"][1:]) for one in self.organization.sandbox.get("denials?count=1")), default=0)

    def refusals(self, member: str) -> frozenset[str]:
        """Methods of all calls that a member was refused until now."""
        found = self.organization.sandbox.get(f"denials?count={MOST_DENIALS}")
        return frozenset(denial["method"] for denial in found if denial["caller"] == member)

    def refused(self, member: str, since: int = 0, usual: frozenset[str] = frozenset()) -> tuple[str, str]:
        """Method and permission of the first call that a member was refused; empty when none was.

        Args:
            member: who.
            since: number of the newest refusal that does not count.
            usual: methods that are refused although nothing is missing, and that nobody minds.
        """
        found = self.organization.sandbox.get(f"denials?count={MOST_DENIALS}")
        for denial in reversed(found):
            ours = int(denial["id"][1:]) > since and denial["caller"] == member and denial["method"] not in usual
            if ours and denial["refusedBy"] == "permission":
                words = denial["because"][0] if denial["because"] else denial["message"]
                permission = words.partition("the permission ")[2].rstrip(".") if "the permission " in words else ""
                return denial["method"], permission
        return "", ""


class Refused(Exception):
    """Somebody could not become somebody else."""
