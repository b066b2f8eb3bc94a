"""Which APIs there are, as far as the sandbox knows, and what they are called."""

from __future__ import annotations

import difflib
import json
from functools import cache
from pathlib import Path

from sandbox.errors import ERROR_INFO, PermissionDenied

FILE = Path(__file__).with_name("titles.json")
SUFFIX = ".googleapis.com"
#: So alike are a name and its misspelling: one letter in ten wrong, missing or too many.
ALIKE = 0.9
PRECONDITION = "type.googleapis.com/google.rpc.PreconditionFailure"


@cache
def titles() -> dict[str, str]:
    """Titles by host name, of the APIs that have a discovery document."""
    found: dict[str, str] = json.loads(FILE.read_text())["titles"]
    return found


def misspelled(host: str) -> str | None:
    """The API that was meant, when a name is none and nearly one.

    Google knows all its services; the sandbox takes a name that resembles none of those that it knows for one of the
    others.
    """
    if host in titles():
        return None
    if "." not in host:
        return f"{host}{SUFFIX}"
    label = host.removesuffix(SUFFIX)
    labels = [known.removesuffix(SUFFIX) for known in titles()]
    close = difflib.get_close_matches(label, labels, n=1, cutoff=ALIKE)
    related = (
        close and (label.startswith(close[0]) or close[0].startswith(label)) and abs(len(label) - len(close[0])) > 1
    )
    return f"{close[0]}{SUFFIX}" if close and not related else None


def require_known(*hosts: str) -> None:
    """Refuse services that do not exist, in Google's words.

    Raises:
        PermissionDenied: with ``SERVICE_CONFIG_NOT_FOUND_OR_PERMISSION_DENIED``.
    """
    wrong = ",".join(host for host in hosts if misspelled(host))
    if wrong:
        raise PermissionDenied(
            f"Not found or permission denied for service(s): {wrong}.",
            details=[
                {
                    "@type": PRECONDITION,
                    "violations": [{"type": "googleapis.com", "subject": f"?error_code=220002&services={wrong}"}],
                },
                {
                    "@type": ERROR_INFO,
                    "reason": "SERVICE_CONFIG_NOT_FOUND_OR_PERMISSION_DENIED",
                    "domain": "serviceusage.googleapis.com",
                    "metadata": {"services": wrong},
                },
            ],
        )
