"""After an answer was lost: what was made twice, because the provider asked again and Google drew another id.

A dashboard, a lien, an alert policy may exist any number of times under the same display name. When the answer to a
creation is lost, the provider repeats the request, and the state knows the second of two. The first is told by what it
is: the same in every field that people set, in the same place, and in no state of this stack.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from plantain.recovery.leftovers import Leftover
from plantain.recovery.resource_search import SEARCHES, Search, listed

if TYPE_CHECKING:
    from plantain.google_cloud import GoogleCloud

#: What the server sets, wherever it stands in a document.
SERVERS_OWN = {"name", "etag", "createTime", "updateTime", "creationRecord", "mutationRecord", "mutationRecords"}


def copies(export: Mapping[str, Any], cloud: GoogleCloud) -> Iterator[Leftover]:
    """Exact copies of a state's resources that the state does not know.

    Raises:
        GoogleCloudError: a list was refused.
        CredentialsError: there is nobody to ask as.
    """
    resources = [one for one in export["deployment"].get("resources") or () if one["type"] in SEARCHES]
    known = {str(one.get("id")) for one in resources}
    for resource in resources:
        search, inputs = SEARCHES[resource["type"]], resource.get("inputs", {})
        items = list(listed(cloud, search, inputs) or ())
        ours = next((item for item in items if names(search, item, inputs) & {str(resource["id"])}), None)
        for item in items:
            if ours and not names(search, item, inputs) & known and told(item) == told(ours):
                known.add(str(item["name"]))
                path = f"{search.path.partition('/')[0]}/{item['name']}"
                yield Leftover(resource["urn"], resource["type"], str(item["name"]), search.service, path)


def names(search: Search, item: Mapping[str, Any], inputs: dict[str, Any]) -> set[str]:
    """Every form in which a state may know an item."""
    return {search.import_id(item, inputs), str(item["name"]), str(item["name"]).rpartition("/")[2]}


def told(value: Any) -> Any:
    """A document without what the server sets."""
    if isinstance(value, Mapping):
        return {key: told(inner) for key, inner in value.items() if key not in SERVERS_OWN}
    return [told(inner) for inner in value] if isinstance(value, list) else value
