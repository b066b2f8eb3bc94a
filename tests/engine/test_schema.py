"""A program written against the Python SDK must find in the plugin what it sets; found out here, not by ``up``."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from plantain.engine import Engine
from tests.engine.comparison import Comparison, Difference
from tests.engine.programs import other_imports, uses
from tests.engine.sdk import Sdk

ROOT = Path(__file__).resolve().parents[2]
INFRA = ROOT / "infra"
KNOWN = (Path(__file__).parent / "sdk_only.txt").read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module")
def sdk() -> Sdk:
    return Sdk()


@pytest.fixture(scope="module")
def comparison(schema: dict[str, Any], sdk: Sdk) -> Comparison:
    return Comparison(schema, sdk)


@pytest.fixture(scope="module")
def differences(comparison: Comparison, schema: dict[str, Any]) -> list[Difference]:
    """Of all that the plugin offers."""
    found = [d for token in schema["resources"] for d in comparison.resource(token)]
    found += comparison.provider()
    return found + [d for token in schema["functions"] if token.startswith("gcp:") for d in comparison.function(token)]


@cache
def infra_tokens() -> tuple[frozenset[tuple[str, str]], frozenset[tuple[str, str]]]:
    """Module and name of the resources and of the functions that the program mentions."""
    names = {
        (use.module, use.name) for use in uses(INFRA) if use.module and not use.name.endswith(("Args", "ArgsDict"))
    }
    functions = {(module, name.removesuffix("_output")) for module, name in names if name.startswith("get_")}
    return frozenset(n for n in names if not n[1].startswith("get_")), frozenset(functions)


def test_every_resource_of_the_program_is_in_the_plugin(schema: dict[str, Any], sdk: Sdk) -> None:
    offered = {
        (path.parent.name, name) for token, (path, name) in sdk.resources.items() if token in schema["resources"]
    }
    used, _ = infra_tokens()
    assert used, "no use of pulumi_gcp was found in infra/"
    assert used - offered == set(), "add them to engine/cmd/pulumi-resource-gcp/resources.go"


def test_every_function_of_the_program_is_in_the_plugin(schema: dict[str, Any], sdk: Sdk) -> None:
    offered = {
        (path.parent.name, name) for token, (path, name) in sdk.functions.items() if token in schema["functions"]
    }
    _, used = infra_tokens()
    assert used - offered == set(), "add them to engine/cmd/pulumi-resource-gcp/datasources.go"


def test_what_the_program_uses_has_the_same_shape_in_sdk_and_plugin(comparison: Comparison, sdk: Sdk) -> None:
    used, used_functions = infra_tokens()
    tokens = [t for t, (path, name) in sdk.resources.items() if (path.parent.name, name) in used]
    functions = [t for t, (path, name) in sdk.functions.items() if (path.parent.name, name) in used_functions]
    found = comparison.provider() + [d for t in tokens for d in comparison.resource(t)]
    found += [d for t in functions for d in comparison.function(t)]
    assert len(tokens) == len(used)
    assert [str(d) for d in found if d.trouble != "SDK only"] == []


def test_everything_the_plugin_offers_has_the_same_shape_in_the_sdk(differences: list[Difference]) -> None:
    assert [str(d) for d in differences if d.trouble != "SDK only"] == []


def test_the_properties_that_only_the_sdk_has_are_the_known_ones(differences: list[Difference], engine: Engine) -> None:
    only = {d.path for d in differences if d.trouble == "SDK only"}
    assert only - set(KNOWN) == set(), "the plugin does not know these: add them to sdk_only.txt"
    if engine.source == "built":
        assert set(KNOWN) - only == set(), "the plugin knows these now: take them out of sdk_only.txt"


def test_the_program_sets_no_property_that_only_the_sdk_has(differences: list[Difference]) -> None:
    only = {(d.owner, d.python): d.path for d in differences if d.trouble == "SDK only" and d.python}
    # A dictionary may stand for a nested type, so below a resource each name counts wherever it is written.
    beneath = {(*d.path.split(".")[:2], d.python): d.path for d in differences if d.python}
    found = []
    for use in uses(INFRA):
        for keyword in use.keywords:
            module = use.module or "pulumi_gcp"
            owners = [(module, use.name), (module, f"{use.name}Args")]
            path = next((only[o, keyword] for o in owners if (o, keyword) in only), None)
            path = path or beneath.get((use.module, use.name, keyword))
            if path:
                found.append(f"{use.place} sets {path}, which the built plugin does not know")
    assert found == []


def test_the_program_mentions_the_sdk_only_as_gcp() -> None:
    assert other_imports(INFRA) == [], "the tests of this file would not see what such a module uses"


def test_the_rule_about_sdk_only_properties_finds_one(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(
        "import pulumi_gcp as gcp\n"
        "gcp.secretmanager.Secret('s', secret_type='X', replication={'auto': {}})\n"
        "gcp.dns.ManagedZoneArgs(reverse_lookup=True)\n"
        "gcp.Provider('p', google_partner_name='x')\n"
    )
    found = {(use.place, use.name): use.keywords for use in uses(tmp_path)}
    assert found[("program.py:2", "Secret")] == {"secret_type", "replication", "auto"}
    assert found[("program.py:3", "ManagedZoneArgs")] == {"reverse_lookup"}
    assert found[("program.py:4", "Provider")] == {"google_partner_name"}


def test_imports_under_other_names_are_seen(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(
        "from pulumi_gcp import storage\nimport pulumi_gcp\nimport pulumi_gcp as gcp\n"
    )
    assert other_imports(tmp_path) == ["program.py:1", "program.py:2"]
