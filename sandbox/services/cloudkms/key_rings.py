"""Key rings."""

from __future__ import annotations

from typing import Any

from sandbox.call import Call
from sandbox.enforcement.constraints import admits_location
from sandbox.errors import FailedPrecondition
from sandbox.services.cloudkms import places
from sandbox.services.cloudkms.names import Entity

Document = dict[str, Any]


class KeyRing(Entity):
    """A group of keys in one location."""

    kind = "cloudkms.keyRings"
    message = "KeyRing"

    def prepare(self, call: Call, document: Document) -> None:
        """Only where Cloud KMS is and the organisation allows."""
        place = call.segment("locations")
        places.check(place)
        if not admits_location(call.cloud, str(call.project), place):
            raise FailedPrecondition(
                f"'{place}' violates constraint 'constraints/gcp.resourceLocations' on the resource '{call.name}'."
            )

    def deleting(self, call: Call, document: Document) -> None:
        """Only an empty one can go."""
        if call.cloud.store.documents("cloudkms.cryptoKeys", f"{document['name']}/cryptoKeys"):
            raise FailedPrecondition(f"{document['name']} still holds keys.")
