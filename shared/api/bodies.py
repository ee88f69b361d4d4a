"""Requests with a body: refused before it is read, where nobody asks who may, or where it is too long."""

from collections.abc import Callable, Coroutine
from typing import Any, Final

import orjson
from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from shared.api.callers import Caller, Role, require, route_of, subject_of
from shared.services.audit import AuditService

__all__ = ["LARGEST_BODY", "GuardedRoute"]

LARGEST_BODY: Final = 1024 * 1024
"""Bytes. The longest list of ids that a replay takes is a tenth of it; the Functions host lets 100 MB through."""


class GuardedRoute(APIRoute):
    """A route that looks at the caller's role, and at the body's length, before the body: FastAPI parses it first."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler with its guard."""
        handle = super().get_route_handler()
        extra = self.openapi_extra or {}
        role = next((one for one in Role if one.value == extra["x-required-role"]), None)
        known = require(role, limited=bool(extra.get("x-limited")))

        async def guarded(request: Request) -> Response:
            if self.body_field is not None:
                await run_in_threadpool(known, request)
                request._body = await _body_of(request)  # noqa: SLF001  # where Starlette keeps what was read
            response = await handle(request)
            if role is Role.AUDIT_ADMIN:
                await run_in_threadpool(_record, request, response)
            return response

        return guarded


def _record(request: Request, response: Response) -> None:
    """Keep what an administrator saw or did, before the answer leaves."""
    caller: Caller = request.state.caller
    log: AuditService = request.app.state.audit
    body = getattr(request, "_body", b"").decode("utf-8", "replace")
    subject = " ".join(part for part in (request.method, subject_of(request), body) if part)
    answer = orjson.loads(response.body) if response.media_type == "application/json" else {}
    items = answer.get("items")
    rows = getattr(request.state, "row_count", None) if items is None else len(items)
    log.record(caller.asks(route_of(request)), subject, rows=rows)


async def _body_of(request: Request) -> bytes:
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length) > LARGEST_BODY:
        raise _too_large()
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise _too_large()
    return bytes(body)


def _too_large() -> HTTPException:
    return HTTPException(413, f"the body has more than {LARGEST_BODY} bytes")
