"""Write ``descriptors.json`` beside this file from Google's published protobuf descriptors.

    python -m sandbox.grpc.generate "$(go env GOMODCACHE)"

Python's own client libraries carry neither services nor HTTP rules. Google's Go modules (Apache-2.0) do: each of their
``.pb.go`` files holds its descriptor as a string. ``go mod download MODULE@VERSION`` fetches what ``sources.py`` names.
Where there is no module, ``libraries.py`` gathers what Python's library has. Kept are the shapes of messages and, for
each method, its HTTP bindings; all other options are dropped.
"""

from __future__ import annotations

import base64
import json
import re
import sys
import zlib
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from google.api import annotations_pb2, client_pb2  # type: ignore[import-untyped]  # they ship no types
from google.protobuf import descriptor_pb2

from sandbox.grpc import libraries
from sandbox.grpc.sources import LIBRARIES, SERVICES, SHARED, Source

File = descriptor_pb2.FileDescriptorProto

RAW = re.compile(r'_rawDesc = ""((?: \+\n\t"(?:[^"\\]|\\.)*")+)')
OLDER = re.compile(r"_rawDesc = \[\]byte\{\n([^}]*)\}")
LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')
ESCAPE = re.compile(r"\\(x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}|[0-7]{3}|.)")
SIMPLE = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92, '"': 34}

#: They hold options alone, and options are dropped.
OPTIONS = {
    f"google/api/{name}.proto"
    for name in ("annotations", "client", "field_behavior", "field_info", "resource", "routing", "visibility")
} | {"google/cloud/extended_operations.proto"}

VERBS = ("get", "put", "post", "delete", "patch")


def unquote(literal: str) -> bytes:
    """The bytes of a Go string literal's inside."""
    parts, position = [], 0
    for found in ESCAPE.finditer(literal):
        parts.append(literal[position : found.start()].encode())
        code = found[1]
        if code[0] == "x":
            parts.append(bytes([int(code[1:], 16)]))
        elif code[0] in "uU":
            parts.append(chr(int(code[1:], 16)).encode())
        elif code.isdigit():
            parts.append(bytes([int(code, 8)]))
        else:
            parts.append(bytes([SIMPLE[code]]))
        position = found.end()
    parts.append(literal[position:].encode())
    return b"".join(parts)


def files(cache: Path, source: Source) -> Iterator[File]:
    """The descriptors of a package.

    Raises:
        SystemExit: the module is not in the cache.
    """
    folder = cache / f"{source.module}@{source.version}" / source.folder
    if not folder.is_dir():
        raise SystemExit(f"{folder} is missing: go mod download {source.module}@{source.version}")
    for path in sorted(folder.glob("*.pb.go")):
        text = path.read_text()
        for raw in RAW.finditer(text):
            yield File.FromString(b"".join(unquote(literal[1]) for literal in LITERAL.finditer(raw[1])))
        for raw in OLDER.finditer(text):
            yield File.FromString(bytes(int(item, 16) for item in raw[1].replace(",", " ").split()))


def binding(rule: Any) -> dict[str, str]:
    """One HTTP rule: verb, path, and which fields are the bodies."""
    verb = next(verb for verb in VERBS if getattr(rule, verb)) if not rule.custom.path else rule.custom.kind.lower()
    found = {"verb": verb.upper(), "path": getattr(rule, verb, "") or rule.custom.path}
    for key in ("body", "response_body"):
        if value := getattr(rule, key):
            found[key] = value
    return found


def services(file: File) -> dict[str, Any]:
    """The services of a file with their hosts and HTTP bindings."""
    found: dict[str, Any] = {}
    for service in file.service:
        methods: dict[str, Any] = {}
        for method in service.method:
            entry: dict[str, Any] = {"request": method.input_type[1:], "response": method.output_type[1:]}
            if method.client_streaming or method.server_streaming:
                entry["streams"] = [method.client_streaming, method.server_streaming]
            rule = method.options.Extensions[annotations_pb2.http]
            if rule.ByteSize():
                entry["bindings"] = [binding(one) for one in (rule, *rule.additional_bindings)]
            methods[method.name] = entry
        host = service.options.Extensions[client_pb2.default_host]
        found[f"{file.package}.{service.name}"] = {"file": file.name, "host": host, "methods": methods}
    return found


def strip(file: File) -> File:
    """The file without services, comments and options that do not change how bytes are read."""
    for part in ("service", "options", "source_code_info", "extension"):
        file.ClearField(part)
    kept = [name for name in file.dependency if name not in OPTIONS]
    file.ClearField("public_dependency")
    del file.dependency[:]
    file.dependency.extend(kept)
    for message in file.message_type:
        strip_message(message)
    for enum in file.enum_type:
        strip_enum(enum)
    return file


def strip_message(message: descriptor_pb2.DescriptorProto) -> None:
    """See ``strip``."""
    entry = message.options.map_entry
    message.ClearField("options")
    if entry:
        message.options.map_entry = True
    for field in message.field:
        packed = field.options.packed if field.options.HasField("packed") else None
        field.ClearField("options")
        if packed is not None:
            field.options.packed = packed
    for oneof in message.oneof_decl:
        oneof.ClearField("options")
    for nested in message.nested_type:
        strip_message(nested)
    for enum in message.enum_type:
        strip_enum(enum)


def strip_enum(enum: descriptor_pb2.EnumDescriptorProto) -> None:
    """See ``strip``."""
    alias = enum.options.allow_alias
    enum.ClearField("options")
    if alias:
        enum.options.allow_alias = True
    for value in enum.value:
        value.ClearField("options")


def reached(wanted: Iterable[str], known: dict[str, File]) -> dict[str, File]:
    """Files and all that they import.

    Raises:
        SystemExit: a file is in no source.
    """
    found: dict[str, File] = {}
    waiting = list(wanted)
    while waiting:
        name = waiting.pop()
        if name in found or name in OPTIONS:
            continue
        if name not in known:
            raise SystemExit(f"{name} is in no module of sandbox/grpc/sources.py.")
        found[name] = known[name]
        waiting += known[name].dependency
    return dict(sorted(found.items()))


def describe(cache: Path) -> dict[str, Any]:
    """The content of the data file."""
    known: dict[str, File] = {}
    offered: dict[str, Any] = {}
    wanted: list[str] = []
    for source in (*SERVICES, *SHARED):
        for file in files(cache, source):
            known.setdefault(file.name, file)
            stem = file.name.rpartition("/")[2].removesuffix(".proto")
            if source in SERVICES and (not source.only or stem in source.only):
                offered.update(services(file))
                wanted.append(file.name)
            elif source in SHARED and not file.name.startswith(("google/api/", "google/cloud/", "google/identity/")):
                wanted.append(file.name)
    for package, service, distribution, version in LIBRARIES:
        if metadata.version(distribution) != version:
            raise SystemExit(
                f"{distribution} {metadata.version(distribution)} is installed, sources.py says {version}."
            )
        found, needed = libraries.read(package, service)
        offered |= found
        for file in needed:
            known.setdefault(file.name, file)
            wanted.append(file.name)
    wanted += ["google/cloud/audit/audit_log.proto"]
    chosen = reached(wanted, known)
    return {
        "sources": sorted(
            {f"{source.module} {source.version}" for source in (*SERVICES, *SHARED)}
            | {f"{distribution} {version}" for _, _, distribution, version in LIBRARIES}
        ),
        "services": dict(sorted(offered.items())),
        "files": {name: packed(strip(file)) for name, file in chosen.items()},
    }


def packed(file: File) -> dict[str, Any]:
    """A file's messages and enums, and its descriptor: protobuf, deflated, in base 64."""
    prefix = f"{file.package}." if file.package else ""
    names = [message.name for message in file.message_type] + [enum.name for enum in file.enum_type]
    return {
        "symbols": [f"{prefix}{name}" for name in names],
        "descriptor": base64.b64encode(zlib.compress(file.SerializeToString(deterministic=True), 9)).decode(),
    }


def write(description: dict[str, Any], path: Path) -> None:
    """One service and one file a line, so that a new version gives a readable diff."""
    lines = ['{"sources":' + json.dumps(description["sources"])]
    for part in ("services", "files"):
        rows = ",\n".join(
            f"{json.dumps(name)}:{json.dumps(value, separators=(',', ':'))}"
            for name, value in description[part].items()
        )
        lines.append(f',"{part}":{{\n{rows}\n}}')
    path.write_text("\n".join(lines) + "}\n")


def main() -> None:
    """Regenerate the data file."""
    path = Path(__file__).with_name("descriptors.json")
    description = describe(Path(sys.argv[1]))
    write(description, path)
    sys.stdout.write(
        f"{len(description['services'])} services, {len(description['files'])} files, "
        f"{path.stat().st_size // 1024} KB\n"
    )


if __name__ == "__main__":
    main()
