"""Who is told: e-mail for every contact, and what else the campaign names, with credentials that stay secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from infra.errors import SettingsError
from tests.infra.stacks import make_campaign, record

if TYPE_CHECKING:
    from pathlib import Path

    from tests.infra.recording_engine import Recording

CHANNEL = "monitoring/notificationChannel:NotificationChannel"
ALL: dict[str, Any] = {
    "pubsub": ["alerts"],
    "slack": [{"channel": "#campaigns", "token": "slack-token"}],
    "pagerduty": [{"name": "oncall", "serviceKey": "pagerduty-key"}],
    "webhook": [
        {"url": "https://hooks.example.com/alerts", "username": "plantain", "password": "hook-password"},
        {"url": "https://open.example.com/alerts"},
    ],
}
SECRETS = {"slack-token": "xoxb-1", "pagerduty-key": "pd-1", "hook-password": "pw-1"}


@pytest.fixture(scope="module")
def stack(root: Path) -> Recording:
    return record(root, [make_campaign(channels=ALL)], channelSecrets=SECRETS)


def channel(stack: Recording, name: str) -> dict[str, Any]:
    return stack.named(CHANNEL, f"spring-launch-{name}").inputs


def test_every_contact_has_a_channel(root: Path) -> None:
    contacts = ["oncall@example.com", "studio@example.com"]
    stack = record(root, [make_campaign(contacts=contacts)])
    assert sorted(found.inputs["labels"]["email_address"] for found in stack.of_type(CHANNEL)) == contacts


def test_each_kind_is_what_monitoring_calls_it(stack: Recording) -> None:
    kinds = sorted(found.inputs["type"] for found in stack.of_type(CHANNEL))
    assert kinds == ["email", "pagerduty", "pubsub", "slack", "webhook_basicauth", "webhook_tokenauth"]


def test_credentials_are_sensitive_labels_and_nothing_else(stack: Recording) -> None:
    for name, label, secret in (
        ("slack-campaigns", "authToken", "xoxb-1"),
        ("pagerduty-oncall", "serviceKey", "pd-1"),
        ("webhook-hooks.example.com", "password", "pw-1"),
    ):
        wrapped = channel(stack, name)["sensitiveLabels"]
        assert wrapped["value"] == {label: secret}
        assert len(wrapped) == 2, "the engine is told that it is a secret"
    for found in stack.of_type(CHANNEL):
        assert not set(SECRETS.values()) & set(found.inputs["labels"].values())


def test_monitoring_may_publish_before_it_is_told_of_the_topic(stack: Recording) -> None:
    grant = stack.only("pubsub/topicIAMMember:TopicIAMMember")
    assert grant.inputs["role"] == "roles/pubsub.publisher"
    assert "gcp-sa-monitoring-notification" in grant.inputs["member"]
    assert grant.urn in stack.ancestors(stack.named(CHANNEL, "spring-launch-pubsub-alerts"))


def test_messages_that_wait_are_encrypted_by_an_agent_that_was_granted_the_key(stack: Recording) -> None:
    topic = stack.only("pubsub/topic:Topic")
    assert "spring-launch-logs" in topic.inputs["kmsKeyName"]
    names = {resource.name for resource in stack.comes_after(topic)}
    assert "spring-launch-logs-pubsub" in names


def test_a_credential_that_the_stack_does_not_have_is_named_with_the_command(root: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        record(root, [make_campaign(channels=ALL)], channelSecrets={"slack-token": "xoxb-1"})
    text = str(caught.value)
    assert "pagerduty-key" in text
    assert "hook-password" in text
    assert "pulumi config set --secret --path 'plantain:channelSecrets.pagerduty-key'" in text
    assert "xoxb-1" not in text
