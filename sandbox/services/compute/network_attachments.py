"""Network attachments: where a producer's service may put interfaces into the caller's network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from sandbox.call import Call
from sandbox.services.compute.failures import Invalid
from sandbox.services.compute.links import name_of
from sandbox.services.compute.resource import ComputeResource

Document = dict[str, Any]


class NetworkAttachment(ComputeResource):
    """Where a producer's service may put interfaces into the caller's network."""

    kind = "compute.networkAttachments"
    noun = "networkAttachment"
    fingerprinted = True
    references: ClassVar[Mapping[str, str]] = {"subnetwork": "{scope}/subnetworks"}

    def prepare(self, call: Call, document: Document) -> None:
        """Which subnetworks it offers, and whom it accepts."""
        found = []
        for reference in document.get("subnetworks", []):
            body: Document = {"subnetwork": reference}
            self.resolve(call, body)
            found.append(body["subnetwork"])
        if not found:
            raise Invalid.value("subnetworks", "", "At least one subnetwork must be given.")
        document["subnetworks"] = found
        document.setdefault("connectionPreference", "ACCEPT_AUTOMATIC")
        first = call.cloud.store.get("compute.subnetworks", name_of(found[0]))
        if first is None:
            raise Invalid.value("subnetworks[0]", found[0], "The referenced subnetwork resource cannot be found.")
        document["network"] = first["network"]
