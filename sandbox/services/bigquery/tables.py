"""Tables with a schema."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from sandbox.enforcement.encryption import require_key
from sandbox.errors import InvalidArgument, NotFound
from sandbox.services.bigquery.datasets import AGENT, encryption
from sandbox.services.bigquery.resource import DATASETS, ROWS, TABLES, BigQueryResource, dotted
from sandbox.services.bigquery.schema import check_fields
from sandbox.services.serviceusage import agents

if TYPE_CHECKING:
    from sandbox.call import Call

Document = dict[str, Any]


SIZES = ("numBytes", "numActiveLogicalBytes", "numTotalLogicalBytes")
#: Of what has not changed for 90 days.
LONG_TERM_SIZES = ("numLongTermBytes", "numLongTermLogicalBytes")


class Table(BigQueryResource):
    """A table; views are not emulated."""

    kind = TABLES
    noun = "Table"
    identity = "tableId"
    kept = ("location", "encryptionConfiguration")
    pattern = re.compile(r"[\w\- $]{1,1024}")
    marks = "underscores, dashes and spaces"

    def prepare(self, call: Call, document: Document) -> None:
        """The dataset's location and key, a valid schema."""
        dataset_name = call.name.removesuffix("/tables")
        dataset = call.cloud.store.get(DATASETS, dataset_name)
        if dataset is None:
            raise NotFound(f"Not found: Dataset {dotted(dataset_name)}")
        if "view" in document or "materializedView" in document:
            raise InvalidArgument("The sandbox has no views.", reason="notImplemented")
        document["type"] = "TABLE"
        document["location"] = dataset["location"]
        if key := encryption(document) or encryption(dataset):
            require_key(call.cloud, key, agents.ensure(call.cloud, AGENT, call.project or ""))
            document["encryptionConfiguration"] = {"kmsKeyName": key}
        check_fields(document.get("schema", {}).get("fields", []))

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """Columns may be added, none removed or retyped."""
        del call
        fields = {f["name"]: f for f in after.get("schema", {}).get("fields", [])}
        check_fields(list(fields.values()))
        for field in before.get("schema", {}).get("fields", []):
            now = fields.get(field["name"])
            if now is None or now["type"] != field["type"]:
                raise InvalidArgument(
                    f"Provided Schema does not match Table {before['id']}. Field {field['name']} is missing or has "
                    "another type in new schema",
                    reason="invalid",
                )

    def view(self, call: Call, document: Document) -> Document:
        """With its rows and their bytes, which are counted as the text that they are kept as."""
        reference = document["tableReference"]
        name = f"projects/{reference['projectId']}/datasets/{reference['datasetId']}/tables/{reference['tableId']}"
        stored = call.cloud.store.documents(ROWS, f"{name}/rows")
        size = str(sum(len(json.dumps(row)) for row in stored))
        counts = dict.fromkeys(SIZES, size) | dict.fromkeys(LONG_TERM_SIZES, "0") | {"numRows": str(len(stored))}
        return super().view(call, document) | counts

    def missing(self, call: Call) -> NotFound:
        """A missing dataset is named first."""
        dataset = call.name.rpartition("/tables/")[0]
        if call.cloud.store.get(DATASETS, dataset) is None:
            return NotFound(f"Not found: Dataset {dotted(dataset)}")
        return super().missing(call)

    def listing(self, call: Call) -> Document:
        """Tables of a dataset that is there."""
        dataset = call.name.removesuffix("/tables")
        if call.cloud.store.get(DATASETS, dataset) is None:
            raise NotFound(f"Not found: Dataset {dotted(dataset)}")
        return super().listing(call)
