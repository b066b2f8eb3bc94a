"""Datasets, and the project's service account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.enforcement.constraints import violated
from sandbox.enforcement.encryption import require_key
from sandbox.errors import FailedPrecondition, InvalidArgument
from sandbox.services.bigquery.resource import DATASETS, TABLES, BigQueryResource
from sandbox.services.serviceusage import agents

if TYPE_CHECKING:
    from sandbox.call import Call

Document = dict[str, Any]

AGENT = "bigquery"
DEFAULT_LOCATION = "US"
TIME_TRAVEL_HOURS = "168"
SHORTEST_EXPIRATION_MS = 3_600_000


class Dataset(BigQueryResource):
    """A dataset in one location."""

    kind = DATASETS
    noun = "Dataset"
    identity = "datasetId"

    own_filter = True

    def select(self, call: Call, documents: list[Document]) -> list[Document]:
        """By labels, as ``labels.env:prod labels.team``; those whose name begins with an underscore on demand."""
        terms = [term.removeprefix("labels.").partition(":") for term in call.query.get("filter", "").split()]
        hidden = call.query.get("all") != "true"
        return [
            document
            for document in documents
            if not (hidden and document["datasetReference"]["datasetId"].startswith("_"))
            and all(
                key in document.get("labels", {}) and (not separator or document["labels"][key] == value)
                for key, separator, value in terms
                if key != "AND"
            )
        ]

    def prepare(self, call: Call, document: Document) -> None:
        """Location, key, who may use it."""
        document.setdefault("location", DEFAULT_LOCATION)
        document.setdefault("type", "DEFAULT")
        owner = {"role": "OWNER", "userByEmail": call.principal.email}
        document.setdefault(
            "access",
            [
                {"role": "OWNER", "specialGroup": "projectOwners"},
                owner,
                {"role": "READER", "specialGroup": "projectReaders"},
                {"role": "WRITER", "specialGroup": "projectWriters"},
            ],
        )
        keys = [key] if (key := encryption(document)) else []
        place = document["location"].lower()
        if found := violated(call.cloud, call.project or "", "bigquery.googleapis.com", place=place, keys=keys):
            raise FailedPrecondition(f"Constraint constraints/{found} violated for {document['id']}.")
        self.check(call, document)

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """Validate as at creation; who may use it stays as it is when a replacement does not say."""
        after.setdefault("access", before["access"])
        self.check(call, after)

    def read(self, call: Call) -> Document:
        """With the time travel that it has unless told otherwise, which the answer to its creation does not show."""
        return {"maxTimeTravelHours": TIME_TRAVEL_HOURS, **super().read(call)}

    def check(self, call: Call, document: Document) -> None:
        """The key is usable, expirations are long enough."""
        if key := encryption(document):
            require_key(call.cloud, key, agents.ensure(call.cloud, AGENT, call.project or ""))
        expiration = document.get("defaultTableExpirationMs")
        if expiration and int(expiration) < SHORTEST_EXPIRATION_MS:
            raise InvalidArgument(
                f"Default table expiration must be at least 3600000 ms, it is {expiration}.", reason="invalid"
            )

    def deleting(self, call: Call, document: Document) -> None:
        """Only an empty one, unless ``deleteContents``."""
        filled = call.cloud.store.documents(TABLES, f"{call.name}/tables")
        if filled and call.query.get("deleteContents") != "true":
            raise InvalidArgument(f"Dataset {document['id']} is still in use", reason="resourceInUse")


def encryption(document: Document) -> str:
    """The customer's key of a dataset or table; empty for Google's own."""
    for field in ("defaultEncryptionConfiguration", "encryptionConfiguration"):
        if key := document.get(field, {}).get("kmsKeyName"):
            return str(key)
    return ""


def service_account(call: Call) -> Document:
    """The agent that uses customers' keys."""
    email = agents.ensure(call.cloud, AGENT, call.project or "")
    return {"kind": "bigquery#getServiceAccountResponse", "email": email}


HANDLERS = {"bigquery.projects.getServiceAccount": service_account}
