"""Event-stream text, whole or cut anywhere -> the JSON objects of its events."""

import json
from collections.abc import Iterator
from typing import Final, NamedTuple

import orjson

from shared.domain.values import Json

__all__ = ["Event", "Frames", "events_of", "frames_of", "object_of"]

Event = tuple[str | None, dict[str, Json]]
"""Name in the `event:` line, if any, and the object in the `data:` lines."""

_DONE: Final = "[DONE]"
_SHALLOW: Final = 500
"""A text this short cannot nest 250 levels deep."""
_DEPTH: Final = 250
"""orjson writes 253 levels; what a chunk holds stands some levels deep in the body that it becomes."""

_DECODER: Final = json.JSONDecoder(strict=False, parse_constant=lambda _: None)
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False)


class Frames(NamedTuple):
    """The events of a stream, not parsed yet."""

    names: list[str | None]
    data: list[str]
    done: bool
    """The stream said `[DONE]`."""


def frames_of(text: str) -> Frames:
    """Return the events in `text`, in order.

    Lines end in LF, CRLF or CR. Events need no blank line between them: a log may have dropped it.
    A line that is a JSON object without `data:` before it counts as one.

    Source: event formats, section 9.1.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    names: list[str | None] = []
    data: list[str] = []
    broken: dict[int, list[str]] = {}  # the lines of data that has several
    done = False
    name: str | None = None
    goes_on = False  # the event has data already
    for line in text.removeprefix("\ufeff").split("\n"):
        if line.startswith("data:"):
            value = line[5:]
        elif not line:
            name, goes_on = None, False
            continue
        elif line.startswith("{"):
            value = line
        else:
            if line.startswith("event:"):
                name, goes_on = line[6:].strip(), False
            continue
        if len(value) < 16 and value.strip() == _DONE:
            done = True
        elif goes_on and _continues(lines := broken.get(len(data), data[-1:]), value):
            broken[len(data)] = lines
            lines.append(value)
        else:
            names.append(name)
            data.append(value)
            goes_on = True
    for number, lines in broken.items():
        data[number - 1] = "\n".join(lines)
    return Frames(names, data, done)


def events_of(frames: Frames) -> Iterator[Event]:
    """Yield the events whose data is a JSON object."""
    for name, value in zip(frames.names, frames.data, strict=True):
        parsed = object_of(value)
        if parsed is not None:
            yield name, parsed


def object_of(data: str) -> dict[str, Json] | None:
    """Return the JSON object in `data`; None for anything else, and for one that was cut."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        value = _tolerantly(data)
    if not isinstance(value, dict):
        return None
    if len(data) > _SHALLOW and data.count("{") + data.count("[") > _DEPTH:
        try:
            orjson.dumps([[[[[[value]]]]]])
        except TypeError:
            return None
    return value


def _continues(lines: list[str], value: str) -> bool:
    """Return whether `value` goes on where `lines` ended: no JSON has a line end between } and {."""
    return not (lines[-1].rstrip().endswith("}") and value.lstrip().startswith("{"))


def _tolerantly(data: str) -> Json:
    """Return what strict JSON forbids but senders write: halves of surrogate pairs, NaN, control characters."""
    data = data.rstrip()
    if not data.endswith("}"):
        return None  # cut
    missing = data.count("{") - data.count("}")
    if missing == 1:
        data += "}"  # cut before its last brace
    elif missing == -1:
        data = data[:-1]
    try:
        plain = _ENCODER.encode(_DECODER.decode(data)).encode("utf-16-le", "surrogatepass")
        return orjson.loads(plain.decode("utf-16-le", "replace"))
    except (ValueError, RecursionError):
        return None
