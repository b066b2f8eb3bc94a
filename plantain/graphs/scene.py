"""What a stack's state shows: boxes in projects, projects in or out of the perimeter, and the paths between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Document = dict[str, Any]

#: Resources that are drawn, by type: kind of box, and the output that names it.
KINDS = {
    "gcp:cloudfunctionsv2/function:Function": ("function", "name"),
    "gcp:storage/bucket:Bucket": ("bucket", "name"),
    "gcp:kms/cryptoKey:CryptoKey": ("key", "name"),
    "gcp:compute/network:Network": ("network", "name"),
    "gcp:artifactregistry/repository:Repository": ("repository", "repositoryId"),
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": ("log bucket", "bucketId"),
    "gcp:cloudtasks/queue:Queue": ("queue", "name"),
    "gcp:pubsub/topic:Topic": ("topic", "name"),
    "gcp:cloudbuild/workerPool:WorkerPool": ("worker pool", "name"),
    "gcp:serviceaccount/account:Account": ("identity", "email"),
}
INVOKER = "roles/run.invoker"
PERIMETER = "gcp:accesscontextmanager/servicePerimeter:ServicePerimeter"
PROJECT = "gcp:organizations/project:Project"
CALLERS = ("gcp:cloudrunv2/serviceIamMember:ServiceIamMember", "gcp:cloudrun/iamMember:IamMember")


@dataclass(frozen=True)
class Node:
    """A box.

    Attributes:
        id: unique in the scene.
        kind: function, bucket, key, identity, callers, model …
        label: its name, shortened to what tells it apart.
        note: a second line.
    """

    id: str
    kind: str
    label: str
    note: str = ""


@dataclass(frozen=True)
class Edge:
    """A path.

    Attributes:
        kind: call, data, key or identity.
    """

    source: str
    target: str
    label: str
    kind: str


@dataclass
class ProjectBox:
    """A project with what lies in it."""

    id: str
    number: str
    name: str
    inside: bool
    nodes: list[Node] = field(default_factory=list)


@dataclass(frozen=True)
class Scene:
    """Everything that is drawn.

    Attributes:
        perimeter: its name; empty when there is none.
        enforced: whether it refuses, rather than logs.
        outside: boxes in no project: callers, the model.
    """

    stack: str
    perimeter: str
    enforced: bool
    projects: tuple[ProjectBox, ...]
    outside: tuple[Node, ...]
    edges: tuple[Edge, ...]


def scene(stack: str, export: Document) -> Scene:
    """The scene of a stack's state, as ``pulumi stack export`` gives it."""
    resources: list[Document] = export.get("deployment", {}).get("resources", [])
    outputs = [(one["type"], one.get("outputs") or {}, one) for one in resources]
    perimeter = next((found for kind, found, _ in outputs if kind == PERIMETER), {})
    status = _configuration(perimeter, "status")
    members = set((status or _configuration(perimeter, "spec")).get("resources") or ())
    boxes = {
        found["projectId"]: ProjectBox(
            found["projectId"],
            str(found.get("number", "")),
            found.get("name", found["projectId"]),
            f"projects/{found.get('number')}" in members,
        )
        for kind, found, _ in outputs
        if kind == PROJECT and found.get("projectId")
    }
    for kind, found, _ in outputs:
        project = found.get("project") or _project_in(found)
        if kind in KINDS and project in boxes:
            drawn, name = KINDS[kind]
            boxes[project].nodes.append(
                Node(
                    _id(project, drawn, found.get(name, "")),
                    drawn,
                    _short(found.get(name, ""), project),
                    _note(drawn, found),
                )
            )
    for box in boxes.values():
        box.nodes.sort(
            key=lambda node: (list(dict.fromkeys(kind for kind, _ in KINDS.values())).index(node.kind), node.label)
        )
    callers = _callers(outputs, boxes)
    models = _models(outputs, boxes)
    edges = [edge for box in boxes.values() for edge in _paths(box, outputs)] + _crossings(callers, models, boxes)
    known = {node.id for box in boxes.values() for node in box.nodes} | {node.id for node in (*callers, *models)}
    return Scene(
        stack,
        str(perimeter.get("title", "")),
        bool(status),
        tuple(sorted(boxes.values(), key=lambda box: box.id)),
        (*callers, *models),
        tuple(edge for edge in dict.fromkeys(edges) if {edge.source, edge.target} <= known),
    )


def _configuration(perimeter: Mapping[str, Any], name: str) -> Document:
    found = perimeter.get(name) or {}
    return found[0] if isinstance(found, list) and found else dict(found) if isinstance(found, Mapping) else {}


def _project_in(found: Document) -> str:
    """The project in a resource's full name, for those without a field of their own."""
    parts = str(found.get("id", found.get("keyRing", ""))).split("/")
    return parts[1] if parts[0] == "projects" and len(parts) > 1 else ""


def _id(project: str, kind: str, name: str) -> str:
    return f"{project}/{kind}/{name.rpartition('/')[2]}"


def _short(name: str, project: str) -> str:
    name = name.rpartition("/")[2]
    return name.partition("@")[0].removeprefix(f"{project}-") or name


def _note(kind: str, found: Document) -> str:
    if kind == "key":
        days = str(found.get("rotationPeriod") or "").removesuffix("s")
        return f"rotated every {int(days) // 86_400} days" if days.isdigit() else "not rotated"
    if kind == "function":
        service = found.get("serviceConfig") or {}
        return str(service.get("ingressSettings", "")).removeprefix("ALLOW_").replace("_", " ").lower() + " ingress"
    if kind == "bucket":
        return str(found.get("location", "")).lower()
    return ""


Outputs = list[tuple[str, Document, Document]]


def _callers(outputs: Outputs, boxes: Mapping[str, ProjectBox]) -> list[Node]:
    members = {
        (found.get("project", ""), found["member"])
        for kind, found, _ in outputs
        if kind in CALLERS and found.get("role") == INVOKER and found.get("project") in boxes
    }
    return [
        Node(f"caller/{project}/{member}", "callers", member.partition(":")[2], member.partition(":")[0])
        for project, member in sorted(members)
    ]


def _models(outputs: Outputs, boxes: Mapping[str, ProjectBox]) -> list[Node]:
    found = {}
    for kind, function, _ in outputs:
        if kind == "gcp:cloudfunctionsv2/function:Function" and function.get("project") in boxes:
            variables = (function.get("serviceConfig") or {}).get("environmentVariables") or {}
            model, location = variables.get("PLANTAIN_MODEL", "model"), variables.get("GOOGLE_CLOUD_LOCATION", "")
            found[f"model/{model}/{location}"] = Node(
                f"model/{model}/{location}", "model", model, f"Vertex AI, {location}"
            )
    return list(found.values())


def _crossings(callers: Iterable[Node], models: Iterable[Node], boxes: Mapping[str, ProjectBox]) -> list[Edge]:
    edges = []
    for box in boxes.values():
        function = next((node.id for node in box.nodes if node.kind == "function"), None)
        if function is None:
            continue
        edges += [
            Edge(caller.id, function, "asks for images", "call")
            for caller in callers
            if caller.id.startswith(f"caller/{box.id}/")
        ]
        edges += [Edge(function, model.id, "restricted VIP", "data") for model in models]
    return edges


def _paths(box: ProjectBox, outputs: Outputs) -> list[Edge]:
    """Paths inside a project, from what the resources themselves say."""
    edges: list[Edge] = []
    function = next((node.id for node in box.nodes if node.kind == "function"), None)
    for kind, found, _ in outputs:
        project = found.get("project") or _project_in(found)
        if project != box.id or kind not in KINDS:
            continue
        drawn, name = KINDS[kind]
        node = _id(project, drawn, found.get(name, ""))
        edges += [Edge(node, _id(project, "key", key), "encrypted with", "key") for key in _keys(found)]
        if drawn == "function":
            service = found.get("serviceConfig") or {}
            account = service.get("serviceAccountEmail")
            edges += [Edge(node, _id(project, "identity", account), "runs as", "identity")] if account else []
            bucket = (service.get("environmentVariables") or {}).get("PLANTAIN_BUCKET")
            edges += [Edge(node, _id(project, "bucket", bucket), "writes images", "data")] if bucket else []
        if drawn == "queue" and function:
            edges.append(Edge(node, function, "hands over", "call"))
    return edges


def _keys(found: Document) -> list[str]:
    encryption = found.get("encryption") or {}
    cmek = found.get("cmekSettings") or {}
    names = [found.get("kmsKeyName"), encryption.get("defaultKmsKeyName"), cmek.get("kmsKeyName")]
    return [str(name) for name in names if name]
