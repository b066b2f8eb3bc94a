"""Resources of pulumi_gcp load one by one, and every name is the one that the whole package has."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from infra import provider_classes, provider_modules

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


HINTS = """
import json, sys
from infra import provider_classes, provider_modules
if sys.argv[1] == "whole":
    provider_classes.HOLDERS = ("-", "-")
provider_modules.install()
import pulumi_gcp as gcp
from pulumi import _types

found, waiting = {}, []
for name in sys.argv[2:]:
    service, _, resource = name.partition(".")
    package = getattr(gcp, service)
    waiting += [getattr(package, resource), getattr(package, resource + "Args", None)]
while waiting:
    cls = waiting.pop()
    if cls is None or str(cls) in found:
        continue
    if _types.is_input_type(cls):
        hints = _types.input_type_types(cls)
    elif _types.is_output_type(cls):
        hints = _types.output_type_types(cls)
    else:
        hints = _types.resource_types(cls)
    found[str(cls)] = {key: str(value) for key, value in hints.items()}
    for value in hints.values():
        inner = [value, *getattr(value, "__args__", ())]
        waiting += [one for one in inner if _types.is_input_type(one) or _types.is_output_type(one)]
made = sum(len(vars(module)) for name, module in sys.modules.items() if name.endswith(("._inputs", ".outputs")))
print(json.dumps([found, made]))
"""


def hints(how: str, names: list[str]) -> tuple[dict[str, dict[str, str]], int]:
    """The types by which pulumi translates what these resources are given and what they answer; how many were made."""
    command = [sys.executable, "-c", HINTS, how, *names]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=240)
    found, made = json.loads(done.stdout)
    return found, made


def test_what_this_program_declares_has_the_types_of_the_whole_package_and_a_third_of_its_classes() -> None:
    text = "\n".join(path.read_text() for path in Path(provider_modules.__file__).parent.rglob("*.py"))
    declared = re.findall(r"gcp\.([a-z0-9]+)\.([A-Z]\w+)\(", text)
    names = sorted({f"{service}.{name}" for service, name in declared if not name.endswith("Args")})
    assert len(names) > 50
    apart, made = hints("class by class", names)
    whole, made_whole = hints("whole", names)
    assert len(apart) > 2 * len(names)
    assert apart == whole
    assert made < made_whole / 3


def test_every_class_is_there_when_a_package_had_to_be_loaded_whole() -> None:
    statement = (
        "first = gcp.dns.RecordSetRoutingPolicyArgs\n"
        "try:\n    gcp.dns.Nothing\nexcept AttributeError:\n    pass\n"
        "from pulumi_gcp.dns import _inputs, outputs\n"
        "assert first is gcp.dns.RecordSetRoutingPolicyArgs is _inputs.RecordSetRoutingPolicyArgs\n"
        "assert {*_inputs.__all__} <= {*dir(gcp.dns)} and len(_inputs.__all__) > 20\n"
        "assert {*outputs.__all__} <= {*dir(outputs)}"
    )
    assert loaded(statement) == []


def test_a_class_that_is_not_there_is_refused_in_python_s_words() -> None:
    statement = (
        "from pulumi_gcp.dns import _inputs\n"
        "try:\n    _inputs.Nothing\nexcept AttributeError as error:\n"
        "    assert str(error) == \"module 'pulumi_gcp.dns._inputs' has no attribute 'Nothing'\"\n"
        "else:\n    raise SystemExit('found')"
    )
    assert loaded(statement) == []


def test_a_module_that_does_not_look_as_expected_is_loaded_whole(tmp_path: Path) -> None:
    path = tmp_path / "_inputs.py"
    path.write_text("__all__ = ['One', 'Two']\n\nclass One:\n    pass\n\nTwo = One\n")
    spec = spec_from_file_location("pulumi_gcp_like._inputs", path)
    assert spec is not None
    assert spec.loader is not None
    spec.loader = provider_classes.ClassLoader(spec.loader, path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.Two is module.One
    assert module.__all__ == ["One", "Two"]
