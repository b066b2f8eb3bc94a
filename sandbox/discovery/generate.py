"""Write the compact API descriptions beside this file from Google's discovery documents.

    python -m sandbox.discovery.generate path/to/googleapiclient/discovery_cache/documents 2.202.0

The documents ship inside the package ``google-api-python-client`` (Apache-2.0); the second argument is its version and
is recorded in every file. Only routes, parameters and the shapes of fields are kept: no descriptive text.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from sandbox.discovery.selection import SELECTION, Selection

Document = dict[str, Any]


def field_shape(schema: Document) -> Document:
    """Reduce one property's schema to what the server acts on."""
    text = schema.get("description", "")
    shape: Document = {}
    for key in ("type", "format", "enum"):
        if key in schema:
            shape[key] = schema[key]
    if "$ref" in schema:
        shape["ref"] = schema["$ref"]
    if schema.get("readOnly") or text.startswith(("Output only", "[Output Only]", "Output Only")):
        shape["readOnly"] = True
    if "Immutable." in text[:80]:
        shape["immutable"] = True
    if text.startswith("Required."):
        shape["required"] = True
    if "items" in schema:
        shape["items"] = field_shape(schema["items"])
    if "properties" in schema:
        shape["properties"] = {name: field_shape(value) for name, value in schema["properties"].items()}
    if "additionalProperties" in schema:
        shape["values"] = field_shape(schema["additionalProperties"])
    return shape


def references(shape: Any) -> set[str]:
    """Names of the schemas which a shape refers to, directly."""
    if isinstance(shape, dict):
        found = {shape["ref"]} if isinstance(shape.get("ref"), str) else set()
        return found.union(*(references(value) for value in shape.values()))
    if isinstance(shape, list):
        return set().union(*(references(value) for value in shape))
    return set()


def methods(document: Document, resources: Document, chosen: Selection) -> list[Document]:
    """All selected methods below ``resources``, depth first, in the document's order."""
    found: list[Document] = []
    for name, resource in resources.items():
        for method in resource.get("methods", {}).values():
            if not chosen.admits(method["id"]):
                continue
            parameters = method.get("parameters", {})
            entry = {
                "id": method["id"],
                "verb": method["httpMethod"],
                "path": document["servicePath"] + method["path"],
                "parameters": {
                    key: value.get("pattern", "") for key, value in parameters.items() if value["location"] == "path"
                },
                "query": sorted(key for key, value in parameters.items() if value["location"] == "query"),
                "request": method.get("request", {}).get("$ref", ""),
                "response": method.get("response", {}).get("$ref", ""),
            }
            if "mediaUpload" in method:
                entry["upload"] = {k: v["path"].lstrip("/") for k, v in method["mediaUpload"]["protocols"].items()}
            if method.get("supportsMediaDownload"):
                entry["download"] = True
            found.append(entry)
        found += methods(document, resource.get("resources", {}), chosen)
        del name
    return found


def describe(document: Document, chosen: Selection, source: str) -> Document:
    """The compact description of one service version."""
    routes = methods(
        document,
        {"": document, **document.get("resources", {})} if "methods" in document else document["resources"],
        chosen,
    )
    shapes = {name: field_shape(schema) for name, schema in document["schemas"].items()}
    wanted = {route[key] for route in routes for key in ("request", "response")} - {""}
    reached: set[str] = set()
    while wanted:
        reached |= wanted
        wanted = set().union(*(references(shapes[name]) for name in wanted)) - reached
    return {
        "service": document["name"],
        "version": document["version"],
        "host": document["rootUrl"].removeprefix("https://").rstrip("/"),
        "revision": document["revision"],
        "source": source,
        "aliases": list(chosen.aliases),
        "methods": routes,
        "schemas": {name: shapes[name] for name in sorted(reached)},
    }


def write(description: Document, folder: Path) -> Path:
    """Write one description, one method and one schema a line, so that a new revision gives a readable diff."""
    path = folder / f"{description['service']}.{description['version']}.json"
    head = {key: value for key, value in description.items() if key not in {"methods", "schemas"}}
    lines = [json.dumps(head)[:-1] + ',"methods":[']
    lines.append(",\n".join(json.dumps(m, separators=(",", ":")) for m in description["methods"]))
    lines.append('],"schemas":{')
    lines.append(
        ",\n".join(
            f"{json.dumps(name)}:{json.dumps(shape, separators=(',', ':'))}"
            for name, shape in description["schemas"].items()
        )
    )
    lines.append("}}")
    path.write_text("\n".join(lines) + "\n")
    return path


def main() -> None:
    """Regenerate every description of the selection."""
    documents, version = Path(sys.argv[1]), sys.argv[2]
    for chosen in SELECTION:
        document = json.loads((documents / f"{chosen.name}.json").read_text())
        path = write(describe(document, chosen, f"google-api-python-client {version}"), Path(__file__).parent)
        sys.stdout.write(f"{path.name} {path.stat().st_size // 1024} KB\n")


if __name__ == "__main__":
    main()
