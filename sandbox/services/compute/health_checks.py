"""Health checks, which load balancers and DNS routing policies refer to."""

from __future__ import annotations

from typing import Any

from sandbox.call import Call
from sandbox.services.compute.failures import Invalid
from sandbox.services.compute.resource import ComputeResource

Document = dict[str, Any]

#: https://docs.cloud.google.com/load-balancing/docs/health-check-concepts (read 2026-08).
TIMES = {"checkIntervalSec": 5, "timeoutSec": 5, "healthyThreshold": 2, "unhealthyThreshold": 2}
PORTS = {"HTTP": 80, "HTTPS": 443, "HTTP2": 443, "TCP": 80, "SSL": 443}


class HealthCheck(ComputeResource):
    """A global health check."""

    kind = "compute.healthChecks"
    noun = "healthCheck"

    def prepare(self, call: Call, document: Document) -> None:
        """The type's own settings, and times."""
        kind = document.setdefault("type", "TCP")
        for field, value in TIMES.items():
            document.setdefault(field, value)
        if document["timeoutSec"] > document["checkIntervalSec"]:
            raise Invalid.value("timeoutSec", document["timeoutSec"], "The timeout must not exceed the interval.")
        if kind in PORTS:
            own = document.setdefault(f"{kind.lower()}HealthCheck", {})
            if own.get("portSpecification") != "USE_SERVING_PORT":
                own.setdefault("port", PORTS[kind])
            own.setdefault("proxyHeader", "NONE")
            if kind.startswith("HTTP"):
                own.setdefault("requestPath", "/")
