"""One ASGI application behind several HTTP functions."""

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from contextvars import ContextVar
from typing import Any, Final
from urllib.parse import unquote_to_bytes, urlsplit

import azure.functions as func

from blueprints.invocations import carry
from blueprints.threads import on_own_thread
from shared.audit_app import audit_app
from shared.errors import ConfigurationError
from shared.problem import ANSWER_HEADERS, PROBLEM_TYPE, problem, unconfigured

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
    carry(context)
    try:
        # The middleware reads the path so, and would fail the function on what is no UTF-8.
        unquote_to_bytes(urlsplit(req.url).path).decode()
    except UnicodeDecodeError:
        return _problem(400, problem(400, "invalid-parameter", "path: it is not UTF-8", parameter="path"))
    # The first call imports FastAPI and the stores: not on the loop that all functions share.
    try:
        app = await on_own_thread(audit_app)
    except ConfigurationError as error:
        logger.error("audit.unconfigured %s", error)  # noqa: TRY400  # the message says it all
        return _problem(503, unconfigured(error))

    async def with_peer(scope: _Message, receive: _Receive, send: _Send) -> None:
        await app({**scope, "client": PEER.get()}, receive, send)

    response: func.HttpResponse = await func.AsgiMiddleware(with_peer).handle_async(req, context)
    return response


def _problem(status: int, body: bytes) -> func.HttpResponse:
    return func.HttpResponse(body, status_code=status, mimetype=PROBLEM_TYPE, headers=dict(ANSWER_HEADERS))
