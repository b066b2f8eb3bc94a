"""The table of docs/settings.md: what each setting makes or changes, found out by recording stacks with and without it.

    python -m tests.infra.settings_table

writes the page's table anew.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from infra.bootstrap_settings import Bootstrap
from infra.governance_settings import OrganizationPolicies, Tags
from infra.log_settings import CentralLogs
from infra.perimeter_settings import JoinedPerimeter, OwnedPerimeter
from infra.settings import Settings
from tests.infra.recording_engine import Recording
from tests.infra.stacks import joined, owned, record

ROOT = Path(__file__).resolve().parents[2]
PAGE = Path("docs") / "settings.md"
BEGIN, END = "<!-- table of settings -->", "<!-- end of the table -->"
LABELS = {"owner": "cloud-platform", "cost-center": "cc-1000"}
OWNED = owned(membership="delegated", accessLevels=[{"name": "a", "countries": ["DE"]}])
EGRESS = {"title": "e", "identityType": "ANY_IDENTITY", "services": {"*": []}}
INGRESS = {**EGRESS, "title": "i"}
JOIN = joined()

Case = tuple[str, dict[str, Any], dict[str, Any], bool]
"""Setting, the stack without it, the stack with it, whether the stack has a campaign."""


def _perimeter(key: str, value: Any, base: dict[str, Any] = OWNED, *, campaign: bool = False) -> Case:
    return f"perimeter.{key}", {"perimeter": base}, {"perimeter": base | {key: value}}, campaign


def _part(part: str, key: str, value: Any) -> Case:
    required = {"enforcement": "enforced"} if part == "organizationPolicies" else {}
    common = {"perimeter": None, "labels": LABELS}
    return f"{part}.{key}", {**common, part: required}, {**common, part: required | {key: value}}, False


CASES: list[Case] = [
    ("billingAccount", {}, {"billingAccount": "0A0A0A-0A0A0A-0A0A0A"}, True),
    ("organization", {}, {"organization": "999999999999"}, True),
    ("region", {}, {"region": "us-central1"}, True),
    ("folder", {}, {"folder": "folders/234567890123"}, True),
    ("deletionProtection", {}, {"deletionProtection": "false"}, True),
    (
        "labels",
        {"perimeter": None, "labels": LABELS, "bootstrap": {}},
        {"perimeter": None, "labels": {**LABELS, "owner": "x"}, "bootstrap": {}},
        False,
    ),
    (
        "contacts",
        {"perimeter": None},
        {"perimeter": None, "contacts": [{"email": "a@example.com", "categories": ["ALL"]}]},
        False,
    ),
    ("bootstrap", {"perimeter": None, "labels": LABELS}, {"perimeter": None, "labels": LABELS, "bootstrap": {}}, False),
    (
        "centralLogs",
        {"perimeter": None, "labels": LABELS},
        {"perimeter": None, "labels": LABELS, "centralLogs": {}},
        False,
    ),
    (
        "organizationPolicies",
        {"perimeter": None},
        {"perimeter": None, "organizationPolicies": {"enforcement": "enforced"}},
        False,
    ),
    ("perimeter", {"perimeter": None}, {"perimeter": OWNED}, False),
    ("perimeter.membership", {"perimeter": OWNED}, {"perimeter": OWNED | {"membership": "inline"}}, False),
    ("monitoringProject", {}, {"monitoringProject": "acme-monitoring"}, True),
    _perimeter("enforcement", "dry-run"),
    _perimeter("title", "theirs"),
    _perimeter("accessPolicy", "accessPolicies/1"),
    _perimeter("deployers", ["user:a@example.com"]),
    _perimeter("ipSubnetworks", ["203.0.113.0/24"]),
    _perimeter("additionalServices", ["redis.googleapis.com"]),
    _perimeter("otherMembers", ["projects/1"], owned()),
    _perimeter("accessLevels", [{"name": "a", "countries": ["FR"]}]),
    _perimeter("ingress", [INGRESS]),
    _perimeter("egress", [EGRESS]),
    _perimeter("auditors", ["group:a@example.com"]),
    _perimeter("auditorLevels", ["a"], OWNED | {"auditors": ["group:a@example.com"]}),
    _perimeter("proposed", {"egress": [EGRESS]}),
    _perimeter("perimeter", "accessPolicies/2/servicePerimeters/p", JOIN, campaign=True),
    _part("bootstrap", "project", "acme-seed"),
    _part("bootstrap", "github", {"repository": "a/b", "repositoryId": "1"}),
    _part("bootstrap", "gitlab", {"project": "a/b", "projectId": "1"}),
    _part("bootstrap", "organizationRights", False),
    _part("bootstrap", "billingExport", True),
    _part("bootstrap", "recoverableDays", 30),
    _part("bootstrap", "keptVersions", 100),
    _part("centralLogs", "project", "acme-logs"),
    _part("centralLogs", "retentionDays", 500),
    _part("centralLogs", "locked", True),
    _part("centralLogs", "analytics", True),
    _part("centralLogs", "auditors", ["group:a@example.com"]),
    _part("centralLogs", "billingAccountSink", True),
    _part("organizationPolicies", "enforcement", "dry-run"),
    _part("organizationPolicies", "locations", ["in:eu-locations"]),
    _part("organizationPolicies", "models", ["publishers/google/models/gemini-3-flash:predict"]),
    _part("organizationPolicies", "memberCustomers", ["C012abcde"]),
    _part("organizationPolicies", "contactDomains", ["@example.com"]),
    _part("organizationPolicies", "keyHolders", ["projects/acme-keys"]),
    _part("organizationPolicies", "otherServices", ["redis.googleapis.com"]),
    _part("organizationPolicies", "custom", False),
    _part("organizationPolicies", "leaveOut", ["run.allowedIngress"]),
    ("denyPolicy", {}, {"denyPolicy": {}}, True),
    ("tags.keys", {}, {"tags": {"keys": ["env"]}}, True),
    ("tags.bind", {}, {"tags": {"bind": ["tagValues/1"]}}, True),
]

NO_RESOURCE = {
    "campaigns": "which campaign files the stack deploys; what each makes: docs/infrastructure.md",
    "endpoints": "where the provider calls",
    "accessToken": "how the provider calls",
    "quotaProject": "which project the provider's calls are charged to",
    "impersonate": "who the provider calls as",
    "pollInterval": "how often the provider asks",
    "batchDelay": "how long the provider gathers",
    "wheels": "where the function's packages come from",
    "channelSecrets": "credentials that campaigns' notification channels name",
    "tags": "see its own keys",
}
"""Settings that make no resource by themselves, and what they are for."""


def keys() -> set[str]:
    """Every setting there is, parts of parts left out."""
    found = {field.alias or name for name, field in Settings.model_fields.items()}
    for prefix, model in (
        ("perimeter", OwnedPerimeter),
        ("perimeter", JoinedPerimeter),
        ("bootstrap", Bootstrap),
        ("centralLogs", CentralLogs),
        ("organizationPolicies", OrganizationPolicies),
        ("tags", Tags),
    ):
        found |= {f"{prefix}.{field.alias or name}" for name, field in model.model_fields.items()}
    return found


def effect(root: Path, case: Case) -> tuple[list[str], list[str], list[str]]:
    """Types of resources that a setting adds, changes and removes."""
    _, without, given, campaign = case
    before, after = _recorded(root, without, campaign=campaign), _recorded(root, given, campaign=campaign)
    added = {after[urn][0] for urn in after.keys() - before.keys()}
    removed = {before[urn][0] for urn in before.keys() - after.keys()}
    changed = {after[urn][0] for urn in after.keys() & before.keys() if after[urn] != before[urn]}
    return sorted(added), sorted(changed - added), sorted(removed - added - changed)


_KEPT: dict[str, dict[str, tuple[str, str]]] = {}


def _recorded(root: Path, settings: dict[str, Any], *, campaign: bool) -> dict[str, tuple[str, str]]:
    name = json.dumps([settings, campaign], sort_keys=True)
    if name not in _KEPT:
        stack: Recording = record(root, None if campaign else [], **settings)
        _KEPT[name] = {
            f"{entry.type}::{entry.name}": (
                entry.type.removeprefix("gcp:").partition("/")[0] + "." + entry.type.rpartition(":")[2],
                json.dumps([entry.inputs, entry.protect], sort_keys=True, default=str),
            )
            for entry in stack.cloud()
        }
    return _KEPT[name]


def table(root: Path) -> str:
    """The table as Markdown."""
    rows = [
        *(_row(case[0], *effect(root, case)) for case in CASES),
        *(f"| `{key}` | no resource | {why} | |" for key, why in NO_RESOURCE.items()),
    ]
    head = ["| setting | makes | changes | takes away |", "|---|---|---|---|"]
    return "\n".join([*head, *sorted(rows)])


def _row(key: str, *parts: list[str]) -> str:
    return f"| `{key}` | " + " | ".join(", ".join(f"`{kind}`" for kind in kinds) for kinds in parts) + " |"


def page(root: Path, text: str) -> str:
    """The page with its table written anew."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{table(root)}\n\n{END}{rest.partition(END)[2]}"


def project(folder: Path) -> Path:
    """A project folder with a function of two files."""
    folder.mkdir(exist_ok=True)
    shutil.copytree(ROOT / "campaigns", folder / "campaigns")
    (folder / "functions").mkdir()
    (folder / "functions" / "main.py").write_text("def images(request): ...\n")
    (folder / "functions" / "requirements.txt").write_text("functions-framework\n")
    (folder / "wheels").mkdir()
    (folder / "wheels" / "functions_framework-3.10.0-py3-none-any.whl").write_bytes(b"a wheel")
    return folder


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        written = page(project(Path(temporary)), (ROOT / PAGE).read_text())
    (ROOT / PAGE).write_text(written)
    sys.stdout.write(f"{PAGE} written\n")
