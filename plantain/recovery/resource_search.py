"""Where to look for a resource whose id the server draws, and how to know it by what was asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plantain.recovery.import_ids import Inputs, filled

if TYPE_CHECKING:
    from plantain.google_cloud import GoogleCloud


@dataclass(frozen=True)
class Search:
    """How a resource is found whose id the server draws.

    Attributes:
        service: as in ``GoogleCloud.pages``.
        path: of the list method, made of the inputs.
        field: where a page holds its items.
        same: whether an item is what the inputs asked for.
        import_id: the import id of an item.
        parameters: query parameters, made of the inputs.
    """

    service: str
    path: str
    field: str
    same: Callable[[Mapping[str, Any], Inputs], bool]
    import_id: Callable[[Mapping[str, Any], Inputs], str] = lambda item, _: str(item["name"])
    parameters: Mapping[str, str] | None = None


def _equal(*fields: str) -> Callable[[Mapping[str, Any], Inputs], bool]:
    return lambda item, inputs: all(item.get(field) == inputs.get(field) for field in fields)


def _last(item: Mapping[str, Any]) -> str:
    return str(item["name"]).rpartition("/")[2]


def _scopes(inputs: Inputs) -> list[str]:
    scopes = inputs.get("scopes") or []
    return [scopes] if isinstance(scopes, str) else list(scopes)


SEARCHES = {
    "gcp:accesscontextmanager/accessPolicy:AccessPolicy": Search(
        "accesscontextmanager",
        "v1/accessPolicies",
        "accessPolicies",
        lambda item, inputs: (item.get("title"), item.get("scopes") or []) == (inputs["title"], _scopes(inputs)),
        lambda item, _: _last(item),
        {"parent": "{parent}"},
    ),
    "gcp:billing/budget:Budget": Search(
        "billingbudgets", "v1/billingAccounts/{billingAccount}/budgets", "budgets", _equal("displayName")
    ),
    "gcp:essentialcontacts/contact:Contact": Search(
        "essentialcontacts", "v1/{parent}/contacts", "contacts", _equal("email")
    ),
    "gcp:monitoring/alertPolicy:AlertPolicy": Search(
        "monitoring", "v3/projects/{project}/alertPolicies", "alertPolicies", _equal("displayName")
    ),
    "gcp:monitoring/dashboard:Dashboard": Search(
        "monitoring",
        "v1/projects/{project}/dashboards",
        "dashboards",
        lambda item, inputs: item.get("displayName") == json.loads(inputs["dashboardJson"]).get("displayName"),
        lambda item, inputs: f"projects/{inputs['project']}/dashboards/{_last(item)}",
    ),
    "gcp:monitoring/notificationChannel:NotificationChannel": Search(
        "monitoring",
        "v3/projects/{project}/notificationChannels",
        "notificationChannels",
        _equal("type", "displayName"),
    ),
    "gcp:resourcemanager/lien:Lien": Search(
        "cloudresourcemanager",
        "v1/liens",
        "liens",
        _equal("origin", "reason"),
        lambda item, inputs: f"{inputs['parent'].rpartition('/')[2]}/{_last(item)}",
        {"parent": "{parent}"},
    ),
    "gcp:tags/tagBinding:TagBinding": Search(
        "cloudresourcemanager",
        "v3/tagBindings",
        "tagBindings",
        _equal("tagValue"),
        parameters={"parent": "{parent}"},
    ),
    "gcp:tags/tagKey:TagKey": Search(
        "cloudresourcemanager", "v3/tagKeys", "tagKeys", _equal("shortName"), parameters={"parent": "{parent}"}
    ),
    "gcp:tags/tagValue:TagValue": Search(
        "cloudresourcemanager", "v3/tagValues", "tagValues", _equal("shortName"), parameters={"parent": "{parent}"}
    ),
}


def searched(cloud: GoogleCloud, kind: str, inputs: Inputs, known: Iterable[str] = ()) -> str | None:
    """The import id of a resource that was created with these inputs; None when there is none, or no way to search.

    Args:
        cloud: where to look.
        kind: its type token.
        inputs: what was asked for.
        known: ids that the state has already; two resources may have the same name.

    Raises:
        GoogleCloudError: the search was refused.
    """
    search = SEARCHES.get(kind)
    if search is None:
        return None
    taken = set(known)
    for item in listed(cloud, search, inputs):
        identifier = search.import_id(item, inputs)
        if not taken & {identifier, str(item["name"]), _last(item)}:
            return identifier
    return None


def listed(cloud: GoogleCloud, search: Search, inputs: Inputs) -> Iterator[dict[str, Any]]:
    """Every resource that is what these inputs ask for; none where they lack what its list asks for.

    Raises:
        GoogleCloudError: the list was refused.
    """
    path = filled(search.path, inputs)
    given = {name: filled(value, inputs) for name, value in (search.parameters or {}).items()}
    parameters = {name: value for name, value in given.items() if value is not None}
    if path is None or parameters.keys() != given.keys():
        return
    for item in cloud.pages(search.service, path, search.field, **parameters):
        if search.same(item, inputs):
            yield item
