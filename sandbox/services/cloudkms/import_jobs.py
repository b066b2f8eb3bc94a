"""Import jobs: a wrapping key and its three days of life. Importing itself is not emulated."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sandbox.call import Call
from sandbox.errors import InvalidArgument
from sandbox.services.cloudkms import material
from sandbox.services.cloudkms.names import Entity

Document = dict[str, Any]

LIFETIME = timedelta(days=3)


class ImportJob(Entity):
    """An import job: answered as pending when created, active when read."""

    kind = "cloudkms.importJobs"
    message = "ImportJob"

    def prepare(self, call: Call, document: Document) -> None:
        """Its wrapping key and times."""
        method = document.get("importMethod", "")
        if not method.startswith("RSA_OAEP_"):
            raise InvalidArgument(f"ImportJob.import_method {method or 'IMPORT_METHOD_UNSPECIFIED'} is not valid.")
        now = call.cloud.clock.now()
        document["protectionLevel"] = document.get("protectionLevel", "SOFTWARE")
        document["expireTime"] = (now + LIFETIME).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        document["state"] = "ACTIVE"
        document["generateTime"] = call.cloud.clock.timestamp()
        bits = method.split("_")[2]
        document["publicKey"] = {"pem": material.public_pem(material.generate(f"RSA_DECRYPT_OAEP_{bits}_SHA256"))}

    def view(self, call: Call, document: Document) -> Document:
        """Pending in the answer of its creation; expired after its time."""
        shown = super().view(call, document)
        if call.method.action == "create":
            shown["state"] = "PENDING_GENERATION"
            for field in ("generateTime", "publicKey"):
                shown.pop(field)
        elif datetime.fromisoformat(document["expireTime"]) <= call.cloud.clock.now():
            shown["state"] = "EXPIRED"
            shown["expireEventTime"] = document["expireTime"]
        return shown
