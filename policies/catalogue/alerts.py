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
USER_METRIC = re.compile(r"logging\.googleapis\.com/user/([\w./-]+)")


@dataclass(frozen=True)
class Event:
    """Something an alert must watch.

    Attributes:
        id: of the control.
        what: the event, as the end of "an alert on".
        words: what the filter must contain, one of each group.
        why: what happens otherwise.
        crosswalk: ids by framework.
    """

    id: str
    what: str
    words: tuple[tuple[str, ...], ...]
    why: str
    crosswalk: dict[str, str]


_CHANGES = {"nist": "AU-6 SI-4", "iso": "A.8.16", "soc2": "CC7.2 CC7.3", "hipaa": "164.308(a)(1)(ii)(D)"}

EVENTS = (
    Event(
        "alert-ownership-changes",
        "changes of who owns a project",
        (("roles/owner", "SetIamPolicy"),),
        "Whoever makes himself an owner can do everything else unseen.",
        {"cis5": "2.5", "cis4": "2.4", **_CHANGES},
    ),
    Event(
        "alert-audit-config-changes",
        "changes of what is written to the audit logs",
        (("auditConfigDeltas",),),
        "Switching the log off is the first thing an intruder does.",
        {"cis5": "2.6", "cis4": "2.5", **_CHANGES},
    ),
    Event(
        "alert-custom-role-changes",
        "changes of custom roles",
        (("CreateRole", "UpdateRole", "iam_role"),),
        "A role that grows gives rights to everybody who already has it.",
        {"cis5": "2.7", "cis4": "2.6", **_CHANGES},
    ),
    Event(
        "alert-firewall-changes",
        "changes of firewall rules",
        (("gce_firewall_rule", "compute.firewalls"),),
        "One rule opens the way out that the perimeter does not see.",
        {"cis5": "2.8", "cis4": "2.7", **_CHANGES},
    ),
    Event(
        "alert-route-changes",
        "changes of routes",
        (("gce_route", "compute.routes"),),
        "One route leads every packet past the restricted range.",
        {"cis5": "2.9", "cis4": "2.8", **_CHANGES},
    ),
    Event(
        "alert-network-changes",
        "changes of networks",
        (("gce_network", "compute.networks"),),
        "A second network is a second way out.",
        {"cis5": "2.10", "cis4": "2.9", **_CHANGES},
    ),
    Event(
        "alert-bucket-permission-changes",
        "changes of who may read a bucket",
        (("storage.setIamPermissions",),),
        "One grant takes every image.",
        {"cis5": "2.11", "cis4": "2.10", **_CHANGES},
    ),
    Event(
        "alert-perimeter-denials",
        "calls the perimeter refuses",
        (("VpcServiceControlAuditMetadata", "RESOURCES_NOT_IN_SAME_SERVICE_PERIMETER", "vpcServiceControls"),),
        "A refused call is either an attack or a campaign that does not work; both need somebody.",
        {"nist": "SI-4 IR-5", "iso": "A.8.16", "soc2": "CC7.2 CC7.3", "gdpr": "33"},
    ),
    Event(
        "alert-perimeter-changes",
        "changes of the perimeter",
        (("AccessContextManager", "accesscontextmanager"),),
        "One update lets everything out.",
        {"nist": "SI-4 IR-5 CM-3", "iso": "A.8.16 A.8.32", "soc2": "CC7.2", "gdpr": "33"},
    ),
    Event(
        "alert-key-destruction",
        "keys that are disabled or destroyed",
        (("DestroyCryptoKeyVersion", "cloudkms"),),
        "Within the delay a key can be brought back, afterwards nothing it encrypted.",
        {"nist": "SI-4 IR-5 SC-12", "iso": "A.8.16 A.8.24", "soc2": "CC7.2", "gdpr": "33"},
    ),
)


def _watches(survey: Survey, policy: Resource, metrics: Sequence[Resource], words: Sequence[str]) -> bool | None:
    """Whether an alert policy watches for one of some words, itself or through a metric from logs."""
    texts: list[object] = []
    for kind in ("conditionMatchedLog", "conditionThreshold", "conditionAbsent"):
        texts += [value for _, value in policy.each(f"conditions[].{kind}.filter") if value is not MISSING]
    survey.at(policy, "conditions")
    wanted = " ".join(text for text in texts if isinstance(text, str))
    names = set(USER_METRIC.findall(wanted))
    for metric in metrics:
        linked = metric.urn in policy.dependencies.get("conditions", ())
        if linked or any(name in {metric.at("name"), metric.name} for name in names):
            texts.append(survey.at(metric, "filter"))
    if any(isinstance(text, str) and word in text for text in texts for word in words):
        return True
    return None if any(isinstance(text, Unknown) for text in texts) else False


def _control(event: Event) -> Control:
    def judge(survey: Survey) -> Verdict:
        context = survey.context
        if not context.campaigns:
            return survey.does_not_apply("the stack has no campaign")
        for project in context.campaigns:
            own = context.by_project.get(project.urn, ())
            policies = [r for r in own if r.type == POLICY and survey.at(r, "enabled", default=True) is not False]
            metrics = [r for r in own if r.type == METRIC]
            answers = [
                all(found) if None not in found else None
                for found in ([_watches(survey, p, metrics, group) for group in event.words] for p in policies)
            ]
            if True in answers:
                continue
            if None in answers:
                survey.undecided(project, "what its alerts watch is known only after deployment")
            else:
                survey.offends(project, f"has no alert on {event.what}, so nobody hears of them")
        return survey.result(f"every campaign has an alert on {event.what}")

    judge.__name__ = event.id.replace("-", "_")
    return stack_control(
        id=event.id,
        title=f"Somebody is told of {event.what}",
        text=f"Each campaign has an enabled alert policy on {event.what}, by log match or by a metric from logs.",
        why=event.why,
        severity=Severity.MEDIUM,
        paths=("conditions", "enabled", "filter"),
        fix="gcp.monitoring.AlertPolicy with condition_matched_log.filter containing " + " or ".join(event.words[0]),
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
        return look.fails("verificationStatus is UNVERIFIED, so its messages are dropped")
    return look.passes("the channel works")


CONTROLS = (*(_control(event) for event in EVENTS), _alert_reaches_somebody, _channel_live)
