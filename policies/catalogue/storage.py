"""Controls of buckets."""

from policies.catalogue.control import Control, Severity
from policies.catalogue.look import Look, of_resource
from policies.catalogue.verdict import Verdict

BUCKET = "gcp:storage/bucket:Bucket"


@of_resource
def _uniform_access(look: Look) -> Verdict:
    if look.at("uniformBucketLevelAccess") is not True:
        return look.fails("objects may have access lists of their own, which no IAM policy and no audit of it shows")
    return look.passes("access is decided by IAM alone")


@of_resource
def _no_public_access(look: Look) -> Verdict:
    if look.at("publicAccessPrevention") != "enforced":
        return look.fails("public access is not refused, so one grant to allUsers would publish what is stored here")
    return look.passes("grants to everybody are refused")


@of_resource
def _encrypted(look: Look) -> Verdict:
    if not look.at("encryption.defaultKmsKeyName", ""):
        return look.fails("objects are encrypted with a key of Google's, which nobody here can disable or destroy")
    return look.passes("objects are encrypted with a key of the organisation")


CONTROLS = (
    Control(
        id="storage-uniform-access",
        title="Buckets decide access by IAM alone",
        text="Every bucket has uniform bucket-level access, so that no object has an access list of its own.",
        why="An access list on one object is shown by no IAM policy and survives every review of the bucket.",
        severity=Severity.HIGH,
        resource_types=(BUCKET,),
        property_paths=("uniformBucketLevelAccess",),
        fix="set uniform_bucket_level_access=True on the bucket",
        url="https://cloud.google.com/storage/docs/uniform-bucket-level-access",
        crosswalk={
            "cis-gcp-5.0": ("5.2",),
            "cis-gcp-4.0": ("5.2",),
            "nist-800-53-r5": ("AC-3",),
            "soc2-2017": ("CC6.1",),
        },
        check=_uniform_access,
    ),
    Control(
        id="storage-no-public-access",
        title="Buckets refuse public access",
        text="Every bucket has public access prevention set to enforced, not inherited.",
        why="Inherited prevention ends silently when an organisation policy above is changed.",
        severity=Severity.CRITICAL,
        resource_types=(BUCKET,),
        property_paths=("publicAccessPrevention",),
        fix='set public_access_prevention="enforced" on the bucket',
        url="https://cloud.google.com/storage/docs/public-access-prevention",
        crosswalk={
            "cis-gcp-5.0": ("5.1",),
            "cis-gcp-4.0": ("5.1",),
            "nist-800-53-r5": ("AC-3", "AC-6"),
            "iso-27001-2022": ("A.5.10", "A.8.3"),
            "gdpr": ("32",),
        },
        check=_no_public_access,
    ),
    Control(
        id="storage-customer-key",
        title="Buckets are encrypted with a customer-managed key",
        text="Every bucket names a default Cloud KMS key of the organisation.",
        why="Without a key of one's own, access cannot be withdrawn from data at rest, and nobody sees its use.",
        severity=Severity.HIGH,
        resource_types=(BUCKET,),
        property_paths=("encryption.defaultKmsKeyName",),
        fix="set encryption.default_kms_key_name on the bucket to a key in the bucket's location",
        url="https://cloud.google.com/storage/docs/encryption/customer-managed-keys",
        crosswalk={
            "nist-800-53-r5": ("SC-28", "SC-28(1)"),
            "iso-27001-2022": ("A.8.24",),
            "soc2-2017": ("C1.1",),
            "hipaa": ("164.312(a)(2)(iv)",),
            "gdpr": ("32(1)(a)",),
        },
        check=_encrypted,
    ),
)
