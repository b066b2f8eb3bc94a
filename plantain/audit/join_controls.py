"""Controls that no single source can judge: they compare what was declared with what is there.

The policy pack cannot have them, because it sees only the program. They stand in the evidence beside the catalogue's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from policies.catalogue import Severity
from policies.catalogue.crosswalk import ids

ASSETS = "https://cloud.google.com/asset-inventory/docs/overview"


@dataclass(frozen=True)
class JoinControl:
    """A control over several sources; attributes are those of the catalogue's controls."""

    id: str
    title: str
    text: str
    why: str
    severity: Severity
    fix: str
    url: str
    crosswalk: Mapping[str, Sequence[str]]


SOURCES_AGREE = JoinControl(
    "sources-agree",
    "State, plan and cloud say the same of a control",
    "Where two sources judge the same resource by the same control, neither passes what the other fails.",
    "What passes in the state and fails in the cloud was changed behind the program's back, and stays so.",
    Severity.HIGH,
    "pulumi refresh --stack STACK, then pulumi up --stack STACK",
    "https://www.pulumi.com/docs/iac/cli/commands/pulumi_refresh/",
    ids(nist="CM-3 CM-6 CA-7", iso="A.8.9 A.8.32", soc2="CC8.1 CC7.1"),
)
DECLARED_EXISTS = JoinControl(
    "declared-exists",
    "What is declared is there",
    "Every resource of the state, of a type that the audit reads, exists in the cloud.",
    "A control that passes on a resource which is gone protects nothing.",
    Severity.HIGH,
    "pulumi refresh --stack STACK, then pulumi up --stack STACK",
    ASSETS,
    ids(nist="CM-8 CM-3", iso="A.5.9 A.8.9", soc2="CC7.1"),
)
RESOURCE_DECLARED = JoinControl(
    "resource-declared",
    "What is there is declared",
    "Every resource in a campaign's project, of a type that the audit reads, is declared by a stack, or is made by "
    "Google itself.",
    "What was made by hand was reviewed by nobody, and no update will ever mend it.",
    Severity.MEDIUM,
    "delete it, or take it into the stack: pulumi import TYPE NAME ID",
    ASSETS,
    ids(nist="CM-8 CM-3 CM-7", iso="A.5.9 A.8.9 A.8.32", soc2="CC6.8 CC8.1"),
)
GRANT_DECLARED = JoinControl(
    "grant-declared",
    "Every grant is declared",
    "Every role of every member on a project and on what lies in it is declared by a stack, or was given by Google to "
    "its own service agents.",
    "A grant made by hand is access that nobody approved, and additive grants in the state never show it.",
    Severity.CRITICAL,
    "take it away in the cloud, or declare it: gcloud projects remove-iam-policy-binding PROJECT --member M --role R",
    "https://cloud.google.com/iam/docs/granting-changing-revoking-access",
    ids(nist="AC-2 AC-6 CM-3", iso="A.5.18 A.8.2", soc2="CC6.2 CC6.3", hipaa="164.308(a)(4)(i)", gdpr="32"),
)
PROPERTIES_HELD = JoinControl(
    "properties-held",
    "Resources are as they were declared",
    "The properties that both the state and Google's API tell of a resource are equal.",
    "A property that was changed by hand holds until somebody compares.",
    Severity.MEDIUM,
    "pulumi refresh --stack STACK shows the change; pulumi up --stack STACK takes it back",
    "https://www.pulumi.com/docs/iac/cli/commands/pulumi_refresh/",
    ids(nist="CM-3 CM-6 SI-7", iso="A.8.9 A.8.32", soc2="CC7.1 CC8.1"),
)
KEYS_USABLE = JoinControl(
    "keys-usable",
    "Keys can be used, and old data can be read",
    "The primary version of every key is enabled, and no version is disabled or scheduled for destruction.",
    "What a disabled key encrypted cannot be read; what a destroyed one did, never again.",
    Severity.CRITICAL,
    "gcloud kms keys versions enable VERSION --key KEY --keyring RING --location LOCATION --project PROJECT",
    "https://cloud.google.com/kms/docs/key-states",
    ids(nist="SC-12 SC-12(1) CP-9", iso="A.8.24", soc2="A1.2 CC6.1", hipaa="164.312(a)(2)(iv)"),
)
ALERTS_REACH = JoinControl(
    "alerts-reach-somebody",
    "Alerts reach somebody",
    "Every enabled alert policy has a notification channel that exists, is enabled, and is verified where it must be.",
    "An alert that rings nowhere is none.",
    Severity.HIGH,
    "add a channel to the campaign file under alerts, or re-enable it in Monitoring; then pulumi up --stack STACK",
    "https://cloud.google.com/monitoring/support/notification-options",
    ids(nist="SI-4 AU-5 IR-6", iso="A.8.16", soc2="CC7.2 CC7.3"),
)
PROJECT_INSIDE = JoinControl(
    "project-inside-perimeter",
    "Projects are inside the enforced perimeter",
    "Google's own list of the perimeter's enforced members has the number of every campaign's project.",
    "Outside the perimeter a stolen credential reads images from anywhere.",
    Severity.CRITICAL,
    "gcloud access-context-manager perimeters update PERIMETER --add-resources=projects/NUMBER --policy POLICY",
    "https://cloud.google.com/vpc-service-controls/docs/manage-service-perimeters",
    ids(cis5="3.8", nist="SC-7 SC-7(10) AC-4", iso="A.8.12 A.8.22", soc2="CC6.6 CC6.7", hipaa="164.312(e)(1)"),
)
PROJECT_DECLARED = JoinControl(
    "project-declared",
    "Every campaign's project belongs to a stack",
    "Every active project with a campaign label, or in the folder that the settings name, is declared by one of the "
    "audited stacks.",
    "A campaign that no stack knows has none of the controls.",
    Severity.HIGH,
    "audit its stack too, with a second --stack; or take the project down",
    ASSETS,
    ids(nist="CM-8", iso="A.5.9", soc2="CC6.1 CC3.2"),
)
INVENTORY_COMPLETE = JoinControl(
    "inventory-complete",
    "The audit could read everything",
    "Every API that the audit asks answered for every project.",
    "What was not read was not judged, whatever the numbers beside it say.",
    Severity.MEDIUM,
    "give the auditor roles/viewer, roles/iam.securityReviewer and an ingress rule of the perimeter",
    ASSETS,
    ids(nist="CA-7 AU-12", iso="A.5.36 A.8.15", soc2="CC4.1"),
)

JOIN_CONTROLS = (
    SOURCES_AGREE,
    DECLARED_EXISTS,
    RESOURCE_DECLARED,
    GRANT_DECLARED,
    PROPERTIES_HELD,
    KEYS_USABLE,
    ALERTS_REACH,
    PROJECT_INSIDE,
    PROJECT_DECLARED,
    INVENTORY_COMPLETE,
)
