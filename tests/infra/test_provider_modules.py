"""Resources of pulumi_gcp load one by one, and every name is the one that the whole package has."""

from __future__ import annotations

import json
import subprocess
import sys

LOADED = """
import json, sys
from infra import provider_modules
provider_modules.install()
provider_modules.install()
import pulumi_gcp as gcp
{0}
print(json.dumps([len(sys.meta_path), sorted(name for name in sys.modules if name.startswith("pulumi_gcp.compute."))]))
"""


def loaded(statement: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(statement)], capture_output=True, text=True, check=True, timeout=120
    )
    finders, modules = json.loads(done.stdout)
    assert finders <= len(sys.meta_path) + 2
    return [name.removeprefix("pulumi_gcp.compute.") for name in modules]


def test_a_resource_loads_with_what_it_needs_and_no_other() -> None:
    assert loaded("gcp.compute.Network") == ["_inputs", "network", "outputs"]


def test_arguments_data_sources_and_modules_are_found_by_their_names() -> None:
    names = (
        "assert gcp.compute.NetworkArgs.__module__ == 'pulumi_gcp.compute.network'\n"
        "assert gcp.compute.get_network_output.__module__ == 'pulumi_gcp.compute.get_network'\n"
        "assert gcp.compute.FirewallAllowArgs.__module__ == 'pulumi_gcp.compute._inputs'\n"
        "assert gcp.compute.network.Network is gcp.compute.Network\n"
        "assert gcp.compute.outputs.__name__ == 'pulumi_gcp.compute.outputs'"
    )
    assert loaded(names) == ["_inputs", "get_network", "network", "outputs"]


def test_an_acronym_is_found() -> None:
    assert loaded("assert gcp.projects.IAMMember.__module__ == 'pulumi_gcp.projects.iam_member'") == []


def test_a_name_that_is_nowhere_loads_the_whole_package_and_is_refused_in_python_s_words() -> None:
    statement = (
        "try:\n    gcp.compute.Nothing\nexcept AttributeError as error:\n"
        "    assert str(error) == \"module 'pulumi_gcp.compute' has no attribute 'Nothing'\"\n"
        "else:\n    raise SystemExit('found')"
    )
    assert "address" in loaded(statement)
