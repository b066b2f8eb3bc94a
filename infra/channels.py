"""Who is told of alerts: e-mail for every contact, and whatever else the campaign's file names."""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_gcp as gcp
from pydantic import SecretStr

from infra import campaign_model, naming
from infra.channel_model import Webhook
from infra.component import Component
from infra.errors import Problem, SettingsError

PUBLISHER = "roles/pubsub.publisher"


def check(campaigns: Sequence[campaign_model.Campaign], secrets: Mapping[str, SecretStr], *, stack: str) -> None:
    """See that every credential a campaign names is there.

    Raises:
        SettingsError: with every one that is not.
    """
    missing = sorted({name for campaign in campaigns for name in campaign.channels.secrets} - set(secrets))
    if missing:
        raise SettingsError(
            [
                Problem(
                    file=f"Pulumi.{stack}.yaml",
                    key=f"plantain:channelSecrets.{name}",
                    cause="missing, but a campaign's channels name it",
                    rule="the credential itself, kept encrypted",
                    cure=f"pulumi config set --secret --path 'plantain:channelSecrets.{name}'",
                )
                for name in missing
            ]
        )


class Channels(Component):
    """A campaign's notification channels.

    Attributes:
        emails: one for each contact.
        channels: all of them.
    """

    def __init__(
        self,
        campaign: campaign_model.Campaign,
        *,
        project: gcp.organizations.Project,
        key: pulumi.Input[str],
        secrets: Mapping[str, SecretStr],
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the channels.

        Args:
            campaign: its file.
            project: where they live.
            key: full name of the key that messages waiting in a topic are encrypted with.
            secrets: the stack's credentials by name.
            after: what must exist before.
            opts: options of the component.
        """
        super().__init__("Channels", campaign.name, after=after, opts=opts)
        self._name, self._project, self._labels = campaign.name, project, campaign.labels.as_labels()
        self._secrets = secrets
        wanted = campaign.channels
        self.emails = [self._channel(contact, "email", {"email_address": contact}) for contact in campaign.contacts]
        self.channels = [
            *self.emails,
            *(self._topic(topic, key) for topic in wanted.pubsub),
            *(
                self._channel(
                    f"slack-{slack.channel.removeprefix('#')}",
                    "slack",
                    {"channel_name": slack.channel},
                    gcp.monitoring.NotificationChannelSensitiveLabelsArgs(auth_token=self._secret(slack.token)),
                )
                for slack in wanted.slack
            ),
            *(
                self._channel(
                    f"pagerduty-{service.name}",
                    "pagerduty",
                    {},
                    gcp.monitoring.NotificationChannelSensitiveLabelsArgs(
                        service_key=self._secret(service.service_key)
                    ),
                )
                for service in wanted.pagerduty
            ),
            *(self._webhook(hook) for hook in wanted.webhook),
        ]
        self.register_outputs({})

    def _channel(
        self,
        name: str,
        kind: str,
        labels: Mapping[str, pulumi.Input[str]],
        sensitive: gcp.monitoring.NotificationChannelSensitiveLabelsArgs | None = None,
        after: Sequence[pulumi.Resource] = (),
    ) -> gcp.monitoring.NotificationChannel:
        return gcp.monitoring.NotificationChannel(
            f"{self._name}-{name}",
            project=self._project.project_id,
            type=kind,
            display_name=f"{self._name}: {name}",
            labels=dict(labels),
            sensitive_labels=sensitive,
            user_labels=self._labels,
            # A channel that a policy still names cannot be deleted otherwise.
            force_delete=True,
            opts=self._options(after=after),
        )

    def _topic(self, topic_name: str, key: pulumi.Input[str]) -> gcp.monitoring.NotificationChannel:
        topic = gcp.pubsub.Topic(
            f"{self._name}-{topic_name}",
            name=topic_name,
            project=self._project.project_id,
            kms_key_name=key,
            labels=self._labels,
            deletion_policy="DELETE",
            opts=self._options(delete_before_replace=True),
        )
        publisher = gcp.pubsub.TopicIAMMember(
            f"{self._name}-{topic_name}-monitoring",
            project=self._project.project_id,
            topic=topic.name,
            role=PUBLISHER,
            member=self._project.number.apply(naming.monitoring_agent),
            opts=self._options(),
        )
        return self._channel(f"pubsub-{topic_name}", "pubsub", {"topic": topic.id}, after=[publisher])

    def _webhook(self, hook: Webhook) -> gcp.monitoring.NotificationChannel:
        host = hook.url.removeprefix("https://").partition("/")[0]
        if hook.password is None:
            return self._channel(f"webhook-{host}", "webhook_tokenauth", {"url": hook.url})
        return self._channel(
            f"webhook-{host}",
            "webhook_basicauth",
            {"url": hook.url, "username": hook.username or ""},
            gcp.monitoring.NotificationChannelSensitiveLabelsArgs(password=self._secret(hook.password)),
        )

    def _secret(self, name: str) -> pulumi.Output[str]:
        return pulumi.Output.secret(self._secrets[name].get_secret_value())
