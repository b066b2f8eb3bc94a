"""Metrics of publisher models, as Vertex AI keeps them in the project that calls.

Names: https://docs.cloud.google.com/monitoring/api/metrics_gcp_a_b#gcp-aiplatform (read 2026-08).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.services.aiplatform.charges import charge
from sandbox.services.monitoring.series import record

if TYPE_CHECKING:
    from sandbox.call import Call

Document = dict[str, Any]

PREFIX = "aiplatform.googleapis.com/publisher/online_serving"
SHARED = {"request_type": "shared"}
CATEGORIES = {429: "capacity", 400: "user", 403: "user", 404: "user"}


def meter(call: Call, model: str, code: int, seconds: float, answer: Document) -> None:
    """Count one invocation, its latency and its tokens.

    Args:
        call: the request.
        model: id of the publisher model.
        code: HTTP status of the answer.
        seconds: how long it took.
        answer: the response document; empty for a failure.
    """
    project = call.project
    if project is None or call.cloud.hierarchy.project(project) is None:
        return
    labels = {
        "resource_container": call.cloud.hierarchy.project_number(project),
        "location": call.segment("locations"),
        "publisher": call.segment("publishers"),
        "model_user_id": model,
        "model_version_id": "",
    }
    where = ("aiplatform.googleapis.com/PublisherModel", labels)
    counted = {**SHARED, "response_code": str(code), "method": call.method.action}
    if category := CATEGORIES.get(code, "system" if code >= 500 else ""):  # noqa: PLR2004 -- server errors
        counted["error_category"] = category
    record(call.cloud, project, f"{PREFIX}/model_invocation_count", 1, labels=counted, resource=where)
    if not answer:
        return
    latencies = [seconds * 1000]
    record(call.cloud, project, f"{PREFIX}/model_invocation_latencies", latencies, labels=SHARED, resource=where)
    usage = answer.get("usageMetadata", {})
    for kind, field in (("input", "promptTokenCount"), ("output", "candidatesTokenCount")):
        if tokens := usage.get(field):
            labelled = {**SHARED, "type": kind}
            record(call.cloud, project, f"{PREFIX}/token_count", tokens, labels=labelled, resource=where)
    charge(call.cloud, project, model, answer)
