"""Cloud Asset Inventory: what there is, and who may do what with it, over everything the sandbox holds."""

from __future__ import annotations

from sandbox.services.cloudasset import analyses, exports, searches
from sandbox.services.registry import Service

SERVICE = Service(
    name="cloudasset",
    title="Cloud Asset API",
    prefix="google.cloud.asset.v1",
    handlers={**analyses.HANDLERS, **exports.HANDLERS, **searches.HANDLERS},
)
