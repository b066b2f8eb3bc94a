"""The queue of requests that may wait, with the campaign's own limits on how fast it sends them.

Cloud Tasks refuses nothing on the way in, so the limits on the way out are what keeps the function, and the model
behind it, from more than the campaign may use. Google has no key of the customer's for queues in its Terraform
provider, so a task must not carry a prompt: it carries the name of a request that lies in the images bucket.
"""

from collections.abc import Sequence

import pulumi
import pulumi_gcp as gcp

from infra import campaign_model, naming
from infra.accounts import RuntimeAccount
from infra.component import Component

SECONDS_A_MINUTE = 60
SECONDS_AN_HOUR = 3600


class Queue(Component):
    """One queue, and what lets the function put tasks into it that call the function again.

    Attributes:
        queue: the queue.
        name: its full name.
        grants: what the function waits for.
    """

    def __init__(
        self,
        campaign: campaign_model.Campaign,
        *,
        project: gcp.organizations.Project,
        region: str,
        runtime: RuntimeAccount,
        queue_id: pulumi.Input[str] = naming.QUEUE,
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Queue", campaign.name, after=after, opts=opts)
        size, wanted = campaign.function, campaign.queue
        self.queue = gcp.cloudtasks.Queue(
            f"{campaign.name}-queue",
            name=queue_id,
            project=project.project_id,
            location=region,
            rate_limits=gcp.cloudtasks.QueueRateLimitsArgs(
                max_dispatches_per_second=dispatches_per_second(campaign.capacity.images_per_minute),
                max_concurrent_dispatches=size.max_instances * size.concurrency,
            ),
            retry_config=gcp.cloudtasks.QueueRetryConfigArgs(
                max_attempts=wanted.max_attempts,
                max_retry_duration=f"{wanted.retry_hours * SECONDS_AN_HOUR}s",
                min_backoff="5s",
                max_backoff="600s",
                max_doublings=6,
            ),
            stackdriver_logging_config=gcp.cloudtasks.QueueStackdriverLoggingConfigArgs(sampling_ratio=1.0),
            deletion_policy="DELETE",
            opts=self._options(delete_before_replace=True),
        )
        self.name = self.queue.id
        self.grants: list[pulumi.Resource] = [
            gcp.cloudtasks.QueueIamMember(
                f"{campaign.name}-runtime-enqueuer",
                project=project.project_id,
                location=region,
                name=self.queue.name,
                role="roles/cloudtasks.enqueuer",
                member=runtime.member,
                opts=self._options(),
            ),
            # A task calls the function as the function's own identity, and who creates it must be allowed to act so.
            gcp.serviceaccount.IAMMember(
                f"{campaign.name}-runtime-act-as-itself",
                service_account_id=runtime.account.name,
                role="roles/iam.serviceAccountUser",
                member=runtime.member,
                opts=self._options(),
            ),
        ]
        self.register_outputs({"name": self.name})


def dispatches_per_second(images_per_minute: int) -> float:
    """A rate as Cloud Tasks takes it: three digits after the point, and not none at all."""
    return max(0.001, round(images_per_minute / SECONDS_A_MINUTE, 3))
