"""The management API, by its documented habits: entity tags, long operations, pages, throttling, errors.

Only the endpoint that the Azure CLI names gets the token, also where an answer names another.
"""

import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from .errors import ChangedError, ManagementError

__all__ = ["Answer", "AzureCli", "Management"]

_TRIES = 8
"""Of a call that is throttled, or that the service failed."""
_SECONDS = 60
"""Within which one call is answered."""
_LONGEST = 900
"""Seconds that one long operation may take."""
_LATER = {408, 429, 500, 502, 503, 504}


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: its JSON, and its headers."""

    status: int
    body: dict[str, Any]
    headers: Message = field(default_factory=Message)

    @property
    def etag(self) -> str:
        """The entity tag, empty where the resource has none."""
        return self.headers.get("ETag") or str(self.body.get("etag", ""))

    @property
    def properties(self) -> dict[str, Any]:
        """What stands under `properties`."""
        found = self.body.get("properties")
        return found if isinstance(found, dict) else {}


class AzureCli:
    """Who is signed in, as the Azure CLI tells."""

    def __init__(self) -> None:
        """Ask for the cloud's endpoint.

        Raises:
            ManagementError: there is no Azure CLI, or nobody is signed in.
        """
        self.endpoint = str(self._ask("cloud", "show")["endpoints"]["resourceManager"]).rstrip("/")
        parts = urlsplit(self.endpoint)
        if parts.scheme != "https" and parts.hostname != "127.0.0.1":
            raise ManagementError(f"the Azure CLI names {self.endpoint}: tokens are sent by https alone")

    def token(self) -> str:
        """Return a token for the endpoint."""
        return str(self._ask("account", "get-access-token", "--resource", self.endpoint + "/")["accessToken"])

    def subscription(self) -> str:
        """Return the id of the subscription that is set."""
        return str(self._ask("account", "show")["id"])

    def _ask(self, *arguments: str) -> dict[str, Any]:
        az = shutil.which("az")
        if az is None:
            raise ManagementError("there is no `az`: install the Azure CLI")
        ended = subprocess.run(
            [az, *arguments, "--output", "json"], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
        if ended.returncode:
            raise ManagementError(
                f"az {' '.join(arguments[:2])}: {ended.stderr.strip() or 'failed'}. Sign in by `az login`."
            )
        answer: dict[str, Any] = json.loads(ended.stdout)
        return answer


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:  # noqa: ANN401 - urllib's own signature
        """Follow none: a token would go along."""


class Management:
    """Calls of the management API."""

    def __init__(self, endpoint: str, token: Callable[[], str], *, sleep: Callable[[float], None] = time.sleep) -> None:
        """Take the endpoint, who gives tokens, and how to wait."""
        self._endpoint, self._token_of, self._sleep = endpoint, token, sleep
        self._token = ""
        self._opener = urllib.request.build_opener(_NoRedirects)

    def get(self, path: str, version: str, **query: str) -> Answer | None:
        """Return a resource, None if there is none."""
        try:
            return self._call("GET", self._url(path, version, query))
        except ManagementError as error:
            if error.status == 404:
                return None
            raise

    def pages(self, path: str, version: str, **query: str) -> Iterator[dict[str, Any]]:
        """Yield every item of a list, page by page."""
        url = self._url(path, version, query)
        while url:
            body = self._call("GET", url).body
            yield from body.get("value", [])
            url = str(body.get("nextLink") or "")

    def put(self, path: str, version: str, body: dict[str, Any], *, etag: str = "") -> Answer:
        """Make or replace a resource, and wait until that has ended.

        Args:
            path: the resource's id.
            version: of the API.
            body: the resource.
            etag: what it must still be; empty: there was none, or it does not matter.

        Raises:
            ChangedError: it is something else by now.
            ManagementError: no, or no answer.
        """
        return self._long("PUT", self._url(path, version, {}), body, {"If-Match": etag} if etag else {})

    def delete(self, path: str, version: str, *, etag: str = "*") -> None:
        """Delete a resource if it is there, and wait until that has ended."""
        try:
            self._long("DELETE", self._url(path, version, {}), None, {"If-Match": etag})
        except ManagementError as error:
            if error.status != 404:
                raise

    def _url(self, path: str, version: str, query: dict[str, str]) -> str:
        return f"{self._endpoint}{path}?{urlencode({'api-version': version, **query})}"

    def _long(self, method: str, url: str, body: dict[str, Any] | None, headers: dict[str, str]) -> Answer:
        answer = self._call(method, url, body, headers)
        state, waited = answer, 0.0
        operation, place = answer.headers.get("Azure-AsyncOperation"), answer.headers.get("Location")
        while operation or (place and state.status == 202):
            seconds = _seconds(state.headers, 2)
            waited += seconds
            if waited > _LONGEST:
                raise ManagementError(f"{method} {urlsplit(url).path} has not ended within {_LONGEST} seconds")
            self._sleep(seconds)
            state = self._call("GET", urljoin(url, operation or place))
            status = str(state.body.get("status", ""))
            if status in ("Failed", "Canceled"):
                raise ManagementError(f"{urlsplit(url).path}: {_message(state.body) or status}", code=status)
            if operation and status not in ("InProgress", "Started", "Accepted", "Running"):
                break
        return answer

    def _call(
        self, method: str, url: str, body: dict[str, Any] | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        if not url.startswith(self._endpoint + "/"):
            raise ManagementError(f"an answer names another server, {urlsplit(url).netloc}: nothing is sent there")
        for tries in range(1, _TRIES + 1):
            answer = self._send(method, url, body, headers or {})
            if 200 <= answer.status < 300:
                return answer
            if answer.status == 401 and tries == 1:
                self._token = ""
            elif answer.status in _LATER and tries < _TRIES:
                self._sleep(_seconds(answer.headers, min(2**tries, 60)))
            else:
                break
        message = f"{method} {urlsplit(url).path}: {_message(answer.body) or f'status {answer.status}'}"
        if answer.status == 412:
            raise ChangedError(message)
        raise ManagementError(message, status=answer.status, code=str(_error(answer.body).get("code", "")))

    def _send(self, method: str, url: str, body: dict[str, Any] | None, headers: dict[str, str]) -> Answer:
        self._token = self._token or self._token_of()
        sent = {"Authorization": f"Bearer {self._token}", "Accept": "application/json", **headers}
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            sent["Content-Type"] = "application/json"
        request = urllib.request.Request(url, data, sent, method=method)  # noqa: S310 - the CLI's endpoint, checked above
        try:
            with self._opener.open(request, timeout=_SECONDS) as answer:
                return Answer(answer.status, _json(answer.read()), answer.headers)
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, _json(error.read()), error.headers)
        except (OSError, HTTPException) as error:
            return Answer(503, {"error": {"code": "NoAnswer", "message": f"no answer: {error}"}})


def _json(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content) if content.strip() else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _seconds(headers: Message, otherwise: float) -> float:
    """Return what Retry-After says, in seconds or as a date."""
    value = headers.get("Retry-After", "")
    if value.isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return otherwise


def _error(body: dict[str, Any]) -> dict[str, Any]:
    found = body.get("error", body)
    return found if isinstance(found, dict) else {}


def _message(body: dict[str, Any]) -> str:
    """Return ARM's error as a sentence, with what its details say."""
    error = _error(body)
    details = [one.get("message", "") for one in error.get("details") or [] if isinstance(one, dict)]
    parts = [str(error.get("code", "")), str(error.get("message", "")), *map(str, details)]
    return ": ".join(one for one in parts if one)
