"""What the checks look at: a stack's settings, its campaigns, what is deployed of it, and the cloud they go to."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from infra.campaign_model import Campaign
    from infra.settings import Settings
    from plantain.google_cloud import GoogleCloud

Document = dict[str, Any]


@dataclass
class Patient:
    """One stack.

    Attributes:
        raw: the stack's settings as written, endpoints included.
        deployed: outputs of deployed campaigns by name; empty before the first update.
        project: that pays for the reads which need one: plantain:quotaProject, else a deployed campaign's.
        environment: of the process.
        today: in Coordinated Universal Time.
    """

    root: Path
    stack: str
    settings: Settings
    raw: Mapping[str, Any]
    campaigns: tuple[Campaign, ...]
    deployed: Mapping[str, Document]
    cloud: GoogleCloud
    environment: Mapping[str, str]
    today: dt.date
    _answers: dict[tuple[str, str, str], Document] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @cached_property
    def project(self) -> str | None:
        """Id of a project that exists."""
        if self.settings.quota_project:
            return self.settings.quota_project
        return next((one["projectId"] for one in self.deployed.values()), None)

    @property
    def parent(self) -> str:
        """Folder or organisation that projects are created in."""
        return self.settings.folder or self.organization

    @property
    def organization(self) -> str:
        """The organisation's full name."""
        return f"organizations/{self.settings.organization}"

    @cached_property
    def principal(self) -> str:
        """Member string of whoever calls; empty when nobody says."""
        if self.settings.impersonate:
            return f"serviceAccount:{self.settings.impersonate}"
        if self.cloud.sandbox:
            return "user:user@example.com"
        from plantain.errors import GoogleCloudError  # noqa: PLC0415

        try:
            email = self.cloud.call("GET", "openidconnect", "v1/userinfo").get("email", "")
        except GoogleCloudError:
            return ""
        kind = "serviceAccount" if email.endswith(".gserviceaccount.com") else "user"
        return f"{kind}:{email}" if email else ""

    def get(self, service: str, path: str) -> Document:
        """What a GET answers, asked once for all checks.

        Raises:
            GoogleCloudError: refused.
        """
        key = ("GET", service, path)
        with self._lock:
            if key in self._answers:
                return self._answers[key]
        answer = self.cloud.call("GET", service, path)
        with self._lock:
            return self._answers.setdefault(key, answer)

    def missing_permissions(self, service: str, resource: str, permissions: list[str]) -> list[str]:
        """Those of some permissions that the caller lacks on a resource.

        Raises:
            GoogleCloudError: refused.
        """
        answer = self.cloud.call("POST", service, f"{resource}:testIamPermissions", body={"permissions": permissions})
        held = set(answer.get("permissions", ()))
        return [one for one in permissions if one not in held]
