"""One ASGI application behind several HTTP functions."""

import asyncio
from urllib.parse import unquote_to_bytes, urlsplit

import azure.functions as func

from shared.audit_app import audit_app
from shared.problem import PROBLEM_TYPE, problem

__all__ = ["answer"]


async def answer(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Return the audit API's answer to `req`; its URL's path and query choose the route.

    Raises:
        ConfigurationError: a setting is missing or unfit; the next call tries again.
    """
    try:
        # The middleware reads the path so, and would fail the function on what is no UTF-8.
        unquote_to_bytes(urlsplit(req.url).path).decode()
    except UnicodeDecodeError:
        body = problem(400, "invalid-parameter", "path: it is not UTF-8", parameter="path")
        return func.HttpResponse(body, status_code=400, mimetype=PROBLEM_TYPE)
    # The first call imports FastAPI and the stores: not on the loop that all functions share.
    app = await asyncio.to_thread(audit_app)
    response: func.HttpResponse = await func.AsgiMiddleware(app).handle_async(req, context)
    return response
