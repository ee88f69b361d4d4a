"""One event -> another that is wrong somewhere: structured where it is JSON, bytes where it is not."""

import json
from collections.abc import Callable
from typing import Any, Final, Protocol

__all__ = ["Chooser", "mutated"]


class Chooser(Protocol):
    """Where choices come from: hypothesis, atheris, or plain chance."""

    def below(self, limit: int) -> int:
        """Return a whole number from 0, less than `limit`."""


_STRANGE: Final[tuple[Any, ...]] = (
    None,
    True,
    False,
    0,
    -1,
    7,
    200,
    429,
    1.5,
    float("nan"),
    float("inf"),
    -0.0,
    10**15,
    2**63,
    10**30,
    -(10**400),
    "",
    " ",
    "0",
    "7",
    "-7",
    "1e9",
    "NaN",
    "null",
    "NA",
    "true",
    "\ud800",
    "\udc00\ud800",
    "a\x00b",
    "\x1f\x7f",
    "\u202f",
    "\ufeff",
    "x" * 300,
    "\U0001f600" * 70,
    "{",
    "[",
    '{"a":',
    "[[1], [2]]",
    "[" * 300,
    '{"a":' * 300,
    "data: {",
    "data: [DONE]",
    "event: response.completed\ndata: {}\n\n",
    "2026-03-02T09:29:58Z",
    "31.12.9999 23:59:59",
    "0001-01-01T00:00:00Z",
    "13/13/13 13:13",
    "/openai/deployments/",
    "https://[",
    "e30=",
    "====",
    "request",
    "response",
    "Request",
    "Streaming",
    "chat.completion",
    "list",
    "content_filter",
    "promptledger/1",
    "PII_Processing",
    [],
    {},
    [[]],
    [None],
    [{}],
    {"a": {"b": [1]}},
    {"": 0},
    {"messages": "x"},
    {"choices": [[], None, {"index": "x"}]},
    {"usage": []},
    [7] * 100,
)
_NAMES: Final = (
    "id interactionId message-id RequestId correlationId schema part time body bodyBase64 bodyPart bodyRef records "
    "category properties usage choices messages error data input object type model stream sequenceNumber "
    "promptledger-cut"
).split()
_BYTES: Final = (
    b"",
    b"\x00",
    b"\xff",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b'"',
    b"\\",
    b"{",
    b"}",
    b"[",
    b",",
    b"\n",
    b"1" * 5000,
)
_DEEP: Final = 400

_Path = list[tuple[Any, Any]]


def mutated(event: bytes, choose: Chooser) -> bytes:
    """Return `event` changed in a few places."""
    body = event
    for _ in range(1 + choose.below(3)):
        body = _CHANGES[choose.below(len(_CHANGES))](body, choose)
    return body


def _restructured(body: bytes, choose: Chooser) -> bytes:
    try:
        value = json.loads(body)
    except ValueError:
        return _damaged(body, choose)
    places = list(_places(value))
    if not places:
        return _damaged(body, choose)
    for _ in range(1 + choose.below(4)):
        holder, key = places[choose.below(len(places))]
        _change(holder, key, choose)
    return _written(value, choose)


def _places(value: Any) -> _Path:
    places: _Path = []
    rest = [value]
    while rest:
        holder = rest.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder)) if isinstance(holder, list) else ()
        for key in keys:
            places.append((holder, key))
            rest.append(holder[key])
    return places


def _change(holder: Any, key: Any, choose: Chooser) -> None:
    kind = choose.below(6)
    if isinstance(holder, list) and not 0 <= key < len(holder):
        return
    if isinstance(holder, dict) and key not in holder:
        return
    if kind == 0:
        del holder[key]
    elif kind == 1 and isinstance(holder, dict):
        holder[_NAMES[choose.below(len(_NAMES))]] = holder[key]
    elif kind == 2:
        holder[key] = _inside(holder[key], choose)
    elif kind == 3:
        holder[key] = [holder[key]] * (1 + choose.below(3))
    else:
        holder[key] = _STRANGE[choose.below(len(_STRANGE))]


def _inside(value: Any, choose: Chooser) -> Any:
    """Return a text changed as an event is: JSON and streams stand inside strings too."""
    if not isinstance(value, str) or not value:
        return json.dumps(value)
    return mutated(value.encode("utf-8", "replace"), choose).decode("utf-8", "replace")


def _written(value: Any, choose: Chooser) -> bytes:
    text = json.dumps(value, ensure_ascii=bool(choose.below(2)), indent=(None, 2)[choose.below(2)])
    return text.encode(("utf-8", "utf-8", "utf-8", "utf-16")[choose.below(4)], "surrogatepass")


def _damaged(body: bytes, choose: Chooser) -> bytes:
    place = choose.below(len(body) + 1)
    return body[:place] + _BYTES[choose.below(len(_BYTES))] + body[place + choose.below(3) :]


def _cut(body: bytes, choose: Chooser) -> bytes:
    return body[: choose.below(len(body) + 1)]


def _doubled(body: bytes, choose: Chooser) -> bytes:
    """Give an object a member twice."""
    name = _NAMES[choose.below(len(_NAMES))]
    return body.replace(b"{", b'{"%s": 7, ' % name.encode(), 1)


def _grown(body: bytes, choose: Chooser) -> bytes:
    """Make a text so long that the event may be one that was cut."""
    place = body.find(b'": "', choose.below(len(body) + 1))
    filler = (b"x", b"\\u00e9", b"\\n", "é".encode())[choose.below(4)] * (30_000 + 10_000 * choose.below(4))
    grown = body if place < 0 else body[: place + 4] + filler * (1 + choose.below(2)) + body[place + 4 :]
    return grown[: len(grown) - choose.below(200)]


def _nested(body: bytes, choose: Chooser) -> bytes:
    depth = choose.below(_DEEP)
    return b"[" * depth + body + b"]" * depth


def _joined(body: bytes, _choose: Chooser) -> bytes:
    return b"[" + body + b"," + body + b"]"


_CHANGES: Final[tuple[Callable[[bytes, Chooser], bytes], ...]] = (
    *[_restructured] * 6,
    _damaged,
    _damaged,
    _cut,
    _doubled,
    _grown,
    _nested,
    _joined,
)
