"""Every way a request can fail names its cause and its cure, in one envelope."""

import asyncio
import json
import re
from functools import partial
from pathlib import Path

import pytest
from google.auth.exceptions import RefreshError
from google.auth.exceptions import TransportError as AuthTransportError
from google.oauth2.credentials import Credentials

from generation.clients import Clients, connect
from generation.errors import REASONS, ErrorClass, GenerationError, Reason
from generation.settings import Settings
from tests.functions.conftest import ENVIRONMENT, QUICK, Function
from tests.functions.fake_google import (
    AIPLATFORM,
    EMAIL,
    IAM,
    STORAGE,
    FakeGoogle,
    Json,
    error_body,
    image_answer,
    refusal_answer,
)
from tests.functions.pictures import png

PROMPT = "a lighthouse at dusk"
ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
BLOCKS = ["SAFETY", "PROHIBITED_CONTENT", "IMAGE_SAFETY", "MODEL_ARMOR", "JAILBREAK", "NEW"]
PERIMETER = [
    {
        "@type": "type.googleapis.com/google.rpc.PreconditionFailure",
        "violations": [{"type": "VPC_SERVICE_CONTROLS", "description": "Zk3vQ"}],
    },
    {
        "@type": ERROR_INFO,
        "reason": "SECURITY_POLICY_VIOLATED",
        "domain": "googleapis.com",
        "metadata": {"uid": "Zk3vQ", "service": AIPLATFORM},
    },
]


def storage_error(code: int, message: str, reason: str) -> Json:
    return {"error": {"code": code, "message": message, "errors": [{"message": message, "reason": reason}]}}


class TestTheModelDeclines:
    """An answer without an image is a failure of class safety, and says why."""

    async def test_text_without_an_image(self, function: Function, google: FakeGoogle) -> None:
        google.answers = [refusal_answer("STOP", text="Which lighthouse do you mean?")]

        error = await function.refused(prompt=PROMPT)

        assert error["status"] == "FAILED_PRECONDITION"
        assert error["message"].endswith('It said: "Which lighthouse do you mean?"')
        assert error["details"][0]["reason"] == "NO_IMAGE"
        assert error["details"][0]["class"] == "safety"
        assert len(google.model_calls) == 1, "asking again would be refused again"

    @pytest.mark.parametrize(
        "block", ["SAFETY", "PROHIBITED_CONTENT", "IMAGE_SAFETY", "MODEL_ARMOR", "JAILBREAK", "NEW"]
    )
    async def test_a_blocked_prompt(self, function: Function, google: FakeGoogle, block: str) -> None:
        google.answers = [{"promptFeedback": {"blockReason": block, "blockReasonMessage": "Blocked."}}]

        error = await function.refused(prompt=PROMPT)

        assert block in error["message"]
        assert error["details"][0]["reason"] == "PROMPT_BLOCKED"
        assert error["details"][0]["class"] == "safety"

    @pytest.mark.parametrize(
        "finish",
        [
            "SAFETY",
            "IMAGE_SAFETY",
            "PROHIBITED_CONTENT",
            "IMAGE_PROHIBITED_CONTENT",
            "RECITATION",
            "IMAGE_RECITATION",
            "BLOCKLIST",
            "SPII",
            "MODEL_ARMOR",
        ],
    )
    async def test_a_filtered_answer(self, function: Function, google: FakeGoogle, finish: str) -> None:
        google.answers = [refusal_answer(finish, message="Not shown. Support codes: 29310472")]

        error = await function.refused(prompt=PROMPT)

        assert error["details"][0]["reason"] == finish
        assert error["details"][0]["class"] == "safety"
        assert "celebrity" in error["message"], "support codes are put into words"

    @pytest.mark.parametrize("finish", ["LANGUAGE", "MAX_TOKENS"])
    async def test_an_answer_that_another_request_would_get(
        self, function: Function, google: FakeGoogle, finish: str
    ) -> None:
        google.answers = [refusal_answer(finish)]

        error = await function.refused(prompt=PROMPT)

        assert error["details"][0]["reason"] == finish
        assert error["details"][0]["class"] == "invalid"

    @pytest.mark.parametrize("finish", ["OTHER", "IMAGE_OTHER", "MALFORMED_RESPONSE", "SOMETHING_NEW"])
    async def test_an_answer_that_makes_no_sense(self, function: Function, google: FakeGoogle, finish: str) -> None:
        google.answers = [refusal_answer(finish)]

        error = await function.refused(prompt=PROMPT)

        assert error["code"] == 503
        assert error["details"][0]["reason"] == "MODEL_FAILED"
        assert finish in error["message"]

    async def test_of_several_images_the_declined_ones_are_missing(
        self, function: Function, google: FakeGoogle
    ) -> None:
        google.answers = [image_answer(png()), refusal_answer("IMAGE_SAFETY"), image_answer(png(5, 5))]

        answer = await function.made(prompt=PROMPT, count=3)

        assert len(answer["images"]) == 2
        assert answer["finishReason"] == "IMAGE_SAFETY"
        record = json.loads(google.objects["spring-images"][f"images/{answer['id']}/record.json"].data)
        assert record["failures"] == ["IMAGE_SAFETY"]

    async def test_a_refusal_is_not_kept_so_the_request_can_be_tried_again(
        self, function: Function, google: FakeGoogle
    ) -> None:
        google.answers = [refusal_answer("IMAGE_SAFETY")]

        await function.refused(prompt=PROMPT)
        answer = await function.made(prompt=PROMPT)

        assert answer["cached"] is False


class TestTheModelIsOutOfReach:
    """What may pass is tried again within timeoutSeconds; what is left is said with the seconds to wait."""

    async def test_a_failure_that_passes_is_tried_again(self, function: Function, google: FakeGoogle) -> None:
        google.fail(AIPLATFORM, 503, error_body(503, "UNAVAILABLE", "Overloaded."), part=":generateContent", times=2)

        answer = await function.made(prompt=PROMPT)

        assert answer["attempts"] == 3

    @pytest.mark.parametrize("code", [500, 502, 503, 504, 408])
    async def test_a_failure_that_lasts(self, function: Function, google: FakeGoogle, code: int) -> None:
        google.fail(AIPLATFORM, code, "<html>bad gateway</html>", part=":generateContent", times=9)

        error = await function.refused(prompt=PROMPT)

        assert (error["code"], error["status"]) == (503, "UNAVAILABLE")
        assert error["details"][0]["reason"] == "MODEL_UNAVAILABLE"
        assert error["details"][0]["class"] == "retryable"
        assert error["details"][0]["retryAfterSeconds"] == 5
        assert function.log[-1]["attempts"] == 4

    async def test_no_capacity(self, function: Function, google: FakeGoogle) -> None:
        body = error_body(429, "RESOURCE_EXHAUSTED", "Resource exhausted. Please try again later.")
        google.fail(AIPLATFORM, 429, body, part=":generateContent", times=9)

        response = await function.post(prompt=PROMPT)
        error = response.json()["error"]

        assert (error["code"], error["status"]) == (429, "RESOURCE_EXHAUSTED")
        assert error["details"][0]["reason"] == "CAPACITY_EXHAUSTED"
        assert error["details"][0]["class"] == "quota"
        assert error["details"][0]["retryAfterSeconds"] == 60
        assert response.headers["retry-after"] == "60"

    async def test_a_used_up_quota(self, function: Function, google: FakeGoogle) -> None:
        metric = "aiplatform.googleapis.com/generate_content_image_gen_per_project_per_base_model_global"
        details: list[Json] = [
            {"@type": ERROR_INFO, "reason": "RATE_LIMIT_EXCEEDED", "metadata": {"quota_metric": metric}},
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "37s"},
        ]
        google.fail(AIPLATFORM, 429, error_body(429, "RESOURCE_EXHAUSTED", "Quota exceeded.", details), times=9)

        error = await function.refused(prompt=PROMPT, timeoutSeconds=20)

        assert error["details"][0]["reason"] == "QUOTA_EXCEEDED"
        assert error["details"][0]["retryAfterSeconds"] == 37
        assert f"--filter=metric={metric}" in error["details"][0]["hint"]
        assert len(google.model_calls) == 1, "Google asked for more time than the request has"

    async def test_an_answer_that_takes_too_long(self, function: Function, google: FakeGoogle) -> None:
        google.pause = 3

        error = await function.refused(prompt=PROMPT, timeoutSeconds=1)

        assert (error["code"], error["status"]) == (504, "DEADLINE_EXCEEDED")
        assert error["details"][0]["reason"] == "DEADLINE_EXCEEDED"
        assert error["details"][0]["class"] == "retryable"

    async def test_a_bucket_that_answers_too_late(self, function: Function, google: FakeGoogle) -> None:
        google.storage_pause = 3

        error = await function.refused(prompt=PROMPT, timeoutSeconds=1)

        assert error["details"][0]["reason"] == "DEADLINE_EXCEEDED"
        assert "There is no image after 1 s" in error["message"]

    async def test_no_way_to_the_model(self, function: Function, google: FakeGoogle) -> None:
        google.unreachable = {AIPLATFORM}

        error = await function.refused(prompt=PROMPT)

        assert error["details"][0]["reason"] == "MODEL_UNAVAILABLE"
        assert "restricted.googleapis.com" in error["details"][0]["hint"]
        assert function.log[-1]["attempts"] == 4

    async def test_no_way_to_the_signature(self, function: Function, google: FakeGoogle) -> None:
        google.unreachable = {IAM}

        error = await function.refused(prompt=PROMPT)

        assert error["details"][0]["reason"] == "IDENTITY_UNAVAILABLE"
        assert "restricted.googleapis.com" in error["details"][0]["hint"]

    async def test_an_answer_that_is_no_json(self, function: Function, google: FakeGoogle) -> None:
        google.fail(AIPLATFORM, 200, "not json", part=":generateContent")

        error = await function.refused(prompt=PROMPT)

        assert error["details"][0]["reason"] == "MODEL_FAILED"

    async def test_the_next_model_is_used_instead(self, function: Function, google: FakeGoogle) -> None:
        body = error_body(429, "RESOURCE_EXHAUSTED", "Resource exhausted.")
        google.fail(AIPLATFORM, 429, body, part="gemini-3-pro-image:generateContent", times=9)

        answer = await function.made(prompt=PROMPT, fallback=["gemini-3.1-flash-image"])
        again = await function.made(prompt=PROMPT, fallback=["gemini-3.1-flash-image"])

        assert answer["model"] == "gemini-3.1-flash-image"
        assert answer["skipped"] == [{"model": "gemini-3-pro-image", "reason": "CAPACITY_EXHAUSTED"}]
        assert function.log[0]["skipped"] == ["gemini-3-pro-image CAPACITY_EXHAUSTED"]
        assert (again["cached"], again["skipped"]) == (True, [])
        assert again["id"] == answer["id"]


class TestAccessIsDenied:
    """A refusal of Google's becomes the command that mends it."""

    async def test_a_missing_role(self, function: Function, google: FakeGoogle) -> None:
        message = "Permission 'aiplatform.endpoints.predict' denied on resource '//aiplatform/x'"
        details: list[Json] = [
            {
                "@type": ERROR_INFO,
                "reason": "IAM_PERMISSION_DENIED",
                "metadata": {"permission": "aiplatform.endpoints.predict"},
            }
        ]
        google.fail(AIPLATFORM, 403, error_body(403, "PERMISSION_DENIED", message, details))

        error = await function.refused(prompt=PROMPT)

        assert (error["code"], error["status"]) == (403, "PERMISSION_DENIED")
        assert error["details"][0] == {
            "reason": "PERMISSION_DENIED",
            "class": "auth",
            "hint": "gcloud projects add-iam-policy-binding spring-launch-4711 "
            f"--member=serviceAccount:{EMAIL} --role=roles/aiplatform.user",
            "retryAfterSeconds": None,
        }
        assert "aiplatform.endpoints.predict" in error["message"]
        assert len(google.model_calls) == 1

    @pytest.mark.parametrize("details", [PERIMETER, PERIMETER[:1], PERIMETER[1:], []])
    async def test_a_perimeter_in_front_of_the_model(
        self, function: Function, google: FakeGoogle, details: list[Json]
    ) -> None:
        message = "Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: Zk3vQ"
        google.fail(AIPLATFORM, 403, error_body(403, "PERMISSION_DENIED", message, details))

        error = await function.refused(prompt=PROMPT)

        assert error["details"][0]["reason"] == "VPC_SERVICE_CONTROLS"
        assert error["details"][0]["class"] == "auth"
        assert "vpcServiceControlsUniqueIdentifier: Zk3vQ" in error["message"]
        hint = error["details"][0]["hint"]
        assert 'vpcServiceControlsUniqueId="Zk3vQ"' in hint
        assert "gcloud access-context-manager perimeters update" in hint
        assert "--set-egress-policies" in hint
        assert function.log[-1]["uniqueId"] == "Zk3vQ"

    async def test_a_perimeter_in_front_of_the_bucket(self, function: Function, google: FakeGoogle) -> None:
        message = "Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: Zk3vQ"
        google.fail(STORAGE, 403, storage_error(403, message, "vpcServiceControls"))

        error = await function.refused(prompt=PROMPT)

        assert error["details"][0]["reason"] == "VPC_SERVICE_CONTROLS"
        assert "storage.googleapis.com" in error["details"][0]["hint"]

    async def test_an_api_that_is_not_enabled(self, function: Function, google: FakeGoogle) -> None:
        details: list[Json] = [{"@type": ERROR_INFO, "reason": "SERVICE_DISABLED", "metadata": {"service": AIPLATFORM}}]
        google.fail(AIPLATFORM, 403, error_body(403, "PERMISSION_DENIED", "Vertex AI API is disabled.", details))

        error = await function.refused(prompt=PROMPT)

        assert error["details"][0]["reason"] == "SERVICE_DISABLED"
        assert error["details"][0]["hint"] == f"gcloud services enable {AIPLATFORM} --project=spring-launch-4711"

    async def test_a_closed_billing_account(self, function: Function, google: FakeGoogle) -> None:
        details: list[Json] = [{"@type": ERROR_INFO, "reason": "BILLING_DISABLED"}]
        google.fail(AIPLATFORM, 403, error_body(403, "PERMISSION_DENIED", "Billing is disabled.", details))

        error = await function.refused(prompt=PROMPT)

        assert error["details"][0]["reason"] == "BILLING_DISABLED"
        assert "gcloud billing projects link spring-launch-4711" in error["details"][0]["hint"]

    async def test_credentials_that_google_does_not_know(self, function: Function, google: FakeGoogle) -> None:
        google.fail(AIPLATFORM, 401, error_body(401, "UNAUTHENTICATED", "Invalid credentials."))

        error = await function.refused(prompt=PROMPT)

        assert (error["code"], error["status"]) == (401, "UNAUTHENTICATED")
        assert error["details"][0]["reason"] == "UNAUTHENTICATED"
        assert f"gcloud iam service-accounts describe {EMAIL}" in error["details"][0]["hint"]

    async def test_a_model_that_is_not_served_here(self, function: Function, google: FakeGoogle) -> None:
        google.fail(AIPLATFORM, 404, error_body(404, "NOT_FOUND", "Publisher Model was not found."))

        error = await function.refused(prompt=PROMPT)

        assert (error["code"], error["status"]) == (404, "NOT_FOUND")
        assert error["details"][0]["reason"] == "MODEL_NOT_FOUND"
        assert error["details"][0]["class"] == "fatal"
        assert "GOOGLE_CLOUD_LOCATION to global" in error["details"][0]["hint"]

    async def test_a_request_the_model_finds_malformed(self, function: Function, google: FakeGoogle) -> None:
        google.fail(AIPLATFORM, 400, error_body(400, "INVALID_ARGUMENT", "Unable to process input image."))

        error = await function.refused(prompt=PROMPT)

        assert error["details"][0]["reason"] == "MODEL_INVALID_ARGUMENT"
        assert error["details"][0]["class"] == "invalid"
        assert "Unable to process input image." in error["message"]


class TestTheBucketRefuses:
    """Storing fails in the words of Cloud Storage; the answer names the bucket, the key or the role."""

    @pytest.mark.parametrize(
        ("part", "verb", "role"),
        [
            ("/upload/", "create", "roles/storage.objectCreator"),
            ("/download/", "get", "roles/storage.objectViewer"),
        ],
    )
    async def test_a_missing_role(
        self, function: Function, google: FakeGoogle, part: str, verb: str, role: str
    ) -> None:
        message = (
            f"{EMAIL} does not have storage.objects.{verb} access to the Google Cloud Storage object. "
            f"Permission 'storage.objects.{verb}' denied on resource (or it may not exist)."
        )
        google.fail(STORAGE, 403, storage_error(403, message, "forbidden"), part=part)

        error = await function.refused(prompt=PROMPT)

        assert error["details"][0]["reason"] == "PERMISSION_DENIED"
        assert error["details"][0]["hint"] == (
            "gcloud storage buckets add-iam-policy-binding gs://spring-images "
            f"--member=serviceAccount:{EMAIL} --role={role}"
        )

    async def test_a_key_that_storage_may_not_use(self, function: Function, google: FakeGoogle) -> None:
        message = (
            "Permission denied on Cloud KMS key. Please ensure that your Cloud Storage service account has been "
            "authorized to use this key."
        )
        google.fail(STORAGE, 403, storage_error(403, message, "forbidden"), part="/upload/")

        error = await function.refused(prompt=PROMPT)

        assert error["details"][0]["reason"] == "KMS_KEY_DENIED"
        assert error["details"][0]["class"] == "auth"
        assert "gcloud kms keys add-iam-policy-binding" in error["details"][0]["hint"]

    async def test_a_key_that_is_disabled(self, function: Function, google: FakeGoogle) -> None:
        message = "Cloud KMS key version cannot be used: projects/p/locations/l/keyRings/r/cryptoKeys/k is not enabled."
        google.fail(STORAGE, 400, storage_error(400, message, "keyDisabled"), part="/upload/")

        error = await function.refused(prompt=PROMPT)

        assert error["details"][0]["reason"] == "KMS_KEY_UNUSABLE"
        assert error["details"][0]["class"] == "fatal"
        assert "gcloud kms keys versions enable" in error["details"][0]["hint"]

    async def test_a_bucket_that_is_not_there(self, function: Function, google: FakeGoogle) -> None:
        del google.objects["spring-images"]

        error = await function.refused(prompt=PROMPT)

        assert error["code"] == 500
        assert error["details"][0]["reason"] == "BUCKET_NOT_FOUND"
        assert "gs://spring-images" in error["message"]
        assert not google.model_calls, "no image is paid for that could not be kept"

    async def test_a_request_storage_finds_malformed(self, function: Function, google: FakeGoogle) -> None:
        google.fail(STORAGE, 400, storage_error(400, "Invalid argument.", "invalid"), part="/upload/")

        error = await function.refused(prompt=PROMPT)

        assert error["details"][0]["reason"] == "STORAGE_REFUSED"

    async def test_an_upload_that_arrives_damaged(self, function: Function, google: FakeGoogle) -> None:
        google.damage = True

        error = await function.refused(prompt=PROMPT)

        assert error["details"][0]["reason"] == "STORAGE_UNAVAILABLE"
        assert error["details"][0]["class"] == "retryable"

    async def test_a_signature_that_is_refused(self, function: Function, google: FakeGoogle) -> None:
        message = "Permission 'iam.serviceAccounts.signBlob' denied on resource (or it may not exist)."
        google.fail(IAM, 403, error_body(403, "PERMISSION_DENIED", message))

        error = await function.refused(prompt=PROMPT)
        answer = await function.made(prompt=PROMPT)

        assert error["details"][0]["reason"] == "SIGNING_DENIED"
        assert "--role=roles/iam.serviceAccountTokenCreator" in error["details"][0]["hint"]
        assert answer["cached"] is True, "the image had been kept"

    async def test_an_identity_that_is_not_there_to_sign(self, function: Function, google: FakeGoogle) -> None:
        google.fail(IAM, 404, error_body(404, "NOT_FOUND", "Unknown service account"))

        error = await function.refused(prompt=PROMPT)

        assert error["details"][0]["reason"] == "SIGNING_DENIED"
        assert "PLANTAIN_SERVICE_ACCOUNT" in error["details"][0]["hint"]

    async def test_a_record_that_is_none(self, function: Function, google: FakeGoogle) -> None:
        answer = await function.made(prompt=PROMPT)
        google.put("spring-images", f"images/{answer['id']}/record.json", b"{}", "application/json")

        error = await function.refused(prompt=PROMPT)

        assert error["details"][0]["reason"] == "INTERNAL"
        assert "gcloud storage cat gs://spring-images/images/" in error["details"][0]["hint"]


class TestOthersAreAtIt:
    """A claim of another instance is respected until it fails, ends or runs out."""

    async def test_a_claim_that_outlasts_the_request(self, function: Function, google: FakeGoogle) -> None:
        answer = await function.made(prompt=PROMPT)
        objects = google.objects["spring-images"]
        del objects[f"images/{answer['id']}/record.json"]

        error = await function.refused(prompt=PROMPT, timeoutSeconds=1)

        assert (error["code"], error["status"]) == (409, "ABORTED")
        assert error["details"][0]["reason"] == "IN_PROGRESS"
        assert error["details"][0]["retryAfterSeconds"] == 10

    async def test_a_claim_that_has_run_out_is_taken_over(self, function: Function, google: FakeGoogle) -> None:
        answer = await function.made(prompt=PROMPT)
        objects = google.objects["spring-images"]
        del objects[f"images/{answer['id']}/record.json"]
        claim = objects[f"claims/{answer['id']}/00000"]
        claim.created = "2020-01-01T00:00:00.000Z"

        again = await function.made(prompt=PROMPT)

        assert again["cached"] is False
        assert f"claims/{answer['id']}/00001" in objects

    async def test_a_failure_is_written_down_for_the_others(self, function: Function, google: FakeGoogle) -> None:
        google.answers = [refusal_answer("IMAGE_SAFETY")]

        await function.refused(prompt=PROMPT)

        claims = {name.rpartition("/")[2]: o.data for name, o in google.objects["spring-images"].items()}
        assert set(claims) == {"00000", "00000.failed"}
        assert json.loads(claims["00000.failed"]) == {"reason": "IMAGE_SAFETY"}


class TestTheFunctionItselfFails:
    """Settings, credentials and defects end in the envelope, too, and never in a traceback."""

    async def test_missing_settings_are_all_named(self, google: FakeGoogle) -> None:
        function = Function({"PLANTAIN_LABELS": "[", "GOOGLE_CLOUD_PROJECT": "p", "PLANTAIN_MODEL": "dall-e"})
        try:
            error = await function.refused(prompt=PROMPT)
        finally:
            await function.close()

        assert error["details"][0]["reason"] == "INVALID_SETTINGS"
        for name in (
            "PLANTAIN_CAMPAIGN",
            "PLANTAIN_BUCKET",
            "PLANTAIN_LABELS",
            "PLANTAIN_SERVICE_ACCOUNT",
            "PLANTAIN_MODEL",
        ):
            assert name in error["message"]
        assert error["details"][0]["hint"].endswith("pulumi up")

    @pytest.mark.parametrize(
        ("raised", "reason"),
        [(RefreshError("gone"), "UNAUTHENTICATED"), (AuthTransportError("no route"), "IDENTITY_UNAVAILABLE")],
    )
    async def test_credentials_that_cannot_be_refreshed(
        self, google: FakeGoogle, raised: Exception, reason: str
    ) -> None:
        class Broken(Credentials):  # type: ignore[misc,unused-ignore] # google-auth leaves it untyped
            def refresh(self, request: object) -> None:
                raise raised

        broken = Broken(token=None)  # type: ignore[no-untyped-call] # google-auth leaves it untyped
        function = Function(ENVIRONMENT, connector=partial(connect, credentials=broken, storage_policy=QUICK))
        try:
            error = await function.refused(prompt=PROMPT)
        finally:
            await function.close()

        assert error["details"][0]["reason"] == reason

    async def test_a_defect_is_answered_without_its_traceback(self, google: FakeGoogle) -> None:
        async def broken(settings: Settings) -> Clients:
            raise ZeroDivisionError(f"secret {PROMPT} for {settings.campaign}")

        function = Function(ENVIRONMENT, connector=broken)
        try:
            response = await function.post(prompt=PROMPT)
        finally:
            await function.close()

        assert response.status_code == 500
        assert response.json()["error"]["status"] == "INTERNAL"
        assert response.json()["error"]["details"][0]["reason"] == "INTERNAL"
        assert "ZeroDivisionError" not in response.text
        assert "secret" not in response.text
        assert function.log[-1]["exception"] == "ZeroDivisionError"
        assert any("test_failures.py" in frame for frame in function.log[-1]["stack"])

    async def test_a_caller_who_goes_away_does_not_end_the_work(self, function: Function, google: FakeGoogle) -> None:
        google.pause = 0.5
        waiting = asyncio.create_task(function.post(prompt=PROMPT))
        await asyncio.to_thread(google.asked.wait, 30)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)

        answer = await function.made(prompt=PROMPT)

        assert answer["cached"] is True
        assert len(google.model_calls) == 1


class TestRoutes:
    """Paths and methods that are not there."""

    @pytest.mark.parametrize(
        ("method", "path", "code", "reason"),
        [
            ("GET", "/", 404, "ROUTE_NOT_FOUND"),
            ("POST", "/videos", 404, "ROUTE_NOT_FOUND"),
            ("GET", "/images", 405, "METHOD_NOT_ALLOWED"),
            ("DELETE", "/images/abc", 405, "METHOD_NOT_ALLOWED"),
            ("POST", "/healthz", 405, "METHOD_NOT_ALLOWED"),
            ("GET", "/images/" + "0" * 64, 404, "IMAGE_NOT_FOUND"),
            ("GET", "/images/no-such-id", 404, "IMAGE_NOT_FOUND"),
        ],
    )
    async def test_it_is_said_what_there_is(
        self, function: Function, method: str, path: str, code: int, reason: str
    ) -> None:
        response = await function.http.request(method, path)

        error = response.json()["error"]
        assert (response.status_code, error["code"], error["details"][0]["reason"]) == (code, code, reason)
        assert error["details"][0]["hint"]

    async def test_a_body_that_is_too_large(self, function: Function) -> None:
        response = await function.http.post("/images", content=b" " * (32 * 1024 * 1024 + 1))

        assert response.status_code == 413
        assert response.json()["error"]["details"][0]["reason"] == "REQUEST_TOO_LARGE"
        assert "gs://" in response.json()["error"]["details"][0]["hint"]


class TestTheCatalogue:
    """Reasons, families and classes fit together."""

    def test_every_reason_has_facts(self) -> None:
        assert set(REASONS) == set(Reason)

    def test_every_class_has_one_family(self) -> None:
        families = {facts.family for facts in REASONS.values()}
        assert {family.error_class for family in families} == set(ErrorClass)
        assert len(families) == len(ErrorClass)
        assert families == set(GenerationError.__subclasses__())

    def test_every_reason_is_reached_by_a_test(self) -> None:
        reached = set()
        for path in Path(__file__).parent.glob("test_*.py"):
            reached |= {reason for reason in Reason if f'"{reason.value}"' in path.read_text("utf-8")}
        assert set(Reason) - reached == set()


async def test_google_is_asked_for_nothing_but_what_the_roles_allow(function: Function, google: FakeGoogle) -> None:
    await function.made(prompt=PROMPT)

    image = r"images/[0-9a-f]{64}"
    asked = [re.sub(image, "images/ID", f"{seen.method} {seen.host}{seen.path}") for seen in google.seen]
    model = "projects/spring-launch-4711/locations/global/publishers/google/models/gemini-3-pro-image"
    create = f"POST {STORAGE}/upload/storage/v1/b/spring-images/o?uploadType=multipart&ifGenerationMatch=0"
    assert asked == [
        f"GET {STORAGE}/download/storage/v1/b/spring-images/o/images/ID/record.json?alt=media",
        create,
        f"POST {AIPLATFORM}/v1/{model}:generateContent",
        create,
        create,
        f"POST {IAM}/v1/projects/-/serviceAccounts/{EMAIL}:signBlob",
    ]
