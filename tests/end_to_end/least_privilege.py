"""Which step notices when a grant of a campaign is taken away: by the name of the grant without the campaign's.

`GENERATE` and `BUILD` are proved in `test_campaign.py`, on a deployment of the real engine in the sandbox. What is not
taken away there is listed with the reason.
"""

from __future__ import annotations

GENERATE = (
    "runtime-aiplatform-user",
    "runtime-storage-objectCreator",
    "runtime-storage-objectViewer",
    "images-storage",
)
"""Without these no image is made."""
BUILD = (
    "build-log-writer",
    "build-writer",
    "build-source-viewer",
    "function-artifactregistry",
    "function-cloudfunctions",
    "function-eventarc",
    "function-run",
    "function-storage",
)
"""Without these the function is not built."""

AGENT = (
    "the sandbox's services act without asking for their agent's role; on Google Cloud the service stops working "
    "(cloud.google.com/iam/docs/service-agents)"
)
QUEUE = "a step of requests put off, which the tests of the function and of Cloud Tasks prove by themselves"
ELSEWHERE: dict[str, str] = {
    "aiplatform-agent": AGENT,
    "artifactregistry-agent": AGENT,
    "cloudbuild-agent": AGENT,
    "cloudfunctions-agent": AGENT,
    "cloudtasks-agent": AGENT,
    "eventarc-agent": AGENT,
    "pubsub-agent": AGENT,
    "run-agent": AGENT,
    "build-copied-source-viewer": "Cloud Functions copies sources to a bucket of its own, the sandbox does not",
    "runtime-sign-as-itself": "signing is refused without it: tests/functions and readiness show it",
    "runtime-enqueuer": QUEUE,
    "runtime-act-as-itself": QUEUE,
    "invoker-queue": QUEUE,
    "runtime-references-viewer": "a step of requests with references; not taken away in a test yet",
    "runtime-brand-key": "an instance does not start without it; not taken away in a test yet",
    "logs-logging": "needed when the log bucket is made, not afterwards",
    "logs-storage": "needed when Google writes usage logs, which the sandbox does not",
    "logs-pubsub": "needed when the topic is made, not afterwards",
    "access-logs-writer": "used by Google's own writer of usage logs, which the sandbox has not",
    "alerts-monitoring": "used when an incident is delivered; the first one tells",
    "invoker-group:brand-studio@example.com": "the team's own: test_deployment.py takes the team's members away",
    "references-editor-group:brand-studio@example.com": "the team's own way to put pictures there",
}
"""Not taken away by `test_campaign.py`, and why."""
