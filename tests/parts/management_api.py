"""A stand-in of Azure's management API, in its documented shapes, on 127.0.0.1: what attach and detach speak to.

It keeps what it is given, with entity tags; lists come in pages; named values and fragments are made by long
operations; errors are ARM's. It refuses what API Management refuses: a policy with a fragment that is not there, a
fragment with a value that is not there, and the removal of either while something names it. What goes wrong is told by
its fields.
"""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

__all__ = ["HUB", "NAMESPACE", "PRINCIPAL", "SENDER", "SERVICE", "TOKEN", "Fault", "ManagementApi", "serving"]

GROUP = "/subscriptions/00000000-0000-4000-8000-00000000000a/resourceGroups/rg-apim"
SERVICE = f"{GROUP}/providers/Microsoft.ApiManagement/service/apim-there"
NAMESPACE = f"{GROUP}/providers/Microsoft.EventHub/namespaces/evhns-ledger"
HUB = f"{NAMESPACE}/eventhubs/gateway"
PRINCIPAL = "00000000-0000-4000-8000-0000000000ee"
SENDER = "2b629674-e913-4c01-ae53-ef4638d8f975"
TOKEN = "not-a-real-token"  # noqa: S105 - says so

_PAGE = 2
_TAGGED = re.compile(r"/(policies|namedvalues|loggers|policyfragments|diagnostics)/[^/]+$")
_LONG = re.compile(r"/(namedvalues|policyfragments)/[^/]+$")
_VERSIONS = {"2024-05-01", "2024-06-01-preview", "2024-01-01", "2022-04-01", "2021-05-01-preview"}
_COLLECTIONS = """
    apis products operations policyfragments namedvalues loggers diagnosticsettings roleassignments
""".split()


@dataclass
class Fault:
    """What goes wrong with calls whose method and path match; `times` of them, after `after` that go well.

    A status of 0 is no answer at all.
    """

    method: str
    path: str
    status: int = 500
    code: str = "InternalServerError"
    message: str = "The service is not itself."
    headers: dict[str, str] = field(default_factory=dict)
    after: int = 0
    times: int = 1000
    applied: bool = False
    """The change is made all the same, and the answer is lost."""


@dataclass
class ManagementApi:
    """What is there, and what goes wrong."""

    there: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Resource ids in small letters -> the resource, with `etag`."""
    faults: list[Fault] = field(default_factory=list)
    calls: list[tuple[str, str]] = field(default_factory=list)
    """Method and path of each call, in order."""
    tokens: set[str] = field(default_factory=lambda: {TOKEN})
    slow_answers: int = 1
    """How often a long operation says that it is in progress."""
    fails_later: str = ""
    """The end of a path whose long operation fails."""
    writes_anew: bool = False
    """Keep policies with Windows line ends and without blanks at their end, as API Management does."""
    drops_comments: bool = False
    next_link_host: str = ""
    endpoint: str = ""
    _operations: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _version: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, path: str, properties: dict[str, Any] | None = None, **members: Any) -> None:
        """Put a resource there, as somebody else would."""
        self._version += 1
        name = path.rpartition("/")[2]
        body = {"id": path, "name": name, "properties": properties or {}, **members}
        self.there[path.lower()] = body | {"etag": f'"{self._version:08}"'}

    def policy(self, path: str) -> str | None:
        """Return the policy of an API, None if it has none."""
        found = self.there.get(f"{path}/policies/policy".lower())
        return None if found is None else found["properties"]["value"]

    def put_policy(self, path: str, text: str) -> None:
        self.put(f"{path}/policies/policy", {"format": "rawxml", "value": text})

    def answer(
        self, method: str, target: str, headers: dict[str, str], body: dict[str, Any]
    ) -> tuple[int, dict[str, str], dict[str, Any]]:
        """Answer one call: status, headers and JSON."""
        with self._lock:
            parts = urlsplit(target)
            path, query = parts.path, {name: values[0] for name, values in parse_qs(parts.query).items()}
            self.calls.append((method, path))
            if headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
                return _error(401, "ExpiredAuthenticationToken", "The access token has expired.")
            if query.get("api-version") not in _VERSIONS:
                return _error(400, "InvalidApiVersionParameter", "It is not supported.")
            fault = self._fault(method, path)
            if fault is not None:
                if fault.applied:
                    self._dispatch(method, path, query, headers, body)
                return fault.status, fault.headers, _error(0, fault.code, fault.message)[2]
            return self._dispatch(method, path, query, headers, body)

    def _fault(self, method: str, path: str) -> Fault | None:
        for fault in self.faults:
            if re.fullmatch(fault.method, method) and re.search(fault.path, path) and fault.times:
                if fault.after:
                    fault.after -= 1
                    continue
                fault.times -= 1
                return fault
        return None

    def _dispatch(
        self, method: str, path: str, query: dict[str, str], headers: dict[str, str], body: dict[str, Any]
    ) -> tuple[int, dict[str, str], dict[str, Any]]:
        found = self.there.get(path.lower())
        if method == "GET":
            return self._get(path, query, found)
        tagged = _TAGGED.search(path.lower())
        asked = headers.get("if-match", "")
        if tagged and found is not None and asked not in ("*", found["etag"]):
            return _error(412, "PreconditionFailed", "Resource was modified since last retrieval.")
        if method == "DELETE":
            return self._delete(path, found)
        return self._put(path, found, body)

    def _get(
        self, path: str, query: dict[str, str], found: dict[str, Any] | None
    ) -> tuple[int, dict[str, str], dict[str, Any]]:
        if "/operationResults/" in path:
            return self._progress(path)
        if path.rpartition("/")[2].lower() in _COLLECTIONS:
            return self._page(path, query)
        if found is None:
            return _error(404, "ResourceNotFound", f"The resource {path} was not found.")
        return 200, {"ETag": found["etag"]}, {name: value for name, value in found.items() if name != "etag"}

    def _put(
        self, path: str, found: dict[str, Any] | None, body: dict[str, Any]
    ) -> tuple[int, dict[str, str], dict[str, Any]]:
        properties = dict(body["properties"])
        refusal = self._refusal(path.lower(), properties)
        if refusal:
            return _error(400, "ValidationError", "One or more fields contain incorrect values:", refusal)
        if path.lower().endswith("/policies/policy"):
            properties["value"] = self.kept(properties["value"])
        self.put(path, properties)
        made = self.there[path.lower()]
        status, headers = (201 if found is None else 200), {"ETag": made["etag"]}
        if _LONG.search(path.lower()):
            number = f"{self._version:024x}"
            ends: dict[str, Any] = {"status": "Succeeded"}
            if self.fails_later and path.endswith(self.fails_later):
                ends = {"status": "Failed", "error": {"code": "ValidationError", "message": "It did not compile."}}
                del self.there[path.lower()]
            self._operations[number] = [{"status": "InProgress"}] * self.slow_answers + [ends]
            place = f"{self.endpoint}{SERVICE}/tenant/operationResults/{number}?api-version=2024-05-01"
            headers |= {"Azure-AsyncOperation": place, "Location": place, "Retry-After": "0"}
            status = 202
        return status, headers, {name: value for name, value in made.items() if name != "etag"}

    def _progress(self, path: str) -> tuple[int, dict[str, str], dict[str, Any]]:
        states = self._operations[path.rpartition("/")[2]]
        state = states.pop(0) if len(states) > 1 else states[0]
        status = 202 if state["status"] == "InProgress" else 200
        return status, {"Retry-After": "0"}, {"id": path, **state}

    def _delete(self, path: str, found: dict[str, Any] | None) -> tuple[int, dict[str, str], dict[str, Any]]:
        if found is None:
            return 204, {}, {}
        kind, _, name = path.lower().rpartition("/")
        users = [one for one, body in self.there.items() if _names(kind.rpartition("/")[2], name, found, body, one)]
        if users:
            return _error(400, "ValidationError", f"Entity is in use by {users[0]}.")
        del self.there[path.lower()]
        return 200, {}, {}

    def _refusal(self, path: str, properties: dict[str, Any]) -> str:
        """Return what API Management would not take of a policy or a fragment."""
        if not path.endswith("/policies/policy") and "/policyfragments/" not in path:
            return ""
        text = properties["value"]
        service = SERVICE.lower()
        for name in re.findall(r'<include-fragment fragment-id="([^"]+)"', text):
            if f"{service}/policyfragments/{name.lower()}" not in self.there:
                return f"Error in element 'include-fragment': Policy fragment '{name}' could not be found."
        shown = {
            one["properties"].get("displayName")
            for path, one in self.there.items()
            if path.startswith(f"{service}/namedvalues/")
        }
        missing = set(re.findall(r"\{\{([\w-]+)\}\}", text)) - shown
        if missing:
            return f"Cannot find a property '{min(missing)}'"
        return ""

    def kept(self, text: str) -> str:
        """Return a policy as it is given out again."""
        if self.drops_comments:
            text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
        return text.replace("\r\n", "\n").rstrip().replace("\n", "\r\n") if self.writes_anew else text

    def _page(self, path: str, query: dict[str, str]) -> tuple[int, dict[str, str], dict[str, Any]]:
        start = path.lower() + "/"
        items = [body for one, body in self.there.items() if one.startswith(start) and "/" not in one[len(start) :]]
        skip = int(query.get("$skip", 0))
        shown = [{name: value for name, value in one.items() if name != "etag"} for one in items[skip : skip + _PAGE]]
        body: dict[str, Any] = {"value": shown, "count": len(items)}
        if skip + _PAGE < len(items):
            host = self.next_link_host or self.endpoint
            body["nextLink"] = f"{host}{path}?api-version={query['api-version']}&$skip={skip + _PAGE}"
        return 200, {}, body


def _names(kind: str, name: str, found: dict[str, Any], body: dict[str, Any], path: str) -> bool:
    """Say whether one resource names another that is to be deleted."""
    text = str(body["properties"].get("value", ""))
    if kind == "policyfragments":
        return path.endswith("/policies/policy") and f'fragment-id="{name}"' in text
    if kind == "namedvalues":
        return "/namedvalues/" not in path and f"{{{{{found['properties'].get('displayName')}}}}}" in text
    return kind == "loggers" and str(body["properties"].get("loggerId", "")).lower().endswith(f"/loggers/{name}")


def _error(status: int, code: str, message: str, detail: str = "") -> tuple[int, dict[str, str], dict[str, Any]]:
    details = [{"code": code, "target": "representation", "message": detail}] if detail else None
    return status, {}, {"error": {"code": code, "message": message, "details": details}}


class _Handler(BaseHTTPRequestHandler):
    api: ClassVar[ManagementApi]
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # One packet for each answer.

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = json.loads(self.rfile.read(length) or b"{}")
        headers = {name.lower(): value for name, value in self.headers.items()}
        status, told, answer = self.api.answer(self.command, self.path, headers, body)
        if status == 0:
            self.close_connection = True
            return
        content = json.dumps(answer).encode() if status != 204 else b""
        self.send_response(status)
        for name, value in told.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    do_GET = do_PUT = do_DELETE = _answer  # noqa: N815 - the server's names

    def log_message(self, *_: Any) -> None:
        """Say nothing: `calls` has it."""


@contextmanager
def serving(api: ManagementApi) -> Iterator[str]:
    """Serve on a free port of 127.0.0.1; yield the endpoint."""
    handler = type("Handler", (_Handler,), {"api": api})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        api.endpoint = f"http://127.0.0.1:{server.server_port}"
        yield api.endpoint
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
