"""JSON that was cut off -> what of it is whole."""

import json
import re
from typing import Final

import jiter
import orjson

from shared.domain.values import Json
from shared.errors import EventError
from shared.sources.decoding import decode

__all__ = ["salvage"]

_NUMBER: Final = b"0123456789+-.eE"
_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\Z)', re.DOTALL)
"""The last may be open."""
_WHERE: Final = re.compile(r" at line (\d+) column (\d+)$")
_HEX: Final = rb"[0-9a-fA-F]"
_FIRST_HALF: Final = rb"[89abAB]" + _HEX * 2
_SECOND_HALF: Final = rb"[c-fC-F]" + _HEX * 2
# Each begins with letters, not with a choice: they are found many times faster so.
_LONE_SURROGATES: Final = tuple(
    re.compile(
        start + rb"(?<!\\" + start + rb")(?:"
        # The first half at the very end may have lost its second to the cut.
        + _FIRST_HALF + rb"(?=.)(?!\\(?:\Z|u(?:\Z|[dD](?:\Z|[c-fC-F]))))|"
        + _SECOND_HALF + rb"(?<!\\u[dD]" + _FIRST_HALF + start + _SECOND_HALF + rb"))",
        re.DOTALL,
    )
    for start in (rb"\\ud", rb"\\uD")
)  # fmt: skip
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_CONTROLS: Final = bytes(code for code in range(0x20) if code not in b"\t\n\r")
_BLANKED: Final = bytes(0x20 if code in _CONTROLS else code for code in range(256))
_MOST_CONTROLS: Final = 10_000
"""With more of them it is no text, and no reason to spend time on each."""
_STEPS: Final = 4
"""Faults in the middle after which we stop looking at what stands before them."""


def salvage(text: str | bytes) -> tuple[Json, bool]:
    """Return what `text` holds as far as it is whole JSON, and whether something of it is missing.

    Members and items before the cut are kept; a string that the cut goes through keeps its
    beginning; a number or a name that it goes through is left out, for its beginning is another one.
    None when nothing is whole. Never raises; takes a few milliseconds per megabyte.
    """
    try:
        return decode(text), False
    except EventError:
        pass
    body = _encoded(text) if isinstance(text, str) else text
    try:
        return _before_cut(body), True
    except ValueError:
        return _before_fault(_sanitised(body)), True


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        # Surrogates pair up or become U+FFFD on their way through UTF-16.
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def _before_cut(body: bytes) -> Json:
    """Return what is whole.

    Raises:
        ValueError: there is more amiss than a cut, and says where.
    """
    complete = _without_cut_number(body)
    return _finite(jiter.from_json(complete, partial_mode="trailing-strings", cache_mode="keys"))


def _before_fault(body: bytes) -> Json:
    """Return what is whole before the first fault, or before it is nested too deeply."""
    for _ in range(_STEPS):
        try:
            return _before_cut(body)
        except ValueError as fault:
            body = body[: _place(body, str(fault))]
    return None


def _without_cut_number(body: bytes) -> bytes:
    """Take off a number at the very end: 12 may have been 1234."""
    if not body or body[-1] not in _NUMBER or _ends_in_string(body):
        return body
    return body.rstrip(_NUMBER)


def _ends_in_string(body: bytes) -> bool:
    # Only an open string has no quote at its end.
    return max((found.end() for found in _STRING.finditer(body)), default=0) == len(body)


def _place(body: bytes, fault: str) -> int:
    found = _WHERE.search(fault)
    if found is None:
        return 0
    lines = body.split(b"\n", int(found[1]) - 1)
    start = len(body) - len(lines[-1])
    return max(0, min(start + int(found[2]) - 1, len(body) - 1))


def _sanitised(body: bytes) -> bytes:
    """Return UTF-8 without what a strict parser stops at: marks, control characters, lone surrogates."""
    text = body.decode(json.detect_encoding(body), "replace").removeprefix("\ufeff")
    plain = text.encode("utf-8", "replace")
    controls = len(plain) - len(plain.translate(None, _CONTROLS))
    if controls > _MOST_CONTROLS:
        plain = plain.translate(_BLANKED)
    elif controls:
        plain = _CONTROL.sub(_escaped, plain)
    if b"\n" in plain or b"\r" in plain or b"\t" in plain:
        # White space between members, and allowed nowhere else.
        plain = _STRING.sub(_line_ends_escaped, plain)
    for pattern in _LONE_SURROGATES:
        plain = pattern.sub(rb"\\ufffd", plain)
    return plain


def _escaped(found: re.Match[bytes]) -> bytes:
    return b"\\u%04x" % ord(found[0])


def _line_ends_escaped(found: re.Match[bytes]) -> bytes:
    return found[0].replace(b"\n", b"\\n").replace(b"\r", b"\\r").replace(b"\t", b"\\t")


def _finite(value: Json) -> Json:
    """Return `value` with numbers that every store can take."""
    try:
        return orjson.loads(orjson.dumps(value))
    except TypeError:
        pass
    try:
        # An integer of more than 64 bits, with or without thousands of digits.
        return decode(json.dumps(value))
    except (ValueError, RecursionError, EventError):
        return None
