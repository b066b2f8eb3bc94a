"""Steps of what belongs to no campaign: pipelines, state, secrets, budgets, audit logs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from typing import Any

import httpx

from bench.grants.world import AUDITOR, AUDITORS, World
from tests.end_to_end.privilege_steps import PIXEL, Steps, said

Document = dict[str, Any]


@dataclass
class Others:
    """Steps of what belongs to no campaign; each says what went wrong, and nothing when nothing did."""

    world: World
    steps: Steps
    outputs: Document
    numbers: count[int] = field(default_factory=lambda: count(1))

    def by_grant(self) -> dict[str, Callable[[], str]]:
        """The step that needs each grant, by the grant's whole name."""
        self.world.organization.call("GET", f"billingbudgets/v1/{self.budget}")
        return {
            "github-deploys": self.pipeline_deploys,
            "github-previews": self.pipeline_previews,
            "seed-state-storage": self.reads_state,
            "seed-secrets-deployer": self.deployer_encrypts,
            "seed-secrets-previewer": self.previewer_decrypts,
            "seed-topics-pubsub": self.reports_spending,
            "seed-budgets-sender": self.reports_spending,
            "logs-logs-logging": self.reads_audit_logs,
            "logs-folder-writer": self.keeps_audit_logs,
            "logs-new-projects-logging": self.reads_first_bucket,
            f"logs-group:{AUDITORS}": self.auditor_reads,
        }

    def pipeline_deploys(self) -> str:
        """A workflow of the main branch becomes the deployer."""
        reply = self.world.federated("deployer")
        return "" if reply.is_success else said(reply)

    def pipeline_previews(self) -> str:
        """A workflow becomes the previewer."""
        reply = self.world.federated("previewer")
        return "" if reply.is_success else said(reply)

    def reads_state(self) -> str:
        """The stack's state is written and read."""
        bucket = self.world.outputs["backend"].removeprefix("gs://")
        url = f"{self.world.organization.sandbox.url}/upload/storage/v1/b/{bucket}/o?uploadType=media&name=probe"
        headers = {"Authorization": "Bearer sandbox"}
        reply = httpx.post(url, content=PIXEL, headers=headers, trust_env=False)
        return "" if reply.is_success else said(reply)

    def deployer_encrypts(self) -> str:
        """The deployer encrypts a secret of a stack."""
        return self._uses_key("deployer", "encrypt", {"plaintext": "aGVsbG8="})

    def previewer_decrypts(self) -> str:
        """The previewer decrypts a secret of a stack."""
        key = self.world.outputs["secretsProvider"].removeprefix("gcpkms://")
        cipher = self.world.organization.call("POST", f"cloudkms/v1/{key}:encrypt", {"plaintext": "aGVsbG8="})
        return self._uses_key("previewer", "decrypt", {"ciphertext": cipher["ciphertext"]})

    def _uses_key(self, identity: str, verb: str, body: Document) -> str:
        key = self.world.outputs["secretsProvider"].removeprefix("gcpkms://")
        token = self.world.organization.token(f"serviceAccount:{self.world.outputs[identity]}")
        reply = self.world.organization.answer("POST", f"cloudkms/v1/{key}:{verb}", body, token=token)
        return "" if reply.is_success else said(reply)

    @cached_property
    def budget(self) -> str:
        """A budget that reports to the seed's topic: Google lets Cloud Billing publish there when it is made."""
        body = {
            "displayName": "probe",
            "amount": {"specifiedAmount": {"units": "1000000"}},
            "budgetFilter": {"projects": [f"projects/{self.steps.outputs['projectNumber']}"]},
            "notificationsRule": {"pubsubTopic": self.topic, "schemaVersion": "1.0"},
        }
        budgets = "billingbudgets/v1/billingAccounts/010101-010101-010101/budgets"
        found: str = self.world.organization.call("POST", budgets, body)["name"]
        return found

    @property
    def topic(self) -> str:
        """The seed's topic for budgets."""
        return f"projects/{self.world.outputs['projectId']}/topics/budgets"

    def reports_spending(self) -> str:
        """A budget tells the seed's topic that a threshold is passed."""
        call, number = self.world.organization.call, next(self.numbers)
        subscription = self.topic.replace("/topics/budgets", f"/subscriptions/probe-{number}")
        call("PUT", f"pubsub/v1/{subscription}", {"topic": self.topic})
        change = {"amount": {"specifiedAmount": {"nanos": 1}}, "thresholdRules": [{"thresholdPercent": number / 100}]}
        call("PATCH", f"billingbudgets/v1/{self.budget}?updateMask=amount,thresholdRules", change)
        reply = self.steps.asked()
        pulled = call("POST", f"pubsub/v1/{subscription}:pull", {"maxMessages": 10}).get("receivedMessages", [])
        call("DELETE", f"pubsub/v1/{subscription}")
        return "" if pulled else f"the topic was told of nothing ({reply.status_code})"

    def reads_audit_logs(self) -> str:
        """The audit logs of all projects are read."""
        return self._reads_view("sandbox")

    def reads_first_bucket(self) -> str:
        """The log bucket that Google made with the campaign's project is read."""
        project, region = self.steps.outputs["projectId"], self.steps.outputs["region"]
        view = f"projects/{project}/locations/{region}/buckets/_Required/views/_AllLogs"
        reply = self.world.organization.answer(
            "POST", "logging/v2/entries:list", {"resourceNames": [view], "pageSize": 1}
        )
        return "" if reply.is_success else said(reply)

    def auditor_reads(self) -> str:
        """An auditor reads them."""
        return self._reads_view(self.world.organization.token(AUDITOR))

    def _reads_view(self, token: str) -> str:
        query = {"resourceNames": [self.outputs["logs"]["view"]], "pageSize": 1}
        reply = self.world.organization.answer("POST", "logging/v2/entries:list", query, token=token)
        return "" if reply.is_success else said(reply)

    def keeps_audit_logs(self) -> str:
        """An audit entry of a project is in the log project."""
        query = {"resourceNames": [self.outputs["logs"]["view"]], "pageSize": 1}
        found = self.world.organization.call("POST", "logging/v2/entries:list", query)
        return "" if found.get("entries") else "the log project has no entry"
