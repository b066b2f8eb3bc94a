"""Cloud Functions v2: built from uploaded source, served by Cloud Run."""

from __future__ import annotations

from sandbox.services.cloudfunctions import functions
from sandbox.services.registry import Service

SERVICE = Service(
    name="cloudfunctions",
    title="Cloud Functions API",
    prefix="google.cloud.functions.v2",
    resources=(functions.Function,),
    handlers=functions.HANDLERS,
)
