"""The JSON schema of a stack's settings file, `Pulumi.<stack>.yaml`, for editors; made from the model.

It describes the file, which the model does not: keys under `plantain:`, settings of other parts beside them, secrets as
Pulumi writes them, and text where `pulumi config set` writes it.
"""

import json
from collections.abc import Mapping
from typing import Any

from infra.settings import NAMESPACE, Settings

SECRET = {"type": "object", "properties": {"secure": {"type": "string"}}, "required": ["secure"]}
"""What `pulumi config set --secret` writes."""
WRITTEN_AS_TEXT: Mapping[str, list[dict[str, Any]]] = {
    "boolean": [{"type": "boolean"}, {"enum": ["true", "false"]}],
    "integer": [{"type": "integer"}, {"type": "string", "pattern": "^[0-9]+$"}],
}
"""Directly under `config:`, `pulumi config set` puts a value in quotes, whatever it is."""
BESIDE: Mapping[str, dict[str, Any]] = {
    "secretsprovider": {"type": "string", "description": "what encrypts the stack's secrets; written by pulumi"},
    "encryptedkey": {"type": "string", "description": "key of the stack's secrets, encrypted; written by pulumi"},
    "encryptionsalt": {"type": "string", "description": "salt of the stack's passphrase; written by pulumi"},
    "environment": {"description": "environments of Pulumi ESC that settings come from, such as plantain/prod"},
}


def schema() -> str:
    """The schema as the file that editors read."""
    made = Settings.model_json_schema(by_alias=True)
    definitions = {name: _secrets_included(part) for name, part in made["$defs"].items()}
    settings = {f"{NAMESPACE}:{name}": _written(_secrets_included(part)) for name, part in made["properties"].items()}
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Settings of a stack",
        "type": "object",
        "properties": {
            "config": {
                "type": "object",
                "description": "settings by part: plantain: is the infrastructure, policies: the policy pack",
                "properties": settings,
                "patternProperties": {f"^(?!{NAMESPACE}:)[^:]+:": {}},
                "additionalProperties": False,
            },
            **BESIDE,
        },
        "additionalProperties": False,
        # With an environment of Pulumi ESC any of them may come from there.
        "if": {"not": {"required": ["environment"]}},
        "then": {
            "required": ["config"],
            "properties": {"config": {"required": [f"{NAMESPACE}:{name}" for name in made["required"]]}},
        },
        "$defs": definitions,
    }
    return json.dumps(document, indent=2) + "\n"


def _written(part: dict[str, Any]) -> dict[str, Any]:
    """A setting directly under `config:`, which may be written as text."""
    choices = WRITTEN_AS_TEXT.get(part.get("type", ""))
    if choices is None:
        return part
    return {key: value for key, value in part.items() if key != "type"} | {"anyOf": choices}


def _secrets_included(part: Any) -> Any:
    """A part in which what is secret may also be encrypted."""
    if isinstance(part, list):
        return [_secrets_included(member) for member in part]
    if not isinstance(part, dict):
        return part
    if part.get("format") == "password":
        return {"anyOf": [part, SECRET]}
    return {key: _secrets_included(value) for key, value in part.items()}
