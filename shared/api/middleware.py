"""What holds for every answer: headers against misuse in a browser, and a problem document come what may."""

import logging
import re
import traceback
import uuid
from typing import Final

from anyio.to_thread import current_default_thread_limiter
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.api.rates import Standing
from shared.api.responses import answer_unexpected
from shared.log_lines import REQUEST_ID, guard_lines
from shared.problem import ANSWER_HEADERS

__all__ = ["Compression", "Envelope", "ThreadLimit"]

logger = logging.getLogger(__name__)
guard_lines()

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._~-]{1,64}", re.ASCII)
"""Ids of requests that callers may give: they stand in logs and in the access log."""
_LEAST_COMPRESSED: Final = 1024


class Envelope:
    """ASGI middleware; a header that an answer has already stays as it is."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False
        sent = Headers(scope=scope).get("x-request-id", "")
        request_id = sent if _REQUEST_ID.fullmatch(sent) else uuid.uuid4().hex
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        known = REQUEST_ID.set(request_id)
        # Whatever can be got can be asked after: the answer is made, and its head alone sent.
        is_head = scope["method"] == "HEAD"
        if is_head:
            scope = {**scope, "method": "GET"}

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                standing: Standing | None = state.get("standing")
                for name, value in (standing.headers() if standing else {}).items():
                    headers.setdefault(name, value)
                for name, value in ANSWER_HEADERS.items():
                    headers.setdefault(name, value)
            elif is_head:
                message = {**message, "body": b""}
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception as error:
            # The one place that catches everything: left to Starlette, the error would fail the
            # function as well, and the Functions host would answer in its own words. Where it
            # happened is logged; its text is not, for a driver's may quote a row.
            frames = traceback.extract_tb(error.__traceback__)
            where = " ".join(f"{frame.filename}:{frame.lineno}" for frame in frames)
            logger.error("audit.unexpected %s at %s", type(error).__qualname__, where)  # noqa: TRY400
            if started:
                raise
            await answer_unexpected()(scope, receive, send_with_headers)
        finally:
            REQUEST_ID.reset(known)


class Compression:
    """ASGI middleware: answers of a kilobyte and more are compressed, where that tells nobody what they hold.

    The length of a compressed answer says whether it repeats what somebody else put into it (BREACH). To learn a
    secret so, one must have the answer sent thousands of times, each with another guess in it. A foreign page can
    have a browser do that where a cookie says who asks, so answers to requests with one go as they are. A token in
    a header is sent by nobody but its owner, and the local mode refuses requests of foreign pages.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Wrap `app`."""
        self._plain = app
        self._compressed = GZipMiddleware(app, minimum_size=_LEAST_COMPRESSED, compresslevel=5)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        has_cookie = scope["type"] == "http" and "cookie" in Headers(scope=scope)
        await (self._plain if has_cookie else self._compressed)(scope, receive, send)


class ThreadLimit:
    """ASGI middleware: no more questions reach the stores at once than there are connections for them.

    The rest wait here, in order, without one; left alone, forty would wait for the pool, and some of
    them in vain.
    """

    def __init__(self, app: ASGIApp, *, threads: int) -> None:
        """Wrap `app`, whose routes run on at most `threads` threads."""
        self._app = app
        self._threads = threads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        # The limit belongs to the event loop, and no other moment is sure to run on it.
        current_default_thread_limiter().total_tokens = self._threads
        await self._app(scope, receive, send)
