"""What holds for every answer: headers against misuse in a browser, and a problem document come what may."""

import logging
import traceback
import uuid

from anyio.to_thread import current_default_thread_limiter
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.api.responses import answer_unexpected
from shared.problem import ANSWER_HEADERS

__all__ = ["Envelope", "ThreadLimit"]

logger = logging.getLogger(__name__)


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
        # One of our own: what a caller sends proves nothing of which request it was.
        request_id = uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                for name, value in ANSWER_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception as error:
            # The one place that catches everything: left to Starlette, the error would fail the
            # function as well, and the Functions host would answer in its own words. Where it
            # happened is logged; its text is not, for a driver's may quote a row.
            where = "".join(traceback.format_tb(error.__traceback__))
            logger.error("audit.unexpected %s request=%s\n%s", type(error).__qualname__, request_id, where)  # noqa: TRY400
            if started:
                raise
            await answer_unexpected()(scope, receive, send_with_headers)


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
