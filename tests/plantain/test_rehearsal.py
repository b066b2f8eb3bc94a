"""The settings of a production stack, tried in the sandbox."""

from __future__ import annotations

from pathlib import Path

import pytest

from plantain.errors import InputError, SandboxError
from plantain.project import raw_settings, stack_settings
from plantain.rehearsal import rehearse
from sandbox.settings import DEFAULT_PORT

STANDARD = f"http://127.0.0.1:{DEFAULT_PORT}"
URL = "http://127.0.0.1:9999"


def edit(project: Path, before: str, after: str) -> None:
    path = project / "Pulumi.prod.yaml"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))


def test_what_is_deployed_stays_and_where_it_goes_changes(project: Path) -> None:
    edit(project, "plantain:region: europe-west4", "plantain:region: europe-west3")
    path, changes = rehearse(project, "prod", STANDARD, URL)
    assert path.name == "Pulumi.rehearsal.yaml"
    settings = stack_settings(project, "rehearsal")
    assert settings.region == "europe-west3"
    assert settings.perimeter
    assert settings.perimeter.enforcement == "dry-run"
    raw = raw_settings(project, "rehearsal")
    assert raw["billingAccount"] == "010101-010101-010101"
    assert {address.startswith(URL) for address in raw["endpoints"].values()} == {True}
    assert raw["perimeter"]["deployers"][-1] == "user:user@example.com"
    assert any(line.startswith("plantain:billingAccount: ") for line in changes)
    assert "# Who pays" in path.read_text()


def test_what_only_the_real_organisation_has_is_left_out_and_named(project: Path) -> None:
    edit(
        project,
        "  plantain:perimeter:\n",
        "  plantain:folder: folders/1\n  plantain:channelSecrets:\n    slack-token: {secure: abc}\n  other:key:\n"
        "    secure: abc\n  plantain:quotaProject: plantain-seed\n"
        "  plantain:perimeter:\n    accessPolicy: accessPolicies/1\n",
    )
    edit(project, "config:\n", "secretsprovider: gcpkms://key\nencryptedkey: abc\nconfig:\n")
    path, changes = rehearse(project, "prod", STANDARD, URL)
    raw = raw_settings(project, "rehearsal")
    assert not {"folder", "channelSecrets", "quotaProject"} & set(raw)
    assert "accessPolicy" not in raw["perimeter"]
    text = path.read_text()
    assert "gcpkms://key" not in text
    assert "secure: abc" not in text
    for key in ("plantain:folder", "plantain:channelSecrets", "other:key", "plantain:perimeter.accessPolicy"):
        assert any(line.startswith(f"{key}: left out") for line in changes), key


def test_a_second_rehearsal_takes_over_what_was_changed_since(project: Path) -> None:
    rehearse(project, "prod", STANDARD, URL)
    edit(project, "enforcement: dry-run", "enforcement: enforced")
    rehearse(project, "prod", STANDARD, URL)
    settings = stack_settings(project, "rehearsal")
    assert settings.perimeter
    assert settings.perimeter.enforcement == "enforced"


@pytest.mark.parametrize("name", ["prod", "sandbox"])
def test_a_rehearsal_never_overwrites_the_stack_it_tries(project: Path, name: str) -> None:
    before = (project / f"Pulumi.{name}.yaml").read_text()
    with pytest.raises(InputError, match=f"A rehearsal of prod cannot be called '{name}'") as caught:
        rehearse(project, "prod", STANDARD, URL, name=name)
    assert (caught.value.exit_code, caught.value.cure) == (2, "--name NAME")
    assert (project / f"Pulumi.{name}.yaml").read_text() == before


def test_settings_that_are_wrong_leave_no_file(project: Path) -> None:
    edit(project, "enforcement: dry-run", "enforcement: perhaps")
    with pytest.raises(InputError, match=r"Pulumi\.prod\.yaml:\n  plantain:perimeter\.enforcement"):
        rehearse(project, "prod", STANDARD, URL)
    assert not (project / "Pulumi.rehearsal.yaml").exists()


@pytest.mark.usefixtures("project")
def test_without_a_sandbox_there_is_nothing_to_rehearse_in() -> None:
    from plantain.commands.sandbox import rehearse as command  # noqa: PLC0415 -- the verb, beside its function

    with pytest.raises(SandboxError, match="No sandbox runs on") as caught:
        command("prod", data=Path("nothing"))
    assert caught.value.exit_code == 3
