"""Can an image be made now? Asks everything the function depends on, and makes none."""

import asyncio
from collections.abc import Awaitable

from generation.clients import Clients
from generation.errors import GenerationError, Reason, failure
from generation.models import table
from generation.settings import Settings

SECONDS = 10.0


async def readiness(clients: Clients, settings: Settings) -> tuple[bool, dict[str, object]]:
    """Whether all dependencies answer, and what each says."""
    model = table().get(settings.model)
    location = settings.location_of(model) if model else settings.location
    checks = {
        "identity": clients.check_identity(),
        "bucket": clients.store.check(),
        "signing": clients.store.sign("readyz"),
        "model": clients.model.check(settings.model, location or settings.location),
    }
    results = await asyncio.gather(*(_check(name, check) for name, check in checks.items()))
    ready = all(result["status"] == "ok" for result in results)
    return ready, {"status": "ok" if ready else "failing", "checks": results}


async def _check(name: str, check: Awaitable[object]) -> dict[str, object]:
    try:
        async with asyncio.timeout(SECONDS):
            await check
    except TimeoutError:
        error: GenerationError = failure(Reason.DEADLINE_EXCEEDED, f"No answer within {SECONDS:.0f} s")
    except GenerationError as found:
        error = found
    else:
        return {"name": name, "status": "ok"}
    detail = error.envelope()["error"]["details"][0]
    return {"name": name, "status": "failing", "message": error.message, **detail}
