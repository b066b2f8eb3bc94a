"""Who is told of alerts besides the contacts' e-mail. Credentials are named here and kept elsewhere.

A credential is a value of the stack's secret map: `pulumi config set --secret --path 'plantain:channelSecrets.NAME'`.
"""

from typing import Annotated

from pydantic import Field

from infra.model import Model

SecretName = Annotated[
    str,
    Field(
        pattern=r"^[a-z][a-z0-9-]{0,62}$",
        description="a name in the stack's plantain:channelSecrets, such as slack-token",
    ),
]
Topic = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z][A-Za-z0-9.~+%_-]+$",
        description="name of a Pub/Sub topic that is made in the campaign's project, such as alerts",
    ),
]


class Slack(Model):
    """A Slack channel."""

    channel: str = Field(
        pattern=r"^#[a-z0-9_-]+$", description="a Slack channel, such as #campaigns", examples=["#campaigns"]
    )
    token: SecretName = Field(
        description="name of the OAuth token in plantain:channelSecrets, such as slack-token", examples=["slack-token"]
    )


class PagerDuty(Model):
    """A PagerDuty service."""

    name: str = Field(
        pattern=r"^[A-Za-z0-9 _-]{1,64}$",
        description="what the channel is called, such as brand-oncall",
        examples=["brand-oncall"],
    )
    service_key: SecretName = Field(
        description="name of the integration key in plantain:channelSecrets, such as pagerduty-key",
        examples=["pagerduty-key"],
    )


class Webhook(Model):
    """An address that takes a POST."""

    url: str = Field(
        pattern=r"^https://[^\s@]+$",
        description="address that takes a POST, https and without credentials, such as https://hooks.example.com/alerts",
        examples=["https://hooks.example.com/alerts"],
    )
    username: str | None = Field(
        default=None, description="name for basic authentication, such as plantain", examples=["plantain"]
    )
    password: SecretName | None = Field(
        default=None,
        description="name of the password in plantain:channelSecrets, such as hook-password",
        examples=["hook-password"],
    )


class Channels(Model):
    """Where alerts go besides the contacts' e-mail."""

    pubsub: tuple[Topic, ...] = Field(
        default=(),
        max_length=4,
        description="list of Pub/Sub topics made in the campaign's project, such as alerts",
        examples=["alerts"],
    )
    slack: tuple[Slack, ...] = Field(default=(), max_length=4, description="list of Slack channels; see their own keys")
    pagerduty: tuple[PagerDuty, ...] = Field(
        default=(), max_length=4, description="list of PagerDuty services; see their own keys"
    )
    webhook: tuple[Webhook, ...] = Field(
        default=(), max_length=4, description="list of addresses that take a POST; see their own keys"
    )

    @property
    def secrets(self) -> frozenset[str]:
        """Names of all credentials that are needed."""
        return frozenset(
            [
                *(slack.token for slack in self.slack),
                *(service.service_key for service in self.pagerduty),
                *(hook.password for hook in self.webhook if hook.password),
            ]
        )
