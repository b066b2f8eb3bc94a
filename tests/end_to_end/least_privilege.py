"""Which step fails when a grant is taken away: by the name of the grant, that of the campaign left out.

`test_campaign.py` takes each away on a deployment of the real engine in the sandbox and sees its step fail; what is
not taken away there is listed with the reason. `python -m bench.grants` does the same for all others: those of the
seed project, of the log project, of the deployer and the previewer.
"""

from __future__ import annotations

from collections.abc import Mapping

NEEDED: Mapping[str, str] = {
    "runtime-aiplatform-user": "generates",
    "runtime-storage-objectCreator": "generates",
    "runtime-storage-objectViewer": "generates",
    "runtime-sign-as-itself": "generates",
    "images-storage": "generates",
    "invoker-group:brand-studio@example.com": "generates",
    "runtime-references-viewer": "refers",
    "references-editor-group:brand-studio@example.com": "puts",
    "runtime-enqueuer": "defers",
    "runtime-act-as-itself": "defers",
    "invoker-queue": "defers",
    "cloudtasks-agent": "defers",
    "build-log-writer": "builds",
    "build-writer": "builds",
    "build-copied-source-viewer": "builds",
    "runtime-brand-key": "builds",
    "cloudbuild-agent": "builds",
    "cloudfunctions-agent": "builds",
    "run-agent": "builds",
    "function-artifactregistry": "builds",
    "function-cloudfunctions": "builds",
    "function-eventarc": "builds",
    "function-run": "builds",
    "function-storage": "builds",
    "aiplatform-agent": "batches",
    "logs-logging": "reads_logs",
    "logs-pubsub": "alerts",
    "alerts-monitoring": "alerts",
    "access-logs-writer": "records_usage",
    "logs-storage": "records_usage",
}
"""A step is a method of `privilege_steps.Steps`."""

HOURLY = tuple(name for name, step in NEEDED.items() if step == "records_usage")
"""Their step moves the clock, after which credentials are old; so they come last."""

AT_ONCE = tuple(name for name in NEEDED if name not in HOURLY)

LISTED: Mapping[str, str] = {
    "artifactregistry-agent": "Artifact Registry deletes old container images with it, as the repository's cleanup "
    "policies say (cloud.google.com/artifact-registry/docs/repositories/cleanup-policy, 2026-11); the sandbox keeps no "
    "versions of images, so no step of it notices",
}
"""Not taken away, and why."""
