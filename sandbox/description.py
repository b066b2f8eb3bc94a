"""The APIs as Google describes them, and the way from a request line to one of their methods."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import resources
from typing import Any
from urllib.parse import unquote

Shape = dict[str, Any]

PERCENT_COLON, PERCENT_SLASH = re.compile("%3a", re.IGNORECASE), re.compile("%2f", re.IGNORECASE)
TEMPLATE = re.compile(r"\{(\+?)(\w+)(?:=([^}]*))?\}")


@dataclass(frozen=True)
class Method:
    """One method of one service version.

    Attributes:
        id: Google's method id, as ``cloudkms.projects.locations.keyRings.create``.
        pattern: matches the whole raw path without its leading slash.
        prefix: what precedes the resource's name in the path, as ``compute/v1/`` or ``v1/``.
        upload: this route takes media (``/upload/...``).
        described: the schemas are this version's own, not those of the version that stands in for it.
    """

    id: str
    service: str
    version: str
    host: str
    verb: str
    pattern: re.Pattern[str]
    prefix: str
    custom: str
    query: tuple[str, ...]
    request: str
    response: str
    upload: bool = False
    download: bool = False
    described: bool = True
    schemas: dict[str, Shape] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def action(self) -> str:
        """The last part of the id: ``create``."""
        return self.id.rpartition(".")[2]

    @cached_property
    def collection(self) -> str:
        """The last collection of the id: ``keyRings``; empty for a method of the service itself."""
        parts = self.id.split(".")
        return parts[-2] if len(parts) > 2 else ""  # noqa: PLR2004 -- service, collection, action

    @cached_property
    def kind(self) -> str:
        """Service and collection, ``cloudkms.keyRings``, the same below any parent; the service alone without one."""
        return f"{self.service}.{self.collection}" if self.collection else self.service

    @cached_property
    def short(self) -> str:
        """Kind and action: ``cloudkms.keyRings.create``."""
        return f"{self.kind}.{self.action}"

    @cached_property
    def resource_schema(self) -> Shape:
        """Shape of the resource that the method creates, changes or returns; empty when there is none."""
        return self.schemas.get(self.request) or self.schemas.get(self.response) or {}

    @cached_property
    def long_running(self) -> bool:
        """Whether the answer is an operation."""
        return self.response in {"Operation", "GoogleLongrunningOperation"}


@dataclass(frozen=True, slots=True)
class Route:
    """A method found for a request, with its decoded path parameters and the resource's name."""

    method: Method
    parameters: dict[str, str]
    name: str


def compile_path(path: str, parameters: dict[str, str]) -> re.Pattern[str]:
    """A regular expression over the raw path; slashes inside one segment arrive percent-encoded."""
    expression, position = "", 0
    for match in TEMPLATE.finditer(path):
        expression += re.escape(path[position : match.start()])
        reserved, name = match[1], match[2]
        inner = parameters.get(name, "").removeprefix("^").removesuffix("$") if reserved else ""
        expression += f"(?P<{name}>{inner or ('.+' if reserved else '[^/]+')})"
        position = match.end()
    return re.compile(expression + re.escape(path[position:]))


def custom_verb(path: str) -> str:
    """``enable`` for a path that ends in ``:enable``, else empty."""
    return path.rpartition(":")[2] if ":" in path.rpartition("/")[2].rpartition("}")[2] else ""


class Description:
    """All versions of all described services.

    Raises:
        FileNotFoundError: when the package was installed without its data.
    """

    def __init__(self) -> None:
        self._routes: dict[tuple[str, str], list[Method]] = {}
        self.services: dict[str, str] = {}
        self.sources: dict[str, str] = {}
        for file in sorted(resources.files("sandbox.discovery").iterdir(), key=lambda item: item.name):
            if file.name.endswith(".json"):
                self._read(json.loads(file.read_text()))
        for methods in self._routes.values():
            methods.sort(key=lambda m: (not m.custom, m.pattern.groups > 0, -len(m.pattern.pattern)))

    def _read(self, document: dict[str, Any]) -> None:
        service, version = document["service"], document["version"]
        self.services[service] = document["host"]
        self.sources[f"{service}.{version}"] = f"{document['source']}, revision {document['revision']}"
        for entry in document["methods"]:
            for alias in (version, *document["aliases"]):
                self._add(document, entry, alias)

    def _add(self, document: dict[str, Any], entry: dict[str, Any], version: str) -> None:
        routes = [(entry["path"], entry["verb"], False)]
        if path := entry.get("upload", {}).get("simple"):
            # PUT continues a resumable session, DELETE cancels it.
            routes += [(path, verb, True) for verb in (entry["verb"], "PUT", "DELETE")]
        if entry.get("download"):
            routes.append((f"download/{entry['path']}", entry["verb"], False))
        for path, verb, upload in routes:
            routed = path.replace(f"{document['version']}/", f"{version}/", 1)
            before, found, _ = routed.partition(f"{version}/")
            method = Method(
                id=entry["id"],
                service=document["service"],
                version=version,
                host=document["host"],
                verb=verb,
                pattern=compile_path(routed, entry["parameters"]),
                prefix=before + found if found else "",
                custom=custom_verb(routed),
                query=tuple(entry["query"]),
                request=entry["request"],
                response=entry["response"],
                upload=upload,
                download=entry.get("download", False),
                described=version == document["version"],
                schemas=document["schemas"],
            )
            self._routes.setdefault((document["service"], verb), []).append(method)

    def match(self, service: str, verb: str, path: str) -> Route | None:
        """The method that answers ``verb path`` of a service; ``path`` is raw, without leading slash.

        Some clients encode the colon before a custom method, or the slashes of a whole name. The colon counts where a
        custom method is meant, the slashes where no method has the path as it came.
        """
        if "%" not in path:
            return self._match(service, verb, path)
        plain = PERCENT_COLON.sub(":", path)
        if plain != path and (custom := self._match(service, verb, plain)) and custom.method.custom:
            return custom
        found = self._match(service, verb, path)
        if found or (slashed := PERCENT_SLASH.sub("/", plain)) == path:
            return found
        return self._match(service, verb, slashed)

    def _match(self, service: str, verb: str, path: str) -> Route | None:
        path = path.rstrip("/")
        for method in self._routes.get((service, verb), ()):
            found = method.pattern.fullmatch(path)
            if found:
                name = path.removeprefix(method.prefix)
                if method.custom:
                    name = name.removesuffix(f":{method.custom}")
                return Route(method, {k: unquote(v) for k, v in found.groupdict().items()}, unquote(name))
        return None

    def methods(self, service: str) -> list[Method]:
        """Every method of a service, all versions."""
        return [m for (name, _), methods in self._routes.items() if name == service for m in methods]

    def service_of_host(self, host: str) -> str | None:
        """The service behind a ``Host`` header: global, regional (``us-west1-aiplatform``) and ``rep`` hosts."""
        name = host.partition(":")[0].lower()
        if not name.endswith(".googleapis.com"):
            return None
        label = name.removesuffix(".googleapis.com").partition(".")[0]
        if label in self.services:
            return label
        tail = label.rpartition("-")[2]
        return tail if tail in self.services else None


@cache
def described() -> Description:
    """The one description that all sandboxes of a process share: nothing changes it once it is read."""
    return Description()
