"""The sandbox's own interface below ``/_sandbox``: status, requests, faults, clock, tokens, groups, reset."""

from __future__ import annotations

import hmac
import os
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route, Router

from sandbox.call import Principal
from sandbox.client_environment import CLEARED, client_environment
from sandbox.consistency import Lag
from sandbox.control_requests import (
    AdvanceRequest,
    EnvironmentRequest,
    GroupRequest,
    IssuerRequest,
    QuotaRequest,
    RecordingRequest,
    TokenRequest,
)
from sandbox.enforcement.quotas import PRODUCER_OVERRIDES, table
from sandbox.enforcement.usage import Usage
from sandbox.faults import Fault
from sandbox.services.cloudidentity.directory import READERS, define
from sandbox.services.monitoring import notifications
from sandbox.settings import STATE_FILE

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from sandbox.cloud import Cloud


LOCAL_HOSTS = {"127.0.0.1", "localhost", "::1", "testserver"}
TOKEN_HEADER = "X-Sandbox-Token"  # noqa: S105 -- the header's name


def routes(cloud: Cloud) -> Local:  # noqa: C901, PLR0915 -- one small closure an endpoint
    """The control interface of one sandbox."""

    def status(_: Request) -> Response:
        return JSONResponse(report(cloud))

    def requests(request: Request) -> Response:
        return JSONResponse(cloud.log.last(int(request.query_params.get("count", "100"))))

    def resources(request: Request) -> Response:
        return JSONResponse(cloud.store.names(request.query_params.get("kind")))

    def defects(_: Request) -> Response:
        return PlainTextResponse("\n".join(cloud.log.defects))

    def denials(request: Request) -> Response:
        return JSONResponse(cloud.denials.last(int(request.query_params.get("count", "30"))))

    def denial(request: Request) -> Response:
        wanted = request.path_params["id"]
        found = cloud.denials.find(wanted)
        if found is None:
            return failure(404, f"No refusal is known as {wanted}: GET /_sandbox/denials lists the last ones.")
        return JSONResponse(found)

    def announced(_: Request) -> Response:
        return JSONResponse(cloud.store.documents(notifications.KIND))

    def certificate(_: Request) -> Response:
        return PlainTextResponse(cloud.gateway.authority.certificate_pem, media_type="application/x-pem-file")

    async def faults(request: Request) -> Response:
        if request.method == "DELETE":
            cloud.faults.remove(request.query_params.get("id", ""))
        elif request.method == "POST":
            return JSONResponse(cloud.faults.add(Fault.model_validate_json(await request.body())).document())
        return JSONResponse([planned.document() for planned in cloud.faults.pending])

    async def consistency(request: Request) -> Response:
        if request.method == "POST":
            cloud.consistency.set(Lag.model_validate_json(await request.body()))
        return JSONResponse(cloud.consistency.lag.model_dump())

    async def grants(request: Request) -> Response:
        usage = cloud.permissions.usage
        if request.method == "POST":
            asked = RecordingRequest.model_validate_json(await request.body())
            (usage.start if asked.recording else usage.stop)()
        return JSONResponse(usage.document() if request.method == "GET" else {"recording": usage.recording})

    async def token(request: Request) -> Response:
        asked = TokenRequest.model_validate_json(await request.body())
        principal = Principal(asked.member)
        if asked.audience:
            return JSONResponse({"token": cloud.tokens.identity_token(principal, asked.audience, asked.lifetime)})
        return JSONResponse({"token": cloud.tokens.access_token(principal, asked.lifetime)})

    async def issuer(request: Request) -> Response:
        asked = IssuerRequest.model_validate_json(await request.body())
        now = int(cloud.clock.now().timestamp())
        claims = {"iss": asked.issuer, "iat": now, "exp": now + asked.lifetime, **asked.claims}
        return JSONResponse({"token": cloud.tokens.jwt(asked.issuer, claims)})

    async def quota(request: Request) -> Response:
        asked = QuotaRequest.model_validate_json(await request.body())
        if not any((known.service, known.quota_id) == (asked.service, asked.quotaId) for known in table()):
            return failure(404, f"{asked.service} has no quota {asked.quotaId} in sandbox/enforcement/quotas.json.")
        name = f"projects/{asked.project}/services/{asked.service}/{asked.quotaId}/{sorted(asked.dimensions.items())}"
        value = {"_quotaId": asked.quotaId, "overrideValue": str(asked.value), "dimensions": asked.dimensions}
        cloud.store.put(PRODUCER_OVERRIDES, name, value)
        return JSONResponse(asked.model_dump())

    async def group(request: Request) -> Response:
        asked = GroupRequest.model_validate_json(await request.body())
        with cloud.store.transaction():
            define(cloud, asked.group, asked.members)
            for reader in asked.readers:
                cloud.store.put(READERS, reader, {})
        return JSONResponse(asked.model_dump())

    async def environment(request: Request) -> Response:
        asked = EnvironmentRequest.model_validate_json(await request.body() or b"{}")
        variables = client_environment(cloud, member=asked.member, origin=asked.origin())
        return JSONResponse({"set": variables, "clear": list(CLEARED)})

    async def advance(request: Request) -> Response:
        if request.method == "POST":
            asked = AdvanceRequest.model_validate_json(await request.body())
            ahead = (asked.to - cloud.clock.now()).total_seconds() if asked.to else 0
            with cloud.store.transaction():
                cloud.clock.advance(asked.seconds + max(0.0, ahead))
                cloud.services.tick(cloud)
        return JSONResponse({"now": cloud.clock.timestamp(), "ahead": cloud.clock.offset.total_seconds()})

    async def reset(_: Request) -> Response:
        await cloud.instances.stop_all()
        cloud.reset()
        cloud.log.clear()
        cloud.permissions.usage = Usage()
        cloud.faults.remove()
        cloud.consistency.set(Lag())
        return JSONResponse(report(cloud))

    router = Router(
        [
            Route("/status", status),
            Route("/requests", requests),
            Route("/resources", resources),
            Route("/defects", defects),
            Route("/notifications", announced),
            Route("/denials", denials),
            Route("/denials/{id:path}", denial),
            Route("/certificate", certificate),
            Route("/faults", guarded(faults), methods=["GET", "POST", "DELETE"]),
            Route("/consistency", guarded(consistency), methods=["GET", "POST"]),
            Route("/grants", guarded(grants), methods=["GET", "POST"]),
            Route("/tokens", guarded(token), methods=["POST"]),
            Route("/issuers", guarded(issuer), methods=["POST"]),
            Route("/groups", guarded(group), methods=["POST"]),
            Route("/environment", guarded(environment), methods=["POST"]),
            Route("/clock", guarded(advance), methods=["GET", "POST"]),
            Route("/quotas", guarded(quota), methods=["POST"]),
            Route("/reset", guarded(reset), methods=["POST"]),
        ]
    )
    return Local(router, cloud)


def is_local(request: Request) -> bool:
    """Whether a request was addressed to this machine by one of its own names."""
    host = request.headers.get("host", "").rpartition("]")[2].partition(":")[0] or "::1"
    return host in LOCAL_HOSTS


class Local:
    """Lets only requests through that were meant for this machine, and changes only with the run's token.

    A web page elsewhere may send a browser to a loopback address, or make its own name resolve to it; it can neither
    choose the ``Host`` header nor know the token.
    """

    def __init__(self, inner: ASGIApp, cloud: Cloud) -> None:
        self._inner = inner
        self._cloud = cloud

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse or pass on."""
        request = Request(scope)
        if not is_local(request):
            host = request.headers.get("host", "")
            answer = failure(403, f"The control interface answers on this machine's own addresses only, not as {host}.")
            await answer(scope, receive, send)
            return
        shown = request.headers.get(TOKEN_HEADER, "")
        if request.method not in {"GET", "HEAD"} and not hmac.compare_digest(shown, self._cloud.control_token):
            answer = failure(
                401,
                f"Changing the sandbox needs the header {TOKEN_HEADER} with this run's token: it stands in "
                f"{self._cloud.settings.data / STATE_FILE} as controlToken.",
            )
            await answer(scope, receive, send)
            return
        await self._inner(scope, receive, send)


def failure(code: int, message: str) -> JSONResponse:
    """An error in the shape of Google's."""
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=code)


def guarded(endpoint: Any) -> Any:
    """Turn a malformed body into a 400 that names every wrong field."""

    async def answer(request: Request) -> Response:
        try:
            response: Response = await endpoint(request)
        except ValidationError as error:
            problems = [f"{'.'.join(map(str, p['loc'])) or 'body'}: {p['msg']}" for p in error.errors()]
            return failure(400, "; ".join(problems))
        return response

    return answer


def report(cloud: Cloud) -> dict[str, Any]:
    """State of the sandbox in figures."""
    return {
        "url": f"http://127.0.0.1:{cloud.gateway.port}",
        "gateway": cloud.gateway.proxy_url(),
        "grpc": f"127.0.0.1:{cloud.gateway.port}",
        "pid": os.getpid(),
        "data": str(cloud.settings.data.resolve()),
        "organization": f"organizations/{cloud.settings.organization}",
        "billingAccount": f"billingAccounts/{cloud.settings.billing_account}",
        "now": cloud.clock.timestamp(),
        "requests": sum(cloud.log.statuses.values()),
        "milliseconds": round(cloud.log.milliseconds, 1),
        "deploymentSeconds": round(cloud.log.deployment_seconds, 2),
        "statuses": {str(code): count for code, count in sorted(cloud.log.statuses.items())},
        "methods": dict(cloud.log.methods.most_common()),
        "notEmulated": dict(cloud.log.not_emulated),
        "refusedHosts": dict(cloud.log.refused_hosts),
        "defects": len(cloud.log.defects),
        "instances": cloud.instances.report(),
        "resources": cloud.store.kinds(),
        "descriptions": cloud.description.sources,
    }
