"""The pages: read from the sandbox at each request, and two forms that change its clock and its faults.

Anybody on this machine may look. To change something a browser must have shown the run's token once, in the address
that ``plantain sandbox status`` prints; a cookie remembers it.
"""

from __future__ import annotations

import hmac
import inspect
import json
from collections.abc import Awaitable, Callable
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from pydantic import ValidationError
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox.console import gallery, graph, picture
from sandbox.control import failure, is_local, report
from sandbox.faults import Fault
from sandbox.services.aiplatform.charges import prices
from sandbox.services.monitoring import alert_policies, alerts, notifications
from sandbox.spend import month_of

if TYPE_CHECKING:
    from jinja2 import Environment
    from starlette.requests import Request

    from sandbox.cloud import Cloud

Document = dict[str, Any]

ROOT = "/_console"
COOKIE = "sandbox-token"
NEWEST = 200
PICTURES = 60
REFUSED = 400
STATIC = {"icon.svg": "image/svg+xml", "live.js": "text/javascript", "style.css": "text/css"}
PAGES = (
    ("Overview", "/"),
    ("Requests", f"{ROOT}/requests"),
    ("Denials", f"{ROOT}/denials"),
    ("Images", f"{ROOT}/images"),
    ("Alerts", f"{ROOT}/alerts"),
    ("Costs", f"{ROOT}/costs"),
    ("Clock and faults", f"{ROOT}/clock"),
)
#: Nothing from elsewhere is loaded, nothing in a page runs but the console's own file, no other page frames it.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


@cache
def environment() -> Environment:
    """The templates; whatever they are given is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 -- a start waits for no page

    loader = PackageLoader("sandbox.console")
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.globals |= {"pages": PAGES, "root": ROOT}
    return made


def fields(form: dict[str, str]) -> dict[str, str | int]:
    """A form's filled fields; whole numbers as numbers."""
    return {key: int(value) if value.isdecimal() else value for key, value in form.items() if value}


def here(endpoint: Callable[[Request], Any]) -> Callable[[Request], Awaitable[Response]]:
    """Answer only what was addressed to this machine: another name that leads here is somebody's trick."""

    async def answer(request: Request) -> Response:
        if not is_local(request):
            return failure(403, "The console answers on this machine's own addresses only.")
        found = endpoint(request)
        response: Response = await found if inspect.isawaitable(found) else found
        return response

    return answer


class Console:
    """The pages of one sandbox."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def routes(self) -> list[Route]:
        """Where the pages are found; the first of them at ``/`` is for the caller to place."""
        pages = {
            "requests": self.requests,
            "requests/rows": self.rows,
            "denials": self.denials,
            "resources": self.resources,
            "images": self.images,
            "images/{bucket}/{name:path}": self.image,
            "alerts": self.alerts,
            "costs": self.costs,
            "static/{name}": self.static,
        }
        found = [Route(f"{ROOT}/{path}", here(endpoint)) for path, endpoint in pages.items()]
        return [
            *found,
            Route(f"{ROOT}/clock", here(self.clock), methods=["GET", "POST"]),
            Route(f"{ROOT}/faults", here(self.faults), methods=["POST"]),
        ]

    def overview(self, request: Request) -> Response:
        """Figures and the graph of resources."""
        if token := request.query_params.get("token"):
            return self._remember(token)
        cloud, shown = self._cloud, request.query_params.get("project", "")
        found = graph.read(cloud)
        month = month_of(cloud.clock.now())
        figures = {
            "Projects": len(found.projects),
            "Resources": sum(len(c.names) for collections in found.projects.values() for c in collections),
            "Requests": sum(cloud.log.statuses.values()),
            "Refused": sum(count for status, count in cloud.log.statuses.items() if status in {401, 403, 429}),
            "Open incidents": len(self._incidents("OPEN")),
            "Spent this month": f"{sum(cloud.spend.of(project, month) for project in found.projects):.2f} USD",
        }
        drawn = picture.draw(found, shown)
        return self._page("overview.html", "Overview", figures=figures, picture=drawn, graph=found, shown=shown)

    def requests(self, request: Request) -> Response:
        """The request log; the page's script asks for the rows that are new."""
        return self._page("requests.html", "Requests", entries=self._entries(request), query=request.query_params)

    def rows(self, request: Request) -> Response:
        """The rows of the log alone, newest first."""
        return self._render("rows.html", entries=self._entries(request))

    def _entries(self, request: Request) -> list[Document]:
        method, refused = request.query_params.get("method", "").strip(), request.query_params.get("refused")
        chosen = [
            entry
            for entry in reversed(self._cloud.log.last(NEWEST * 10))
            if method.lower() in str(entry["method"]).lower() and (not refused or entry["status"] >= REFUSED)
        ]
        return chosen[:NEWEST]

    def denials(self, request: Request) -> Response:
        """Refusals with their reasons, or one of them."""
        wanted = request.query_params.get("id", "")
        if wanted:
            one = self._cloud.denials.find(wanted)
            return self._page("denials.html", "Denials", denials=[one] if one else [], wanted=wanted)
        return self._page("denials.html", "Denials", denials=self._cloud.denials.last(NEWEST), wanted="")

    def resources(self, request: Request) -> Response:
        """All resources of one kind in one project."""
        project, kind = request.query_params.get("project", ""), request.query_params.get("kind", "")
        found = [
            (name, json.dumps({k: v for k, v in document.items() if not k.startswith("_")}, indent=2))
            for name, document in self._cloud.store.items(kind)
            if graph.project_of(self._cloud, name, document) == project
        ]
        return self._page("resources.html", "Resources", project=project, kind=kind, resources=found)

    def images(self, request: Request) -> Response:
        """Pictures in all buckets."""
        del request
        return self._page("images.html", "Images", pictures=gallery.pictures(self._cloud, PICTURES))

    def image(self, request: Request) -> Response:
        """The bytes of one."""
        found = gallery.content(self._cloud, request.path_params["bucket"], request.path_params["name"])
        if found is None:
            return self._page("missing.html", "Images", status=404)
        return Response(found[0], media_type=found[1], headers=HEADERS)

    def alerts(self, request: Request) -> Response:
        """Alert policies and their incidents."""
        del request
        incidents = self._incidents()
        policies = self._cloud.store.documents(alert_policies.KIND)
        told = self._cloud.store.documents(notifications.KIND)[-NEWEST:][::-1]
        return self._page("alerts.html", "Alerts", policies=policies, incidents=incidents, told=told)

    def _incidents(self, state: str = "") -> list[Document]:
        found = [i for project in self._cloud.projects() for i in alerts.evaluate(self._cloud, project["projectId"])]
        return [incident for incident in found if not state or incident["state"] == state]

    def costs(self, request: Request) -> Response:
        """What was spent, by month, project and item."""
        del request
        items = sorted(self._cloud.spend.items(), key=lambda item: (item["month"], item["project"], item["item"]))
        return self._page("costs.html", "Costs", items=items, prices=prices())

    async def clock(self, request: Request) -> Response:
        """The sandbox's time; the form moves it forward."""
        problem = ""
        if request.method == "POST":
            form = await self._form(request)
            try:
                seconds = float(form.get("hours", "")) * 3600
            except ValueError:
                seconds = -1
            if not self._trusted(request):
                return self._stranger()
            if seconds >= 0:
                with self._cloud.store.transaction():
                    self._cloud.clock.advance(seconds)
                    self._cloud.services.tick(self._cloud)
                return RedirectResponse(f"{ROOT}/clock", 303, HEADERS)
            problem = "Hours must be a number, zero or more."
        return self._clock(request, problem)

    async def faults(self, request: Request) -> Response:
        """Plan a fault, or take all back."""
        form = await self._form(request)
        if not self._trusted(request):
            return self._stranger()
        if form.pop("clear", ""):
            self._cloud.faults.remove()
            return RedirectResponse(f"{ROOT}/clock", 303, HEADERS)
        try:
            self._cloud.faults.add(Fault.model_validate(fields(form)))
        except ValidationError as error:
            problems = [f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors()]
            return self._clock(request, "; ".join(problems))
        return RedirectResponse(f"{ROOT}/clock", 303, HEADERS)

    def _clock(self, request: Request, problem: str) -> Response:
        return self._page(
            "clock.html",
            "Clock and faults",
            status=REFUSED if problem else 200,
            now=self._cloud.clock.timestamp(),
            ahead=self._cloud.clock.offset,
            planned=[planned.document() for planned in self._cloud.faults.pending],
            trusted=self._trusted(request),
            problem=problem,
        )

    def static(self, request: Request) -> Response:
        """Style and script."""
        name = request.path_params["name"]
        if name not in STATIC:
            return JSONResponse({"error": {"code": 404, "message": f"The console has no file {name}."}}, 404)
        text = resources.files("sandbox.console").joinpath("static", name).read_text()
        return Response(text, media_type=STATIC[name], headers=HEADERS)

    async def _form(self, request: Request) -> dict[str, str]:
        return dict(parse_qsl((await request.body()).decode("utf-8", "replace")))

    def _trusted(self, request: Request) -> bool:
        shown = request.cookies.get(COOKIE, "")
        return bool(shown) and hmac.compare_digest(shown, self._cloud.control_token)

    def _remember(self, token: str) -> Response:
        if not hmac.compare_digest(token, self._cloud.control_token):
            return self._stranger()
        reply = RedirectResponse("/", 303, HEADERS)
        reply.set_cookie(COOKIE, token, httponly=True, samesite="strict")
        return reply

    def _stranger(self) -> Response:
        return self._page("stranger.html", "Clock and faults", status=401)

    def _page(self, template: str, title: str, *, status: int = 200, **values: Any) -> Response:
        return self._render(template, status=status, title=title, state=report(self._cloud), **values)

    def _render(self, template: str, *, status: int = 200, **values: Any) -> Response:
        return HTMLResponse(environment().get_template(template).render(values), status, HEADERS)
