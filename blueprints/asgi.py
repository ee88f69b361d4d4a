"""One ASGI application behind several HTTP functions."""

import asyncio

import azure.functions as func

from shared.audit_app import audit_app

__all__ = ["answer"]


async def answer(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Return the audit API's answer to `req`; its URL's path and query choose the route.

    Raises:
        ConfigurationError: a setting is missing or unfit; the next call tries again.
    """
    # The first call imports FastAPI and the stores: not on the loop that all functions share.
    app = await asyncio.to_thread(audit_app)
    response: func.HttpResponse = await func.AsgiMiddleware(app).handle_async(req, context)
    return response
