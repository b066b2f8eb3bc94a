"""Projects of others that are gone, held or out of sight: what the program says before it changes anything."""

from __future__ import annotations

import httpx
import pulumi
import pytest

from infra import adoption, error_hooks, lien, taken_name
from infra.errors import ProjectError
from infra.google_api import GoogleApi
from tests.infra.stacks import make_campaign

ADOPTING = make_campaign(project={"existing": "acme-spring"})


def api(status: int, body: dict[str, object]) -> GoogleApi:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/v1/projects/acme-spring"
        return httpx.Response(status, json=body)

    return GoogleApi({}, lambda: "token", None, httpx.MockTransport(answer))


def test_a_project_in_its_hold_is_taken_back_by_a_named_command() -> None:
    with pytest.raises(ProjectError) as caught:
        adoption.check(api(200, {"lifecycleState": "DELETE_REQUESTED"}), [ADOPTING])
    assert "held for 30 days" in str(caught.value)
    assert "gcloud projects undelete acme-spring" in str(caught.value)
    assert "project.existing" in str(caught.value)


@pytest.mark.parametrize("status", [403, 404])
def test_a_project_that_cannot_be_seen_is_asked_for_by_a_named_command(status: int) -> None:
    with pytest.raises(ProjectError, match="gcloud projects describe acme-spring"):
        adoption.check(api(status, {"error": {"message": "denied"}}), [ADOPTING])


@pytest.mark.parametrize("status", [200, 429, 503])
def test_an_active_project_and_an_api_that_does_not_answer_stop_nothing(status: int) -> None:
    adoption.check(api(status, {"lifecycleState": "ACTIVE"}), [ADOPTING])


def test_a_stack_without_projects_of_others_asks_nothing() -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        raise AssertionError("asked")

    adoption.check(GoogleApi({}, lambda: "token", None, httpx.MockTransport(refuse)), [make_campaign()])


def failed(operation: str, *errors: str) -> pulumi.ErrorHookArgs:
    return pulumi.ErrorHookArgs(
        urn="urn", id="projects/spring-1", name="spring", type="t", failed_operation=operation, errors=list(errors)
    )


def test_a_lien_of_others_is_found_and_removed_by_named_commands() -> None:
    said = lien.next_command(failed("delete", "A lien to prevent deletion was placed on the project by [xpn]."))
    assert "liens list --project=spring-1" in said
    assert "liens delete NAME --project=spring-1" in said


@pytest.mark.parametrize(
    "arguments",
    [failed("delete", "permission denied"), failed("create", "a lien"), failed("delete")],
    ids=["other-reason", "not-a-delete", "no-reason"],
)
def test_other_failures_are_not_blamed_on_a_lien(arguments: pulumi.ErrorHookArgs) -> None:
    assert lien.next_command(arguments) == ""


def test_a_hook_that_is_not_of_the_reason_never_asks_to_try_again() -> None:
    assert error_hooks.HOOKS["project-lien"](failed("delete", "permission denied")) is False


KEY, QUOTA = "gcp:kms/cryptoKey:CryptoKey", "gcp:cloudquota/sQuotaPreference:SQuotaPreference"


def refused(kind: str, operation: str, *errors: str) -> pulumi.ErrorHookArgs:
    urn = f"urn:pulumi:prod::plantain::plantain:infra:Campaign${kind}::spring-images"
    return pulumi.ErrorHookArgs(
        urn=urn, id="", name="spring-images", type=kind, failed_operation=operation, errors=list(errors)
    )


@pytest.mark.parametrize("said", ["googleapi: Error 409: CryptoKey x already exists.", "alreadyExists"])
def test_a_key_whose_name_is_taken_is_named_anew_by_a_setting(said: str) -> None:
    found = taken_name.next_command(refused(KEY, "create", said))
    assert "keys:\n    suffix: b" in found
    assert "plantain recover --stack prod && pulumi up --stack prod" in found


def test_a_quota_that_was_asked_for_before_is_taken_over_by_a_named_command() -> None:
    found = taken_name.next_command(refused(QUOTA, "create", "Error 409: Resource 'x' already exists"))
    assert "plantain recover --stack prod" in found
    assert "suffix" not in found


@pytest.mark.parametrize(
    "arguments",
    [refused(KEY, "create", "permission denied"), refused(KEY, "update", "Error 409"), refused(KEY, "create")],
    ids=["other-reason", "not-a-creation", "no-reason"],
)
def test_other_failures_are_not_blamed_on_a_name(arguments: pulumi.ErrorHookArgs) -> None:
    assert taken_name.next_command(arguments) == ""
    assert error_hooks.HOOKS["taken-name"](arguments) is False
