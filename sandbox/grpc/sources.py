"""Where the descriptors come from: Go modules of Google's client libraries, each compiled from the published protos."""

from __future__ import annotations

from dataclasses import dataclass

GOOGLE_CLOUD = "cloud.google.com/go"
GENPROTO = "google.golang.org/genproto"
GENPROTO_VERSION = "v0.0.0-20261019180522-ce908d29299b"


@dataclass(frozen=True, slots=True)
class Source:
    """One package of generated protobuf code inside a Go module.

    Attributes:
        module: path of the module.
        version: of the module.
        folder: of the package inside the module.
        only: names of ``.proto`` files whose services are wanted; empty wants all.
    """

    module: str
    version: str
    folder: str
    only: tuple[str, ...] = ()


def cloud(name: str, version: str, *folders: str, only: tuple[str, ...] = ()) -> tuple[Source, ...]:
    """Packages of one of Google's client libraries."""
    return tuple(Source(f"{GOOGLE_CLOUD}/{name}", version, folder, only) for folder in folders)


def genproto(name: str, *folders: str) -> tuple[Source, ...]:
    """Packages that the libraries share."""
    module = f"{GENPROTO}/{name}" if name else GENPROTO
    return tuple(Source(module, GENPROTO_VERSION, folder) for folder in folders)


SERVICES = (
    *cloud("accesscontextmanager", "v1.17.1", "apiv1/accesscontextmanagerpb"),
    *cloud(
        "aiplatform",
        "v1.127.1",
        "apiv1/aiplatformpb",
        only=("endpoint_service", "job_service", "llm_utility_service", "model_garden_service", "prediction_service"),
    ),
    *cloud("artifactregistry", "v1.28.1", "apiv1/artifactregistrypb"),
    *cloud("asset", "v1.30.1", "apiv1/assetpb"),
    *cloud("billing", "v1.28.1", "apiv1/billingpb", "budgets/apiv1/budgetspb"),
    *cloud("cloudbuild", "v1.37.0", "apiv1/v2/cloudbuildpb"),
    *cloud("cloudtasks", "v1.21.1", "apiv2/cloudtaskspb"),
    *cloud("essentialcontacts", "v1.14.1", "apiv1/essentialcontactspb"),
    *cloud("eventarc", "v1.27.1", "apiv1/eventarcpb", "publishing/apiv1/publishingpb"),
    *cloud("functions", "v1.27.1", "apiv1/functionspb", "apiv2/functionspb"),
    *cloud("iam", "v1.15.1", "admin/apiv1/adminpb", "apiv1/iampb", "apiv2/iampb", "credentials/apiv1/credentialspb"),
    *cloud("kms", "v1.36.1", "apiv1/kmspb", "inventory/apiv1/inventorypb"),
    *cloud("logging", "v1.21.1", "apiv2/loggingpb"),
    *cloud("longrunning", "v1.5.0", "autogen/longrunningpb"),
    *cloud(
        "monitoring",
        "v1.32.1",
        "apiv3/v2/monitoringpb",
        "dashboard/apiv1/dashboardpb",
        "metricsscope/apiv1/metricsscopepb",
    ),
    *cloud("orgpolicy", "v1.22.1", "apiv2/orgpolicypb"),
    *cloud("pubsub/v2", "v2.8.1", "apiv1/pubsubpb"),
    *cloud("resourcemanager", "v1.18.1", "apiv3/resourcemanagerpb"),
    *cloud("run", "v1.24.1", "apiv2/runpb"),
    *cloud("secretmanager", "v1.24.0", "apiv1/secretmanagerpb"),
    *cloud("serviceusage", "v1.16.1", "apiv1/serviceusagepb"),
    *cloud("vpcaccess", "v1.16.1", "apiv1/vpcaccesspb"),
    *genproto("", "googleapis/cloud/location"),
)

#: Package, service, distribution and version of Python libraries, for services without a Go module.
LIBRARIES = (("google.cloud.cloudquotas_v1", "CloudQuotas", "google-cloud-quotas", "0.6.3"),)

#: Messages that the services use, or that appear inside an ``Any`` of their answers.
SHARED = (
    *cloud("accesscontextmanager", "v1.17.1", "apiv1/accesscontextmanagerpb"),
    *cloud("orgpolicy", "v1.22.1", "apiv1/orgpolicypb"),
    *cloud("osconfig", "v1.24.1", "apiv1/osconfigpb"),
    *genproto(
        "",
        "googleapis/cloud/audit",
        "googleapis/identity/accesscontextmanager/type",
        "googleapis/logging/type",
        *(
            f"googleapis/type/{name}"
            for name in ("calendarperiod", "date", "datetime", "dayofweek", "expr", "interval", "latlng", "money")
        ),
        "googleapis/type/timeofday",
        "googleapis/cloud/location",
    ),
    *genproto(
        "googleapis/api",
        *("annotations", "distribution", "httpbody", "label", "metric", "monitoredres", "serviceconfig"),
        "error_reason",
        "",
    ),
    *genproto("googleapis/rpc", "code", "context/attribute_context", "errdetails", "status"),
    Source("google.golang.org/protobuf", "v1.36.12", "types/descriptorpb"),
    *(
        Source("google.golang.org/protobuf", "v1.36.12", f"types/known/{name}pb")
        for name in ("any", "api", "duration", "empty", "fieldmask", "sourcecontext", "struct", "timestamp", "type")
    ),
    Source("google.golang.org/protobuf", "v1.36.12", "types/known/wrapperspb"),
)
