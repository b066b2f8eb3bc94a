"""The metadata server of one instance: its project, its identity, its tokens.

Paths: https://docs.cloud.google.com/run/docs/container-contract (metadata server, read 2026-08).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, PlainTextResponse

from sandbox.call import Principal

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from sandbox.cloud import Cloud

FLAVOR = {"Metadata-Flavor": "Google", "Server": "Metadata Server for Serverless"}
SCOPES = ("https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/userinfo.email")


def answer(cloud: Cloud, request: Request, instance: str) -> Response:
    """Answer a metadata request of the given instance."""
    path = request.url.path.strip("/")
    if path and request.headers.get("metadata-flavor") != "Google":
        return PlainTextResponse("Missing Metadata-Flavor:Google header.\n", 403, FLAVOR)
    facts = cloud.instances.identity(instance)
    email, project = facts["serviceAccount"], facts["project"]
    number = cloud.hierarchy.project_number(project)
    lifetime = cloud.settings.access_token_lifetime
    account = "computeMetadata/v1/instance/service-accounts"
    if path in {f"{account}/default/token", f"{account}/{email}/token"}:
        token = cloud.tokens.access_token(Principal(f"serviceAccount:{email}"), lifetime)
        return JSONResponse({"access_token": token, "expires_in": lifetime, "token_type": "Bearer"}, headers=FLAVOR)
    if path in {f"{account}/default/identity", f"{account}/{email}/identity"}:
        audience = request.query_params.get("audience", "")
        if not audience:
            return PlainTextResponse("non-empty audience parameter required\n", 400, FLAVOR)
        token = cloud.tokens.identity_token(Principal(f"serviceAccount:{email}"), audience, lifetime)
        return PlainTextResponse(token, headers=FLAVOR)
    texts: dict[str, Any] = {
        "": "computeMetadata/\n",
        "computeMetadata/v1/project/project-id": project,
        "computeMetadata/v1/project/numeric-project-id": number,
        "computeMetadata/v1/instance/id": instance,
        "computeMetadata/v1/instance/region": f"projects/{number}/regions/{facts['region']}",
        "computeMetadata/v1/instance/zone": f"projects/{number}/zones/{facts['region']}-1",
        "computeMetadata/v1/universe/universe-domain": "googleapis.com",
        "computeMetadata/v1/universe/universe_domain": "googleapis.com",
        account: f"default/\n{email}/\n",
    }
    for name in ("default", email):
        texts[f"{account}/{name}/email"] = email
        texts[f"{account}/{name}/scopes"] = "\n".join(SCOPES) + "\n"
        texts[f"{account}/{name}"] = json.dumps({"aliases": ["default"], "email": email, "scopes": list(SCOPES)})
    if path not in texts:
        return PlainTextResponse("Not Found\n", 404, FLAVOR)
    if request.query_params.get("recursive") == "true" and path.startswith(f"{account}/"):
        return JSONResponse(json.loads(texts[path.rstrip("/")]), headers=FLAVOR)
    return PlainTextResponse(str(texts[path]), headers=FLAVOR)
