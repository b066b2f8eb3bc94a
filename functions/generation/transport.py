"""HTTP sessions of the libraries that use requests: Cloud Storage and IAM."""

from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection

CONNECTIONS = 32
"""More calls than requests' ten connections may be under way; the surplus would be opened and thrown away."""


class Adapter(HTTPAdapter):
    """Connections that send small packets at once, through a proxy, too.

    urllib3 waits for more to send when there is a proxy, which costs each upload the 40 ms after which the other side
    acknowledges.
    """

    def __init__(self) -> None:
        super().__init__(pool_maxsize=CONNECTIONS)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """The connections of a proxy."""
        return super().proxy_manager_for(proxy, socket_options=HTTPConnection.default_socket_options, **options)


def prepared(session: requests.Session) -> requests.Session:
    """The same session, fit for many calls at once."""
    session.mount("https://", Adapter())
    session.hooks["response"].append(_read_refusal)
    return session


def _read_refusal(response: requests.Response, **_: Any) -> None:
    # Cloud Storage's client leaves the body of a download that it tries again unread, and so its connection open.
    if not response.ok:
        response.content  # noqa: B018 -- reading it is the point
