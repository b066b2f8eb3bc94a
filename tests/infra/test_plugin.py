"""The stack sets nothing that only the published plugin knows, so it runs on the one that is built here as well."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra import endpoints
from tests.infra.recording_engine import Recording
from tests.infra.stacks import DEPLOYER, joined, owned, record

ROOT = Path(__file__).resolve().parents[2]
SDK_ONLY = [
    line.split()[0]
    for line in (ROOT / "tests" / "engine" / "sdk_only.txt").read_text().splitlines()
    if line.strip() and "(output)" not in line
]


def properties(value: Any, path: str) -> Iterator[str]:
    """Every property of a resource's inputs as a dotted path without list positions."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield f"{path}.{key}"
            yield from properties(member, f"{path}.{key}")
    elif isinstance(value, list):
        for member in value:
            yield from properties(member, path)


def used(stack: Recording) -> set[str]:
    return {
        property_path
        for resource in stack.cloud()
        for property_path in properties(
            resource.inputs, f"{resource.type.split(':')[1].split('/')[0]}.{resource.type.split(':')[-1]}"
        )
    }


@pytest.mark.parametrize(
    "perimeter", [owned(ipSubnetworks=["203.0.113.0/24"]), joined(deployers=[DEPLOYER])], ids=["owner", "member"]
)
def test_no_resource_uses_a_property_that_only_the_sdk_has(root: Path, perimeter: dict[str, Any]) -> None:
    paths = used(record(root, perimeter=perimeter))
    assert "cloudfunctionsv2.Function.serviceConfig.directVpcEgress" in paths, "the paths are spelled as in the list"
    assert not paths & set(SDK_ONLY)


def test_no_endpoint_of_the_sandbox_stack_is_one_that_only_the_sdk_has() -> None:
    config = yaml.safe_load((ROOT / "Pulumi.sandbox.yaml").read_text())["config"]
    arguments = endpoints.provider_arguments(config["plantain:endpoints"])
    only_sdk = {line.removeprefix("Provider.").lower() for line in SDK_ONLY if line.startswith("Provider.")}
    assert only_sdk
    assert not {name.replace("_", "").lower() for name in arguments} & only_sdk
