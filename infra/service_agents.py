"""The identities Google's services act as in a campaign's project, and the roles they need there, if any.

Agents come into being when a service is first used, which is later than their keys must be granted. So each is asked
for, and its role is granted explicitly: an agent that was made this way does not get it by itself
(cloud.google.com/iam/docs/create-service-agents, 2026-11).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from infra import naming
from infra.campaign_model import Campaign
from infra.component import Component


@dataclass(frozen=True)
class ServiceAgent:
    """A service's agent.

    Attributes:
        service: the API without its domain.
        role: what it may do in the project; None for one that only encrypts: its own role would let it act as every
            account of the project, for triggers and pushed messages that a campaign has not.
        keys: which of the campaign's keys it encrypts with (cloud.google.com/functions/docs/securing/cmek names
            the agents of the function's key, 2026-11).
    """

    service: str
    role: str | None
    keys: tuple[str, ...] = ()


AGENTS = (
    ServiceAgent("aiplatform", "roles/aiplatform.serviceAgent"),
    ServiceAgent("artifactregistry", "roles/artifactregistry.serviceAgent", ("function",)),
    ServiceAgent("cloudbuild", "roles/cloudbuild.serviceAgent"),
    ServiceAgent("cloudfunctions", "roles/cloudfunctions.serviceAgent", ("function",)),
    ServiceAgent("eventarc", None, ("function",)),
    ServiceAgent("run", "roles/run.serviceAgent", ("function",)),
)
QUEUE_AGENT = ServiceAgent("cloudtasks", "roles/cloudtasks.serviceAgent")
"""Makes the tokens that tasks call the function with."""
TOPIC_AGENT = ServiceAgent("pubsub", None, ("logs",))
"""Encrypts messages that wait in a topic for alerts."""


def agents_of(campaign: Campaign) -> tuple[ServiceAgent, ...]:
    """The agents a campaign needs."""
    return (
        *AGENTS,
        *((QUEUE_AGENT,) if campaign.queue.enabled else ()),
        *((TOPIC_AGENT,) if campaign.channels.pubsub else ()),
    )


STORAGE_KEYS = ("function", "images", "logs")
LOGGING_KEYS = ("logs",)


class ServiceAgents(Component):
    """Agents with their roles.

    Attributes:
        users: for each of the campaign's keys, the members that encrypt with it, by service.
        roles: the grants.
    """

    def __init__(
        self,
        name: str,
        *,
        project: gcp.organizations.Project,
        agents: Sequence[ServiceAgent] = AGENTS,
        asked_of: Mapping[str, Sequence[pulumi.Resource]],
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ServiceAgents", name, after=after, opts=opts)
        self.identities = {
            agent.service: gcp.projects.ServiceIdentity(
                f"{name}-{agent.service}",
                project=project.project_id,
                service=f"{agent.service}.googleapis.com",
                opts=self._options(),
            )
            for agent in agents
        }
        self.roles = [
            gcp.projects.IAMMember(
                f"{name}-{agent.service}-agent",
                project=project.project_id,
                role=agent.role,
                member=self.identities[agent.service].email.apply(naming.service_account_member),
                opts=self._options(),
            )
            for agent in agents
            if agent.role
        ]
        # The agents of Cloud Storage and Cloud Logging are not made by generateServiceIdentity: asking for their
        # addresses makes them.
        # They wait for their own API and no other: while one that they wait for is new, a preview does not know their
        # addresses, and every grant of a key seems to be replaced.
        asked = {api: pulumi.InvokeOutputOptions(parent=self, depends_on=[*needed]) for api, needed in asked_of.items()}
        storage = gcp.storage.get_project_service_account_output(project=project.project_id, opts=asked["storage"])
        logs = gcp.logging.get_project_cmek_settings_output(project=project.project_id, opts=asked["logging"])
        others = {
            "storage": (storage.email_address, STORAGE_KEYS),
            "logging": (logs.service_account_id, LOGGING_KEYS),
        }
        encrypting = {
            **{agent.service: (self.identities[agent.service].email, agent.keys) for agent in agents},
            **others,
        }
        self.users: Mapping[str, Mapping[str, pulumi.Output[str]]] = {
            key: {
                service: email.apply(naming.service_account_member)
                for service, (email, keys) in encrypting.items()
                if key in keys
            }
            for key in naming.KEYS
        }
        self.register_outputs({})
