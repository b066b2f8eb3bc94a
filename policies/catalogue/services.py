"""Which APIs a deployment may enable, and which of them VPC Service Controls protects."""

PROTECTED = frozenset(
    f"{name}.googleapis.com"
    for name in [
        "aiplatform",
        "artifactregistry",
        "bigquery",
        "binaryauthorization",
        "cloudasset",
        "cloudbuild",
        "cloudfunctions",
        "cloudkms",
        "cloudscheduler",
        "cloudtasks",
        "compute",
        "containeranalysis",
        "containerscanning",
        "dns",
        "essentialcontacts",
        "eventarc",
        "iam",
        "iamcredentials",
        "logging",
        "modelarmor",
        "monitoring",
        "networkconnectivity",
        "ondemandscanning",
        "pubsub",
        "run",
        "secretmanager",
        "servicedirectory",
        "storage",
        "sts",
        "vpcaccess",
    ]
)
"""APIs that can be restricted by a perimeter, as far as campaigns use them
(cloud.google.com/vpc-service-controls/docs/supported-products, 2026-11)."""

CORE = frozenset(
    f"{name}.googleapis.com"
    for name in [
        "aiplatform",
        "artifactregistry",
        "cloudfunctions",
        "cloudkms",
        "logging",
        "pubsub",
        "run",
        "secretmanager",
        "storage",
    ]
)
"""What carries a campaign's data; every perimeter restricts at least these."""

ALLOWED = PROTECTED | {
    f"{name}.googleapis.com"
    for name in [
        "accessapproval",
        "accesscontextmanager",
        "billingbudgets",
        "cloudbilling",
        "cloudquotas",
        "cloudresourcemanager",
        "orgpolicy",
        "observability",
        "privilegedaccessmanager",
        "serviceusage",
        "servicenetworking",
    ]
}
"""What campaigns and their foundation enable."""

KEYED = frozenset({"generativelanguage.googleapis.com"})
"""APIs that give a model to whoever has an API key (ai.google.dev/gemini-api/docs/api-key, 2026-11)."""
