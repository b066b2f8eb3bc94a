"""The one place from which the command line calls Google's APIs.

Services are named by the first label of their host (``cloudkms``, ``europe-west4-aiplatform``), paths are Google's own
(``v1/projects/...``). The same calls go to Google, to private endpoints, or to a sandbox.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from plantain.credentials import ApplicationDefault
from plantain.endpoints import ENDPOINT_NAMES, encoded, host_of, loopback_origin
from plantain.errors import GoogleCloudError, InputError
from plantain.refusal import refusal
from plantain.retrying import SAFE_VERBS, UNAUTHENTICATED, StaleTokenError, accept, attempts

SANDBOX_VARIABLE = "PLANTAIN_SANDBOX"
STACK_VARIABLE = "PULUMI_STACK"
SANDBOX_TOKEN = "sandbox"  # noqa: S105 -- the token every sandbox knows; it opens nothing elsewhere
TIMEOUT_SECONDS = 60
TokenSource = Callable[[bool], str]


class GoogleCloud:
    """A client of every Google API, safe to share between threads.

    Args:
        token: gives a bearer token; called with True after one was refused.
        sandbox: HTTP origin of a sandbox that answers for all hosts; None for Google itself.
        endpoints: base URL by service, for private endpoints.
        quota_project: project charged for the calls.
        transport: in place of the network, for callers that have the server in process.
    """

    def __init__(
        self,
        token: TokenSource,
        *,
        sandbox: str | None = None,
        endpoints: Mapping[str, str] | None = None,
        quota_project: str | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._token = token
        self._sandbox = sandbox.rstrip("/") if sandbox else None
        self._endpoints = dict(endpoints or {})
        self._headers = {"x-goog-user-project": quota_project} if quota_project and not sandbox else {}
        limits = httpx.Limits(max_connections=64, max_keepalive_connections=64)
        self._http = httpx.Client(
            timeout=TIMEOUT_SECONDS, limits=limits, trust_env=sandbox is None, transport=transport
        )

    @classmethod
    def from_environment(
        cls, root: Path | None = None, stack: str | None = None, *, settings_file: Path | None = None
    ) -> Self:
        """The cloud that the shell and the stack's settings mean.

        ``PLANTAIN_SANDBOX`` wins; then the stack's ``plantain:endpoints``; then Google itself, with
        application-default credentials, impersonating ``plantain:impersonate`` or the account in
        ``GOOGLE_IMPERSONATE_SERVICE_ACCOUNT``. In a shell of ``plantain sandbox env`` the latter reach the sandbox too.

        Args:
            root: folder of ``Pulumi.yaml``; found upwards from here by default.
            stack: its settings; by default those of ``PULUMI_STACK``, else of none.
            settings_file: the stack's settings, when they are not in ``Pulumi.<stack>.yaml``.

        Raises:
            InputError: there is no such stack.
        """
        settings = _settings(root, stack or os.environ.get(STACK_VARIABLE), settings_file)
        given = settings.get("endpoints") or {}
        sandbox = os.environ.get(SANDBOX_VARIABLE) or loopback_origin(given)
        token = settings.get("accessToken")
        if sandbox:
            value = token if isinstance(token, str) else SANDBOX_TOKEN
            return cls(lambda _: value, sandbox=sandbox)
        impersonated = settings.get("impersonate") or os.environ.get("GOOGLE_IMPERSONATE_SERVICE_ACCOUNT")
        return cls(
            (lambda _: token) if isinstance(token, str) else ApplicationDefault(impersonated),
            endpoints={ENDPOINT_NAMES.get(name, name): url for name, url in given.items()},
            quota_project=settings.get("quotaProject") or os.environ.get("GOOGLE_CLOUD_QUOTA_PROJECT"),
        )

    @property
    def sandbox(self) -> str | None:
        """Origin of the sandbox that answers; None for Google itself."""
        return self._sandbox

    def call(
        self,
        method: str,
        service: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
    ) -> dict[str, Any]:
        """The JSON object that an API method answers; an empty one where it answers nothing.

        Args:
            method: HTTP verb.
            service: first label of the API's host.
            path: path below the host, without its leading slash.
            params: query parameters; lists repeat, None is left out.
            body: JSON document.

        Raises:
            GoogleCloudError: the API refused, or does not answer.
            CredentialsError: there is nobody to call as.
        """
        reply = self._send(method, service, path, params=params, json=body)
        try:
            found = reply.json() if reply.content else {}
        except ValueError:
            raise GoogleCloudError(
                reply.status_code, "NOT_JSON", f"the answer is no JSON: {reply.text[:200]!r}", service, path
            ) from None
        return found if isinstance(found, dict) else {"items": found}

    def pages(
        self, service: str, path: str, field: str, *, method: str = "GET", body: Any = None, **params: Any
    ) -> Iterator[dict[str, Any]]:
        """The items of a list method, over all its pages.

        Args:
            service: as in ``call``.
            path: as in ``call``.
            field: where a page holds its items.
            method: POST for lists that take a body.
            body: the body of such a list; the page token is added to it.
            params: query parameters.

        Raises:
            GoogleCloudError: as ``call``.
            CredentialsError: as ``call``.
        """
        token: str | None = None
        while True:
            if method == "GET":
                page = self.call(method, service, path, params={**params, "pageToken": token})
            else:
                page = self.call(
                    method,
                    service,
                    path,
                    params=params,
                    body={**(body or {}), **({"pageToken": token} if token else {})},
                )
            yield from page.get(field) or ()
            token = page.get("nextPageToken")
            if not token:
                return

    def download(self, service: str, path: str, *, params: Mapping[str, Any] | None = None) -> bytes:
        """The bytes that a method answers, such as an object's with ``alt=media``.

        Raises:
            GoogleCloudError: as ``call``.
            CredentialsError: as ``call``.
        """
        return self._send("GET", service, path, params=params).content

    def lines(self, service: str, path: str, *, params: Mapping[str, Any] | None = None) -> Iterator[str]:
        """The lines of an object that may be larger than memory. A connection that breaks is not taken up again.

        Raises:
            GoogleCloudError: as ``call``; also when the connection breaks.
            CredentialsError: as ``call``.
        """
        url, host = self._address(service, path)
        headers = {**self._headers, **host, "authorization": f"Bearer {self._token(False)}"}
        asked = {name: value for name, value in (params or {}).items() if value is not None}
        try:
            with self._http.stream("GET", url, params=asked or None, headers=headers) as reply:
                if reply.is_error:
                    reply.read()
                    raise refusal(reply, service, path)
                yield from reply.iter_lines()
        except httpx.HTTPError as error:
            message = f"the connection broke ({type(error).__name__}: {error}), so it was not read to its end"
            raise GoogleCloudError(0, "UNREACHABLE", message, service, path) from None

    def upload(
        self,
        service: str,
        path: str,
        content: bytes,
        *,
        content_type: str = "application/octet-stream",
        params: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Send bytes; returns the resource that Google made of them.

        Raises:
            GoogleCloudError: as ``call``.
            CredentialsError: as ``call``.
        """
        reply = self._send(
            "POST", service, path, params=params, content=content, headers={"content-type": content_type}
        )
        found: dict[str, Any] = reply.json()
        return found

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send(
        self,
        verb: str,
        service: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        **content: Any,
    ) -> httpx.Response:
        url, host = self._address(service, path)
        asked = {name: value for name, value in (params or {}).items() if value is not None}
        renew = False
        reply: httpx.Response | None = None
        try:
            for attempt in attempts(safe=verb in SAFE_VERBS):
                with attempt:
                    sent = {**self._headers, **host, **(headers or {}), "authorization": f"Bearer {self._token(renew)}"}
                    reply = self._http.request(verb, url, params=asked or None, headers=sent, **content)
                    stale = reply.status_code == UNAUTHENTICATED and not renew
                    renew = renew or stale
                    accept(reply, stale=stale)
        except (StaleTokenError, httpx.HTTPStatusError) as error:
            raise refusal(error.response, service, path) from None
        except httpx.HTTPError as error:
            where = self._sandbox or f"https://{host_of(service)}"
            raise GoogleCloudError(
                0,
                "UNREACHABLE",
                f"{where} does not answer ({type(error).__name__}: {error}), so nothing was read",
                service,
                path,
            ) from None
        if reply is None:
            raise AssertionError("tenacity ends with an answer or an exception")
        return reply

    def _address(self, service: str, path: str) -> tuple[str, dict[str, str]]:
        written = encoded(path)
        if self._sandbox:
            return f"{self._sandbox}/{written}", {"host": host_of(service)}
        if service in self._endpoints:
            base = urlsplit(self._endpoints[service])
            return f"{base.scheme}://{base.netloc}/{written}", {}
        return f"https://{host_of(service)}/{written}", {}


def _settings(root: Path | None, stack: str | None, file: Path | None) -> dict[str, Any]:
    if stack is None and file is None:
        return {}
    from plantain.project import parse_raw_settings, project_root, settings_path  # noqa: PLC0415 -- not always needed

    path = file or settings_path(root or project_root(), str(stack))
    found = parse_raw_settings(path)
    endpoints = found.get("endpoints") or {}
    if not isinstance(endpoints, dict) or not all(isinstance(url, str) for url in endpoints.values()):
        raise InputError(
            f"plantain:endpoints in {path.name} is no map from an API to a URL, so it cannot be told where to call.",
            cure=f"edit {path.name}",
        )
    return found
