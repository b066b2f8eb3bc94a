"""Who may use a bucket: its IAM policy, and the access control lists that mirror its legacy roles.

Source: https://docs.cloud.google.com/storage/docs/access-control/iam-roles#legacy-roles (read 2026-08).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sandbox.call import Call, Reply
from sandbox.errors import NotEmulated, NotFound, PreconditionFailed
from sandbox.services.registry import Handler
from sandbox.services.storage import constraints, refusals
from sandbox.services.storage.generations import BUCKETS, etag

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

Document = dict[str, Any]

LEGACY = "roles/storage.legacy"
BUCKET_ROLES = {
    "OWNER": f"{LEGACY}BucketOwner",
    "WRITER": f"{LEGACY}BucketWriter",
    "READER": f"{LEGACY}BucketReader",
}
#: Teams of the project by their default role, and the members that stand for them in a policy.
TEAMS = (
    ("owners", "OWNER", "projectOwner"),
    ("editors", "OWNER", "projectEditor"),
    ("viewers", "READER", "projectViewer"),
)


def resource(bucket: str) -> str:
    """The full name under which the policy is kept."""
    return f"//storage.googleapis.com/b/{bucket}"


def grant_defaults(cloud: Cloud, document: Document, query: Mapping[str, str]) -> None:
    """The policy of a new bucket: the project's owners, editors and viewers through legacy roles."""
    project = document["_project"]
    owners, viewers = [f"projectEditor:{project}", f"projectOwner:{project}"], [f"projectViewer:{project}"]
    if query.get("predefinedAcl") == "private":
        owners, viewers = [f"projectOwner:{project}"], []
    bindings = [
        {"role": f"{LEGACY}BucketOwner", "members": owners},
        {"role": f"{LEGACY}BucketReader", "members": viewers},
    ]
    if document["iamConfiguration"]["uniformBucketLevelAccess"]["enabled"]:
        bindings += [
            {"role": f"{LEGACY}ObjectOwner", "members": owners},
            {"role": f"{LEGACY}ObjectReader", "members": viewers},
        ]
    cloud.policies.replace(resource(document["name"]), {"bindings": bindings})


def forget(cloud: Cloud, bucket: str) -> None:
    """A bucket of the same name starts with a policy of its own."""
    cloud.store.delete("iam.policies", resource(bucket))


def bucket_of(call: Call) -> Document:
    """The bucket of the call.

    Raises:
        NotFound: there is none.
    """
    document = call.cloud.store.get(BUCKETS, f"b/{call.parameters['bucket']}")
    if document is None:
        raise refusals.no_bucket()
    return document


def get_policy(call: Call) -> Document:
    """``GET b/{bucket}/iam``."""
    bucket_of(call)
    return policy_view(call, call.cloud.policies.get(resource(call.parameters["bucket"])))


def set_policy(call: Call) -> Document:
    """``PUT b/{bucket}/iam``: the body is the policy itself."""
    document = bucket_of(call)
    public = {"allUsers", "allAuthenticatedUsers"}
    prevented = constraints.prevents_public_access(call.cloud, document)
    if prevented and any(public.intersection(b.get("members", [])) for b in call.body.get("bindings", [])):
        raise PreconditionFailed(
            "The member bindings allUsers and allAuthenticatedUsers are not allowed since public access prevention is "
            "enforced."
        )
    body = {key: value for key, value in call.body.items() if key not in {"kind", "resourceId"}}
    stored = call.cloud.policies.replace(resource(call.parameters["bucket"]), body)
    return policy_view(call, stored)


def policy_view(call: Call, policy: Document) -> Document:
    """The policy with what the storage API adds."""
    return {
        "kind": "storage#policy",
        "resourceId": f"projects/_/buckets/{call.parameters['bucket']}",
        "version": 1,
        **policy,
    }


def test_permissions(call: Call) -> Document:
    """Which of the asked permissions the caller holds."""
    bucket_of(call)
    asked = asked_permissions(call)
    below = call.parameters.get("object") or call.parameters.get("managedFolder", "").rstrip("/")
    name = f"b/{call.parameters['bucket']}" + (f"/o/{below}" if below else "")
    held = [p for p in asked if call.cloud.permissions.grant(call.principal, p, "storage", name)]
    return {"kind": "storage#testIamPermissionsResponse", **({"permissions": held} if held else {})}


def asked_permissions(call: Call) -> list[str]:
    """The repeated ``permissions`` parameter."""
    several = getattr(call.query, "getlist", None)
    return list(several("permissions")) if several else [call.query.get("permissions", "")]


# -- access control lists ------------------------------------------------------------------------------------------


def bucket_acl(cloud: Cloud, document: Document) -> list[Document]:
    """The list of a bucket, read off its policy's legacy roles."""
    found = []
    for role, iam_role in BUCKET_ROLES.items():
        for binding in cloud.policies.get(resource(document["name"])).get("bindings", []):
            if binding["role"] == iam_role and "condition" not in binding:
                found += [(entity_of(document, member), role) for member in binding["members"]]
    order = {f"project-{team}-{document['projectNumber']}": i for i, (team, _, _) in enumerate(TEAMS)}
    found.sort(key=lambda entry: order.get(entry[0], len(order)))
    return [acl_entry(document, entity, role) for entity, role in found]


def acl_entry(document: Document, entity: str, role: str) -> Document:
    """One ``storage#bucketAccessControl``."""
    bucket = document["name"]
    return {
        "kind": "storage#bucketAccessControl",
        "id": f"{bucket}/{entity}",
        "selfLink": f"https://www.googleapis.com/storage/v1/b/{bucket}/acl/{quote(entity, safe='')}",
        "bucket": bucket,
        "entity": entity,
        "role": role,
        "etag": etag(document["metageneration"]),
        **entity_details(entity),
    }


def entity_details(entity: str) -> Document:
    """E-mail, domain or project team of an entity."""
    kind, _, rest = entity.partition("-")
    if kind in {"user", "group"}:
        return {"email": rest}
    if kind == "domain":
        return {"domain": rest}
    if kind == "project":
        team, _, number = rest.partition("-")
        return {"projectTeam": {"projectNumber": number, "team": team}}
    return {}


def entity_of(document: Document, member: str) -> str:
    """An IAM member as access control lists spell it."""
    for team, _, kind in TEAMS:
        if member == f"{kind}:{document['_project']}":
            return f"project-{team}-{document['projectNumber']}"
    kind, _, address = member.partition(":")
    return f"{'user' if kind == 'serviceAccount' else kind}-{address}" if address else member


def member_of(document: Document, entity: str) -> str:
    """The reverse of ``entity_of``."""
    for team, _, kind in TEAMS:
        if entity in {f"project-{team}-{document['projectNumber']}", f"project-{team}-{document['_project']}"}:
            return f"{kind}:{document['_project']}"
    kind, _, address = entity.partition("-")
    if kind == "user" and address.endswith("gserviceaccount.com"):
        kind = "serviceAccount"
    return f"{kind}:{address}" if address else entity


def default_object_acl(document: Document) -> list[Document]:
    """What new objects of a bucket without uniform access start with."""
    return [
        {
            "kind": "storage#objectAccessControl",
            "entity": f"project-{team}-{document['projectNumber']}",
            "role": role,
            "etag": etag(document["metageneration"]),
            "projectTeam": {"projectNumber": document["projectNumber"], "team": team},
        }
        for team, role, _ in TEAMS
    ]


def acl_list(call: Call) -> Document:
    """All entries of a bucket."""
    document = with_lists(call)
    return {"kind": "storage#bucketAccessControls", "items": bucket_acl(call.cloud, document)}


def acl_get(call: Call) -> Document:
    """One entry."""
    document = with_lists(call)
    for entry in bucket_acl(call.cloud, document):
        if entry["entity"] == call.parameters["entity"]:
            return entry
    raise NotFound("The specified key does not exist.")


def acl_put(call: Call) -> Document:
    """Create or change one entry: the legacy role of one member in the policy."""
    document = with_lists(call)
    entity = call.parameters.get("entity") or call.body.get("entity", "")
    role = call.body.get("role", "")
    if role not in BUCKET_ROLES or not entity:
        raise refusals.invalid(f"Invalid argument: a bucket's list takes {', '.join(BUCKET_ROLES)}, not {role!r}.")
    return acl_entry(rewrite_entry(call, document, entity, role), entity, role)


def acl_delete(call: Call) -> Reply:
    """Remove one entry."""
    entry = acl_get(call)
    rewrite_entry(call, with_lists(call), entry["entity"], None)
    return Reply(204)


def rewrite_entry(call: Call, document: Document, entity: str, role: str | None) -> Document:
    """Give a member one legacy role, or none; returns the bucket at its new metageneration."""
    member = member_of(document, entity)
    policy = call.cloud.policies.get(resource(document["name"]))
    bindings = []
    for binding in policy.get("bindings", []):
        members = [m for m in binding["members"] if m != member or binding["role"] not in BUCKET_ROLES.values()]
        bindings.append({**binding, "members": members})
    if role:
        bindings.append({"role": BUCKET_ROLES[role], "members": [member]})
    call.cloud.policies.replace(resource(document["name"]), {"version": 3, "bindings": bindings})
    changed = {**document, "metageneration": str(int(document["metageneration"]) + 1)}
    changed["etag"] = etag(changed["metageneration"])
    changed["updated"] = call.cloud.clock.timestamp_millis()
    call.cloud.store.put(BUCKETS, f"b/{document['name']}", changed)
    return changed


def with_lists(call: Call) -> Document:
    """The bucket, unless uniform access has switched its lists off."""
    document = bucket_of(call)
    if document["iamConfiguration"]["uniformBucketLevelAccess"]["enabled"]:
        raise refusals.invalid(
            "Cannot use ACL API to update bucket policy when uniform bucket-level access is enabled. Read more at "
            "https://cloud.google.com/storage/docs/uniform-bucket-level-access"
        )
    return document


def object_lists(call: Call) -> Document:
    """Lists of single objects.

    Raises:
        InvalidArgument: uniform access has switched them off.
        NotEmulated: it has not.
    """
    with_lists(call)
    raise NotEmulated(
        f"The sandbox keeps no access control lists of objects, so {call.method.id} was not carried out: switch on "
        "uniform bucket-level access and grant roles on the bucket."
    )


OBJECT_LISTS: dict[str, Handler] = {
    f"storage.{collection}.{action}": object_lists
    for collection in ("defaultObjectAccessControls", "objectAccessControls")
    for action in ("delete", "get", "insert", "list", "patch", "update")
}
HANDLERS: dict[str, Handler] = {
    **OBJECT_LISTS,
    "storage.objects.getIamPolicy": object_lists,
    "storage.objects.setIamPolicy": object_lists,
    "storage.objects.testIamPermissions": test_permissions,
    "storage.managedFolders.testIamPermissions": test_permissions,
    "storage.buckets.getIamPolicy": get_policy,
    "storage.buckets.setIamPolicy": set_policy,
    "storage.buckets.testIamPermissions": test_permissions,
    "storage.bucketAccessControls.list": acl_list,
    "storage.bucketAccessControls.get": acl_get,
    "storage.bucketAccessControls.insert": acl_put,
    "storage.bucketAccessControls.update": acl_put,
    "storage.bucketAccessControls.patch": acl_put,
    "storage.bucketAccessControls.delete": acl_delete,
}
