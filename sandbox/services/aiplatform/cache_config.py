"""Whether a project's models may keep a prompt's beginnings in memory: ``projects/*/cacheConfig``.

Source: https://docs.cloud.google.com/vertex-ai/generative-ai/docs/vertex-ai-zero-data-retention (read 2026-08).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.call import Call

Document = dict[str, Any]

KIND = "aiplatform.cacheConfigs"
TYPE = "type.googleapis.com/google.cloud.aiplatform.v1.CacheConfig"
HOME = "locations/us-central1"


def shown(call: Call) -> Document:
    """The setting; caching is on until somebody switches it off."""
    stored = call.cloud.store.get(KIND, call.name) or {}
    return {"name": call.name, **({"disableCache": True} if stored.get("disableCache") else {})}


def update(call: Call) -> Document:
    """Switch it; the operation is finished at once."""
    call.cloud.store.put(KIND, call.name, {"disableCache": bool(call.body.get("disableCache"))})
    number = call.cloud.identifiers.number("operations", 19)
    name = f"{call.name.rpartition('/')[0]}/{HOME}/operations/{number}"
    return call.cloud.operations.finished("aiplatform", name, {"@type": TYPE, **shown(call)})


HANDLERS = {"aiplatform.projects.getCacheConfig": shown, "aiplatform.projects.updateCacheConfig": update}
