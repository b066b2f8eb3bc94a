"""Controls of Cloud KMS: the keys themselves, who uses them, and where those that encrypt come from."""

import re
from collections.abc import Iterator
from typing import Any

from policies.catalogue.belonging import PROJECT, named
from policies.catalogue.context import Context
from policies.catalogue.control import Severity
from policies.catalogue.crosswalk import ids
from policies.catalogue.identity import HIERARCHY, KEY_GRANTS, roles_given
from policies.catalogue.look import Look, resource_control
from policies.catalogue.resource import Resource
from policies.catalogue.survey import Survey, stack_control
from policies.catalogue.unknown import MISSING, Unknown
from policies.catalogue.verdict import Verdict

KEY = "gcp:kms/cryptoKey:CryptoKey"
RING = "gcp:kms/keyRing:KeyRing"
SECONDS_A_DAY = 86_400
NAME = re.compile(r"projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)/keyRings/[^/]+/cryptoKeys/[^/]+")

ENCRYPTED = {
    "gcp:storage/bucket:Bucket": ("encryption.defaultKmsKeyName",),
    "gcp:cloudfunctionsv2/function:Function": ("kmsKeyName",),
    "gcp:cloudrunv2/service:Service": ("template.encryptionKey",),
    "gcp:cloudrunv2/workerPool:WorkerPool": ("template.encryptionKey",),
    "gcp:artifactregistry/repository:Repository": ("kmsKeyName",),
    "gcp:pubsub/topic:Topic": ("kmsKeyName",),
    "gcp:secretmanager/secret:Secret": (
        "replication.userManaged.replicas[].customerManagedEncryption.kmsKeyName",
        "replication.auto.customerManagedEncryption.kmsKeyName",
    ),
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": ("cmekSettings.kmsKeyName",),
    "gcp:vertex/aiEndpoint:AiEndpoint": ("encryptionSpec.kmsKeyName",),
    "gcp:vertex/aiDataset:AiDataset": ("encryptionSpec.kmsKeyName",),
    "gcp:vertex/aiMetadataStore:AiMetadataStore": ("encryptionSpec.kmsKeyName",),
    "gcp:vertex/aiTensorboard:AiTensorboard": ("encryptionSpec.kmsKeyName",),
    "gcp:vertex/aiIndex:AiIndex": ("encryptionSpec.kmsKeyName",),
}
"""What can be encrypted with a key of the organisation, and where it names the key."""


def seconds(text: object) -> float:
    """Seconds of a duration such as `7776000s`; 0 for what is none."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)s", str(text))
    return float(found[1]) if found else 0.0


def key_names(resource: Resource) -> Iterator[tuple[str, Any]]:
    """Path and name of every key a resource names; the name may be `Unknown`."""
    for path in ENCRYPTED.get(resource.type, ()):
        for exact, value in resource.each(path) if "[]" in path else [(path, resource.at(path))]:
            if value is not MISSING:
                yield exact, value


def unencrypted(look: Look, what: str) -> Verdict:
    """Judge whether a resource names a key."""
    found = list(key_names(look.resource))
    for path, _ in found:
        look.at(path)
    if not any(name for _, name in found):
        path = ENCRYPTED[look.resource.type][0]
        return look.fails(f"{path} is missing, so {what} encrypted with a key that nobody here can withdraw")
    return look.passes("it is encrypted with a key of the organisation")


@resource_control(
    id="key-rotation",
    title="Keys rotate in time",
    text="Symmetric keys have a rotation period of at most policies:keyRotationDays.",
    why="The less one version encrypts, the less is lost with it.",
    severity=Severity.HIGH,
    types=(KEY,),
    paths=("purpose", "rotationPeriod"),
    fix='set rotation_period="7776000s" on the key',
    url="https://cloud.google.com/kms/docs/key-rotation",
    crosswalk=ids(
        cis5="1.11",
        cis4="1.10",
        nist="SC-12",
        iso="A.8.24",
        soc2="CC6.1",
        hipaa="164.312(a)(2)(iv)",
        google="COM-CO-2.7",
    ),
)
def _key_rotation(look: Look, context: Context) -> Verdict:
    if look.at("purpose", "ENCRYPT_DECRYPT") != "ENCRYPT_DECRYPT":
        return look.does_not_apply("only symmetric keys rotate by themselves")
    period = seconds(look.at("rotationPeriod", ""))
    if not 0 < period <= context.parameters.key_rotation_days * SECONDS_A_DAY:
        return look.fails("rotationPeriod is missing or too long, so one version encrypts for too long")
    return look.passes("the key rotates in time")


@resource_control(
    id="key-protection-level",
    title="Keys of confidential data are in hardware",
    text="Keys whose data-class label is in policies:hsmDataClasses have the protection level HSM or EXTERNAL.",
    why="A software key can leave with a copy of the memory it is in.",
    severity=Severity.MEDIUM,
    types=(KEY,),
    paths=("labels.data-class", "versionTemplate.protectionLevel"),
    fix='set version_template={"protection_level": "HSM", "algorithm": "GOOGLE_SYMMETRIC_ENCRYPTION"} on the key',
    url="https://cloud.google.com/kms/docs/protection-levels",
    crosswalk=ids(nist="SC-12 SC-13", iso="A.8.24", soc2="CC6.1", google="COM-CO-2.6"),
)
def _key_protection_level(look: Look, context: Context) -> Verdict:
    if look.at("labels.data-class") not in context.parameters.hsm_data_classes:
        return look.does_not_apply("the data class does not ask for hardware")
    if look.at("versionTemplate.protectionLevel", "SOFTWARE") not in {"HSM", "EXTERNAL", "EXTERNAL_VPC"}:
        return look.fails("versionTemplate.protectionLevel is software, which the data class does not allow")
    return look.passes("the key is in hardware")


@resource_control(
    id="key-destroy-delay",
    title="Destroyed keys can be brought back for a while",
    text="A key is destroyed at least policies:keyDestroyDays after somebody asked for it.",
    why="With a key everything it encrypted is gone; the delay is the only way back.",
    severity=Severity.MEDIUM,
    types=(KEY,),
    paths=("importOnly", "destroyScheduledDuration"),
    fix='set destroy_scheduled_duration="2592000s" on the key',
    url="https://cloud.google.com/kms/docs/destroy-restore",
    crosswalk=ids(nist="SC-12(1) CP-9", iso="A.8.24 A.8.13", soc2="A1.2"),
)
def _key_destroy_delay(look: Look, context: Context) -> Verdict:
    if look.at("importOnly", default=False) is True:
        return look.does_not_apply("the material is kept where it was imported from")
    # The provider's default is 30 days (cloud.google.com/kms/docs/destroy-restore, 2026-11).
    delay = seconds(look.at("destroyScheduledDuration", "2592000s"))
    if delay < context.parameters.key_destroy_days * SECONDS_A_DAY:
        return look.fails("destroyScheduledDuration is too short to notice and undo a mistake")
    return look.passes("a destroyed key can be brought back in time")


@stack_control(
    id="key-origin",
    title="Keys come from where keys may be",
    text="Every key that something is encrypted with is a key of this stack or of a project in policies:keyProjects; "
    "with policies:separateKeyProject it lies in another project than the data.",
    why="Whoever owns the project of the key decides who reads the data.",
    severity=Severity.HIGH,
    paths=("encryption.defaultKmsKeyName", "kmsKeyName", "cmekSettings.kmsKeyName", "encryptionSpec.kmsKeyName"),
    fix="use a key of the stack, or allow its project: pulumi config set --path 'policies:keyProjects[0]' PROJECT",
    url="https://cloud.google.com/kms/docs/cmek-org-policy",
    crosswalk=ids(nist="AC-5 SC-12 SC-28(1)", iso="A.5.3 A.8.24", soc2="CC6.1", google="COM-CO-2.2"),
)
def _key_origin(survey: Survey) -> Verdict:
    context = survey.context
    users = [resource for resource in context.of(*ENCRYPTED) if any(key_names(resource))]
    if not users:
        return survey.does_not_apply("nothing in the stack names a key")
    allowed = set(context.parameters.key_projects)
    keys = {key.at("id") for key in context.of(KEY)}
    for project in context.of(PROJECT):
        allowed |= {named(project.at("projectId")), named(project.at("number"))} - {""}
    for resource in users:
        for path, _ in list(key_names(resource)):
            name = survey.at(resource, path)
            if isinstance(name, Unknown):
                if not any(_is_key(context, urn) for urn in resource.dependencies.get(path.split(".")[0], ())):
                    survey.offends(
                        resource, "names a key that comes from nowhere in the stack, so its owner may be anybody"
                    )
                else:
                    survey.undecided(resource, "takes its key from a key of the stack that has no name yet")
                continue
            found = NAME.match(str(name))
            if name in keys and not context.parameters.separate_key_project:
                continue
            if not found or found["project"] not in allowed:
                survey.offends(resource, "names a key of a project that may hold none, whose owner can read the data")
            elif context.parameters.separate_key_project and found["project"] == named(resource.at("project")):
                survey.offends(resource, "has its key in its own project, where whoever owns the data owns the key")
    return survey.result("every key comes from where keys may be")


def _is_key(context: Context, urn: str) -> bool:
    resource = context.by_urn.get(urn)
    return resource is not None and resource.type in {KEY, "gcp:kms/keyHandle:KeyHandle"}


@stack_control(
    id="key-beside-data",
    title="Keys lie where the data lies",
    text="A key has the location of what it encrypts.",
    why="Google refuses most other pairs at the last moment, and where it does not, data depends on another region.",
    severity=Severity.MEDIUM,
    paths=("encryption.defaultKmsKeyName", "kmsKeyName", "cmekSettings.kmsKeyName", "location"),
    fix="make the key ring in the location of the data",
    url="https://cloud.google.com/kms/docs/cmek#cmek_best_practices",
    crosswalk=ids(nist="SC-12 SA-9(5)", iso="A.8.24", gdpr="44"),
)
def _key_beside_data(survey: Survey) -> Verdict:
    context = survey.context
    users = [r for r in context.of(*ENCRYPTED) if r.at("location") is not MISSING and any(key_names(r))]
    if not users:
        return survey.does_not_apply("nothing in the stack names a key and a location")
    for resource in users:
        place = survey.at(resource, "location")
        for path, _ in list(key_names(resource)):
            where = _location(survey, resource, path)
            if where is None or isinstance(place, Unknown):
                survey.undecided(resource, "the location of its key is known only after deployment")
            elif where.lower() != str(place).lower():
                survey.offends(resource, "has a key in another location, so Google refuses it or data depends on both")
    return survey.result("every key lies beside its data")


def _location(survey: Survey, resource: Resource, path: str) -> str | None:
    """The location of a key, from its name or from the ring it is made in."""
    name = survey.at(resource, path)
    if not isinstance(name, Unknown):
        found = NAME.match(str(name))
        return found["location"] if found else ""
    by_urn = survey.context.by_urn
    for urn in resource.dependencies.get(path.split(".", maxsplit=1)[0], ()):
        if not _is_key(survey.context, urn):
            continue
        for ring in by_urn[urn].dependencies.get("keyRing", ()):
            if ring in by_urn and by_urn[ring].type == RING:
                place = survey.at(by_urn[ring], "location")
                return place if isinstance(place, str) else None
    return None


@resource_control(
    id="key-no-project-wide-use",
    title="Keys are granted one by one",
    text="No role of Cloud KMS that encrypts or decrypts is granted on a project or above.",
    why="On a project the role covers every key in it, those of other campaigns included.",
    severity=Severity.MEDIUM,
    types=HIERARCHY,
    paths=("role", "policyData"),
    fix="grant the key itself: gcp.kms.CryptoKeyIAMMember(crypto_key_id=...)",
    url="https://cloud.google.com/kms/docs/iam",
    crosswalk=ids(nist="AC-6", iso="A.8.2 A.8.24", soc2="CC6.3"),
)
def _key_no_project_wide_use(look: Look, _: Context) -> Verdict:
    if any(role.startswith("roles/cloudkms.cryptoKey") for _, role, _ in roles_given(look)):
        return look.fails("role lets its holder use every key below, those of others included")
    return look.passes("the role uses no keys")


KEY_ROLES = frozenset(
    f"roles/cloudkms.{name}"
    for name in [
        "cryptoKeyEncrypterDecrypter",
        "cryptoKeyEncrypter",
        "cryptoKeyDecrypter",
        "viewer",
        "publicKeyViewer",
        "signer",
        "verifier",
        "signerVerifier",
        "cryptoOperator",
    ]
)


@resource_control(
    id="key-users-only-use",
    title="Who uses a key may do nothing else with it",
    text="A grant on a key or key ring gives a role that uses or reads it, not one that administers it.",
    why="Who may administer a key may destroy it, and everything it encrypted.",
    severity=Severity.MEDIUM,
    types=KEY_GRANTS,
    paths=("role", "policyData"),
    fix='grant role="roles/cloudkms.cryptoKeyEncrypterDecrypter"',
    url="https://cloud.google.com/kms/docs/separation-of-duties",
    crosswalk=ids(nist="AC-6 AC-5", iso="A.8.2 A.8.24", soc2="CC6.3"),
)
def _key_users_only_use(look: Look, _: Context) -> Verdict:
    if any(role not in KEY_ROLES for _, role, _ in roles_given(look)):
        return look.fails("role does more than use the key, so its holder may destroy or pass on what it encrypts")
    return look.passes("the role only uses the key")


CONTROLS = (
    _key_rotation,
    _key_protection_level,
    _key_destroy_delay,
    _key_origin,
    _key_beside_data,
    _key_no_project_wide_use,
    _key_users_only_use,
)
