"""HTTP functions behind an ASGI server: requests in, `func.HttpResponse`s out."""

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import azure.functions as func
from azure.functions.http import HttpResponseConverter

from blueprints.asgi import PEER
from localhost.context import LocalContext
from localhost.registered import HttpFunction
from localhost.routes import Routes

__all__ = ["HttpApp"]

logger = logging.getLogger(__name__)

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]


class HttpApp:
    """An ASGI application that invokes the functions as the worker does."""

    def __init__(self, routes: Routes) -> None:
        """Answer with the functions of `routes`."""
        self._routes = routes

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """Serve one HTTP request; see ASGI."""
        headers = _joined([(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]])
        target = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
        if scope["query_string"]:
            target += "?" + scope["query_string"].decode("latin-1")
        response = await self.request(scope["method"], target, headers, await _body(receive), peer=scope.get("client"))
        await _respond(response, send, with_body=scope["method"] != "HEAD")

    async def request(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes = b"",
        *,
        peer: tuple[str, int] | None = None,
    ) -> func.HttpResponse:
        """Return the answer to one request; 404 when no function takes it, 500 when the function raised.

        Args:
            method: in upper case.
            target: path, percent-encoded, and query.
            headers: with `host`.
            body: all of it.
            peer: address and port of who is connected; None when nobody knows.
        """
        # Each request is a task of its own, so the address is nobody else's.
        PEER.set(peer)
        url = f"http://{headers.get('host', '')}{target}"
        try:
            parts = urlsplit(url)
            named = parts.hostname and (parts.port is None or parts.port > 0)
        except ValueError:
            named = None
        if not named:
            return func.HttpResponse("The Host header cannot be read.", status_code=400)
        found = self._routes.match(method, unquote(parts.path))
        if found is None:
            return func.HttpResponse("", status_code=404)
        function, values = found
        query = _joined(parse_qsl(parts.query, keep_blank_values=True))
        request = func.HttpRequest(method, url, headers=headers, params=query, route_params=values, body=body)
        try:
            return await _invoke(function, request)
        except Exception:
            # As the Functions host answers when a function raises.
            logger.exception("%s failed", function.name)
            return func.HttpResponse("", status_code=500)


async def _invoke(function: HttpFunction, request: func.HttpRequest) -> func.HttpResponse:
    arguments: dict[str, Any] = {function.argument: request}
    if function.wants_context:
        arguments["context"] = LocalContext(function.name)
    if inspect.iscoroutinefunction(function.user_function):
        response = await function.user_function(**arguments)
    else:
        # Like the worker: a sync function must not hold up the loop.
        response = await asyncio.to_thread(function.user_function, **arguments)
    return response if isinstance(response, func.HttpResponse) else func.HttpResponse(str(response))


def _joined(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Return one value per name: the host joins what comes several times by commas."""
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


async def _body(receive: _Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            break
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            break
    return b"".join(parts)


async def _respond(response: func.HttpResponse, send: _Send, *, with_body: bool) -> None:
    cookies = [("set-cookie", value) for value in response.headers.get_all("Set-Cookie")]
    # The library's own converter: it adds the content type that a response object implies.
    encoded = HttpResponseConverter.encode(response, expected_type=None).value
    body: bytes = encoded["body"].value
    headers = [(name, datum.value) for name, datum in encoded["headers"].items()] + cookies
    headers = [(name, value) for name, value in headers if name.lower() != "content-length"]
    headers.append(("content-length", str(len(body))))
    await send(
        {
            "type": "http.response.start",
            "status": int(encoded["status_code"].value),
            "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers],
        }
    )
    await send({"type": "http.response.body", "body": body if with_body else b""})
