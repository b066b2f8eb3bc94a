"""From gRPC messages to REST requests and back, without a server."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google.protobuf.json_format import ParseError

from sandbox.description import described as described_rest
from sandbox.errors import InvalidArgument
from sandbox.grpc.descriptors import Binding, Rpc, described
from sandbox.grpc.generate import unquote
from sandbox.grpc.statuses import failure
from sandbox.grpc.transcoding import HttpRequest, decode, encode, from_json, variables


def rpc(name: str) -> Rpc:
    found = described().method(name)
    assert found is not None
    return found


def encoded(method: str, /, **fields: Any) -> HttpRequest:
    found = rpc(method)
    return encode(found, described().message(found.request)(**fields), described())


def test_names_go_into_the_path_and_the_rest_into_the_query() -> None:
    wanted = encoded(
        "google.monitoring.v3.MetricService/ListTimeSeries",
        name="projects/p",
        filter='metric.type = "a"',
        interval={"end_time": {"seconds": 60}},
        aggregation={"group_by_fields": ["x", "y"]},
    )
    assert (wanted.verb, wanted.body) == ("GET", None)
    assert wanted.target == (
        "/v3/projects/p/timeSeries?filter=metric.type+%3D+%22a%22&interval.endTime=1970-01-01T00%3A01%3A00Z"
        "&aggregation.groupByFields=x&aggregation.groupByFields=y"
    )


def test_a_field_that_is_the_body_leaves_the_mask_in_the_query() -> None:
    name = "projects/p/alertPolicies/1"
    wanted = encoded(
        "google.monitoring.v3.AlertPolicyService/UpdateAlertPolicy",
        alert_policy={"name": name, "display_name": "x"},
        update_mask={"paths": ["display_name", "user_labels.Team"]},
    )
    assert wanted.target == f"/v3/{name}?updateMask=displayName%2CuserLabels.Team"
    assert json.loads(wanted.body or b"") == {"name": name, "displayName": "x"}


def test_what_is_escaped_in_a_name_is_escaped_once_more() -> None:
    wanted = encoded("google.logging.v2.LoggingServiceV2/DeleteLog", log_name="projects/p/logs/a%2Fb")
    assert wanted.target == "/v2/projects/p/logs/a%252Fb"


def test_the_first_rule_that_fits_is_taken() -> None:
    method = "google.logging.v2.ConfigServiceV2/ListSinks"
    assert encoded(method, parent="folders/1").target.startswith("/v2/folders/1/sinks")


def test_a_name_of_another_form_is_an_invalid_argument() -> None:
    with pytest.raises(InvalidArgument, match=r"GetTopic expects \{topic=projects/\*/topics/\*\}"):
        encoded("google.pubsub.v1.Publisher/GetTopic", topic="mine")


def test_an_any_of_an_unknown_type_is_left_out_of_an_answer() -> None:
    operation: Any = from_json(
        "google.longrunning.Operation",
        {"name": "operations/1", "done": True, "metadata": {"@type": "type.googleapis.com/none.of.Ours", "a": 1}},
        described(),
    )
    assert (operation.name, operation.done, operation.HasField("metadata")) == ("operations/1", True, False)


def test_an_any_of_a_known_type_is_packed() -> None:
    topic = {"@type": "type.googleapis.com/google.pubsub.v1.Topic", "name": "projects/p/topics/t"}
    operation: Any = from_json("google.longrunning.Operation", {"done": True, "response": topic}, described())
    found = described().message("google.pubsub.v1.Topic")()
    assert operation.response.Unpack(found)
    assert found == from_json("google.pubsub.v1.Topic", {"name": "projects/p/topics/t"}, described())


def test_a_field_the_older_message_does_not_have_is_left_out() -> None:
    topic: Any = from_json("google.pubsub.v1.Topic", {"name": "projects/p/topics/t", "brandNew": {"a": 1}}, described())
    assert topic.name == "projects/p/topics/t"


def test_a_value_of_another_type_is_a_defect() -> None:
    with pytest.raises(ParseError):
        from_json("google.pubsub.v1.Topic", {"name": {"not": "text"}}, described())


def test_a_body_that_is_any_bytes_comes_as_such() -> None:
    message: Any = decode("google.api.HttpBody", Binding("GET", "/"), b"\x00\x01", "image/png", described())
    assert (message.content_type, message.data) == ("image/png", b"\x00\x01")


def test_a_part_of_the_response_can_be_the_whole_answer() -> None:
    binding = Binding("GET", "/", response_body="links")
    message: Any = decode("google.rpc.Help", binding, b'[{"url": "u"}]', "", described())
    assert [link.url for link in message.links] == ["u"]


@pytest.mark.parametrize(
    ("status", "name", "expected"),
    [
        (403, "PERMISSION_DENIED", "PERMISSION_DENIED"),
        (400, "FAILED_PRECONDITION", "FAILED_PRECONDITION"),
        (409, "ALREADY_EXISTS", "ALREADY_EXISTS"),
        (409, "", "ABORTED"),
        (503, "", "UNAVAILABLE"),
        (418, "", "INTERNAL"),
    ],
)
def test_an_http_status_becomes_a_canonical_code(status: int, name: str, expected: str) -> None:
    content = json.dumps({"error": {"code": status, "message": "no", "status": name}}).encode()
    found = failure(status, content, described())
    assert (found.code.name, found.message, found.metadata) == (expected, "no", ())


def test_details_travel_as_a_status_message() -> None:
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "R", "domain": "d"}
    content = json.dumps({"error": {"message": "no", "status": "PERMISSION_DENIED", "details": [info]}}).encode()
    ((key, value),) = failure(403, content, described()).metadata
    status: Any = described().message("google.rpc.Status").FromString(value)
    assert (key, status.code, status.message) == ("grpc-status-details-bin", 7, "no")
    assert status.details[0].type_url.endswith("ErrorInfo")


def test_details_of_a_wrong_form_do_not_hide_the_refusal() -> None:
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": {"not": "text"}}
    content = json.dumps({"error": {"message": "no", "status": "NOT_FOUND", "details": [info]}}).encode()
    assert failure(404, content, described()).code.name == "NOT_FOUND"


def test_a_body_that_is_no_json_still_gives_a_code() -> None:
    found = failure(404, b"<html>", described())
    assert (found.code.name, found.message) == ("NOT_FOUND", "<html>")


def test_literals_of_go_are_read_byte_by_byte() -> None:
    assert unquote(r"a\x00\xff\n\t\"\\\v\101\u00e9é") == b'a\x00\xff\n\t"\\\x0bA\xc3\xa9\xc3\xa9'


def test_nearly_every_http_rule_of_a_described_version_leads_to_a_rest_method() -> None:
    """Of Vertex AI the sandbox describes a part, without most jobs and without models by name."""
    rest, lost, count = described_rest(), set(), 0
    for service in described().services():
        for method in described().methods(service):
            label = rest.service_of_host(method.host)
            versions = {item.version for item in rest.methods(label)} if label else set()
            for binding in method.bindings:
                if label and binding.path.split("/")[1] in versions:
                    count += 1
                    path = binding.path
                    for _, _, place in variables(path):
                        form = place.strip("{}").partition("=")[2] or "*"
                        path = path.replace(place, form.replace("**", "x/y").replace("*", "x"))
                    if rest.match(label, binding.verb, path.lstrip("/")) is None:
                        lost.add(method.full_name)
    assert count > 800
    assert {name for name in lost if "JobService" not in name} == {
        f"google.cloud.aiplatform.v1.{name}"
        for name in (
            *("LlmUtilityService/ComputeTokens", "LlmUtilityService/CountTokens", "ModelGardenService/Deploy"),
            *("PredictionService/GenerateContent", "PredictionService/StreamGenerateContent"),
        )
    }
