"""Controls of alerts: what somebody must be told of, and whether anybody is."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from policies.catalogue.context import Context
from policies.catalogue.control import Control, Severity
from policies.catalogue.crosswalk import ids
from policies.catalogue.look import Look, resource_control
from policies.catalogue.resource import Resource
from policies.catalogue.survey import Survey, stack_control
from policies.catalogue.unknown import MISSING, Unknown
from policies.catalogue.verdict import Verdict

POLICY = "gcp:monitoring/alertPolicy:AlertPolicy"
CHANNEL = "gcp:monitoring/notificationChannel:NotificationChannel"
METRIC = "gcp:logging/metric:Metric"
PERIMETER = "gcp:accesscontextmanager/servicePerimeter:ServicePerimeter"
USER_METRIC = re.compile(r"logging[._]googleapis[._]com[/:]user[/_]([\w./-]+)")
"""A metric from logs as filters name it, and as queries do."""
COMMENT = re.compile(r"(?m)(?:^|\s)--.*$")
"""What a filter of Logging does not read (cloud.google.com/logging/docs/view/logging-query-language, 2026-11)."""
QUERIED = re.compile(r"_(bucket|sum|count)$")
"""What queries append to the name of a distribution."""


@dataclass(frozen=True)
class Event:
    """Something an alert must watch.

    Attributes:
        id: of the control.
        what: the event, as the end of "an alert on".
        pattern: what the filter must contain, in any case; filters are often regular expressions themselves.
        example: a filter that does.
        why: what happens otherwise.
        crosswalk: ids by framework.
    """

    id: str
    what: str
    pattern: str
    example: str
    why: str
    crosswalk: dict[str, str]


_CHANGES = {"nist": "AU-6 SI-4", "iso": "A.8.16", "soc2": "CC7.2 CC7.3", "hipaa": "164.308(a)(1)(ii)(D)"}

EVENTS = (
    Event(
        "alert-ownership-changes",
        "changes of who owns a project",
        r"SetIamPolicy|roles/owner",
        'protoPayload.methodName="SetIamPolicy"',
        "Whoever makes himself an owner can do everything else unseen.",
        {"cis5": "2.5", "cis4": "2.4", **_CHANGES},
    ),
    Event(
        "alert-audit-config-changes",
        "changes of what is written to the audit logs",
        r"SetIamPolicy|auditConfigDeltas",
        "protoPayload.serviceData.policyDelta.auditConfigDeltas:*",
        "Switching the log off is the first thing an intruder does.",
        {"cis5": "2.6", "cis4": "2.5", **_CHANGES},
    ),
    Event(
        "alert-custom-role-changes",
        "changes of custom roles",
        r"iam_role|(Create|Update|Delete)[|\w)(]*Role",
        'resource.type="iam_role"',
        "A role that grows gives rights to everybody who already has it.",
        {"cis5": "2.7", "cis4": "2.6", **_CHANGES},
    ),
    Event(
        "alert-firewall-changes",
        "changes of firewall rules",
        r"gce_firewall_rule|firewalls",
        'resource.type="gce_firewall_rule"',
        "One rule opens the way out that the perimeter does not see.",
        {"cis5": "2.8", "cis4": "2.7", **_CHANGES},
    ),
    Event(
        "alert-route-changes",
        "changes of routes",
        r"gce_route\b|routes",
        'resource.type="gce_route"',
        "One route leads every packet past the restricted range.",
        {"cis5": "2.9", "cis4": "2.8", **_CHANGES},
    ),
    Event(
        "alert-network-changes",
        "changes of networks",
        r"gce_network\b|networks",
        'resource.type="gce_network"',
        "A second network is a second way out.",
        {"cis5": "2.10", "cis4": "2.9", **_CHANGES},
    ),
    Event(
        "alert-bucket-permission-changes",
        "changes of who may read a bucket",
        r"SetIamPermissions",
        'protoPayload.methodName="storage.setIamPermissions"',
        "One grant takes every image.",
        {"cis5": "2.11", "cis4": "2.10", **_CHANGES},
    ),
    Event(
        "alert-perimeter-denials",
        "calls the perimeter refuses",
        r"VpcServiceControlAuditMetadata|RESOURCES_NOT_IN_SAME_SERVICE_PERIMETER|vpcServiceControls",
        'protoPayload.metadata.@type:"VpcServiceControlAuditMetadata"',
        "A refused call is either an attack or a campaign that does not work; both need somebody.",
        {"nist": "SI-4 IR-5", "iso": "A.8.16", "soc2": "CC7.2 CC7.3", "gdpr": "33"},
    ),
    Event(
        "alert-perimeter-changes",
        "changes of the perimeter",
        r"accesscontextmanager",
        'protoPayload.serviceName="accesscontextmanager.googleapis.com"',
        "One update lets everything out.",
        {"nist": "SI-4 IR-5 CM-3", "iso": "A.8.16 A.8.32", "soc2": "CC7.2", "gdpr": "33"},
    ),
    Event(
        "alert-key-destruction",
        "keys that are disabled or destroyed",
        r"DestroyCryptoKeyVersion",
        'protoPayload.methodName="DestroyCryptoKeyVersion"',
        "Within the delay a key can be brought back, afterwards nothing it encrypted.",
        {"nist": "SI-4 IR-5 SC-12", "iso": "A.8.16 A.8.24", "soc2": "CC7.2", "gdpr": "33"},
    ),
)


PERIMETER_CHANGES = next(event for event in EVENTS if event.id == "alert-perimeter-changes")


def _watches(survey: Survey, policy: Resource, metrics: Sequence[Resource], event: Event) -> bool | None:
    """Whether an alert policy watches an event, itself or through a metric from logs."""
    texts: list[object] = []
    for kind in ("conditionMatchedLog", "conditionThreshold", "conditionAbsent"):
        texts += [value for _, value in policy.each(f"conditions[].{kind}.filter") if value is not MISSING]
    for kind in ("conditionPrometheusQueryLanguage", "conditionMonitoringQueryLanguage"):
        texts += [value for _, value in policy.each(f"conditions[].{kind}.query") if value is not MISSING]
    survey.at(policy, "conditions")
    used = {name for text in texts if isinstance(text, str) for name in USER_METRIC.findall(text)}
    names = {*used, *(QUERIED.sub("", name) for name in used)}
    for metric in metrics:
        linked = metric.urn in policy.dependencies.get("conditions", ())
        if linked or metric.name in names or metric.at("name") in names:
            texts.append(survey.at(metric, "filter"))
    # Neither the name somebody gave a metric nor a comment says anything of what is counted.
    filters = [COMMENT.sub("", USER_METRIC.sub("", text)) for text in texts if isinstance(text, str)]
    if any(re.search(event.pattern, text, re.IGNORECASE) for text in filters):
        return True
    return None if any(isinstance(text, Unknown) for text in texts) else False


def _control(event: Event) -> Control:
    def judge(survey: Survey) -> Verdict:
        context = survey.context
        if event is PERIMETER_CHANGES:
            # Who changes a perimeter is written to the organisation's log, so any project may hold the alert.
            watched: Sequence[Resource] = context.of(PERIMETER)
            groups = [context.resources for _ in watched]
        else:
            watched = context.campaigns
            groups = [context.by_project.get(project.urn, ()) for project in watched]
        if not watched:
            return survey.does_not_apply("there is nothing in the stack that the alert would be about")
        for subject, group in zip(watched, groups, strict=True):
            policies = [r for r in group if r.type == POLICY and survey.at(r, "enabled", default=True) is not False]
            metrics = [r for r in group if r.type == METRIC]
            answers = [_watches(survey, policy, metrics, event) for policy in policies]
            if True in answers:
                continue
            if None in answers:
                survey.undecided(subject, "what its alerts watch is known only after deployment")
            else:
                survey.offends(subject, f"has no alert on {event.what}, so nobody hears of them")
        return survey.result(f"there is an alert on {event.what}")

    judge.__name__ = event.id.replace("-", "_")
    return stack_control(
        id=event.id,
        title=f"Somebody is told of {event.what}",
        text=f"There is an enabled alert policy on {event.what}, by log match or by a metric from logs: in each "
        "campaign's project, and for perimeters in any project of the stack.",
        why=event.why,
        severity=Severity.MEDIUM,
        paths=("conditions", "enabled", "filter"),
        fix=f"gcp.monitoring.AlertPolicy with condition_matched_log.filter {event.example}",
        url="https://cloud.google.com/logging/docs/alerting/log-based-alerts",
        crosswalk=ids(**event.crosswalk),
    )(judge)


@resource_control(
    id="alert-reaches-somebody",
    title="Every alert reaches somebody",
    text="Every alert policy is enabled and names a notification channel.",
    why="An alert without a channel is a line on a page that nobody opens.",
    severity=Severity.HIGH,
    types=(POLICY,),
    paths=("enabled", "notificationChannels"),
    fix="set contacts in the campaign file",
    url="https://cloud.google.com/monitoring/support/notification-options",
    crosswalk=ids(nist="AU-6 SI-4 IR-6", iso="A.8.16", soc2="CC7.2 CC7.3"),
)
def _alert_reaches_somebody(look: Look, _: Context) -> Verdict:
    if look.at("enabled", default=True) is not True:
        return look.fails("enabled is not true, so nobody is told")
    if not look.at("notificationChannels", ()):
        return look.fails("notificationChannels is empty, so nobody is told")
    return look.passes("somebody is told")


@resource_control(
    id="channel-live",
    title="Notification channels work",
    text="Every notification channel is enabled, and verified where its kind is.",
    why="A channel somebody switched off for a night is found the day after the breach.",
    severity=Severity.MEDIUM,
    types=(CHANNEL,),
    paths=("enabled", "verificationStatus"),
    fix="set enabled=True on the channel; verify it in the console, Monitoring, Alerting, Edit notification channels",
    url="https://cloud.google.com/monitoring/support/notification-options",
    crosswalk=ids(nist="AU-6 IR-6", iso="A.8.16", soc2="CC7.3"),
)
def _channel_live(look: Look, _: Context) -> Verdict:
    if look.at("enabled", default=True) is not True:
        return look.fails("enabled is not true, so its messages are dropped")
    if look.peek("verificationStatus") == "UNVERIFIED":
        return look.fails("verificationStatus says that nobody verified it, so its messages are dropped")
    return look.passes("the channel works")


CONTROLS = (*(_control(event) for event in EVENTS), _alert_reaches_somebody, _channel_live)
