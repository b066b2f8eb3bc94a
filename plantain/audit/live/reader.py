"""Asks Google's APIs, and remembers what they refused to say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from plantain.audit.unit import Unread
from plantain.errors import GoogleCloudError
from plantain.google_cloud import GoogleCloud
from policies.catalogue import Resource

#: Reasons that mean there is nothing: the API was never enabled, or the place does not exist.
NOTHING_THERE = frozenset({"SERVICE_DISABLED", "NOT_FOUND", "notFound", "accessNotConfigured"})
#: What is no project: the groups of a directory.
ABOVE_PROJECTS = frozenset({"groups"})
#: Longest reason kept of a refusal.
REASON_LENGTH = 300


@dataclass
class Reader:
    """Reads one project, or what lies above all projects.

    Attributes:
        cloud: Google's APIs.
        project: id of the project, or organizations/N.
        unread: what could not be read so far.
        asked: lists that answered, with how many items each had.
    """

    cloud: GoogleCloud
    project: str
    unread: list[Unread] = field(default_factory=list)
    asked: dict[str, int] = field(default_factory=dict)

    def all(self, service: str, path: str, items: str, **params: Any) -> list[dict[str, Any]]:
        """Every item of a list; none where there is nothing, or where it cannot be read, which is remembered."""
        what = f"{service} {items}"
        try:
            found = list(self.cloud.pages(service, path, items, **params))
        except GoogleCloudError as error:
            self._refused(what, error)
            return []
        self.asked[what] = self.asked.get(what, 0) + len(found)
        return found

    def one(self, verb: str, service: str, path: str, what: str, **options: Any) -> dict[str, Any] | None:
        """One answer; None where there is nothing, or where it cannot be read, which is remembered."""
        try:
            found = self.cloud.call(verb, service, path, **options)
        except GoogleCloudError as error:
            self._refused(f"{service} {what}", error)
            return None
        self.asked[f"{service} {what}"] = self.asked.get(f"{service} {what}", 0) + 1
        return found

    def _refused(self, what: str, error: GoogleCloudError) -> None:
        # Above projects an API is disabled in the project that pays for the question, which says nothing of the answer.
        elsewhere = self.project in ABOVE_PROJECTS or self.project.startswith("organizations/")
        if error.status == 404 or (error.reason in NOTHING_THERE and not elsewhere):  # noqa: PLR2004 -- Not Found
            self.asked.setdefault(what, 0)
            return
        words = f"{error.reason} {error.explanation}".strip()[:REASON_LENGTH]
        entry = Unread(self.project, what, error.status, words)
        if entry not in self.unread:
            self.unread.append(entry)


def live(type_: str, id_: str, service: str, properties: Mapping[str, Any], *, name: str | None = None) -> Resource:
    """A live resource.

    Args:
        type_: Pulumi's type token.
        id_: the provider's id, which the state has, too.
        service: first label of the API's host, for the full resource name.
        properties: as Pulumi has them.
        name: short name; the last part of the id by default.
    """
    urn = f"//{service}.googleapis.com/{id_}"
    return Resource(urn, type_, name or id_.rpartition("/")[2], {"id": id_, **properties}, "live")


def last(value: Any) -> str:
    """The last part of a name or URL."""
    return str(value or "").rpartition("/")[2]


def path_of(url: Any) -> str:
    """The part of a Compute URL that the provider's ids have."""
    text = str(url or "")
    return text[text.index("projects/") :] if "projects/" in text else text


def without(value: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """A copy that leaves some keys out."""
    return {key: item for key, item in value.items() if key not in names}


def only(value: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """A copy that keeps some keys, where they are there."""
    return {name: value[name] for name in names if name in value}
