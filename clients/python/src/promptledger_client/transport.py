"""Requests and answers: addresses, tries, pages, problems."""

import base64
import json
import random
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from types import TracebackType
from typing import Any, Final, NamedTuple, Self
from urllib.parse import quote

import httpx

from promptledger_client.problems import problem_of

__all__ = ["TextAnswer", "Transport"]

_PLAIN: Final = re.compile(r"[A-Za-z0-9_:-][A-Za-z0-9._:-]*", re.ASCII)
"""Ids that stand in a path as they are."""
_TRIED_AGAIN: Final = {429, 503}
_LONGEST_WAIT: Final = 60.0
_MOST_KNOWN: Final = 100_000
"""Ids of a list that are remembered: a call that moves comes again soon, or not at all."""


class TextAnswer(NamedTuple):
    """An answer that is no JSON."""

    text: str
    next_cursor: str | None
    """`cursor` for the rest, where there is one."""


class Transport:
    """What all operations go through."""

    def __init__(
        self,
        base_url: str,
        auth: httpx.Auth | None = None,
        *,
        case_id: str | None = None,
        timeout: float = 30.0,
        tries: int = 5,
        http: httpx.Client | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Ask the API at `base_url`, as `auth` says.

        Args:
            base_url: of the app, without `/api`.
            auth: who asks: an `EntraAuth` or `LocalAuth`.
            case_id: why texts are read; it is recorded.
            timeout: seconds of each try.
            tries: of each request, the first included.
            http: a client to send with, which stays open, where there is one already.
            sleep: waits for some seconds.
        """
        self._base = base_url.rstrip("/")
        self._auth = auth
        self._headers = {"X-Case-Id": case_id} if case_id else {}
        self._tries = tries
        self._own = None if http else httpx.Client(timeout=timeout)
        self._http = http or self._own or httpx.Client()
        self._sleep = sleep

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that were opened here."""
        if self._own:
            self._own.close()

    def _json(self, method: str, path: str, query: Mapping[str, Any] | None = None, body: object = None) -> Any:  # noqa: ANN401  # any JSON value
        answer = self._answer(method, path, query, body, "application/json")
        return json.loads(answer.content, parse_float=Decimal)

    def _text(self, method: str, path: str, query: Mapping[str, Any] | None, media_type: str) -> TextAnswer:
        answer = self._answer(method, path, query, None, media_type)
        return TextAnswer(answer.text, answer.headers.get("x-next-cursor"))

    def _bytes(self, method: str, path: str, query: Mapping[str, Any] | None, media_type: str) -> bytes:
        return self._answer(method, path, query, None, media_type).content

    def _answer(
        self, method: str, path: str, query: Mapping[str, Any] | None, body: object, accept: str
    ) -> httpx.Response:
        given = {name: _written(value) for name, value in (query or {}).items() if value is not None}
        headers = {**self._headers, "Accept": accept}
        content = None
        if body is not None:
            content = json.dumps(body, default=str).encode()
            headers["Content-Type"] = "application/json"
        url = self._base + path
        for number in range(1, self._tries + 1):
            is_last = number == self._tries
            try:
                answer = self._http.request(
                    method, url, params=given, content=content, headers=headers, auth=self._auth
                )
            except httpx.TransportError as error:
                # What changes something may have been done already, unless nobody was reached.
                if is_last or (method != "GET" and not isinstance(error, httpx.ConnectError)):
                    raise
                self._sleep(_pause(number))
                continue
            if answer.status_code < 400:
                return answer
            if is_last or answer.status_code not in _TRIED_AGAIN:
                raise problem_of(answer)
            self._sleep(_wait(answer) or _pause(number))
        raise AssertionError("tries must be 1 or more")

    def _every(self, ask: Callable[[str | None], Any]) -> Iterator[Any]:
        """Yield the items of all pages that `ask` answers; a call that moved meanwhile comes once, as it came first."""
        known: OrderedDict[str, None] = OrderedDict()
        cursor: str | None = None
        while True:
            page = ask(cursor)
            for item in page["items"]:
                if "occurredAt" in item:
                    if item["id"] in known:
                        continue
                    known[item["id"]] = None
                    if len(known) > _MOST_KNOWN:
                        known.popitem(last=False)
                yield item
            cursor = page["nextCursor"]
            if cursor is None:
                return


def part_of_path(value: object) -> str:
    """Return a value as one segment of a path."""
    return quote(str(value), safe="")


def id_in_path(value: str) -> str:
    """Return an id of another system as one segment of a path that every host and proxy passes on."""
    if _PLAIN.fullmatch(value):
        return value
    return "~" + base64.urlsafe_b64encode(value.encode()).decode().rstrip("=")


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _wait(answer: httpx.Response) -> float | None:
    """Return the seconds that an answer asks to wait; None where it does not say, or in words."""
    written = answer.headers.get("retry-after", "")
    return min(float(written), _LONGEST_WAIT) if written.isascii() and written.isdigit() else None


def _pause(number: int) -> float:
    seconds: float = min(_LONGEST_WAIT, 0.5 * 2.0 ** (number - 1))
    return seconds * random.uniform(0.5, 1.0)  # noqa: S311  # no secret
