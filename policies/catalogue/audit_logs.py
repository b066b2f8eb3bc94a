"""Controls of logs: what is written, where it is kept, and for how long."""

from collections.abc import Sequence

from policies.catalogue.context import Context
from policies.catalogue.control import Severity
from policies.catalogue.crosswalk import ids
from policies.catalogue.keys import unencrypted
from policies.catalogue.look import Look, Open, resource_control
from policies.catalogue.resource import Resource
from policies.catalogue.survey import Survey, stack_control
from policies.catalogue.unknown import MISSING, Unknown
from policies.catalogue.verdict import Verdict

CONFIG = "gcp:projects/iAMAuditConfig:IAMAuditConfig"
ABOVE = ("gcp:organizations/iamAuditConfig:IamAuditConfig", "gcp:folder/iamAuditConfig:IamAuditConfig")
SINK = "gcp:logging/projectSink:ProjectSink"
SINKS_ABOVE = ("gcp:logging/organizationSink:OrganizationSink", "gcp:logging/folderSink:FolderSink")
LOG_BUCKET = "gcp:logging/projectBucketConfig:ProjectBucketConfig"
TYPES = frozenset({"ADMIN_READ", "DATA_READ", "DATA_WRITE"})
EVERY = "allServices"
URL = "https://cloud.google.com/logging/docs/audit/configure-data-access"


def _written(survey: Survey, configs: Sequence[Resource], service: str) -> bool | None:
    """Whether configurations write every kind of entry of a service; None where that cannot be told."""
    found: set[object] = set()
    unknown = False
    for config in configs:
        name = survey.at(config, "service")
        unknown = unknown or isinstance(name, Unknown)
        if name in {service, EVERY}:
            survey.at(config, "auditLogConfigs")
            kinds = [value for _, value in config.each("auditLogConfigs[].logType")]
            unknown = unknown or any(isinstance(value, Unknown) for value in kinds)
            found.update(kinds)
    if found >= TYPES:
        return True
    return None if unknown else False


def _judge(survey: Survey, services: Sequence[str], lacking: str, passes: str) -> Verdict:
    context = survey.context
    if not context.campaigns:
        return survey.does_not_apply("the stack has no campaign")
    above = context.of(*ABOVE)
    for project in context.campaigns:
        configs = [*above, *(r for r in context.by_project.get(project.urn, ()) if r.type == CONFIG)]
        answers = [_written(survey, configs, service) for service in services]
        if False in answers:
            survey.offends(project, lacking)
        elif None in answers:
            survey.undecided(project, "what is written is known only after deployment")
    return survey.result(passes)


@stack_control(
    id="audit-logs-complete",
    title="Data access is written down for what carries data",
    text="Each campaign's project, or a level above, writes ADMIN_READ, DATA_READ and DATA_WRITE for all services, or "
    "at least for Storage and KMS.",
    why="Data access logs are off by default: without them nobody can tell who read an image or used a key.",
    severity=Severity.HIGH,
    paths=("service", "auditLogConfigs"),
    fix='gcp.projects.IAMAuditConfig(service="allServices", audit_log_configs=[ADMIN_READ, DATA_READ, DATA_WRITE])',
    url=URL,
    crosswalk=ids(
        cis5="2.1",
        cis4="2.1",
        nist="AU-2 AU-12",
        iso="A.8.15",
        soc2="CC7.2",
        hipaa="164.312(b)",
        gdpr="30 33",
        google="COM-CO-7.3",
    ),
)
def _audit_logs_complete(survey: Survey) -> Verdict:
    return _judge(
        survey,
        ("storage.googleapis.com", "cloudkms.googleapis.com"),
        "writes no data access logs of Storage and KMS, so nobody can tell who read an image or used a key",
        "every campaign writes data access logs",
    )


@stack_control(
    id="audit-logs-model",
    title="Calls of the model are written down",
    text="Each campaign's project, or a level above, writes data access logs of aiplatform.googleapis.com.",
    why="They are the only proof, besides the function's own words, of who asked the model.",
    severity=Severity.HIGH,
    paths=("service", "auditLogConfigs"),
    fix='gcp.projects.IAMAuditConfig(service="aiplatform.googleapis.com", audit_log_configs=[...])',
    url="https://cloud.google.com/vertex-ai/docs/general/audit-logging",
    crosswalk=ids(
        cis5="2.1", cis4="2.1", nist="AU-2 AU-12", iso="A.8.15", soc2="CC7.2", hipaa="164.312(b)", google="COM-CO-7.3"
    ),
)
def _audit_logs_model(survey: Survey) -> Verdict:
    return _judge(
        survey,
        ("aiplatform.googleapis.com",),
        "writes no data access logs of Vertex AI, so nobody can prove who asked the model",
        "every campaign writes down the calls of its model",
    )


@resource_control(
    id="audit-logs-no-exemptions",
    title="Nobody is left out of the audit logs",
    text="No audit configuration exempts a member.",
    why="Whoever is exempt can read everything unseen.",
    severity=Severity.HIGH,
    types=(CONFIG, *ABOVE),
    paths=("auditLogConfigs",),
    fix="remove exempted_members from the audit configuration",
    url=URL,
    crosswalk=ids(cis5="2.1", cis4="2.1", nist="AU-2 AU-12", iso="A.8.15", soc2="CC7.2", hipaa="164.312(b)"),
)
def _audit_logs_no_exemptions(look: Look, _: Context) -> Verdict:
    pending: Open | None = None
    for path, config in look.each("auditLogConfigs[]"):
        if isinstance(config, Unknown):
            pending = Open(path, config)
            continue
        exempted = Resource(look.resource.urn, CONFIG, look.resource.name, config).at("exemptedMembers")
        if isinstance(exempted, Unknown):
            pending = Open(f"{path}.exemptedMembers", exempted)
        elif exempted is not MISSING and exempted:
            return look.fails(f"{path}.exemptedMembers names somebody, whose reads leave no trace")
    if pending:
        raise pending
    return look.passes("nobody is exempt")


def _complete(survey: Survey, sink: Resource) -> bool | None:
    """Whether a sink takes every entry; None where that cannot be told."""
    values = [survey.at(sink, path) for path in ("filter", "disabled", "exclusions")]
    if sink.type in SINKS_ABOVE and survey.at(sink, "includeChildren") is not True:
        return False
    if any(isinstance(value, Unknown) for value in values):
        return None
    filter_, disabled, exclusions = values
    return filter_ in (MISSING, "") and disabled is not True and exclusions in (MISSING, [])


@stack_control(
    id="log-sink-complete",
    title="Every log entry is kept",
    text="Each campaign has an enabled sink without filter and exclusions, in its project or above.",
    why="What no sink takes is gone after 30 days, or at once.",
    severity=Severity.HIGH,
    paths=("filter", "exclusions", "disabled", "includeChildren"),
    fix="gcp.logging.ProjectSink(destination=...) without filter",
    url="https://cloud.google.com/logging/docs/export/configure_export_v2",
    crosswalk=ids(cis5="2.3", cis4="2.2", nist="AU-4 AU-6", iso="A.8.15", soc2="CC7.2"),
)
def _log_sink_complete(survey: Survey) -> Verdict:
    context = survey.context
    if not context.campaigns:
        return survey.does_not_apply("the stack has no campaign")
    above = context.of(*SINKS_ABOVE)
    for project in context.campaigns:
        sinks = [*above, *(r for r in context.by_project.get(project.urn, ()) if r.type == SINK)]
        answers = [_complete(survey, sink) for sink in sinks]
        if True in answers:
            continue
        if None in answers:
            survey.undecided(project, "what its sinks take is known only after deployment")
        else:
            survey.offends(project, "has no sink that takes every entry, so logs are lost after 30 days")
    return survey.result("every entry of every campaign is kept")


@stack_control(
    id="log-copy-outside",
    title="Logs are also kept where the campaign cannot reach",
    text="A sink without filter leads to a destination outside the campaign's project.",
    why="Whoever takes over the project can delete what lies in it, the traces included.",
    severity=Severity.MEDIUM,
    paths=("destination", "filter", "disabled"),
    fix="add a sink to a log bucket of the security team's project",
    url="https://cloud.google.com/logging/docs/central-log-storage",
    crosswalk=ids(cis5="2.3", cis4="2.2", nist="AU-9 AU-4", iso="A.8.15 A.5.33", soc2="CC7.2"),
)
def _log_copy_outside(survey: Survey) -> Verdict:
    context = survey.context
    if not context.campaigns:
        return survey.does_not_apply("the stack has no campaign")
    above = any(_complete(survey, sink) for sink in context.of(*SINKS_ABOVE))
    for project in context.campaigns:
        members = context.by_project.get(project.urn, ())
        own = {resource.urn for resource in members} | {project.urn}
        sinks = [sink for sink in members if sink.type == SINK and _complete(survey, sink)]
        outside = [_outside(survey, sink, own, project) for sink in sinks]
        if above or True in outside:
            continue
        if None in outside:
            survey.undecided(project, "where its sinks lead is known only after deployment")
        else:
            survey.offends(project, "keeps its logs only in itself, where whoever takes it over can delete them")
    return survey.result("logs are kept outside as well")


def _outside(survey: Survey, sink: Resource, own: set[str], project: Resource) -> bool | None:
    value = survey.at(sink, "destination")
    if isinstance(value, Unknown):
        sources = set(sink.dependencies.get("destination", ()))
        return False if sources and sources <= own else None
    inside = [project.at(path) for path in ("projectId", "number")]
    return not any(isinstance(name, str) and f"projects/{name}/" in f"{value}/" for name in inside)


@resource_control(
    id="log-bucket-retention",
    title="Logs are kept long enough",
    text="Log buckets keep entries for at least policies:logRetentionDays.",
    why="Break-ins are found after months; the log of the first day is the one that is needed.",
    severity=Severity.HIGH,
    types=(LOG_BUCKET,),
    paths=("retentionDays",),
    fix="set logs.retentionDays in the campaign file",
    url="https://cloud.google.com/logging/docs/buckets#custom-retention",
    crosswalk=ids(nist="AU-9 AU-11", iso="A.8.15 A.5.33", soc2="CC7.2", hipaa="164.316(b)(2)(i)"),
)
def _log_bucket_retention(look: Look, context: Context) -> Verdict:
    if float(look.at("retentionDays", 30)) < context.parameters.log_retention_days:
        return look.fails("retentionDays is too few, so the log of the first day is gone when it is needed")
    return look.passes("logs are kept long enough")


@resource_control(
    id="log-bucket-customer-key",
    title="Logs are encrypted with a customer-managed key",
    text="Log buckets name a key of the organisation.",
    why="Logs tell who did what with which data.",
    severity=Severity.HIGH,
    types=(LOG_BUCKET,),
    paths=("cmekSettings.kmsKeyName",),
    fix="set cmek_settings.kms_key_name when the log bucket is made; it cannot be added later",
    url="https://cloud.google.com/logging/docs/routing/managed-encryption-storage",
    crosswalk=ids(nist="SC-28 SC-28(1) AU-9", iso="A.8.24 A.8.15", soc2="C1.1", google="COM-CO-2.3"),
)
def _log_bucket_customer_key(look: Look, _: Context) -> Verdict:
    return unencrypted(look, "entries are")


@resource_control(
    id="log-bucket-locked",
    title="Logs cannot be deleted early",
    text="Log buckets are locked.",
    why="Without a lock whoever administers logging can shorten the retention and with it delete the traces.",
    severity=Severity.MEDIUM,
    types=(LOG_BUCKET,),
    paths=("locked",),
    fix="set locked=True on the log bucket; a lock is for ever, and the project cannot be deleted before its logs end",
    url="https://cloud.google.com/logging/docs/buckets#locking-logs-buckets",
    crosswalk=ids(nist="AU-9 AU-11", iso="A.8.15 A.5.33", soc2="CC7.2", hipaa="164.316(b)(2)(i)"),
)
def _log_bucket_locked(look: Look, _: Context) -> Verdict:
    if look.at("locked") is not True:
        return look.fails("locked is not true, so whoever administers logging can delete the traces")
    return look.passes("logs stay for as long as they must")


@resource_control(
    id="access-approval",
    title="Google asks before its staff looks",
    text="Access Approval is enrolled for every service it is set up for, with somebody to ask.",
    why="Otherwise Google's staff looks at data in support cases, and one reads of it afterwards.",
    severity=Severity.LOW,
    types=(
        "gcp:projects/accessApprovalSettings:AccessApprovalSettings",
        "gcp:folder/accessApprovalSettings:AccessApprovalSettings",
        "gcp:organizations/accessApprovalSettings:AccessApprovalSettings",
    ),
    paths=("enrolledServices", "notificationEmails"),
    fix='set enrolled_services=[{"cloud_product": "all"}] and notification_emails',
    url="https://cloud.google.com/assured-workloads/access-approval/docs/overview",
    crosswalk=ids(cis5="2.16", cis4="2.15", nist="MA-4", iso="A.5.22"),
)
def _access_approval(look: Look, _: Context) -> Verdict:
    for path, cause in (("enrolledServices", "nothing is enrolled"), ("notificationEmails", "nobody is asked")):
        if not look.at(path, ()):
            return look.fails(f"{path} is empty, so {cause} and Google's staff may look unasked")
    return look.passes("Google asks first")


CONTROLS = (
    _audit_logs_complete,
    _audit_logs_model,
    _audit_logs_no_exemptions,
    _log_sink_complete,
    _log_copy_outside,
    _log_bucket_retention,
    _log_bucket_customer_key,
    _log_bucket_locked,
    _access_approval,
)
