"""The built plugin's schema against the Python SDK: what a program may write and the plugin would not understand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from tests.engine.sdk import Class, Kind, Property, Sdk

Trouble = Literal["SDK only", "shape", "required by the plugin", "unknown type"]

PROVIDER = "pulumi:providers:gcp"

_REFERENCE = "#/types/"


@dataclass(frozen=True, order=True)
class Difference:
    """One property on which plugin and SDK do not agree.

    Attributes:
        trouble: in what.
        path: module.Class.property.property, as Pulumi spells properties.
        owner: module and class of the SDK that has the property.
        python: the property as a program spells it.
        detail: both sides, for shapes.
    """

    trouble: Trouble
    path: str
    owner: tuple[str, str] = field(compare=False, default=("", ""))
    python: str = field(compare=False, default="")
    detail: str = field(compare=False, default="")

    def __str__(self) -> str:
        return f"{self.path}: {self.trouble}{f' ({self.detail})' if self.detail else ''}"


class Comparison:
    def __init__(self, schema: dict[str, Any], sdk: Sdk) -> None:
        self.schema = schema
        self.sdk = sdk

    def provider(self) -> list[Difference]:
        """The provider's own settings."""
        path, name = self.sdk.resources[PROVIDER]
        settings = self.sdk.class_of(path, f"{name}Args")
        assert settings
        return self._inputs(name, settings, self.schema["provider"]["inputProperties"], set(), ())

    def resource(self, token: str) -> list[Difference]:
        """Inputs with all they nest, and the names and shapes of outputs."""
        path, name = self.sdk.resources[token]
        spec = self.schema["resources"][token]
        inputs, outputs = self.sdk.class_of(path, f"{name}Args"), self.sdk.class_of(path, name)
        assert inputs
        assert outputs
        title = f"{path.parent.name}.{name}"
        found = self._inputs(title, inputs, spec.get("inputProperties", {}), set(spec.get("requiredInputs", [])), ())
        return found + self._outputs(title, outputs, spec.get("properties", {}))

    def function(self, token: str) -> list[Difference]:
        path, name = self.sdk.functions[token]
        spec = self.schema["functions"][token]
        title = f"{path.parent.name}.{name}"
        given = spec.get("inputs", {})
        owner = Class(path.parent.name, name, self.sdk.arguments(path, name))
        found = self._inputs(title, owner, given.get("properties", {}), set(given.get("required", [])), ())
        result = self.sdk.class_of(path, f"{token.rsplit(':', 1)[-1][0].upper()}{token.rsplit(':', 1)[-1][1:]}Result")
        assert result, token
        return found + self._outputs(f"{title}()", result, spec["outputs"]["properties"])

    def _inputs(
        self, title: str, owner: Class, properties: dict[str, Any], required: set[str], above: tuple[str, ...]
    ) -> list[Difference]:
        found = [
            Difference("SDK only", f"{title}.{name}", (owner.module, owner.name), declared.python)
            for name, declared in owner.properties.items()
            if name not in properties
        ]
        for name, spec in properties.items():
            path = f"{title}.{name}"
            declared = owner.properties.get(name)
            if declared is None:  # the plugin knows more, which harms no program
                continue
            where = (path, (owner.module, owner.name), declared.python)
            if name in required and not declared.required:
                found.append(Difference("required by the plugin", *where))
            if (kind := kind_of(spec)) != declared.kind:
                found.append(Difference("shape", *where, f"{kind} in the plugin, {declared.kind} in the SDK"))
                continue
            found += self._nested(path, owner.module, declared, spec, above)
        return found

    def _nested(
        self, path: str, module: str, declared: Property, spec: dict[str, Any], above: tuple[str, ...]
    ) -> list[Difference]:
        reference = type_of(spec)
        if reference is None or reference in above:
            return []
        nested = self.sdk.inputs(module, declared.type or "")
        kind = self.schema["types"].get(reference)
        if nested is None or kind is None:
            return [Difference("unknown type", path, detail=f"{reference} in the plugin, {declared.type} in the SDK")]
        return self._inputs(
            path, nested, kind.get("properties", {}), set(kind.get("required", [])), (*above, reference)
        )

    def _outputs(self, title: str, owner: Class, properties: dict[str, Any]) -> list[Difference]:
        names = {name for name in owner.properties if name != "id"} - properties.keys()
        found = [Difference("SDK only", f"{title}.{name} (output)") for name in names]
        for name, spec in properties.items():
            declared = owner.properties.get(name)
            if declared and (kind := kind_of(spec)) != declared.kind:
                detail = f"{kind} in the plugin, {declared.kind} in the SDK"
                found.append(Difference("shape", f"{title}.{name} (output)", detail=detail))
        return found


def kind_of(spec: dict[str, Any]) -> Kind:
    """Outermost shape of a property of a Pulumi schema."""
    reference = spec.get("$ref", "")
    if reference.startswith(_REFERENCE):
        return "object"
    if reference.startswith("pulumi.json#/"):
        return "asset"
    return {"array": "array", "object": "map"}.get(spec.get("type", ""), "scalar")  # type: ignore[return-value]


def type_of(spec: dict[str, Any]) -> str | None:
    """Token of the object that a property is or holds."""
    inner = spec.get("items") or spec.get("additionalProperties") or spec
    reference: str = inner.get("$ref", "")
    return reference.removeprefix(_REFERENCE).replace("%2F", "/") if reference.startswith(_REFERENCE) else None
