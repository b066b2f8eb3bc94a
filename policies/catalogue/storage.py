"""Controls of buckets."""

import re

from policies.catalogue.context import Context
from policies.catalogue.control import Severity
from policies.catalogue.crosswalk import ids
from policies.catalogue.keys import SECONDS_A_DAY, unencrypted
from policies.catalogue.look import Look, Open, resource_control
from policies.catalogue.resource import Resource
from policies.catalogue.survey import Survey, stack_control
from policies.catalogue.unknown import MISSING, Unknown
from policies.catalogue.verdict import Verdict

BUCKET = "gcp:storage/bucket:Bucket"
AUDIT = "gcp:projects/iAMAuditConfig:IAMAuditConfig"
EVIDENCE = re.compile(r"evidence")
IMAGES = re.compile(r"image|output|reference")
DEFAULT_SOFT_DELETE = 604_800
"""Seconds of soft delete of a bucket that says nothing (cloud.google.com/storage/docs/soft-delete, 2026-11)."""


def _named(resource: Resource, pattern: re.Pattern[str]) -> bool:
    """Whether a bucket's purpose label, its logical name or its name says what it is for."""
    names = (resource.at("labels.purpose"), resource.name, resource.at("name"))
    return any(isinstance(name, str) and pattern.search(name) for name in names)


@resource_control(
    id="storage-uniform-access",
    title="Buckets decide access by IAM alone",
    text="Every bucket has uniform bucket-level access, so that no object has an access list of its own.",
    why="An access list on one object is shown by no IAM policy and survives every review of the bucket.",
    severity=Severity.HIGH,
    types=(BUCKET,),
    paths=("uniformBucketLevelAccess",),
    fix="set uniform_bucket_level_access=True on the bucket",
    url="https://cloud.google.com/storage/docs/uniform-bucket-level-access",
    crosswalk=ids(cis5="5.2", cis4="5.2", nist="AC-3", iso="A.8.3", soc2="CC6.1", google="GCS-CO-4.2"),
)
def _uniform_access(look: Look, _: Context) -> Verdict:
    if look.at("uniformBucketLevelAccess") is not True:
        return look.fails(
            "uniformBucketLevelAccess is not true, so objects may have access lists that no IAM policy shows"
        )
    return look.passes("access is decided by IAM alone")


@resource_control(
    id="storage-no-public-access",
    title="Buckets refuse public access",
    text="Every bucket has public access prevention set to enforced, not inherited.",
    why="Inherited prevention ends silently when an organisation policy above is changed.",
    severity=Severity.CRITICAL,
    types=(BUCKET,),
    paths=("publicAccessPrevention",),
    fix='set public_access_prevention="enforced" on the bucket',
    url="https://cloud.google.com/storage/docs/public-access-prevention",
    crosswalk=ids(
        cis5="5.1",
        cis4="5.1",
        nist="AC-3 AC-6",
        iso="A.5.10 A.8.3",
        soc2="CC6.1",
        gdpr="32",
        google="GCS-CO-4.1",
    ),
)
def _no_public_access(look: Look, _: Context) -> Verdict:
    if look.at("publicAccessPrevention") != "enforced":
        return look.fails("publicAccessPrevention is not enforced, so one grant to allUsers would publish the objects")
    return look.passes("grants to everybody are refused")


@resource_control(
    id="storage-customer-key",
    title="Buckets are encrypted with a customer-managed key",
    text="Every bucket names a default Cloud KMS key of the organisation.",
    why="Without a key of one's own, access cannot be withdrawn from data at rest, and nobody sees its use.",
    severity=Severity.HIGH,
    types=(BUCKET,),
    paths=("encryption.defaultKmsKeyName",),
    fix="set encryption.default_kms_key_name on the bucket to a key in the bucket's location",
    url="https://cloud.google.com/storage/docs/encryption/customer-managed-keys",
    crosswalk=ids(
        nist="SC-28 SC-28(1)",
        iso="A.8.24",
        soc2="C1.1",
        hipaa="164.312(a)(2)(iv)",
        gdpr="32(1)(a)",
        google="COM-CO-2.3",
    ),
)
def _customer_key(look: Look, _: Context) -> Verdict:
    return unencrypted(look, "objects are")


@resource_control(
    id="storage-foreign-keys-refused",
    title="Buckets refuse objects with other kinds of keys",
    text="New objects cannot be encrypted with keys of Google's or with keys that come with the request.",
    why="A default key is only a default: whoever writes may name another, and the object is out of reach.",
    severity=Severity.MEDIUM,
    types=(BUCKET,),
    paths=(
        "encryption.googleManagedEncryptionEnforcementConfig.restrictionMode",
        "encryption.customerSuppliedEncryptionEnforcementConfig.restrictionMode",
    ),
    fix='set both enforcement configs of encryption to {"restriction_mode": "FullyRestricted"}',
    url="https://cloud.google.com/storage/docs/encryption/enforce-encryption-types",
    crosswalk=ids(nist="SC-28(1) CM-6", iso="A.8.24", soc2="C1.1", hipaa="164.312(a)(2)(iv)"),
)
def _foreign_keys_refused(look: Look, _: Context) -> Verdict:
    for kind in ("googleManaged", "customerSupplied"):
        path = f"encryption.{kind}EncryptionEnforcementConfig.restrictionMode"
        if look.at(path) != "FullyRestricted":
            return look.fails(f"{path} is not FullyRestricted, so a writer may use a key that nobody here controls")
    return look.passes("only keys of the organisation are accepted")


@resource_control(
    id="storage-recoverable",
    title="Deleted objects can be brought back",
    text="Buckets keep versions and deleted objects for policies:softDeleteDays. Not applicable with a retention "
    "policy, which lets nobody delete.",
    why="One wrong rule or script deletes every image at once.",
    severity=Severity.MEDIUM,
    types=(BUCKET,),
    paths=("retentionPolicy.retentionPeriod", "versioning.enabled", "softDeletePolicy.retentionDurationSeconds"),
    fix='set versioning={"enabled": True} and soft_delete_policy={"retention_duration_seconds": 604800}',
    url="https://cloud.google.com/storage/docs/soft-delete",
    crosswalk=ids(nist="CP-9 SI-7", iso="A.8.13", soc2="A1.2", hipaa="164.312(c)(1)"),
)
def _recoverable(look: Look, context: Context) -> Verdict:
    if look.at("retentionPolicy.retentionPeriod") is not MISSING:
        return look.does_not_apply("a retention policy lets nobody delete")
    if look.at("versioning.enabled") is not True:
        return look.fails("versioning.enabled is not true, so an object that is overwritten is gone")
    kept = look.at("softDeletePolicy.retentionDurationSeconds", DEFAULT_SOFT_DELETE)
    if float(kept) < context.parameters.soft_delete_days * SECONDS_A_DAY:
        return look.fails("softDeletePolicy.retentionDurationSeconds is too short, so a mistake is noticed too late")
    return look.passes("what is deleted or overwritten can be brought back")


@resource_control(
    id="storage-evidence-locked",
    title="Evidence cannot be deleted or changed",
    text="Buckets for evidence have a locked retention policy of at least policies:evidenceRetentionDays.",
    why="What its owner can delete proves nothing.",
    severity=Severity.HIGH,
    types=(BUCKET,),
    paths=("labels.purpose", "retentionPolicy.isLocked", "retentionPolicy.retentionPeriod"),
    fix='set retention_policy={"is_locked": True, "retention_period": 189216000}; a lock is for ever',
    url="https://cloud.google.com/storage/docs/bucket-lock",
    crosswalk=ids(
        cis5="2.4", cis4="2.3", nist="AU-9 AU-11", iso="A.5.28 A.5.33", soc2="CC7.2", hipaa="164.316(b)(2)(i)"
    ),
)
def _evidence_locked(look: Look, context: Context) -> Verdict:
    look.peek("labels.purpose")
    if not _named(look.resource, EVIDENCE):
        return look.does_not_apply("the bucket holds no evidence")
    if look.at("retentionPolicy.isLocked") is not True:
        return look.fails("retentionPolicy.isLocked is not true, so whoever administers the bucket can drop evidence")
    period = float(look.at("retentionPolicy.retentionPeriod", 0))
    if period < context.parameters.evidence_retention_days * SECONDS_A_DAY:
        return look.fails("retentionPolicy.retentionPeriod is too short, so evidence goes before it may be asked for")
    return look.passes("evidence stays for as long as it must")


@resource_control(
    id="storage-images-expire",
    title="Images are deleted when nobody needs them",
    text="Buckets for images have a lifecycle rule that deletes live objects by age, or by a day.",
    why="Prompts and references hold personal data, which may be kept no longer than its purpose.",
    severity=Severity.MEDIUM,
    types=(BUCKET,),
    paths=("lifecycleRules",),
    fix="set images.deleteAfterDays in the campaign file",
    url="https://cloud.google.com/storage/docs/lifecycle",
    crosswalk=ids(nist="SI-12", iso="A.8.10", soc2="C1.2", gdpr="5(1)(e) 17"),
)
def _images_expire(look: Look, _: Context) -> Verdict:
    if not _named(look.resource, IMAGES):
        return look.does_not_apply("the bucket holds no images")
    pending: Open | None = None
    for path, rule in look.each("lifecycleRules[]"):
        if isinstance(rule, Unknown):
            pending = Open(path, rule)
            continue
        part = Resource(look.resource.urn, BUCKET, look.resource.name, rule)
        whole = not any(
            part.at(f"condition.{name}") not in (MISSING, []) for name in ("matchesPrefixes", "matchesSuffixes")
        )
        ends = [part.at(f"condition.{name}") for name in ("age", "createdBefore")]
        live = part.at("condition.withState") in {MISSING, "LIVE", "ANY"}
        if part.at("action.type") == "Delete" and whole and live and any(value not in (MISSING, 0) for value in ends):
            return look.passes("objects are deleted in the end")
    if pending:
        raise pending
    return look.fails("lifecycleRules delete no live object, so images with personal data are kept for ever")


@stack_control(
    id="storage-access-logged",
    title="Reads and writes of objects are written down",
    text="Every bucket writes access logs to another bucket, or its project has data access logs of Cloud Storage.",
    why="Without either nobody can tell who took what.",
    severity=Severity.MEDIUM,
    paths=("logging.logBucket", "service", "auditLogConfigs"),
    fix='gcp.projects.IAMAuditConfig(service="storage.googleapis.com", audit_log_configs=[DATA_READ, DATA_WRITE])',
    url="https://cloud.google.com/storage/docs/audit-logging",
    crosswalk=ids(nist="AU-12 AU-2", iso="A.8.15", soc2="CC7.2", hipaa="164.312(b)"),
)
def _access_logged(survey: Survey) -> Verdict:
    context = survey.context
    buckets = context.of(BUCKET)
    if not buckets:
        return survey.does_not_apply("the stack has no bucket")
    audited = {
        urn
        for urn, resources in context.by_project.items()
        if any(resource.type == AUDIT and _reads_and_writes(survey, resource) for resource in resources)
    }
    owner = {resource.urn: urn for urn, resources in context.by_project.items() for resource in resources}
    for bucket in buckets:
        target = survey.at(bucket, "logging.logBucket", "")
        if isinstance(target, str) and target and target == bucket.at("name"):
            survey.offends(bucket, "writes its access log into itself, where each entry makes another")
        elif target or owner.get(bucket.urn) in audited:
            continue
        else:
            survey.offends(bucket, "writes no access log and its project no data access log, so reads leave no trace")
    return survey.result("every access is written down")


def _reads_and_writes(survey: Survey, config: Resource) -> bool:
    if survey.at(config, "service") not in {"allServices", "storage.googleapis.com"}:
        return False
    survey.at(config, "auditLogConfigs")
    return {"DATA_READ", "DATA_WRITE"} <= {value for _, value in config.each("auditLogConfigs[].logType")}


@resource_control(
    id="storage-no-forced-deletion",
    title="Full buckets are not deleted",
    text="force_destroy is false unless the data is public.",
    why="With it, deleting the bucket deletes every object first, without asking.",
    severity=Severity.MEDIUM,
    types=(BUCKET,),
    paths=("forceDestroy", "labels.data-class"),
    fix="pulumi config set plantain:deletionProtection true",
    url="https://www.pulumi.com/registry/packages/gcp/api-docs/storage/bucket/",
    crosswalk=ids(nist="SI-12 CP-9", iso="A.8.10 A.8.13"),
)
def _no_forced_deletion(look: Look, _: Context) -> Verdict:
    if look.resource.source == "live":
        return look.does_not_apply("the setting is the provider's, not the bucket's")
    if look.peek("labels.data-class") == "public":
        return look.does_not_apply("the data is public")
    if look.at("forceDestroy", default=False) is not False:
        return look.fails("forceDestroy is true, so one destroy deletes every object without asking")
    return look.passes("a full bucket is not deleted")


CONTROLS = (
    _uniform_access,
    _no_public_access,
    _customer_key,
    _foreign_keys_refused,
    _recoverable,
    _evidence_locked,
    _images_expire,
    _access_logged,
    _no_forced_deletion,
)
