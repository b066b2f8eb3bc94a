"""The campaign's budget: who is told when money runs out. It stops nothing.

A project of its own makes the filter exact: everything the campaign causes is billed to its project, by number. Labels
of requests are not used here, because a budget takes one label only and provisioned throughput ignores them. Billing
lags behind by hours to a day (cloud.google.com/billing/docs/how-to/budgets, 2026-11).
"""

from collections.abc import Sequence

import pulumi
import pulumi_gcp as gcp

from infra import campaign_model, naming
from infra.component import Component

CURRENT, FORECAST = "CURRENT_SPEND", "FORECASTED_SPEND"
THRESHOLDS = ((0.5, CURRENT), (0.85, CURRENT), (1.0, CURRENT), (0.85, FORECAST), (1.0, FORECAST))
MOST_CHANNELS = 5
"""Only e-mail, and no more than five (cloud.google.com/billing/docs/reference/budget/rest, 2026-11)."""


class Budget(Component):
    """One budget.

    Attributes:
        budget: the budget.
    """

    def __init__(
        self,
        campaign: campaign_model.Campaign,
        *,
        billing_account: str,
        project: gcp.organizations.Project,
        emails: Sequence[gcp.monitoring.NotificationChannel],
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Budget", campaign.name, after=after, opts=opts)
        wanted = campaign.budget
        self.budget = gcp.billing.Budget(
            f"{campaign.name}-budget",
            billing_account=billing_account,
            display_name=f"plantain {campaign.name}",
            budget_filter=gcp.billing.BudgetBudgetFilterArgs(
                # The API answers with numbers, so an id would differ for ever.
                projects=[project.number.apply(naming.project_member)],
                calendar_period="MONTH",
                credit_types_treatment="INCLUDE_ALL_CREDITS",
            ),
            amount=gcp.billing.BudgetAmountArgs(
                specified_amount=gcp.billing.BudgetAmountSpecifiedAmountArgs(
                    units=str(wanted.amount), currency_code=wanted.currency
                )
            ),
            threshold_rules=[
                gcp.billing.BudgetThresholdRuleArgs(threshold_percent=share, spend_basis=basis)
                for share, basis in THRESHOLDS
            ],
            all_updates_rule=gcp.billing.BudgetAllUpdatesRuleArgs(
                monitoring_notification_channels=[channel.name for channel in emails[:MOST_CHANNELS]],
                disable_default_iam_recipients=False,
                enable_project_level_recipients=False,
                pubsub_topic=wanted.topic,
                schema_version="1.0" if wanted.topic else None,
            ),
            deletion_policy="DELETE",
            opts=self._options(),
        )
        self.register_outputs({"budget": self.budget.name})
