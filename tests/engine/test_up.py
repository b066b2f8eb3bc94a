"""The real engine runs real programs: up, change, destroy, without a resource of any cloud."""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path

import pytest

from tests.engine.projects import Project

pytestmark = pytest.mark.engine


def test_a_stack_without_settings_goes_up_and_down(project: Project) -> None:
    # The language host has to spell "no settings" as {}, which the SDK wants; an empty map of Go is null.
    project.write(
        "__main__.py", "import pulumi\npulumi.export('greeting', pulumi.Config().get('greeting') or 'none')\n"
    )
    project.pulumi("stack", "init", "bare")
    project.pulumi("up", "--yes", "--skip-preview")
    assert json.loads(project.pulumi("stack", "output", "--json").stdout) == {"greeting": "none"}
    project.pulumi("destroy", "--yes", "--skip-preview")


def test_settings_and_secrets_reach_the_program(project: Project) -> None:
    project.write(
        "__main__.py",
        "import pulumi\n"
        "config = pulumi.Config()\n"
        "pulumi.export('city', config.require('city'))\n"
        "pulumi.export('key', config.require_secret('key'))\n"
        "pulumi.export('list', config.require_object('list'))\n",
    )
    project.pulumi("stack", "init", "set")
    project.pulumi("config", "set", "city", "Basel")
    project.pulumi("config", "set", "--secret", "key", "s3cret")
    project.pulumi("config", "set", "--path", "list[0]", "one")
    shown = project.pulumi("up", "--yes", "--skip-preview").stdout
    assert "s3cret" not in shown
    plain = json.loads(project.pulumi("stack", "output", "--json", "--show-secrets").stdout)
    assert plain == {"city": "Basel", "key": "s3cret", "list": ["one"]}
    assert json.loads(project.pulumi("stack", "output", "--json").stdout)["key"] == "[secret]"


def test_a_component_and_its_second_update_is_empty(project: Project) -> None:
    project.write(
        "__main__.py",
        "import pulumi\n"
        "class Part(pulumi.ComponentResource):\n"
        "    def __init__(self, name):\n"
        "        super().__init__('tried:index:Part', name)\n"
        "        self.register_outputs({'name': name})\n"
        "Part('one')\n",
    )
    project.pulumi("stack", "init", "twice")
    assert "tried:index:Part" in project.pulumi("up", "--yes", "--skip-preview").stdout
    project.pulumi("preview", "--expect-no-changes")


def test_a_program_that_raises_shows_its_own_line_and_fails(project: Project) -> None:
    project.write("__main__.py", "def broken():\n    raise ValueError('no such campaign')\nbroken()\n")
    project.pulumi("stack", "init", "broken")
    shown = project.pulumi("up", "--yes", "--skip-preview", fails=True).stdout
    assert "ValueError: no such campaign" in shown
    assert "__main__.py" in shown


def test_a_program_that_exits_tells_its_code(project: Project) -> None:
    project.write("__main__.py", "import os\nos._exit(7)\n")
    project.pulumi("stack", "init", "exits")
    assert "exit code 7" in project.pulumi("up", "--yes", "--skip-preview", fails=True).stdout


def test_what_a_program_prints_is_shown(project: Project) -> None:
    project.write("__main__.py", "import pulumi\nprint('a remark')\npulumi.log.warn('a warning')\n")
    project.pulumi("stack", "init", "talks")
    shown = project.pulumi("up", "--yes", "--skip-preview").stdout
    assert "a remark" in shown
    assert "a warning" in shown


def test_the_engine_describes_the_programs_environment(project: Project) -> None:
    project.write("__main__.py", "")
    about = json.loads(project.pulumi("about", "--json").stdout)
    assert Path(about["runtime"]["executable"]).parent == Path(sys.prefix) / "bin"
    assert about["runtime"]["version"] == platform.python_version()


def test_a_plugin_that_is_not_there_is_an_error_at_once(project: Project) -> None:
    project.write(
        "__main__.py",
        "import pulumi\npulumi.CustomResource('other:index:Thing', 'x', {}, pulumi.ResourceOptions(version='1.2.3'))\n",
    )
    project.pulumi("stack", "init", "missing")
    assert "other" in project.pulumi("up", "--yes", "--skip-preview", fails=True).stdout
