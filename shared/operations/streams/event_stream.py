"""Amazon's binary event stream -> the text of server-sent events, which one reader reads.

Source: event formats, section 17.8 (docs/events.md, section "Bedrock").
"""

import base64
import binascii
import json
import re
import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import Final

import orjson

from shared.domain.redaction import redacted_text
from shared.domain.values import Json

__all__ = ["TRACES", "text_of_bytes", "text_of_logged"]

_PRELUDE: Final = struct.Struct(">III")
_CHECKSUM: Final = struct.Struct(">I")
_LEAST: Final = 16
_MOST_HEADERS: Final = 128 * 1024
_MOST_MESSAGE: Final = 24 * 1024 * 1024
_LENGTHS: Final = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
"""Type of a header -> bytes of its value; the others say their length."""
_BYTES, _TEXT = 6, 7

_PADDING: Final = "p"
TRACES: Final = frozenset({"trace", "amazon-bedrock-trace"})
"""What a guardrail masked stands in them in clear."""
# The last header's value, after which the payload begins: in a log that turned bytes into text its length is
# spoilt, its letters are not.
_LOGGED: Final = re.compile(
    r":event-type[^A-Za-z]{0,8}+([A-Za-z]{3,40}+).{0,64}?:message-type.{0,8}?event(?=\{)", re.DOTALL
)
_LOGGED_EXCEPTION: Final = re.compile(
    r":exception-type[^A-Za-z]{0,8}+([A-Za-z]{3,40}+).{0,64}?:message-type.{0,8}?exception(?=\{)", re.DOTALL
)
_MARKS: Final = (":event-type", ":exception-type")
_DECODER: Final = json.JSONDecoder(strict=False)


def text_of_bytes(data: bytes) -> str | None:
    """Return the stream in `data` as server-sent events, up to where it was cut; None when it is no event stream.

    The lengths and the checksums of the first message must be right: other bytes are never taken for a
    stream. A message whose checksum is wrong ends the stream there. Secrets are taken out here: nobody before could,
    for a chunk holds base64, and lengths and checksums hold for what was sent.
    """
    events: list[str] = []
    place = 0
    while (message := _message_at(data, place)) is not None:
        headers, payload, place = message
        if not headers and not payload:
            continue
        events.append(_event_text(headers, payload))
    return redacted_text("".join(events)) or None


def _message_at(data: bytes, place: int) -> tuple[dict[str, str], bytes, int] | None:
    """Return headers, payload and end of the message at `place`; None when none stands there complete."""
    if place + _LEAST > len(data):
        return None
    total, length, checksum = _PRELUDE.unpack_from(data, place)
    if not _LEAST <= total <= _MOST_MESSAGE or length > min(total - _LEAST, _MOST_HEADERS) or place + total > len(data):
        return None
    view = memoryview(data)
    if zlib.crc32(view[place : place + 8]) != checksum:
        return None
    end = place + total
    if zlib.crc32(view[place : end - 4]) != _CHECKSUM.unpack_from(data, end - 4)[0]:
        return None
    headers = _headers_in(data[place + 12 : place + 12 + length])
    return None if headers is None else (headers, data[place + 12 + length : end - 4], end)


def _headers_in(data: bytes) -> dict[str, str] | None:
    """Return the headers that are texts; None when the bytes are no headers."""
    headers: dict[str, str] = {}
    place = 0
    try:
        while place < len(data):
            name_start = place + 1
            name_end = name_start + data[place]
            kind = data[name_end]
            place = name_end + 1
            if kind in (_BYTES, _TEXT):
                length = int.from_bytes(data[place : place + 2], "big")
                place += 2
            else:
                length = _LENGTHS[kind]
            value_start, place = place, place + length
            if place > len(data):
                return None
            if kind == _TEXT:
                headers[data[name_start:name_end].decode()] = data[value_start:place].decode()
    except (IndexError, KeyError, UnicodeDecodeError):
        return None
    return headers


def _event_text(headers: Mapping[str, str], payload: bytes) -> str:
    kind = headers.get(":message-type", "event")
    if kind == "error":
        error = {"code": headers.get(":error-code"), "message": headers.get(":error-message")}
        return _event_lines("error", {"error": error})
    value = _object_of(payload)
    if kind == "exception":
        return _event_lines("error", {"error": _exception(headers.get(":exception-type"), value)})
    return _event_lines(headers.get(":event-type", ""), value)


def _object_of(payload: bytes) -> Json:
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError:
        if not payload.rstrip().endswith((b"}", b"]")):
            return None  # cut off: the second reader is slow, and would read it no better
    try:
        # Half of a character, or a number without end, spoils no event.
        return _DECODER.decode(payload.decode(errors="replace"))
    except (ValueError, RecursionError):
        return None


def _exception(kind: str | None, payload: Json) -> dict[str, Json]:
    return {**(payload if isinstance(payload, dict) else {}), "code": kind}


def _event_lines(name: str, value: Json) -> str:
    """Return one event as text, without padding and traces; of a chunk, the JSON that it carries in base64."""
    if isinstance(value, dict):
        if name == "chunk" and isinstance(value.get("bytes"), str):
            value = _decode_chunk(value["bytes"])
        if isinstance(value, dict):
            value = {key: item for key, item in value.items() if key != _PADDING and key not in TRACES}
    line = "".join(letter for letter in name if letter.isalnum() or letter in "-_.")
    return f"event: {line}\ndata: {_json_of(value)}\n\n"


def _json_of(value: Json) -> str:
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        pass
    try:
        return json.dumps(value)
    except RecursionError:
        return "null"


def _decode_chunk(encoded: str) -> Json:
    try:
        return _object_of(base64.b64decode(encoded, validate=True))
    except (binascii.Error, ValueError):
        return None


def text_of_logged(text: str) -> str | None:
    """Return the stream in a text that a log made of its bytes as server-sent events; None when it is none.

    Lengths and checksums are spoilt there, the JSON of the payloads is complete.
    """
    if not any(mark in text[:256] for mark in _MARKS):
        return None
    events = [_event_lines(name, value) for name, value in _logged_events(text)]
    return redacted_text("".join(events)) or None


def _logged_events(text: str) -> Iterator[tuple[str, Json]]:
    place = 0
    while True:
        found = _LOGGED.search(text, place)
        failed = _LOGGED_EXCEPTION.search(text, place, found.start() if found else len(text))
        mark = failed or found
        if mark is None:
            return
        try:
            value, place = _DECODER.raw_decode(text, mark.end())
        except (ValueError, RecursionError):
            return
        if failed:
            yield "error", {"error": _exception(mark[1], value)}
        else:
            yield mark[1], value
