"""Addresses to which a function's source is uploaded, and from which it is fetched again.

Source: https://docs.cloud.google.com/functions/docs/reference/rest/v2/projects.locations.functions/generateUploadUrl
(read 2026-11). The address is signed by the agent of Cloud Functions, and good for half an hour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from sandbox.errors import FailedPrecondition, NotFound
from sandbox.services.serviceusage.agent_roles import provide
from sandbox.services.storage.signed_urls import ALGORITHM, SCOPE_END, SignedRequest, canonical

if TYPE_CHECKING:
    from sandbox.call import Call

Document = dict[str, Any]

HOST = "storage.googleapis.com"
SECONDS = 1800
KIND = "cloudfunctions.functions"


async def upload(call: Call) -> Document:
    """``:generateUploadUrl``: a new object in a bucket of the project, made when it is not there.

    Raises:
        FailedPrecondition: the agent of Cloud Functions may not make the bucket.
    """
    cloud, project, region = call.cloud, str(call.project), call.segment("locations")
    number = cloud.hierarchy.project_number(project)
    bucket, email = f"gcf-v2-uploads-{number}-{region}", provide(cloud, "cloudfunctions", project)
    if cloud.store.get("storage.buckets", f"b/{bucket}") is None:
        body: Document = {"name": bucket, "location": region}
        if key := call.body.get("kmsKeyName"):
            body["encryption"] = {"defaultKmsKeyName": key}
        url = f"https://{HOST}/storage/v1/b?project={project}"
        reply = await cloud.agents.request("POST", url, project=project, token=cloud.agents.token(email), json=body)
        if not reply.is_success:
            raise FailedPrecondition(
                f"The bucket {bucket} for uploads cannot be made by {email}: {reply.json()['error']['message']}"
            )
    name = f"{cloud.identifiers.uuid('uploads')}.zip"
    answer: Document = {"uploadUrl": signed(call, email, "PUT", bucket, name, {"content-type": "application/zip"})}
    if call.method.version != "v1":
        answer["storageSource"] = {"bucket": bucket, "object": name}
    return answer


def download(call: Call) -> Document:
    """``:generateDownloadUrl``: the source that is deployed.

    Raises:
        NotFound: there is no such function.
    """
    document = call.cloud.store.get(KIND, call.name)
    if document is None:
        raise NotFound(f"Resource '{call.name}' was not found")
    source = document["buildConfig"]["source"]["storageSource"]
    email = provide(call.cloud, "cloudfunctions", str(call.project))
    return {"downloadUrl": signed(call, email, "GET", source["bucket"], source["object"], {})}


def signed(call: Call, email: str, verb: str, bucket: str, name: str, headers: dict[str, str]) -> str:
    """A V4 signed URL of an object."""
    now = call.cloud.clock.now()
    scope = f"{now:%Y%m%d}/auto/{SCOPE_END}"
    sent = {"host": HOST, **headers}
    given = {
        "X-Goog-Algorithm": ALGORITHM,
        "X-Goog-Credential": f"{email}/{scope}",
        "X-Goog-Date": f"{now:%Y%m%dT%H%M%SZ}",
        "X-Goog-Expires": str(SECONDS),
        "X-Goog-SignedHeaders": ";".join(sorted(sent)),
    }
    path = f"/{bucket}/{quote(name, safe='/~')}"
    query = urlencode(given)
    _, text = canonical(SignedRequest(verb, (path,), query, sent), path, given)
    signature = call.cloud.tokens.sign(email, text.encode()).hex()
    return f"https://{HOST}{path}?{query}&X-Goog-Signature={signature}"
