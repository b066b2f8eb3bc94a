"""Alerts on what must not happen unseen: refusals of the perimeter, lost keys, changed permissions, retiring models."""

from collections.abc import Iterator

from infra import log_metrics
from infra.alerts import metrics
from infra.alerts.policy import Alert, Query
from infra.campaign_model import Campaign

RETIREMENT_DAYS = 90


def alerts(campaign: Campaign) -> Iterator[Alert]:
    """The security alerts of a campaign."""
    denials = metrics.increase(metrics.log_metric(log_metrics.DENIALS), "5m")
    yield Alert(
        key="perimeter-denials",
        title="the perimeter refused a call, or would refuse it if it were enforced",
        severity="WARNING",
        conditions=(Query("Refused calls", f"sum by (service, dry_run) ({denials})", 0, lasting=0),),
        consequence="Either somebody tries to reach the campaign from outside, or a rule is missing.",
        steps=(
            f'Log query `protoPayload.metadata.@type="{log_metrics.VIOLATION}"`: who called what, from where.',
            "`plantain perimeter denials` groups them and prints the rule that would let each in.",
            "Somebody who has no business there: do nothing, the perimeter held.",
        ),
    )
    keys = metrics.increase(metrics.log_metric(log_metrics.KEYS), "5m")
    yield Alert(
        key="key-destruction",
        title="a key version was disabled or is going to be destroyed",
        severity="CRITICAL",
        conditions=(Query("Changes of key versions", f"sum by (method) ({keys})", 0, lasting=0),),
        consequence="A disabled version stops images, function or logs at once. A destroyed one loses what it "
        "encrypted, 30 days after it was asked for.",
        steps=(
            "Who was it? `protoPayload.authenticationInfo.principalEmail` of the audit entry.",
            (
                "Take it back: `gcloud kms keys versions restore VERSION --key KEY --keyring RING --location REGION`, "
                "then `gcloud kms keys versions enable`."
            ),
        ),
    )
    changes = metrics.increase(metrics.log_metric(log_metrics.CONFIGURATION), "5m")
    yield Alert(
        key="configuration-changes",
        title="permissions, roles, sinks, networks or firewalls were changed",
        severity="WARNING",
        conditions=(Query("Changes", f"sum by (method) ({changes})", 0, lasting=0),),
        consequence="Every `pulumi up` that changes one of these causes it; at any other time somebody works by hand.",
        steps=(
            "Compare the time with the last deployment.",
            "Otherwise `pulumi preview --refresh` shows what differs, and `pulumi up` puts it back.",
        ),
    )
    regressions = metrics.increase(metrics.log_metric(log_metrics.REGRESSIONS), "10m")
    yield Alert(
        key="control-regressed",
        title="a control that passed fails now",
        severity="ERROR",
        conditions=(Query("Controls that turned", f"sum by (control) ({regressions})", 0, lasting=0),),
        consequence="Something was changed since the last audit that takes a protection away. Rings only where audits "
        "are told to write to this project: `plantain audit run --log`.",
        steps=(
            "`plantain audit show evidence --control CONTROL` says what was read, and where.",
            "`plantain audit diff OLD NEW` says what else changed between the two.",
            "What nobody wanted: `pulumi up` takes it back. What was decided: an exception with owner and expiry.",
        ),
    )
    days = metrics.log_metric(log_metrics.RETIREMENT)
    left = metrics.increase(days, "1h", suffix="_sum"), metrics.increase(days, "1h", suffix="_count")
    yield Alert(
        key="model-retirement",
        title=f"a model that is used retires within {RETIREMENT_DAYS} days",
        severity="WARNING",
        conditions=(
            Query(
                "Days until the model retires",
                f"sum by (model) ({left[0]}) / sum by (model) ({left[1]})",
                RETIREMENT_DAYS,
                lasting=0,
                below=True,
            ),
        ),
        consequence="From that day on the model answers 404. Google publishes no metric of it: the function reports "
        "the days from its own table of models, so a campaign without requests is not warned.",
        steps=(
            "`plantain models` shows dates and successors.",
            f"Try the successor on real prompts, then set `function.model` in `campaigns/{campaign.name}.yaml`.",
        ),
    )
    lost = metrics.increase(metrics.SINK_ERRORS, "10m")
    yield Alert(
        key="log-delivery",
        title="log entries could not be delivered to their bucket",
        severity="ERROR",
        conditions=(Query("Entries that were not delivered", f"sum({lost})", 0, lasting=0),),
        consequence="The campaign's record has a hole.",
        steps=(
            "Is the key of the log bucket enabled, and granted to `cmek-p…@gcp-sa-logging.iam.gserviceaccount.com`?",
            "`gcloud logging sinks describe campaign` shows where entries should go.",
        ),
    )
