"""Controls of capacity and cost: limits, alerts before they are reached, budgets."""

import re

from policies.catalogue.alerts import POLICY
from policies.catalogue.belonging import names_project
from policies.catalogue.context import Context
from policies.catalogue.control import Severity
from policies.catalogue.crosswalk import ids
from policies.catalogue.look import Look, Open, resource_control
from policies.catalogue.resource import Resource
from policies.catalogue.survey import Survey, stack_control
from policies.catalogue.unknown import MISSING, Unknown
from policies.catalogue.verdict import Verdict

FUNCTION = "gcp:cloudfunctionsv2/function:Function"
SERVICE = "gcp:cloudrunv2/service:Service"
QUEUE = "gcp:cloudtasks/queue:Queue"
BUDGET = "gcp:billing/budget:Budget"
INSTANCES = re.compile(r"run\.googleapis\.com/container/instance_count")
MOST_INSTANCES = 1000


@resource_control(
    id="function-instances-bounded",
    title="Functions have an upper limit of instances",
    text="Functions and services name a largest number of instances.",
    why="Without one, a loop in somebody's script spends the year's budget in a night.",
    severity=Severity.MEDIUM,
    types=(FUNCTION, SERVICE),
    paths=(
        "serviceConfig.maxInstanceCount",
        "template.scaling.maxInstanceCount",
        "scaling.maxInstanceCount",
    ),
    fix="set function.maxInstances in the campaign file",
    url="https://cloud.google.com/run/docs/configuring/max-instances",
    crosswalk=ids(nist="SC-5", iso="A.8.6", soc2="A1.1"),
)
def _function_instances_bounded(look: Look, _: Context) -> Verdict:
    paths: tuple[str, ...] = ("serviceConfig.maxInstanceCount",)
    if look.resource.type == SERVICE:
        paths = ("template.scaling.maxInstanceCount", "scaling.maxInstanceCount")
    limits = [look.at(path, 0) for path in paths]
    if not any(0 < float(limit) <= MOST_INSTANCES for limit in limits):
        return look.fails(f"{paths[0]} is missing, so requests decide how much is spent")
    return look.passes("the number of instances is limited")


@stack_control(
    id="capacity-alert",
    title="Somebody is told before a function's limit is reached",
    text="For each function there is an enabled alert on its instances at policies:capacityAlertRatio of its limit or "
    "less.",
    why="Beyond the limit requests fail, and the first to say so would be a customer.",
    severity=Severity.HIGH,
    paths=("conditions", "enabled", "serviceConfig.maxInstanceCount"),
    fix="lower threshold_value of the alert to 0.85 of function.maxInstances",
    url="https://cloud.google.com/monitoring/alerts/concepts-indepth",
    crosswalk=ids(nist="SC-5 SI-4 AU-6", iso="A.8.6 A.8.16", soc2="A1.1 CC7.2"),
)
def _capacity_alert(survey: Survey) -> Verdict:
    context = survey.context
    functions = context.of(FUNCTION)
    if not functions:
        return survey.does_not_apply("the stack has no function")
    owner = {resource.urn: urn for urn, resources in context.by_project.items() for resource in resources}
    for function in functions:
        limit = survey.at(function, "serviceConfig.maxInstanceCount", 100)
        if isinstance(limit, Unknown):
            survey.undecided(function, "its limit is known only after deployment")
            continue
        project = owner.get(function.urn)
        alerts = [policy for policy in context.of(POLICY) if owner.get(policy.urn) == project]
        most = context.parameters.capacity_alert_ratio * float(limit)
        answers = [_warns(survey, policy, most) for policy in alerts]
        if True in answers:
            continue
        if None in answers:
            survey.undecided(function, "when its alerts fire is known only after deployment")
        else:
            survey.offends(function, "has no alert that fires before its last instances are taken")
    return survey.result("somebody is told in time")


def _warns(survey: Survey, policy: Resource, most: float) -> bool | None:
    if survey.at(policy, "enabled", default=True) is False:
        return False
    survey.at(policy, "conditions")
    open_ = False
    for _, condition in policy.each("conditions[].conditionThreshold"):
        if isinstance(condition, Unknown):
            open_ = True
            continue
        part = Resource(policy.urn, POLICY, policy.name, condition if isinstance(condition, dict) else {})
        filter_, threshold = part.at("filter"), part.at("thresholdValue")
        if isinstance(filter_, Unknown) or isinstance(threshold, Unknown):
            open_ = True
        elif INSTANCES.search(str(filter_)) and threshold is not MISSING and 0 < float(threshold) <= most:
            return True
    return None if open_ else False


@resource_control(
    id="queue-rate-limited",
    title="Queues hand out no faster than the model answers",
    text="Every queue limits how many tasks it dispatches each second and at once.",
    why="A queue without limits turns one big order into a thousand refused requests.",
    severity=Severity.MEDIUM,
    types=(QUEUE,),
    paths=("rateLimits.maxDispatchesPerSecond", "rateLimits.maxConcurrentDispatches"),
    fix='set rate_limits={"max_dispatches_per_second": 1, "max_concurrent_dispatches": 8} on the queue',
    url="https://cloud.google.com/tasks/docs/configuring-queues",
    crosswalk=ids(nist="SC-5", iso="A.8.6", soc2="A1.1"),
)
def _queue_rate_limited(look: Look, _: Context) -> Verdict:
    for name in ("maxDispatchesPerSecond", "maxConcurrentDispatches"):
        if not float(look.at(f"rateLimits.{name}", 0)) > 0:
            return look.fails(f"rateLimits.{name} is missing, so a large order exhausts the model for everybody")
    return look.passes("the queue keeps a pace")


@stack_control(
    id="budget-for-campaign",
    title="Every campaign has a budget",
    text="A budget names the project of each campaign, or its campaign label.",
    why="Images cost money each; without a budget the invoice is the first to tell.",
    severity=Severity.MEDIUM,
    paths=("budgetFilter.projects", "budgetFilter.labels"),
    fix='gcp.billing.Budget(budget_filter={"projects": ["projects/NUMBER"]}, ...)',
    url="https://cloud.google.com/billing/docs/how-to/budgets",
    crosswalk=ids(nist="SC-5", iso="A.8.6", soc2="CC3.2 A1.1"),
)
def _budget_for_campaign(survey: Survey) -> Verdict:
    context = survey.context
    if not context.campaigns:
        return survey.does_not_apply("the stack has no campaign")
    budgets = context.of(BUDGET)
    for budget in budgets:
        survey.at(budget, "budgetFilter")
    for project in context.campaigns:
        campaign = project.at("labels.campaign")
        answers = [names_project(budget, "budgetFilter.projects[]", project) for budget in budgets]
        labels = [budget.at("budgetFilter.labels.campaign") for budget in budgets]
        if True in answers or (isinstance(campaign, str) and campaign in labels):
            continue
        if None in answers or any(isinstance(label, Unknown) for label in labels):
            survey.undecided(project, "whether a budget names it is known only after deployment")
        else:
            survey.offends(project, "has no budget, so the invoice is the first to tell what it costs")
    return survey.result("every campaign has a budget")


@resource_control(
    id="budget-tells-in-time",
    title="Budgets tell before the money is spent",
    text="Every budget has a threshold on spent money below 1, one on the forecast, and somebody to tell.",
    why="A budget limits nothing; all it does is tell, and only if asked to.",
    severity=Severity.MEDIUM,
    types=(BUDGET,),
    paths=(
        "thresholdRules",
        "allUpdatesRule.monitoringNotificationChannels",
        "allUpdatesRule.pubsubTopic",
    ),
    fix='set threshold_rules=[{"threshold_percent": 0.85}, {"threshold_percent": 1.0, "spend_basis": '
    '"FORECASTED_SPEND"}] and all_updates_rule',
    url="https://cloud.google.com/billing/docs/how-to/budgets",
    crosswalk=ids(nist="SC-5", iso="A.8.6", soc2="CC3.2 A1.1"),
)
def _budget_tells_in_time(look: Look, _: Context) -> Verdict:
    spent = forecast = False
    for path, rule in look.each("thresholdRules[]"):
        if isinstance(rule, Unknown):
            raise Open(path, rule)
        part = Resource(look.resource.urn, BUDGET, look.resource.name, rule)
        share = part.at("thresholdPercent")
        if isinstance(share, Unknown):
            raise Open(f"{path}.thresholdPercent", share)
        if part.at("spendBasis") == "FORECASTED_SPEND":
            forecast = True
        elif share is not MISSING and float(share) < 1:
            spent = True
    if not spent:
        return look.fails("thresholdRules has none below 1 on spent money, so it tells when the money is gone")
    if not forecast:
        return look.fails("thresholdRules has none on the forecast, so a sudden rise is told too late")
    paths = ("allUpdatesRule.monitoringNotificationChannels", "allUpdatesRule.pubsubTopic")
    values = [look.peek(path) for path in paths]
    if all(value in (MISSING, [], "") for value in values):
        return look.fails("allUpdatesRule names neither a channel nor a topic, so only billing administrators are told")
    return look.passes("somebody is told in time")


CONTROLS = (
    _function_instances_bounded,
    _capacity_alert,
    _queue_rate_limited,
    _budget_for_campaign,
    _budget_tells_in_time,
)
