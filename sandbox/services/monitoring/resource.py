"""What the collections of Monitoring share: parents in the name, updates without a mask replace."""

from __future__ import annotations

from typing import Any

from sandbox.call import Call
from sandbox.fields import apply_mask, mask_paths
from sandbox.resources import Resource
from sandbox.services.monitoring.records import number

Document = dict[str, Any]


class MonitoringResource(Resource):
    """One collection."""

    #: Fields that survive an update without a mask.
    kept: tuple[str, ...] = ("name",)

    def identifier(self, call: Call) -> str:
        """A number, whatever name the caller gives."""
        return number(call)

    def patch(self, call: Call) -> Document:
        """Change the masked fields; without a mask all that a caller may write is replaced."""
        before = self.read(call)
        self.check_etag(call, before)
        body = self.accept(call)
        paths = [path for path in mask_paths(call.query.get("updateMask", "")) if path not in self.kept]
        if paths:
            after = apply_mask(before, body, paths)
        else:
            after = {key: value for key, value in before.items() if key in self.kept or key.startswith("_")}
            after = {**body, **after}
        saved = self.save(call, before, after)
        return saved if isinstance(saved, dict) else {}
