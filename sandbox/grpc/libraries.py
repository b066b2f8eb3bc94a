"""Services of which no Go module can be had: read from Google's Python library, as far as that tells of them.

Its REST transport lists the HTTP rules, its gRPC transport the paths and messages.
"""

from __future__ import annotations

import importlib
import re
from typing import Any, Self

import grpc
from google.protobuf import descriptor_pb2

File = descriptor_pb2.FileDescriptorProto


class Recorder(grpc.Channel):
    """A channel on which nothing is sent: it notes which methods a transport asks for."""

    def __init__(self) -> None:
        self.methods: dict[str, tuple[Any, Any]] = {}

    def unary_unary(
        self, method: str, request_serializer: Any = None, response_deserializer: Any = None, *_: Any
    ) -> Any:
        """Note a method with the classes of its messages."""
        self.methods[method.lstrip("/")] = (request_serializer.__self__, response_deserializer.__self__)

    def unary_stream(self, *_: Any, **__: Any) -> Any:
        """No such method is read."""

    stream_unary = stream_stream = unary_stream

    def subscribe(self, callback: Any, try_to_connect: Any = False) -> None:
        """There is no connection."""

    def unsubscribe(self, callback: Any) -> None:
        """There is no connection."""

    def close(self) -> None:
        """There is no connection."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """There is no connection."""


def read(package: str, service: str) -> tuple[dict[str, Any], list[File]]:
    """One service's methods with their HTTP bindings, and the files of its messages.

    Args:
        package: as ``google.cloud.cloudquotas_v1``.
        service: as ``CloudQuotas``.
    """
    folder = re.sub(r"(?<!^)([A-Z])", r"_\1", service).lower()
    client = getattr(importlib.import_module(f"{package}.services.{folder}"), f"{service}Client")
    rest = importlib.import_module(f"{package}.services.{folder}.transports.rest_base")
    rules = getattr(rest, f"_Base{service}RestTransport")
    channel = Recorder()
    transport = client.get_transport_class("grpc")(channel=channel)
    # Its own channel asks ours only when a call is made, and none is.
    transport._logged_channel = channel  # noqa: SLF001 -- see above
    transport._stubs.clear()  # noqa: SLF001 -- as above
    methods: dict[str, Any] = {}
    files: dict[str, File] = {}
    full_name = ""
    for holder in (value for name, value in vars(rules).items() if hasattr(value, "_get_http_options")):
        name = holder.__name__.removeprefix("_Base")
        getattr(transport, re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower())
        path, (request, response) = next(item for item in channel.methods.items() if item[0].endswith(f"/{name}"))
        full_name = path.partition("/")[0]
        methods[name] = {
            "request": request.meta.pb.DESCRIPTOR.full_name,
            "response": response.meta.pb.DESCRIPTOR.full_name,
            "bindings": [
                {
                    "verb": rule["method"].upper(),
                    "path": rule["uri"],
                    **({"body": rule["body"]} if "body" in rule else {}),
                }
                for rule in holder._get_http_options()  # noqa: SLF001 -- the only place where the library keeps them
            ],
        }
        for message in (request, response):
            collect(message.meta.pb.DESCRIPTOR.file, files)
    first = next(name for name in files if not name.startswith("google/protobuf/"))
    return {full_name: {"file": first, "host": client.DEFAULT_ENDPOINT, "methods": methods}}, list(files.values())


def collect(file: Any, found: dict[str, File]) -> None:
    """A file and what it imports."""
    if file.name not in found:
        found[file.name] = File.FromString(file.serialized_pb)
        for needed in file.dependencies:
            collect(needed, found)
