from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from infra import campaign_file
from infra.campaign_model import Campaign
from infra.errors import CampaignFileError, Problem
from tests.infra.stacks import document, make_campaign

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FILE = "campaigns/spring-launch.yaml"


def problems(content: dict[str, Any] | str, file: str = FILE) -> list[Problem]:
    text = content if isinstance(content, str) else yaml.safe_dump(content)
    found = campaign_file.parse(text, file=file)
    assert not isinstance(found, Campaign), "the file was accepted"
    return found


def labels(**changes: Any) -> dict[str, Any]:
    content = document()
    content["labels"] |= changes
    content["labels"] = {key: value for key, value in content["labels"].items() if value is not None}
    return content


class TestACompleteFile:
    def test_the_mandatory_keys_are_enough(self) -> None:
        campaign = make_campaign()
        assert campaign.name == "spring-launch"
        assert campaign.function.model == "gemini-3-pro-image"
        assert campaign.function.model_location == "global"

    def test_labels_are_spelled_as_google_cloud_takes_them(self) -> None:
        assert make_campaign().labels.as_labels() == {
            "campaign": "spring-launch",
            "owner": "brand-studio",
            "cost-center": "cc-4711",
            "env": "prod",
            "data-class": "internal",
            "ends-on": "2027-06-30",
        }

    def test_a_date_may_be_written_without_quotes(self) -> None:
        text = yaml.safe_dump(document()).replace("'2027-06-30'", "2027-06-30")
        assert isinstance(campaign_file.parse(text, file=FILE), Campaign)

    def test_the_last_day_may_be_in_the_past_because_a_campaign_must_still_be_deployable_then(self) -> None:
        assert isinstance(campaign_file.parse(yaml.safe_dump(labels(**{"ends-on": "2020-01-01"})), file=FILE), Campaign)

    def test_a_regional_model_can_be_called_in_its_region(self) -> None:
        function = {"model": "gemini-2.5-flash-image", "location": "europe-west4"}
        assert make_campaign(function=function).function.model_location == "europe-west4"


class TestMandatoryLabels:
    """No campaign without all six labels, each with its rule."""

    @pytest.mark.parametrize("label", ["campaign", "owner", "cost-center", "env", "data-class", "ends-on"])
    def test_a_missing_label_is_named_with_an_example(self, label: str) -> None:
        (problem,) = problems(labels(**{label: None}))
        assert problem.key == f"labels.{label}"
        assert problem.cause == "missing"
        assert problem.cure.startswith(f"set labels.{label}: ")
        assert problem.file == FILE

    @pytest.mark.parametrize(
        ("label", "value"),
        [
            ("campaign", "Spring"),
            ("campaign", "ab"),
            ("campaign", "a-name-that-is-too-long-for-it"),
            ("campaign", "two--hyphens"),
            ("campaign", "my-google-ads"),
            ("owner", "Brand Studio"),
            ("owner", ""),
            ("owner", "x" * 64),
            ("cost-center", "CC 4711"),
            ("env", "production"),
            ("data-class", "secret"),
            ("ends-on", "June"),
        ],
    )
    def test_a_value_that_breaks_its_rule_is_refused(self, label: str, value: str) -> None:
        (problem,) = problems(labels(**{label: value}))
        assert problem.key == f"labels.{label}"
        assert problem.rule

    def test_a_further_label_is_refused(self) -> None:
        (problem,) = problems(labels(team="x"))
        assert problem.key == "labels.team"
        assert problem.cause == "unknown key"


class TestRefusedFiles:
    @pytest.mark.parametrize(
        ("changes", "key"),
        [
            ({"invokers": []}, "invokers"),
            ({"invokers": ["allUsers"]}, "invokers[0]"),
            ({"invokers": ["allAuthenticatedUsers"]}, "invokers[0]"),
            ({"contacts": ["oncall"]}, "contacts[0]"),
            ({"function": {"maxInstances": 1}}, "function.maxInstances"),
            ({"function": {"memory": "512Mi"}}, "function.memory"),
            ({"function": {"cpu": 3}}, "function.cpu"),
            ({"function": {"cpu": 1, "memory": "8Gi"}}, "function"),
            ({"function": {"cpu": 4, "memory": "1Gi"}}, "function"),
            ({"function": {"secrets": {"WORKERS": "projects/p/secrets/s/versions/1"}}}, "function.secrets"),
            ({"function": {"model": "gemini-9"}}, "function.model"),
            ({"function": {"location": "europe-west4"}}, "function"),
            ({"function": {"model": "gemini-3.1-flash-image", "location": "eu"}}, "function"),
            ({"images": {"nearlineAfterDays": 90, "archiveAfterDays": 30}}, "images"),
            ({"images": {"recoverableDays": 1}}, "images.recoverableDays"),
            ({"network": {"ipRange": "10.8.0.0/27"}}, "network.ipRange"),
            ({"network": {"ipRange": "8.8.8.0/24"}}, "network.ipRange"),
            ({"network": {"ipRange": "10.8.0.1/26"}}, "network.ipRange"),
            ({"netwrok": {}}, "netwrok"),
        ],
    )
    def test_a_wrong_value_is_refused_with_its_key(self, changes: dict[str, Any], key: str) -> None:
        assert [problem.key for problem in problems(document(**changes))] == [key]

    def test_a_retired_model_is_refused_with_its_successor(self) -> None:
        (problem,) = problems(document(function={"model": "gemini-3-pro-image-preview"}))
        assert "use gemini-3-pro-image" in problem.cause

    def test_a_multi_region_location_is_refused_because_the_perimeter_cannot_reach_it(self) -> None:
        (problem,) = problems(document(function={"model": "gemini-3.1-flash-image", "location": "eu"}))
        assert "can be called from a perimeter in global" in problem.cause

    def test_all_problems_of_a_file_come_at_once(self) -> None:
        found = problems({"labels": {"campaign": "x"}, "extra": 1})
        assert len(found) == 9

    def test_a_file_under_another_name_is_refused_with_the_command_that_renames_it(self) -> None:
        (problem,) = problems(document(), file="campaigns/autumn.yaml")
        assert problem.cure == "git mv campaigns/autumn.yaml campaigns/spring-launch.yaml"

    def test_a_subnet_too_small_for_the_instances_is_refused_with_one_that_fits(self) -> None:
        (problem,) = problems(document(function={"maxInstances": 100}))
        assert problem.key == "network.ipRange"
        assert "64 addresses, but 100 instances of the function take 204" in problem.cause
        assert problem.cure == f"set network.ipRange: 10.8.0.0/24 in {FILE}"
        enough = document(function={"maxInstances": 100}, network={"ipRange": "10.8.0.0/24"})
        assert isinstance(campaign_file.parse(yaml.safe_dump(enough), file=FILE), Campaign)

    @pytest.mark.parametrize("text", ["", "[]", "labels", "labels: [", "labels: 3"])
    def test_a_file_that_holds_no_campaign_is_refused(self, text: str) -> None:
        found = problems(text)
        assert found
        assert all(problem.cause and problem.cure and problem.key for problem in found)

    def test_a_message_never_repeats_a_value(self) -> None:
        found = problems(labels(owner="Very Secret", env="Very Secret"))
        assert "Very Secret" not in "\n".join(map(str, found))


class TestLoading:
    def test_campaigns_come_sorted_by_name(self, write: Callable[[str, str], Path], tmp_path: Path) -> None:
        for name in ("summer", "autumn"):
            write(f"campaigns/{name}.yaml", yaml.safe_dump(document(name)))
        assert [campaign.name for campaign in campaign_file.load(tmp_path, "campaigns/*.yaml")] == ["autumn", "summer"]

    def test_an_empty_glob_means_no_campaigns(self, tmp_path: Path) -> None:
        assert campaign_file.load(tmp_path, "") == ()

    def test_a_glob_that_matches_nothing_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(CampaignFileError, match="no file matches"):
            campaign_file.load(tmp_path, "campaigns/*.yaml")

    def test_the_problems_of_all_files_come_at_once(self, write: Callable[[str, str], Path], tmp_path: Path) -> None:
        write("campaigns/autumn.yaml", yaml.safe_dump(document("autumn", contacts=None)))
        write("campaigns/summer.yaml", yaml.safe_dump(document("summer", invokers=None)))
        with pytest.raises(CampaignFileError) as caught:
            campaign_file.load(tmp_path, "campaigns/*.yaml")
        assert {problem.file for problem in caught.value.problems} == {"campaigns/autumn.yaml", "campaigns/summer.yaml"}

    def test_the_example_campaign_is_complete(self, root: Path) -> None:
        (campaign,) = campaign_file.load(root, "campaigns/*.yaml")
        assert campaign.name == "spring-launch"
