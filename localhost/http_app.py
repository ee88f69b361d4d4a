"""HTTP functions behind an ASGI server: routes as the Functions host chooses them, calls as the worker makes them."""

import asyncio
import inspect
import logging
import re
import threading
import uuid
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

import azure.functions as func

# The library exports Context, but not the classes of what is in it.
from azure.functions._abc import RetryContext, RpcException, TraceContext
from azure.functions.http import HttpResponseConverter

from blueprints.asgi import PEER
from localhost.environment import APP_ROOT
from localhost.errors import UsageError
from localhost.functions import HttpFunction

__all__ = ["HttpApp", "LocalContext", "Routes"]

logger = logging.getLogger(__name__)

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]

_PARAMETER = re.compile(r"\{(\*{0,2})(\w+)(\?)?\}")
_LITERAL, _VALUE, _REST = range(3)
_RANKS: Final = {"": _VALUE, "*": _REST, "**": _REST}

_THREAD_LOCAL: Final = threading.local()


@dataclass(frozen=True, slots=True)
class _Route:
    """A compiled template; the smaller rank is the more specific one and is tried first."""

    function: HttpFunction
    pattern: re.Pattern[str]
    rank: tuple[int, ...]


class Routes:
    """The route table of an app."""

    def __init__(self, functions: Sequence[HttpFunction], prefix: str) -> None:
        """Compile the routes of `functions` under host.json's route `prefix`.

        Raises:
            UsageError: a template uses what is not understood here.
        """
        routes = [_compile(function, prefix) for function in functions]
        self._routes = sorted(routes, key=lambda route: route.rank)

    def match(self, method: str, path: str) -> tuple[HttpFunction, dict[str, str]] | None:
        """Return the function that answers, with its route parameters; None is a 404, wrong methods included.

        Args:
            method: in upper case.
            path: percent-decoded, with the prefix.
        """
        for route in self._routes:
            if method in route.function.methods and (found := route.pattern.fullmatch(path)):
                return route.function, {name: value for name, value in found.groupdict().items() if value}
        return None


def _compile(function: HttpFunction, prefix: str) -> _Route:
    pattern, rank = "", []
    for segment in f"{prefix}/{function.route}".strip("/").split("/"):
        parameter = _PARAMETER.fullmatch(segment)
        if parameter is None:
            if "{" in segment:
                raise UsageError(f"{function.name}: {segment!r} in its route is not understood here")
            pattern += "/" + re.escape(segment)
            rank.append(_LITERAL)
            continue
        stars, name, optional = parameter.groups()
        rank.append(_RANKS[stars])
        if stars:
            # The rest may be empty: then the slash before it is optional, too.
            pattern += f"(?:/(?P<{name}>.*))?"
        else:
            pattern += f"(?:/(?P<{name}>[^/]+))?" if optional else f"/(?P<{name}>[^/]+)"
    # Paths are matched whatever their case and whether or not they end with a slash.
    return _Route(function, re.compile(pattern + "/?", re.IGNORECASE | re.DOTALL), tuple(rank))


class _NoTrace(TraceContext):
    """A call that nobody traces."""

    @property
    def trace_state(self) -> str:
        return ""

    @property
    def trace_parent(self) -> str:
        return ""

    @property
    def attributes(self) -> dict[str, str]:
        return {}


class _FirstTry(RetryContext):
    """HTTP functions are never repeated."""

    @property
    def retry_count(self) -> int:
        return 0

    @property
    def max_retry_count(self) -> int:
        return 0

    @property
    def exception(self) -> RpcException:
        raise LookupError("the first try follows no exception")


class LocalContext(func.Context):
    """One invocation."""

    def __init__(self, function_name: str) -> None:
        """Begin an invocation of the function of that name."""
        self._function_name = function_name
        self._invocation_id = str(uuid.uuid4())

    @property
    def invocation_id(self) -> str:
        """A new GUID for every invocation."""
        return self._invocation_id

    @property
    def thread_local_storage(self) -> type[threading.local]:
        """What the worker's log handler reads the invocation id from."""
        # The library's annotation says type; the worker passes an instance.
        return _THREAD_LOCAL  # type: ignore[return-value]

    @property
    def function_name(self) -> str:
        """The function's registered name."""
        return self._function_name

    @property
    def function_directory(self) -> str:
        """The app's folder: the functions of the v2 model have none of their own."""
        return str(APP_ROOT)

    @property
    def trace_context(self) -> TraceContext:
        """Nothing: there is no tracing here."""
        return _NoTrace()

    @property
    def retry_context(self) -> RetryContext:
        """The first try."""
        return _FirstTry()


class HttpApp:
    """An ASGI application that invokes the functions as the worker does."""

    def __init__(self, routes: Routes) -> None:
        """Answer with the functions of `routes`."""
        self._routes = routes

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """Serve one HTTP request; see ASGI."""
        headers = _join_values([(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]])
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
        query = _join_values(parse_qsl(parts.query, keep_blank_values=True))
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


def _join_values(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Return one value per name: the host joins what comes several times by commas."""
    values: dict[str, str] = {}
    for name, value in pairs:
        values[name] = f"{values[name]},{value}" if name in values else value
    return values


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
    if with_body:
        # To HEAD the app has said how long the answer to GET is.
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
