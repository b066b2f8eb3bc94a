"""Controls of the model: which one, where it is called, by whom, and what is kept of it."""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from policies.catalogue.context import Context
from policies.catalogue.control import Severity
from policies.catalogue.crosswalk import ids
from policies.catalogue.identity import HIERARCHY, SERVICE_AGENT, roles_given
from policies.catalogue.keys import unencrypted
from policies.catalogue.look import Look, Open, resource_control
from policies.catalogue.serverless import FUNCTION, SERVICE, variable
from policies.catalogue.unknown import MISSING, Unknown
from policies.catalogue.verdict import Verdict

ENDPOINT = "gcp:vertex/aiEndpoint:AiEndpoint"
STORES = (
    ENDPOINT,
    "gcp:vertex/aiDataset:AiDataset",
    "gcp:vertex/aiMetadataStore:AiMetadataStore",
    "gcp:vertex/aiTensorboard:AiTensorboard",
    "gcp:vertex/aiIndex:AiIndex",
)
ORGANISATION_POLICY = "gcp:orgpolicy/policy:Policy"
ALLOWED_MODELS = re.compile(r"/policies/vertexai\.allowedModels$")
MODEL = re.compile(r"publishers/google/models/([\w.-]+)(:\w+)?$")
NOTICE_DAYS = 90
ROLE = "roles/aiplatform.user"


def _find(context: Context, model: object) -> Mapping[str, Any] | None:
    return next((entry for entry in context.models.get("models", ()) if entry["id"] == model), None)


def _day(text: object) -> dt.date | None:
    return dt.date.fromisoformat(text) if isinstance(text, str) else None


@resource_control(
    id="model-served",
    title="The model is generally available and not retired",
    text="The model a function is told to use is in the table of models, is GA, and its retirement has not come.",
    why="Google's security controls do not cover preview models, and a retired model answers 404.",
    severity=Severity.HIGH,
    types=(FUNCTION, SERVICE),
    paths=("serviceConfig.environmentVariables.PLANTAIN_MODEL", "template.containers"),
    fix="set function.model in the campaign file to one that plantain models lists as GA",
    url="https://docs.cloud.google.com/gemini-enterprise-agent-platform/models/security-controls",
    crosswalk=ids(nist="SA-22", iso="A.8.8"),
)
def _model_served(look: Look, context: Context) -> Verdict:
    model = variable(look, "PLANTAIN_MODEL")
    if model is MISSING:
        return look.does_not_apply("it is told of no model")
    entry = _find(context, model)
    if entry is None:
        return look.fails("PLANTAIN_MODEL is not in the table of models, so it may be retired or a preview")
    if entry["stage"] != "GA":
        return look.fails("PLANTAIN_MODEL is a preview, which no security control of Google's covers")
    retired = _day(entry["retirement"])
    if retired and context.date >= retired:
        return look.fails("PLANTAIN_MODEL has reached its retirement, so requests may fail any day")
    return look.passes("the model is generally available")


@resource_control(
    id="model-retirement-near",
    title="Models are replaced before they retire",
    text="The model's retirement is more than 90 days away.",
    why="A successor answers differently: prompts, prices and sizes must be tried before the old one is gone.",
    severity=Severity.LOW,
    types=(FUNCTION, SERVICE),
    paths=("serviceConfig.environmentVariables.PLANTAIN_MODEL", "template.containers"),
    fix="try the successor that plantain models names, then set function.model in the campaign file",
    url="https://cloud.google.com/vertex-ai/generative-ai/docs/learn/model-versions",
    crosswalk=ids(nist="SA-22 SI-2", iso="A.8.8 A.8.32"),
)
def _model_retirement_near(look: Look, context: Context) -> Verdict:
    model = variable(look, "PLANTAIN_MODEL")
    entry = None if model is MISSING else _find(context, model)
    retired = _day(entry["retirement"]) if entry else None
    if retired is None:
        return look.does_not_apply("no retirement is announced")
    if (retired - context.date).days < NOTICE_DAYS:
        return look.fails("PLANTAIN_MODEL retires within 90 days, and its successor is not in use")
    return look.passes("the retirement is far away")


@resource_control(
    id="model-residency",
    title="Where residency is promised, the model is called in a region",
    text="With policies:residency, or where a function is told PLANTAIN_RESIDENCY, the model is called in a location "
    "that the table of models gives it and that is not global.",
    why="The global endpoint computes anywhere.",
    severity=Severity.HIGH,
    types=(FUNCTION, SERVICE),
    paths=(
        "serviceConfig.environmentVariables.GOOGLE_CLOUD_LOCATION",
        "serviceConfig.environmentVariables.PLANTAIN_RESIDENCY",
        "serviceConfig.environmentVariables.PLANTAIN_MODEL",
        "template.containers",
    ),
    fix="set function.location in the campaign file, or do not promise residency",
    url="https://docs.cloud.google.com/gemini-enterprise-agent-platform/resources/locations",
    crosswalk=ids(nist="SA-9(5)", iso="A.5.34", gdpr="44 45 46"),
)
def _model_residency(look: Look, context: Context) -> Verdict:
    promised = context.parameters.residency or variable(look, "PLANTAIN_RESIDENCY") is not MISSING
    model = variable(look, "PLANTAIN_MODEL") if promised else MISSING
    if model is MISSING:
        return look.does_not_apply("no residency is promised, or no model is called")
    place = variable(look, "GOOGLE_CLOUD_LOCATION")
    if place is MISSING or place == "global":
        return look.fails("GOOGLE_CLOUD_LOCATION is global, where nobody says in which country images are computed")
    entry = _find(context, model)
    if entry is None or place not in entry["locations"]:
        return look.fails("GOOGLE_CLOUD_LOCATION does not serve the model, so requests fail or go elsewhere")
    return look.passes("the model is called where residency is promised")


@resource_control(
    id="model-least-privilege",
    title="Accounts may use the model and nothing else of Vertex AI",
    text="The only role of Vertex AI that a service account has on a project is roles/aiplatform.user.",
    why="Every other role can deploy, tune or delete.",
    severity=Severity.MEDIUM,
    types=HIERARCHY,
    paths=("role", "member", "members", "policyData"),
    fix='grant role="roles/aiplatform.user"',
    url="https://cloud.google.com/vertex-ai/docs/general/access-control",
    crosswalk=ids(nist="AC-6", iso="A.8.2", soc2="CC6.3"),
)
def _model_least_privilege(look: Look, _: Context) -> Verdict:
    concerned = [(path, role, who) for path, role, who in roles_given(look) if role.startswith("roles/aiplatform.")]
    if not concerned:
        return look.does_not_apply("the role is none of Vertex AI's")
    for path, role, who in concerned:
        if role in {ROLE, "roles/aiplatform.serviceAgent"}:
            continue
        if isinstance(who, Unknown):
            raise Open(path, who)
        if str(who).startswith("serviceAccount:") and not SERVICE_AGENT.search(str(who)):
            return look.fails("role lets a service account do more than use the model, such as deploy, tune or delete")
    return look.passes("service accounts may use the model only")


@resource_control(
    id="model-allow-list",
    title="Only models that were approved can be called",
    text="The organisation policy vertexai.allowedModels names models of the table that are GA, and never all.",
    why="Otherwise every new model of every publisher can be called the day it appears.",
    severity=Severity.HIGH,
    types=(ORGANISATION_POLICY,),
    paths=("name", "spec.rules"),
    fix='allow "publishers/google/models/gemini-3-pro-image:predict"',
    url="https://docs.cloud.google.com/gemini-enterprise-agent-platform/models/control-model-access",
    crosswalk=ids(nist="CM-7(5) SA-9", iso="A.5.23 A.5.19", ai_act="50(2)"),
)
def _model_allow_list(look: Look, context: Context) -> Verdict:
    if not ALLOWED_MODELS.search(str(look.at("name", ""))):
        return look.does_not_apply("the policy is about something else")
    rules = list(look.each("spec.rules[]"))
    if not rules:
        return look.fails("spec.rules is missing, so the policy limits nothing")
    approved = {entry["id"] for entry in context.models.get("models", ()) if entry["stage"] == "GA"}
    for path, rule in rules:
        if isinstance(rule, Unknown):
            raise Open(path, rule)
        if str(rule.get("allowAll", "")).upper() == "TRUE":
            return look.fails(f"{path}.allowAll is true, so every model of every publisher can be called")
        values = rule.get("values") or {}
        for name in (values.get("allowedValues") or ()) if isinstance(values, Mapping) else ():
            found = MODEL.search(str(name))
            if not found or found[1] not in approved:
                return look.fails(f"{path}.values allows a model that is not in the table, or is a preview")
    return look.passes("only approved models can be called")


@resource_control(
    id="model-stores-encrypted",
    title="What Vertex AI keeps is encrypted with a customer-managed key",
    text="Endpoints, datasets, metadata stores, tensorboards and indexes name a key of the organisation.",
    why="They keep prompts and images like a bucket does.",
    severity=Severity.MEDIUM,
    types=STORES,
    paths=("encryptionSpec.kmsKeyName",),
    fix="set encryption_spec.kms_key_name on the resource",
    url="https://cloud.google.com/vertex-ai/docs/general/cmek",
    crosswalk=ids(nist="SC-28 SC-28(1)", iso="A.8.24", gdpr="5(1)(c)", google="COM-CO-2.3"),
)
def _model_stores_encrypted(look: Look, _: Context) -> Verdict:
    return unencrypted(look, "what it keeps is")


@resource_control(
    id="model-prompts-not-logged",
    title="Prompts are not copied into tables",
    text="Endpoints do not log requests and responses, or log them to a named table.",
    why="A prompt holds personal data; a copy without a place has no retention and no owner.",
    severity=Severity.MEDIUM,
    types=(ENDPOINT,),
    paths=(
        "predictRequestResponseLoggingConfig.enabled",
        "predictRequestResponseLoggingConfig.bigqueryDestination.outputUri",
    ),
    fix="remove predict_request_response_logging_config, or name its bigquery_destination.output_uri",
    url="https://cloud.google.com/vertex-ai/docs/predictions/online-prediction-logging",
    crosswalk=ids(nist="SC-28 SI-12", iso="A.8.10 A.5.34", gdpr="5(1)(c)"),
)
def _model_prompts_not_logged(look: Look, _: Context) -> Verdict:
    block = "predictRequestResponseLoggingConfig"
    if look.at(f"{block}.enabled", default=False) is not True:
        return look.passes("prompts are copied nowhere")
    if not look.at(f"{block}.bigqueryDestination.outputUri", ""):
        return look.fails(f"{block} names no table, so prompts are kept where nobody deletes them")
    return look.passes("prompts are copied to a named table")


@resource_control(
    id="model-armor-enforced",
    title="Model Armor is enforced where it is set up",
    text="A floor setting of Model Armor is enforced and covers Vertex AI.",
    why="A floor that is not enforced filters nothing and looks as if it did.",
    severity=Severity.MEDIUM,
    types=("gcp:modelarmor/floorsetting:Floorsetting",),
    paths=("enableFloorSettingEnforcement", "integratedServices"),
    fix='set enable_floor_setting_enforcement=True and integrated_services=["AI_PLATFORM"]',
    url="https://cloud.google.com/security-command-center/docs/set-up-model-armor-floor-settings",
    crosswalk=ids(nist="SI-10 SI-4", iso="A.8.16"),
)
def _model_armor_enforced(look: Look, _: Context) -> Verdict:
    if look.at("enableFloorSettingEnforcement") is not True:
        return look.fails("enableFloorSettingEnforcement is not true, so nothing is filtered")
    if "AI_PLATFORM" not in look.at("integratedServices", ()):
        return look.fails("integratedServices lacks AI_PLATFORM, so calls of the model are not filtered")
    return look.passes("calls of the model are filtered")


CONTROLS = (
    _model_served,
    _model_retirement_near,
    _model_residency,
    _model_least_privilege,
    _model_allow_list,
    _model_stores_encrypted,
    _model_prompts_not_logged,
    _model_armor_enforced,
)
