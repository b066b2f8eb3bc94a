"""Why an exchange cannot be answered as it was recorded, whoever answers it.

The recorder replaced generated values by placeholders and fixed texts. Where it did so in one place and not in another,
or where the log was written against a mock, the recorded answer contradicts the request that it belongs to.
"""

from __future__ import annotations

import json
from typing import Any

from tests.conformance.bindings import PLACEHOLDER

#: Texts that stand in recorded answers for what a server really answers, and what they are.
FIXED_TEXTS = {
    "mockgcp.": "the log was written against a mock",
    '"8.8.8.8"': "the reserved address was replaced by a fixed one",
    '"gatewayAddress": "10.0.0.1"': "the gateway's address was replaced by a fixed one, outside the subnetwork",
    "revision-id-placeholder": "the revision was replaced by a fixed one",
    '"userByEmail": "user@google.com"': "the caller was replaced by a fixed one",
    '"prefixes": ["testfolder", "testmanagedfolder"]': "the log was written against a mock",
    "keynamey4matsxackwa2bq": "the answer shows what another recording had left behind",
    '"labels": {"cnrm-test": "true", "managed-by-cnrm": "true"}, "name": "projects/${projectNumber}", "parent"': (
        "the answer shows labels and a folder that the project was given outside the recording"
    ),
    "CLOUD_FUNCTION_STATUS_UNSPECIFIED": "the log was written against a mock",
    '{"code": 5, "details": [], "message"': "the log was written against a mock",
    '{"done": true, "metadata": null': "the log was written against a mock",
    "contacts/7": "the contact's number was neither replaced nor repeatable",
    "Mock Billing Account": "the log was written against a mock",
    "VGhpcyBzaG91bGQgcmVhbGx5IGJlIGEga2V5": "the log was written against a mock",
}

#: Exchanges that contradict another one of their recording, or the state it left: beginning of its name, indices, why.
CONTRADICTIONS = (
    ("basic-dns-v1beta1-dnsrecordset-", {8}, "the zone's name servers are others than where the zone was made"),
    ("basic-monitoring-v1beta1-monitoringgroup", {6, 7, 8, 9, 10}, "one placeholder stands for two groups at once"),
    ("basic-kms-v1beta1-kmskeyhandle-", {1}, "Autokey was set up outside the recording"),
    ("mockgcp-mockkms-testdata-importjob-crud", {0, 1, 2}, "the key ring was made outside the recording"),
)
UNBOUND = "the request names something by a placeholder that no answer has shown"


def find(filled: Any, recorded: Any, scenario: str = "", index: int = 0) -> str:
    """The reason; empty when there is none.

    Args:
        filled: address and body of the request, known placeholders replaced.
        recorded: the recorded answer.
        scenario: name of the recording.
        index: of the exchange.
    """
    if PLACEHOLDER.search(json.dumps(filled)):
        return UNBOUND
    text = json.dumps(recorded) + json.dumps(filled)
    fixed = (reason for fixed, reason in FIXED_TEXTS.items() if fixed in text)
    contradiction = (why for start, indices, why in CONTRADICTIONS if scenario.startswith(start) and index in indices)
    return next(fixed, next(contradiction, ""))
