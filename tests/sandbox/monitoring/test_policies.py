from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.conftest import Caller

Document = dict[str, Any]
Build = Callable[..., Document]
Create = Callable[[str, Document], Document]


def message(body: Document) -> str:
    return str(body["error"]["message"])


def test_a_policy_is_numbered_recorded_and_enabled(create: Create, policy: Build, project: str) -> None:
    made = create("alertPolicies", policy())
    prefix, _, number = made["name"].rpartition("/")
    assert (prefix, number.isdigit()) == (f"projects/{project}/alertPolicies", True)
    assert made["conditions"][0]["name"].startswith(f"{made['name']}/conditions/")
    assert made["enabled"] is True
    assert made["creationRecord"]["mutatedBy"] == "user@example.com"


def test_an_update_keeps_names_and_creation_and_replaces_without_a_mask(
    admin: Caller, create: Create, policy: Build
) -> None:
    made = create("alertPolicies", {**policy(), "userLabels": {"a": "b"}})
    path = f"/monitoring/v3/{made['name']}"
    renamed = admin("PATCH", path, {"displayName": "new"}, params={"updateMask": "display_name"})[1]
    assert (renamed["displayName"], renamed["userLabels"]) == ("new", {"a": "b"})
    replaced = admin("PATCH", path, {**policy(thresholdValue=9), "conditions": made["conditions"]})[1]
    assert "userLabels" not in replaced
    assert replaced["conditions"][0]["name"] == made["conditions"][0]["name"]
    assert replaced["creationRecord"] == made["creationRecord"]
    listed = admin("GET", path.rpartition("/")[0])[1]
    assert (listed["totalSize"], listed["alertPolicies"]) == (1, [replaced])


def test_a_policy_on_a_metric_that_nobody_defined_is_404(
    admin: Caller, url: str, create: Create, policy: Build
) -> None:
    text = 'metric.type="logging.googleapis.com/user/errors" AND resource.type="global"'
    status, body = admin("POST", f"{url}/alertPolicies", policy(text))
    assert status == 404
    assert message(body).startswith('Cannot find metric(s) that match type = "logging.googleapis.com/user/errors"')
    metric = {"name": "errors", "filter": "severity>=ERROR"}
    assert admin("POST", f"{url.replace('monitoring/v3', 'logging/v2')}/metrics", metric)[0] == 200
    assert create("alertPolicies", policy(text))["name"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"displayName": ""}, "display_name"),
        ({"conditions": []}, "1 to 6 conditions"),
        ({"combiner": "XOR"}, "combiner"),
        ({"notificationChannels": ["projects/test-project/notificationChannels/1"]}, "does not exist"),
        ({"conditions": [{"displayName": "c"}]}, "exactly one of"),
        ({"conditions": [{"displayName": "c", "conditionMatchedLog": {"filter": "x"}}]}, "notification_rate_limit"),
    ],
)
def test_what_cannot_be_a_policy_is_refused(
    admin: Caller, url: str, policy: Build, change: Document, reason: str
) -> None:
    status, body = admin("POST", f"{url}/alertPolicies", {**policy(), **change})
    assert (status, reason in message(body)) == (400, True)


@pytest.mark.parametrize(
    ("threshold", "reason"),
    [
        ({"filter": 'resource.type="global"'}, "restriction on metric.type"),
        ({"filter": 'metric.type="a" AND ('}, "lefthand side"),
        ({"duration": "5m"}, "number of seconds"),
        ({"aggregations": [{"alignmentPeriod": "10s"}]}, "at least 60s"),
    ],
)
def test_conditions_that_can_never_hold_are_refused(
    admin: Caller, url: str, policy: Build, threshold: Document, reason: str
) -> None:
    status, body = admin("POST", f"{url}/alertPolicies", policy(**threshold))
    assert (status, reason in message(body)) == (400, True)


def test_a_channel_in_use_is_deleted_by_force_only(admin: Caller, create: Create, policy: Build) -> None:
    body = {"type": "email", "displayName": "c", "labels": {"email_address": "a@example.com"}}
    channel = create("notificationChannels", body)
    made = create("alertPolicies", {**policy(), "notificationChannels": [channel["name"]]})
    path = f"/monitoring/v3/{channel['name']}"
    status, answer = admin("DELETE", path)
    assert (status, "Cannot delete channels" in message(answer)) == (400, True)
    assert admin("DELETE", path, params={"force": "true"}) == (200, {})
    assert admin("GET", f"/monitoring/v3/{made['name']}")[1]["notificationChannels"] == []


def test_secrets_of_channels_are_hidden_and_kept(admin: Caller, cloud: Any, create: Create) -> None:
    body = {"type": "pagerduty", "displayName": "c", "labels": {"service_key": "0123456789abcdef"}}
    channel = create("notificationChannels", body)
    assert channel["labels"] == {"service_key": "************cdef"}
    changed = {"type": "pagerduty", "displayName": "new", "labels": channel["labels"]}
    assert admin("PATCH", f"/monitoring/v3/{channel['name']}", changed)[1]["displayName"] == "new"
    stored = cloud.store.get("monitoring.notificationChannels", channel["name"])
    assert stored["labels"] == body["labels"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"type": "pigeon"}, "notification_channel.type"),
        ({"type": "email"}, "labels[email_address] must be set"),
        ({"type": "pubsub", "labels": {"topic": "t"}}, "projects/PROJECT/topics/TOPIC"),
    ],
)
def test_what_cannot_be_a_channel_is_refused(admin: Caller, url: str, body: Document, reason: str) -> None:
    status, answer = admin("POST", f"{url}/notificationChannels", body)
    assert (status, reason in message(answer)) == (400, True)


def test_only_numbers_that_need_it_start_unverified(create: Create) -> None:
    text = create("notificationChannels", {"type": "sms", "labels": {"number": "+41790000000"}})
    mail = create("notificationChannels", {"type": "email", "labels": {"email_address": "a@example.com"}})
    assert text["verificationStatus"] == "UNVERIFIED"
    assert "verificationStatus" not in mail


def test_dashboards_are_named_by_number_and_completed(admin: Caller, url: str, cloud: Any, project: str) -> None:
    path = f"{url.replace('/v3/', '/v1/')}/dashboards"
    widgets = [
        {"text": {"content": "hi"}},
        {"xyChart": {"dataSets": [{"timeSeriesQuery": {"timeSeriesFilter": {"filter": "x"}}}]}},
    ]
    made = admin("POST", path, {"displayName": "d", "gridLayout": {"widgets": widgets}})[1]
    assert made["name"].startswith(f"projects/{cloud.hierarchy.project_number(project)}/dashboards/")
    text, chart = made["gridLayout"]["widgets"]
    assert text["text"] == {"content": "hi", "format": "MARKDOWN", "style": {}}
    assert chart["xyChart"]["dataSets"][0]["targetAxis"] == "Y1"
    changed = admin("PATCH", f"/monitoring/v1/{made['name']}", {"displayName": "e", "etag": made["etag"]})[1]
    assert "gridLayout" not in changed
    status, body = admin("PATCH", f"/monitoring/v1/{made['name']}", {"displayName": "f", "etag": made["etag"]})
    assert (status, body["error"]["status"]) == (409, "ABORTED")


def test_a_dashboard_may_only_be_checked(admin: Caller, url: str) -> None:
    path = f"{url.replace('/v3/', '/v1/')}/dashboards"
    assert admin("POST", path, {"displayName": "d"}, params={"validateOnly": "true"})[0] == 200
    assert admin("GET", path)[1] == {}
    status, body = admin("POST", path, {"displayName": "d", "gridLayout": {}, "mosaicLayout": {}})
    assert (status, "one layout" in message(body)) == (400, True)


def test_enums_travel_as_numbers_when_the_client_asks_for_it(admin: Caller, url: str) -> None:
    path, numbers = f"{url.replace('/v3/', '/v1/')}/dashboards", {"$alt": "json;enum-encoding=int"}
    aggregation = {"perSeriesAligner": 12}
    data = {"timeSeriesQuery": {"timeSeriesFilter": {"filter": "x", "aggregation": aggregation}}}
    body = {"displayName": "d", "gridLayout": {"widgets": [{"xyChart": {"dataSets": [data]}}]}}
    made = admin("POST", path, body, params=numbers)[1]
    (shown,) = made["gridLayout"]["widgets"][0]["xyChart"]["dataSets"]
    assert (shown["targetAxis"], shown["timeSeriesQuery"]["timeSeriesFilter"]["aggregation"]) == (1, aggregation)
    named = admin("GET", f"/monitoring/v1/{made['name']}")[1]
    (shown,) = named["gridLayout"]["widgets"][0]["xyChart"]["dataSets"]
    assert shown["timeSeriesQuery"]["timeSeriesFilter"]["aggregation"]["perSeriesAligner"] == "ALIGN_MEAN"


def test_services_and_objectives_depend_on_each_other(admin: Caller, url: str, cloud: Any, project: str) -> None:
    number = cloud.hierarchy.project_number(project)
    objective = {"goal": 0.99, "rollingPeriod": "86400s", "serviceLevelIndicator": {"basicSli": {"availability": {}}}}
    status, body = admin("POST", f"{url}/services/s/serviceLevelObjectives", objective)
    assert (status, message(body)) == (404, f"There is no service with id 's' in project '{number}'")
    made = admin("POST", f"{url}/services", {"displayName": "s", "custom": {}}, params={"serviceId": "s"})[1]
    assert made == {"name": f"projects/{number}/services/s", "displayName": "s", "custom": {}}
    params = {"serviceLevelObjectiveId": "o"}
    assert admin("POST", f"{url}/services/s/serviceLevelObjectives", objective, params=params)[0] == 200
    path = f"{url}/services/s/serviceLevelObjectives/o"
    changed = admin("PATCH", path, {"goal": 0.9}, params={"updateMask": "goal"})[1]
    assert (changed["goal"], changed["rollingPeriod"]) == (0.9, "86400s")
    assert admin("PATCH", path, {"goal": 1}, params={"updateMask": "goal"})[0] == 400
    assert admin("DELETE", f"{url}/services/s") == (200, {})
    status, body = admin("GET", path)
    assert message(body) == f'There is no slo with id "o" under service "s" in project "{project}"'


def test_groups_with_children_stay(admin: Caller, create: Create) -> None:
    parent = create("groups", {"displayName": "g", "filter": 'resource.type="x"'})
    create("groups", {"displayName": "h", "filter": "x", "parentName": parent["name"]})
    path = f"/monitoring/v3/{parent['name']}"
    assert admin("DELETE", path)[0] == 400
    assert admin("DELETE", path, params={"recursive": "true"}) == (200, {})
    number = parent["name"].rpartition("/")[2]
    assert message(admin("GET", path)[1]) == f"Could not find group definition for '{number}'."


def test_an_uptime_check_hides_its_password_and_masked_headers(admin: Caller, create: Create) -> None:
    http = {"authInfo": {"username": "jo", "password": "secret"}, "headers": {"X-Key": "secret"}, "maskHeaders": True}
    resource = {"type": "uptime_url", "labels": {"host": "example.com"}}
    matched = [{"content": "ok"}]
    body = {"displayName": "Page", "monitoredResource": resource, "httpCheck": http, "contentMatchers": matched}
    made = create("uptimeCheckConfigs", body)
    assert made["httpCheck"]["authInfo"] == {"username": "jo", "password": "******"}
    found = admin("GET", f"/monitoring/v3/{made['name']}")[1]
    assert "secret" not in str(found)
    assert found["httpCheck"]["headers"] == {"X-Key": "******"}
    assert found["contentMatchers"][0]["matcher"] == "CONTAINS_STRING"


def test_uptime_checks_are_named_after_their_title(admin: Caller, create: Create, project: str) -> None:
    resource = {"type": "uptime_url", "labels": {"host": "example.com"}}
    body = {"displayName": "My check", "httpCheck": {"useSsl": True}, "monitoredResource": resource}
    made = create("uptimeCheckConfigs", body)
    assert made["name"].rpartition("/")[2].startswith("my-check-")
    assert made["httpCheck"] == {"useSsl": True, "path": "/", "port": 443, "requestMethod": "GET"}
    assert (made["period"], made["timeout"], made["checkerType"]) == ("60s", "10s", "STATIC_IP_CHECKERS")
    assert made["monitoredResource"]["labels"]["project_id"] == project
    path = f"/monitoring/v3/{made['name']}"
    assert admin("DELETE", path) == (200, {})
    identity = made["name"].rpartition("/")[2]
    assert message(admin("GET", path)[1]) == f"Config not found for check {identity} in project {project}"


def test_a_scope_sees_its_own_project_first_and_those_that_were_added(
    admin: Caller, url: str, cloud: Any, project: str
) -> None:
    assert url
    body = {"projectId": "seen-project", "parent": {"type": "organization", "id": "123456789012"}}
    admin("POST", "/cloudresourcemanager/v1/projects", body)
    own, other = (cloud.hierarchy.project_number(name) for name in (project, "seen-project"))
    path = f"/monitoring/v1/locations/global/metricsScopes/{project}"
    asked = {"name": f"locations/global/metricsScopes/{project}/projects/seen-project"}
    operation = admin("POST", f"{path}/projects", asked)[1]
    assert operation["response"]["name"] == f"locations/global/metricsScopes/{own}/projects/{other}"
    names = [entry["name"].rpartition("/")[2] for entry in admin("GET", path)[1]["monitoredProjects"]]
    assert names == [own, other]
    assert admin("POST", f"{path}/projects", asked)[0] == 409
    assert admin("DELETE", f"{path}/projects/seen-project")[1]["done"] is True
    assert len(admin("GET", path)[1]["monitoredProjects"]) == 1
    assert admin("DELETE", f"{path}/projects/seen-project")[0] == 404
