"""Stacks that have a part of each kind, which every case of `setting_cases` starts from."""

from __future__ import annotations

from collections.abc import Mapping

from tests.infra.setting_case import CAMPAIGN, FOUNDATION, JOINED, SEED, Shape
from tests.infra.stacks import document

LABELS = {"owner": "cloud-platform", "cost-center": "cc-1000", "env": "prod", "data-class": "internal"}
ADMINISTRATOR = "user:user@example.com"
UPLOADER = "serviceAccount:up@partner.iam.gserviceaccount.com"
EVERYBODY = {"identityType": "ANY_IDENTITY", "services": {"storage.googleapis.com": []}}
WEBHOOK = {"url": "https://hooks.example.com/a", "username": "plantain", "password": "hook-password"}
SECRETS = ("slack-token", "other-token", "pagerduty-key", "other-key", "hook-password", "other-password")


SHAPES: Mapping[str, Shape] = {
    CAMPAIGN: Shape(
        {
            "perimeter": {
                "membership": "inline",
                "enforcement": "enforced",
                "deployers": [ADMINISTRATOR],
                "otherMembers": ["projects/{others}"],
            },
            "deletionProtection": "false",
            "channelSecrets": {name: f"credential of {name}" for name in SECRETS},
        },
        document()
        | {
            "function": {"secrets": {"BRAND_KEY": "projects/acme-others/secrets/brand-key/versions/1"}},
            "images": {"retentionDays": 1},
            "references": {"editors": ["group:brand-studio@example.com"]},
            "channels": {
                "pubsub": ["alerts"],
                "slack": [{"channel": "#campaigns", "token": "slack-token"}],
                "pagerduty": [{"name": "oncall", "serviceKey": "pagerduty-key"}],
                "webhook": [WEBHOOK],
            },
            "quotas": [
                {
                    "service": "aiplatform.googleapis.com",
                    "quotaId": "GenerateContentImageGenPerProjectPerBaseModelGlobal",
                    "value": 60,
                    "dimensions": {"base_model": "gemini-3-pro-image"},
                }
            ],
        },
    ),
    FOUNDATION: Shape(
        {
            "campaigns": "",
            "deletionProtection": "false",
            "labels": LABELS,
            "centralLogs": {"auditors": ["group:auditors@example.com"]},
            "contacts": [{"email": "security@example.com", "categories": ["SECURITY"]}],
            "tags": {"keys": ["env"]},
            "organizationPolicies": {
                "enforcement": "enforced",
                "locations": ["in:eu-locations"],
                "memberCustomers": ["C012abcde"],
                "contactDomains": ["@example.com"],
            },
            "perimeter": {
                "membership": "delegated",
                "enforcement": "enforced",
                "deployers": [ADMINISTRATOR],
                "accessLevels": [
                    {"name": "corporate", "ipSubnetworks": ["203.0.113.0/24"], "countries": ["DE"]},
                    {
                        "name": "laptops",
                        "device": {"screenLock": True, "systems": {"DESKTOP_MAC": "14.0.0"}},
                        "requires": ["corporate"],
                    },
                    {"name": "own", "expression": "origin.region_code in ['DE']"},
                    {"name": "staff", "members": ["user:jo@example.com"], "countries": ["DE"]},
                ],
                "auditors": ["group:auditors@example.com"],
                "auditorLevels": ["corporate"],
                "ingress": [
                    {
                        "title": "partner uploads",
                        "identities": [UPLOADER],
                        "accessLevels": ["laptops"],
                        "services": {"storage.googleapis.com": ["google.storage.objects.create"]},
                    }
                ],
                "egress": [{"title": "shared pictures", "identities": [UPLOADER], "services": {"*": []}}],
                "proposed": {
                    "additionalServices": ["redis.googleapis.com"],
                    "ingress": [{"title": "tried in", "identities": [UPLOADER], "services": {"*": []}}],
                    "egress": [{"title": "tried out", "identities": [UPLOADER], "services": {"*": []}}],
                },
            },
        }
    ),
    SEED: Shape(
        {
            "campaigns": "",
            "deletionProtection": "false",
            "labels": LABELS,
            "bootstrap": {
                "github": {"repository": "acme/plantain", "repositoryId": "42"},
                "gitlab": {"project": "acme/plantain", "projectId": "42"},
                "esc": {"organization": "acme", "environment": "plantain/prod"},
            },
        }
    ),
    JOINED: Shape(
        {
            "deletionProtection": "false",
            "perimeter": {
                "membership": "join",
                "enforcement": "enforced",
                "perimeter": "{perimeter}",
                "deployers": [ADMINISTRATOR],
                "ingress": [{"title": "partner uploads", "identities": [UPLOADER], "services": {"*": []}}],
                "egress": [{"title": "shared pictures", "identities": [UPLOADER], "services": {"*": []}}],
            },
        },
        {
            "labels": {
                "campaign": "autumn-launch",
                "owner": "brand-studio",
                "cost-center": "cc-4711",
                "env": "prod",
                "data-class": "internal",
                "ends-on": "2027-11-30",
            },
            "invokers": ["group:brand-studio@example.com"],
            "contacts": ["oncall@example.com"],
        },
    ),
}
