"""Services, methods and messages of ``descriptors.json``, read when the first of them is asked for."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from google.protobuf import descriptor_pb2
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass


@dataclass(frozen=True, slots=True)
class Binding:
    """One HTTP rule of a method, as in ``google.api.http``.

    Attributes:
        path: template with its leading slash, as ``/v3/{name=projects/*}/timeSeries``.
        body: field that is the request's body; ``*`` for all that the path does not name.
        response_body: field of the response that is the answer's body; empty for the whole.
    """

    verb: str
    path: str
    body: str = ""
    response_body: str = ""


@dataclass(frozen=True, slots=True)
class Rpc:
    """One method of a gRPC service.

    Attributes:
        service: full name, as ``google.monitoring.v3.MetricService``.
        host: the service's own host.
        request: full name of the request's message.
        response: full name of the response's message.
        streams: whether the client streams, and whether the server does.
    """

    service: str
    name: str
    host: str
    request: str
    response: str
    bindings: tuple[Binding, ...] = ()
    streams: tuple[bool, bool] = (False, False)

    @property
    def full_name(self) -> str:
        """As in the request's path: ``google.monitoring.v3.MetricService/ListTimeSeries``."""
        return f"{self.service}/{self.name}"


class Database:
    """Finds the file of a message for protobuf's pool, which then reads only what it needs."""

    def __init__(self, files: dict[str, Any]) -> None:
        self._files = files
        self._of_symbol = {symbol: name for name, file in files.items() for symbol in file["symbols"]}

    def FindFileByName(self, name: str) -> descriptor_pb2.FileDescriptorProto:  # noqa: N802 -- protobuf calls it so
        """The descriptor of a file.

        Raises:
            KeyError: it is unknown.
        """
        text = self._files[name]["descriptor"]
        return descriptor_pb2.FileDescriptorProto.FromString(zlib.decompress(base64.b64decode(text)))

    def FindFileContainingSymbol(self, symbol: str) -> descriptor_pb2.FileDescriptorProto:  # noqa: N802 -- as above
        """The descriptor of the file that defines a message or an enum, also a nested one.

        Raises:
            KeyError: no file does.
        """
        while symbol not in self._of_symbol and "." in symbol:
            symbol = symbol.rpartition(".")[0]
        return self.FindFileByName(self._of_symbol[symbol])


class Descriptors:
    """All described services.

    Attributes:
        pool: of every message, apart from the pool that imported libraries fill.
        sources: modules and versions that the data was made from.
    """

    def __init__(self) -> None:
        data = json.loads(resources.files("sandbox.grpc").joinpath("descriptors.json").read_text())
        self.sources: list[str] = data["sources"]
        self._services: dict[str, Any] = data["services"]
        # protobuf's stubs know its pool without the database that its documentation offers
        self.pool: DescriptorPool = DescriptorPool(Database(data["files"]))

    def services(self) -> list[str]:
        """Full names of all services."""
        return list(self._services)

    def methods(self, service: str) -> list[Rpc]:
        """All methods of a service."""
        return [found for name in self._services[service]["methods"] if (found := self.method(f"{service}/{name}"))]

    def method(self, full_name: str) -> Rpc | None:
        """A method by ``package.Service/Method``; None when it is unknown."""
        service, _, name = full_name.partition("/")
        entry = self._services.get(service, {"methods": {}})
        method = entry["methods"].get(name)
        if method is None:
            return None
        client, server = method.get("streams", (False, False))
        bindings = tuple(Binding(**one) for one in method.get("bindings", ()))
        return Rpc(service, name, entry["host"], method["request"], method["response"], bindings, (client, server))

    def message(self, name: str) -> type[Message]:
        """The class of a message by its full name.

        Raises:
            KeyError: it is unknown.
        """
        return GetMessageClass(self.pool.FindMessageTypeByName(name))

    def knows(self, name: str) -> bool:
        """Whether a message of this full name is described."""
        try:
            self.pool.FindMessageTypeByName(name)
        except KeyError:
            return False
        return True


@cache
def described() -> Descriptors:
    """The one set of descriptors of a process."""
    return Descriptors()
