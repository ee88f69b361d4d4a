"""Bytes -> JSON values that every store can take: finite numbers, valid Unicode, bounded depth."""

import json
import math
import re
from collections.abc import Callable
from typing import Final

import orjson

from shared.domain.values import Json
from shared.errors import EventError

__all__ = ["begins_like_json", "decode", "parsed"]

_BEGINNING: Final = re.compile(r"\ufeff?\s*+[{\[]")

_DEPTH: Final = 250
"""orjson writes 253 levels; the bodies that we return stand some levels deep in an answer."""
_CUT_FROM: Final = 200_000
"""API Management cuts what it logs at 200 KB, and does not say which thousand it means."""


def decode(body: bytes | str) -> Json:
    """Return the JSON value in `body`.

    What strict JSON forbids but senders write is read all the same: a byte order mark, UTF-16, raw
    control characters, NaN and Infinity (as null), integers beyond 64 bits (as floats). Bytes and
    surrogates that are no text become U+FFFD.

    Raises:
        EventError: it is not JSON, or nested too deeply.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        value = _decode_tolerantly(body)
    _check_depth(body, value)
    return value


def begins_like_json(text: str) -> bool:
    """Return whether `text` begins as an object or an array does, perhaps behind a byte order mark."""
    return _BEGINNING.match(text) is not None


def parsed(text: str) -> Json:
    """Return the object or array that `text` holds, or else `text` as it is."""
    if not begins_like_json(text):
        return text
    try:
        return decode(text)
    except EventError:
        return text


def _decode_tolerantly(body: bytes | str) -> Json:
    text = body.decode(json.detect_encoding(body), "replace") if isinstance(body, bytes) else body
    text = text.removeprefix("\ufeff")
    try:
        try:
            return _plain(_loads(text, parse_int=int))
        except _NotJsonError:
            raise
        except ValueError:
            # An integer beyond every float. Asking of each number whether it is one takes longer than all the rest.
            return _plain(_loads(text, parse_int=_bounded))
    except RecursionError:
        raise EventError("JSON nested too deeply") from None
    except ValueError:
        cut = len(body) >= _CUT_FROM
        raise EventError("not JSON: cut off at the gateway's limit" if cut else "not JSON") from None


class _NotJsonError(ValueError):
    pass


def _loads(text: str, *, parse_int: Callable[[str], int | float | None]) -> Json:
    try:
        return json.loads(
            text,
            strict=False,
            parse_constant=lambda _: None,
            parse_float=_finite,
            parse_int=None if parse_int is int else parse_int,
        )
    except json.JSONDecodeError:
        raise _NotJsonError from None


def _plain(value: Json) -> Json:
    # Surrogates pair up or become U+FFFD on their way through UTF-16.
    written = json.dumps(value, ensure_ascii=False).encode("utf-16-le", "surrogatepass")
    return orjson.loads(written.decode("utf-16-le", "replace"))


def _finite(digits: str) -> float | None:
    value = float(digits)
    return value if math.isfinite(value) else None


def _bounded(digits: str) -> int | float | None:
    return int(digits) if len(digits) < 19 else _finite(digits)


def _check_depth(body: bytes | str, value: Json) -> None:
    # An event so short cannot be so deep. Of others, counting is much cheaper than writing, and nearly always enough.
    if len(body) <= 2 * _DEPTH:
        return
    objects, arrays = (
        (body.count(b"{"), body.count(b"[")) if isinstance(body, bytes) else (body.count("{"), body.count("["))
    )
    if objects + arrays <= _DEPTH:
        return
    try:
        orjson.dumps([[[value]]])
    except TypeError:
        raise EventError("JSON nested too deeply") from None
