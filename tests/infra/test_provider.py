from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from infra import provider
from tests.infra.recording_engine import run
from tests.infra.stacks import make_settings

if TYPE_CHECKING:
    from tests.infra.recording_engine import Recording


def google(stack: str = "test", **changes: Any) -> dict[str, Any]:
    recording: Recording = run(lambda: provider.google(make_settings(**changes), stack=stack) and None)
    (registered,) = recording.resources.values()
    return registered.inputs


class TestTheProvider:
    """Where it goes and how it labels is written down in the settings, so the state remembers it."""

    def test_resources_say_that_plantain_made_them_and_in_which_stack(self) -> None:
        assert json.loads(google("Team/Prod")["defaultLabels"]) == {"managed-by": "plantain", "stack": "team-prod"}

    def test_no_other_label_is_added(self) -> None:
        assert google()["addPulumiAttributionLabel"] == "false"

    def test_endpoints_become_arguments(self) -> None:
        inputs = google(endpoints={"kms": "http://127.0.0.1:8085/cloudkms/v1/"})
        assert inputs["kmsCustomEndpoint"] == "http://127.0.0.1:8085/cloudkms/v1/"

    def test_a_quota_project_is_charged_for_calls(self) -> None:
        inputs = google(quotaProject="plantain-seed")
        assert inputs["billingProject"] == "plantain-seed"
        assert inputs["userProjectOverride"] == "true"
        assert "userProjectOverride" not in google()

    def test_it_acts_as_the_account_it_is_told_to(self) -> None:
        email = "deployer@seed.iam.gserviceaccount.com"
        assert google(impersonate=email)["impersonateServiceAccount"] == email

    def test_the_token_is_a_secret(self) -> None:
        inputs = google(accessToken="sandbox")
        assert "sandbox" in str(inputs["accessToken"])
        assert "accessToken" not in google()

    def test_its_pace_can_be_set(self) -> None:
        inputs = google(pollInterval="100ms", batchDelay="0s")
        assert inputs["pollInterval"] == "100ms"
        assert json.loads(inputs["batching"]) == {"enableBatching": True, "sendAfter": "0s"}
