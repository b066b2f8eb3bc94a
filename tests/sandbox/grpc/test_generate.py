"""Descriptors are read out of generated Go code, and reduced to what the server needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from google.api import annotations_pb2, client_pb2  # type: ignore[import-untyped]  # they ship no types
from google.protobuf import descriptor_pb2

from sandbox.grpc import libraries
from sandbox.grpc.descriptors import described
from sandbox.grpc.generate import files, packed, reached, services, strip
from sandbox.grpc.sources import LIBRARIES, SERVICES, SHARED, Source

MODULE = Source("example.com/kites", "v1.0.0", "kitespb")


def kites() -> descriptor_pb2.FileDescriptorProto:
    """A service with one method, two HTTP rules, and a message with a map."""
    file = descriptor_pb2.FileDescriptorProto(name="kites.proto", package="kites.v1", syntax="proto3")
    file.dependency.extend(["google/api/annotations.proto", "google/protobuf/empty.proto"])
    message = file.message_type.add(name="Kite")
    message.field.add(name="name", number=1, type=9, label=1).options.deprecated = True
    message.field.add(name="labels", number=2, type=11, label=3, type_name=".kites.v1.Kite.LabelsEntry")
    entry = message.nested_type.add(name="LabelsEntry")
    entry.options.map_entry = True
    for number, name in enumerate(("key", "value"), start=1):
        entry.field.add(name=name, number=number, type=9, label=1)
    service = file.service.add(name="Kites")
    service.options.Extensions[client_pb2.default_host] = "kites.googleapis.com"
    method = service.method.add(name="Fly", input_type=".kites.v1.Kite", output_type=".google.protobuf.Empty")
    method.server_streaming = True
    rule = method.options.Extensions[annotations_pb2.http]
    rule.post, rule.body = "/v1/{name=kites/*}:fly", "*"
    rule.additional_bindings.add(get="/v1/{name=folders/*/kites/*}")
    return file


def literal(content: bytes) -> str:
    """As protoc-gen-go writes it today."""
    text = "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\x{b:02x}" for b in content)
    return f'const file_kites_proto_rawDesc = "" +\n\t"{text[: len(text)]}"\n'


def listing(content: bytes) -> str:
    """As it wrote it before 2025."""
    rows = ", ".join(f"0x{b:02x}" for b in content)
    return f"var file_kites_proto_rawDesc = []byte{{\n\t{rows},\n}}\n"


@pytest.mark.parametrize("form", [literal, listing])
def test_a_descriptor_is_found_in_go_code(tmp_path: Path, form: Any) -> None:
    folder = tmp_path / "example.com" / "kites@v1.0.0" / "kitespb"
    folder.mkdir(parents=True)
    (folder / "kites.pb.go").write_text(f"package kitespb\n\n{form(kites().SerializeToString())}")
    assert list(files(tmp_path, MODULE)) == [kites()]


def test_a_module_that_was_not_fetched_is_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"go mod download example\.com/kites@v1\.0\.0"):
        list(files(tmp_path, MODULE))


def test_a_service_keeps_its_host_and_its_http_rules() -> None:
    assert services(kites()) == {
        "kites.v1.Kites": {
            "file": "kites.proto",
            "host": "kites.googleapis.com",
            "methods": {
                "Fly": {
                    "request": "kites.v1.Kite",
                    "response": "google.protobuf.Empty",
                    "streams": [False, True],
                    "bindings": [
                        {"verb": "POST", "path": "/v1/{name=kites/*}:fly", "body": "*"},
                        {"verb": "GET", "path": "/v1/{name=folders/*/kites/*}"},
                    ],
                }
            },
        }
    }


def test_what_does_not_change_the_bytes_is_dropped() -> None:
    file = strip(kites())
    assert list(file.dependency) == ["google/protobuf/empty.proto"]
    assert not file.service
    assert not file.message_type[0].field[0].HasField("options")
    assert file.message_type[0].nested_type[0].options.map_entry
    assert packed(file)["symbols"] == ["kites.v1.Kite"]


def test_an_import_of_nowhere_is_named() -> None:
    with pytest.raises(SystemExit, match=r"google/protobuf/empty\.proto is in no module"):
        reached(["kites.proto"], {"kites.proto": kites()})


def test_a_python_library_tells_methods_rules_and_messages() -> None:
    package, service, _, _ = LIBRARIES[0]
    found, messages = libraries.read(package, service)
    known = described().method("google.api.cloudquotas.v1.CloudQuotas/UpdateQuotaPreference")
    assert known is not None
    method = found[known.service]["methods"]["UpdateQuotaPreference"]
    assert [rule["path"] for rule in method["bindings"]] == [binding.path for binding in known.bindings]
    assert method["bindings"][0]["body"] == "quota_preference"
    assert any(file.name.endswith("cloudquotas.proto") for file in messages)


def test_every_source_is_on_record_in_the_data() -> None:
    wanted = {f"{source.module} {source.version}" for source in (*SERVICES, *SHARED)}
    assert wanted <= set(described().sources)
    assert {f"{distribution} {version}" for _, _, distribution, version in LIBRARIES} <= set(described().sources)
