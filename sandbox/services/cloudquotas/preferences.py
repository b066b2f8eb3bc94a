"""Quota preferences: a wanted value, granted at once. There is no deletion, as in reality."""

from __future__ import annotations

from typing import Any

from sandbox.call import Call
from sandbox.enforcement.quotas import PREFERENCES, Quota, table
from sandbox.errors import AlreadyExists, InvalidArgument, NotFound
from sandbox.resources import Resource

Document = dict[str, Any]


class Preference(Resource):
    """A preference."""

    kind = PREFERENCES
    package = "google.api.cloudquotas.v1"
    immutable = ("service", "quotaId")

    def generate(self, call: Call) -> str:
        """An id for a preference whose caller chose none."""
        return call.cloud.identifiers.uuid(self.kind)

    def prepare(self, call: Call, document: Document) -> None:
        """One preference for each quota and set of dimensions; the value is granted."""
        quota = quota_of(document)
        unknown = set(document.get("dimensions", {})) - set(quota.dimensions) if quota else set()
        if unknown:
            raise InvalidArgument(f"Invalid dimension: {min(unknown)} is none of the quota's dimensions.")
        for name, other in call.cloud.store.items(self.kind, call.name):
            same = all(other.get(key) == document.get(key) for key in ("service", "quotaId", "dimensions"))
            if same and name != document["name"]:
                raise AlreadyExists(f"A quota preference for the same quota and dimensions exists: {name}")
        grant(document)

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """A new value is granted at once too."""
        grant(after)

    def missing(self, call: Call) -> NotFound:
        """Google's wording."""
        return NotFound(f"Resource '{call.name}' was not found")


def quota_of(preference: Document) -> Quota | None:
    """The quota in the table that a preference is about; None for one that the table has not.

    Raises:
        InvalidArgument: it names none at all.
    """
    service, quota_id = preference.get("service"), preference.get("quotaId")
    if not service or not quota_id:
        raise InvalidArgument("A quota preference needs a service and a quotaId.")
    return next((q for q in table() if (q.service, q.quota_id) == (service, quota_id)), None)


def grant(preference: Document) -> None:
    """Give what is asked for.

    Raises:
        InvalidArgument: it is no number of calls.
    """
    config = preference.get("quotaConfig", {})
    wanted = str(config.get("preferredValue", ""))
    if not wanted.lstrip("-").isdigit() or int(wanted) < -1:
        raise InvalidArgument("quotaConfig.preferredValue must be a number, -1 for unlimited.")
    preference["quotaConfig"] = {**config, "preferredValue": wanted, "grantedValue": wanted}
