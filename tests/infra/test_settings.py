from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest
import yaml

from infra import endpoints, settings
from infra.errors import InfraError, SettingsError
from infra.perimeter_settings import Enforcement, JoinedPerimeter, OwnedPerimeter
from tests.infra.recording_engine import run
from tests.infra.stacks import DEPLOYER, joined, make_settings, owned, raw_settings

ROOT = Path(__file__).resolve().parents[2]


def refused(raw: dict[str, str]) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        settings.parse(raw, stack="prod")
    return caught.value


class TestCompleteSettings:
    def test_the_smallest_configuration_is_enough(self) -> None:
        parsed = make_settings()
        assert isinstance(parsed.perimeter, OwnedPerimeter)
        assert parsed.perimeter.enforcement is Enforcement.ENFORCED
        assert parsed.campaigns == "campaigns/*.yaml"

    def test_nothing_can_be_deleted_unless_a_stack_says_so(self) -> None:
        assert make_settings().deletion_protection is True
        assert make_settings(deletionProtection="false").deletion_protection is False

    def test_an_organisation_may_be_written_with_its_prefix(self) -> None:
        assert make_settings(organization="organizations/123456789012").organization == "123456789012"

    def test_projects_go_to_the_folder_when_there_is_one(self) -> None:
        assert make_settings().parent == {"org_id": "123456789012"}
        assert make_settings(folder="folders/234567890123").parent == {"folder_id": "folders/234567890123"}

    def test_membership_decides_which_kind_of_perimeter_it_is(self) -> None:
        assert isinstance(make_settings(perimeter=joined()).perimeter, JoinedPerimeter)

    def test_settings_cannot_be_changed(self) -> None:
        with pytest.raises(ValueError, match="frozen"):
            make_settings().region = "us-east1"  # type: ignore[misc] # the point of the test


class TestRefusedSettings:
    """A message names the file, the key, what is allowed and a command that mends it; all of them at once."""

    def test_a_missing_key_is_named_with_a_command_that_sets_it(self) -> None:
        message = str(refused(raw_settings(region=None)))
        assert "Pulumi.prod.yaml" in message
        assert "plantain:region: missing" in message
        assert "pulumi config set plantain:region europe-west4" in message

    def test_an_unknown_key_is_named_with_the_one_that_was_meant(self) -> None:
        message = str(refused(raw_settings(regoin="europe-west4")))
        assert "plantain:regoin: unknown key, did you mean region?" in message
        assert "pulumi config rm plantain:regoin" in message

    def test_an_unknown_key_inside_the_perimeter_is_named_with_its_path(self) -> None:
        message = str(refused(raw_settings(perimeter=owned(enforcment="dry-run"))))
        assert "plantain:perimeter.enforcment: unknown key, did you mean enforcement?" in message
        assert "pulumi config rm --path 'plantain:perimeter.enforcment'" in message

    def test_a_missing_membership_is_told_with_the_choice_there_is(self) -> None:
        message = str(refused(raw_settings(perimeter=owned(membership=None))))
        assert "plantain:perimeter.membership: missing" in message
        assert "delegated" in message

    def test_a_missing_perimeter_is_begun_with_its_membership(self) -> None:
        message = str(refused(raw_settings(perimeter=None)))
        assert "pulumi config set --path 'plantain:perimeter.membership' inline" in message

    def test_a_membership_that_does_not_exist_is_refused(self) -> None:
        assert "not one of the allowed words" in str(refused(raw_settings(perimeter=owned(membership="both"))))

    def test_all_problems_come_at_once(self) -> None:
        error = refused({"perimeter": json.dumps(owned(enforcement="off")), "regoin": "x"})
        keys = {problem.key for problem in error.problems}
        assert keys == {
            "plantain:billingAccount",
            "plantain:organization",
            "plantain:perimeter.enforcement",
            "plantain:region",
            "plantain:regoin",
        }
        assert "5 problems found, nothing was deployed." in str(error)

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("organization", "example.com"),
            ("billingAccount", "0101"),
            ("region", "Europe"),
            ("folder", "234"),
            ("campaigns", "/etc/*.yaml"),
            ("campaigns", "campaigns"),
            ("deletionProtection", "perhaps"),
            ("quotaProject", "Seed"),
            ("impersonate", "deployer"),
            ("pollInterval", "often"),
            ("batchDelay", "1m"),
            ("endpoints", '{"kms": "http://127.0.0.1:8085/cloudkms/v1"}'),
            ("perimeter", "inline"),
            ("perimeter", "{not json"),
        ],
    )
    def test_a_wrong_value_is_refused_with_its_key(self, key: str, value: str) -> None:
        error = refused(raw_settings(**{key: value}))
        assert [problem.key.split(".")[0] for problem in error.problems] == [f"plantain:{key}"]
        assert all(problem.rule and problem.cure for problem in error.problems)

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("deployers", []),
            ("deployers", ["allUsers"]),
            ("deployers", ["group:everyone@example.com"]),
            ("ipSubnetworks", ["203.0.113.7/24"]),
            ("ipSubnetworks", ["office"]),
            ("additionalServices", ["redis"]),
            ("accessPolicy", "123"),
            ("otherMembers", ["projects/my-project"]),
            ("title", "1st"),
        ],
    )
    def test_a_wrong_value_inside_the_perimeter_is_refused(self, key: str, value: object) -> None:
        error = refused(raw_settings(perimeter=owned(**{key: value})))
        assert {problem.key.split("[")[0] for problem in error.problems} == {f"plantain:perimeter.{key}"}

    def test_a_list_with_a_wrong_member_is_not_also_called_empty(self) -> None:
        error = refused(raw_settings(perimeter=owned(deployers=["bob"])))
        assert [problem.key for problem in error.problems] == ["plantain:perimeter.deployers[0]"]
        assert "an identity, such as" in error.problems[0].rule

    def test_the_cure_of_a_list_that_is_missing_sets_an_entry_of_it(self) -> None:
        without = {key: value for key, value in owned().items() if key != "deployers"}
        (problem,) = refused(raw_settings(perimeter=without)).problems
        assert problem.key == "plantain:perimeter.deployers"
        assert problem.cure.startswith("pulumi config set --path 'plantain:perimeter.deployers[0]' serviceAccount:")

    def test_an_endpoint_the_provider_does_not_have_is_named(self) -> None:
        message = str(refused(raw_settings(endpoints={"kmss": "http://127.0.0.1:1/v1/"})))
        assert "the provider has no endpoint argument for kmss" in message

    def test_a_delegated_owner_lists_no_members(self) -> None:
        error = refused(raw_settings(perimeter=owned(membership="delegated", otherMembers=["projects/1"])))
        assert "exclude each other" in str(error)

    def test_a_message_never_repeats_a_value(self) -> None:
        secret = "ya29.very-secret"
        error = refused(
            raw_settings(
                accessToken=secret,
                region=secret,
                billingAccount=secret,
                perimeter=owned(membership=secret, deployers=[secret]),
            )
        )
        assert secret not in str(error)

    def test_the_message_fits_on_a_screen_even_when_everything_is_missing(self) -> None:
        assert len(str(refused({})).splitlines()) <= 24

    def test_pulumi_prints_it_without_a_traceback(self) -> None:
        program = ast.parse(Path(settings.__file__).with_name("__main__.py").read_text())
        [handler] = [node for node in ast.walk(program) if isinstance(node, ast.ExceptHandler)]
        assert ast.unparse(handler) == ("except InfraError as error:\n    raise pulumi.RunError(str(error)) from None")
        assert issubclass(SettingsError, InfraError)


class TestReadingTheStack:
    def test_settings_come_from_the_stacks_configuration(self, monkeypatch: pytest.MonkeyPatch) -> None:
        raw = {f"plantain:{key}": value for key, value in raw_settings().items()}
        monkeypatch.setenv("PULUMI_CONFIG", json.dumps(raw | {"gcp:project": "elsewhere"}))
        seen: list[settings.Settings] = []
        run(lambda: seen.append(settings.load()))
        assert seen == [make_settings()]

    def test_an_unknown_key_of_the_stack_is_found(self, monkeypatch: pytest.MonkeyPatch) -> None:
        raw = {f"plantain:{key}": value for key, value in raw_settings(perimiter="x").items()}
        monkeypatch.setenv("PULUMI_CONFIG", json.dumps(raw))
        with pytest.raises(SettingsError, match=r"Pulumi\.staging\.yaml"):
            run(settings.load, stack="staging")


def stack_file(name: str) -> dict[str, str]:
    config = yaml.safe_load((ROOT / f"Pulumi.{name}.yaml").read_text())["config"]
    return {
        key.removeprefix("plantain:"): json.dumps(value)
        if isinstance(value, dict | list)
        else str(value).lower()
        if isinstance(value, bool)
        else str(value)
        for key, value in config.items()
        if key.startswith("plantain:")
    }


class TestStackFiles:
    """The files in the repository are complete and say what they promise."""

    def test_the_sandbox_stack_is_complete_and_may_be_destroyed(self) -> None:
        parsed = settings.parse(stack_file("sandbox"), stack="sandbox")
        assert parsed.deletion_protection is False
        assert parsed.perimeter is not None
        assert "user:user@example.com" in parsed.perimeter.deployers

    def test_every_endpoint_of_the_sandbox_is_on_loopback(self) -> None:
        parsed = settings.parse(stack_file("sandbox"), stack="sandbox")
        assert parsed.endpoints
        assert {url.split("/")[2] for url in parsed.endpoints.values()} == {"127.0.0.1:8085"}

    def test_the_production_stack_keeps_what_cannot_be_brought_back(self) -> None:
        parsed = settings.parse(stack_file("prod"), stack="prod")
        assert parsed.deletion_protection is True
        assert parsed.access_token is None
        assert not parsed.endpoints

    def test_the_state_is_refreshed_before_every_update(self) -> None:
        project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
        assert project["options"]["refresh"] == "always", "members that others added would be dropped"


class TestEndpoints:
    def test_names_are_the_providers_arguments(self) -> None:
        names = endpoints.argument_names()
        assert {"kms", "storage", "cloudfunctions2", "access_context_manager"} <= names
        assert endpoints.provider_arguments({"kms": "https://kms/v1/"}) == {"kms_custom_endpoint": "https://kms/v1/"}


def test_a_deployer_is_an_identity_not_a_group() -> None:
    perimeter = make_settings().perimeter
    assert perimeter is not None
    assert DEPLOYER in perimeter.deployers


class TestProductionComments:
    """What stands in Pulumi.prod.yaml as a comment works when the comment signs are taken away."""

    def test_every_setting_is_shown_but_those_of_local_stand_ins(self) -> None:
        text = (ROOT / "Pulumi.prod.yaml").read_text()
        shown = set(re.findall(r"^  (?:# )?plantain:(\w+):", text, re.MULTILINE))
        known = {field.alias or name for name, field in settings.Settings.model_fields.items()}
        secret = {"channelSecrets"}  # shown by the command that sets it
        assert shown == known - {"accessToken", "pollInterval", "batchDelay"} - secret
        assert "plantain:channelSecrets." in text

    def test_what_is_commented_is_accepted_together(self) -> None:
        lines = (ROOT / "Pulumi.prod.yaml").read_text().splitlines()
        chosen: list[str] = []
        within = False
        for line in lines:
            within = bool(re.match(r"  # plantain:\w+:", line)) or (within and line.startswith("  #   "))
            if within:
                chosen.append(line.replace("# ", "", 1))
        commented = {key.removeprefix("plantain:"): value for key, value in yaml.safe_load("\n".join(chosen)).items()}
        assert {"bootstrap", "centralLogs", "contacts", "denyPolicy", "labels", "organizationPolicies", "tags"} <= set(
            commented
        )
        commented["wheels"] = "wheels"
        parsed = settings.parse(raw_settings(**commented), stack="prod")
        assert parsed.bootstrap is not None
        assert parsed.bootstrap.gitlab is not None

    def test_what_is_not_commented_is_a_whole_stack(self) -> None:
        config = yaml.safe_load((ROOT / "Pulumi.prod.yaml").read_text())["config"]
        own = {key.removeprefix("plantain:"): value for key, value in config.items() if key.startswith("plantain:")}
        raw = {key: value if isinstance(value, str) else json.dumps(value) for key, value in own.items()}
        parsed = settings.parse(raw, stack="prod")
        assert parsed.deletion_protection is True
        assert parsed.perimeter is not None
        assert parsed.perimeter.enforcement == "dry-run"

    def test_the_commented_rules_and_levels_are_valid(self) -> None:
        text = (ROOT / "Pulumi.prod.yaml").read_text()
        begin, end = text.index("    # auditors:"), text.index("  # Who answers for what campaigns share")
        part = "\n".join(
            line.replace("# ", "", 1)
            for line in text[begin:end].splitlines()
            if re.match(r"\s+# ( {2,}|[a-zA-Z]+:|\s*- )", line)
        )
        perimeter = yaml.safe_load(part)
        assert {"accessLevels", "auditors", "egress", "ingress", "proposed"} <= set(perimeter)
        parsed = settings.parse(raw_settings(perimeter=owned(**perimeter)), stack="prod")
        assert parsed.perimeter is not None
