"""One ASGI application behind several HTTP functions."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from contextvars import ContextVar
from typing import Any, Final
from urllib.parse import unquote_to_bytes, urlsplit

import azure.functions as func

from shared.audit_app import audit_app
from shared.errors import ConfigurationError
from shared.problem import PROBLEM_TYPE, problem, unconfigured

__all__ = ["PEER", "answer"]

logger = logging.getLogger(__name__)

PEER: Final[ContextVar[tuple[str, int] | None]] = ContextVar("peer", default=None)
"""Address and port of who is connected, set by a server in this process; the Functions host tells none."""

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]


async def answer(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Return the audit API's answer to `req`; its URL's path and query choose the route.

    While a setting is missing or unfit the answer is 503, which names it, and the next call tries again.
    """
    try:
        # The middleware reads the path so, and would fail the function on what is no UTF-8.
        unquote_to_bytes(urlsplit(req.url).path).decode()
    except UnicodeDecodeError:
        body = problem(400, "invalid-parameter", "path: it is not UTF-8", parameter="path")
        return func.HttpResponse(body, status_code=400, mimetype=PROBLEM_TYPE)
    # The first call imports FastAPI and the stores: not on the loop that all functions share.
    try:
        app = await asyncio.to_thread(audit_app)
    except ConfigurationError as error:
        logger.error("audit.unconfigured %s", error)  # noqa: TRY400  # the message says it all
        return func.HttpResponse(unconfigured(error), status_code=503, mimetype=PROBLEM_TYPE)

    async def with_peer(scope: _Message, receive: _Receive, send: _Send) -> None:
        await app({**scope, "client": PEER.get()}, receive, send)

    response: func.HttpResponse = await func.AsgiMiddleware(with_peer).handle_async(req, context)
    return response
