"""Entry point of the generation function: `functions-framework --target images --asgi`."""

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from generation.app import Application
from generation.memory import settle

application = Application()
settle()


@functions_framework.aio.http
async def images(request: Request) -> Response:
    """Answer one HTTP request."""
    return await application.handle(request)
