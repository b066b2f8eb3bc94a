"""Decodes each resource once for all policies.

pulumi-policy 1.21.0 decodes a resource anew for each policy, and for policies of a stack every resource anew for each
of them (`_PolicyAnalyzerServicer.Analyze` and `AnalyzeStack`, 2026-11). With a hundred policies that takes longer than
all their checks. So the three functions it decodes with remember what they made, for as long as one request lasts.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from pulumi_policy import policy as sdk  # type: ignore[import-not-found,unused-ignore]  # in the pack's environment only

_request = threading.local()


@contextmanager
def one_request() -> Iterator[dict[Any, Any]]:
    """While it lasts, what is made from the same object is made once; the dictionary is free for others to use."""
    _request.made = {}
    try:
        yield _request.made
    finally:
        del _request.made


def made() -> dict[Any, Any]:
    """What was made in this request; a new dictionary outside of one."""
    found: dict[Any, Any] = getattr(_request, "made", {})
    return found


def once(make: Callable[..., Any]) -> Callable[..., Any]:
    """A function that makes the same from the same object once in a request."""

    def remembered(source: Any, *others: Any) -> Any:
        store = made()
        key = (make, id(source), others)
        if key not in store:
            # The source is kept as well: an id belongs to another object as soon as its own is gone.
            store[key] = (source, make(source, *others))
        return store[key][1]

    return remembered


class Servicer(sdk._PolicyAnalyzerServicer):  # type: ignore[misc,name-defined,unused-ignore]  # noqa: SLF001 - nothing public starts a server
    """The SDK's servicer, one request at a time in each thread."""

    def Analyze(self, request: Any, context: Any) -> Any:  # noqa: N802 - the name in the protocol
        """Judge one resource."""
        with one_request():
            return super().Analyze(request, context)

    def AnalyzeStack(self, request: Any, context: Any) -> Any:  # noqa: N802 - the name in the protocol
        """Judge a stack."""
        with one_request():
            return super().AnalyzeStack(request, context)


def install() -> None:
    """Let the SDK use all this; a second time changes nothing."""
    if sdk._PolicyAnalyzerServicer is Servicer:  # noqa: SLF001 - see Servicer
        return
    sdk._PolicyAnalyzerServicer = Servicer  # noqa: SLF001 - see Servicer
    sdk.json_format = SimpleNamespace(MessageToDict=once(sdk.json_format.MessageToDict))
    sdk.deserialize_properties = once(sdk.deserialize_properties)
    sdk.unknown_checking_proxy = once(sdk.unknown_checking_proxy)
