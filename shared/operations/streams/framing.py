"""Event-stream text, complete or cut anywhere -> the JSON objects of its events."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import orjson

from shared.domain.values import Json

__all__ = [
    "END",
    "FIRST_LINE",
    "Event",
    "Frames",
    "Patience",
    "elements_of",
    "events_of",
    "frames_of",
    "most_events",
    "object_of",
    "objects_in",
]

Event = tuple[str | None, dict[str, Json]]
"""Name in the `event:` line, if any, and the object in the `data:` lines."""

END: Final = "[DONE]"
FIRST_LINE: Final = re.compile(r"\ufeff?\s*+(?:(?:data|event|id|retry)?:|\{)")
"""How the first line begins that says anything; a log may have dropped `data:`."""
_FRAMED: Final = re.compile(r"(?:data:[ \t]*+)+(?=(?:data|event|id|retry)?:)")
"""What stands before a line that was framed already when somebody framed it."""
_FRAMES: Final = tuple(f"data:{space}{field}:" for space in ("", " ") for field in ("", "data", "event", "id", "retry"))
"""One of them stands in every stream with such lines."""
_SHALLOW: Final = 500
"""A text this short cannot nest 250 levels deep."""
_DEPTH: Final = 250
"""orjson writes 253 levels; what a chunk holds stands some levels deep in the body that it becomes."""

_BETWEEN: Final = re.compile(r"[\s,]*")
_DECODER: Final = json.JSONDecoder(strict=False, parse_constant=lambda _: None)
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False)


class Patience:
    """Reads JSON as long as not too much of it is odd: that takes ten times as long, and hostile text is all odd."""

    __slots__ = ("_left",)

    def __init__(self, chars: int) -> None:
        """Begin a text of `chars` characters."""
        self._left = 100 + chars // 256

    @property
    def lost(self) -> bool:
        """Whether something was left unread."""
        return self._left < 0

    def object_of(self, data: str) -> dict[str, Json] | None:
        """Return the JSON object in `data`; None for anything else, and when patience is lost."""
        if self._left < 0:
            return None
        try:
            value = orjson.loads(data)
        except orjson.JSONDecodeError:
            self._left -= 1
            value = _tolerantly(data) if self._left >= 0 else None
        return _storable(value, data)


@dataclass(slots=True)
class Frames:
    """The events of a stream, not parsed yet."""

    names: list[str | None]
    data: list[str]
    done: bool
    """The stream said `[DONE]`."""
    room: int
    """How many parts its events may have."""
    patience: Patience
    left_off: bool
    """There is more that was not looked at."""

    @property
    def cut(self) -> bool:
        """Whether something was left unread because there was too much of it."""
        return self.left_off or self.patience.lost


def most_events(chars: int) -> int:
    """Return how many events are read in a text of `chars` characters: no service writes any as short as 40."""
    return 1000 + chars // 40


def frames_of(text: str) -> Frames:
    """Return the events in `text`, in order.

    Lines end in LF, CRLF or CR. Events need no blank line between them: a log may have dropped it.
    A line that is a JSON object without `data:` before it counts as one; of several `data:` before
    one line all but the last say nothing.

    Source: event formats, section 9.1.
    """
    names: list[str | None] = []
    data: list[str] = []
    broken: dict[int, list[str]] = {}  # the lines of data that has several
    lines: list[str] | None = None  # those of the latest
    done = left_off = False
    name: str | None = None
    goes_on = False  # the event has data already
    room = most = most_events(len(text))
    for line in _lines_of(text):
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
        if len(value) < 16 and (not (bare := value.strip()) or bare == END):
            done = done or bool(bare)
        elif goes_on and _continues(lines[-1] if lines else data[-1], value):
            if not lines:
                lines = broken[len(data) - 1] = data[-1:]
            lines.append(value)
        elif room:
            room -= 1
            names.append(name)
            data.append(value)
            goes_on, lines = True, None
        else:
            left_off = True
            break
    _join(data, broken)
    return Frames(names, data, done, most, Patience(len(text)), left_off)


def events_of(frames: Frames) -> Iterator[Event]:
    """Yield the events whose data is a JSON object."""
    for name, value in zip(frames.names, frames.data, strict=True):
        parsed = frames.patience.object_of(value)
        if parsed is not None:
            yield name, parsed


def object_of(data: str) -> dict[str, Json] | None:
    """Return the JSON object in `data`; None for anything else, and for one that was cut."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        value = _tolerantly(data)
    return _storable(value, data)


def objects_in(text: str, *, most: int) -> list[dict[str, Json]]:
    """Return the objects in lines of JSON, up to the first line that is none, at most `most`."""
    objects: list[dict[str, Json]] = []
    patience = Patience(len(text))
    for line in text.splitlines()[:most]:
        if line.strip():
            found = patience.object_of(line)
            if found is None:
                break
            objects.append(found)
    return objects


def elements_of(text: str) -> tuple[list[Json], bool]:
    """Return the elements of a JSON array that came one by one, and whether it was closed; a cut one is left out."""
    elements: list[Json] = []
    place = text.find("[") + 1
    left = most_events(len(text))
    while left:
        left -= 1
        mark = _BETWEEN.match(text, place)
        place = mark.end() if mark else place
        if text[place : place + 1] != "{":
            return elements, text[place : place + 1] == "]"
        try:
            value, place = _DECODER.raw_decode(text, place)
        except (ValueError, RecursionError):
            return elements, False
        elements.append(_storable(value, text))
    return elements, False


def _storable(value: Json, data: str) -> dict[str, Json] | None:
    """Return `value`, parsed from `data`, when it is an object that can be written again."""
    if not isinstance(value, dict):
        return None
    if len(data) > _SHALLOW and data.count("{") + data.count("[") > _DEPTH:
        try:
            orjson.dumps([[[[[[value]]]]]])
        except TypeError:
            return None
    return value


def _lines_of(text: str) -> list[str]:
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = text.removeprefix("\ufeff").split("\n")
    return [_strip_frames(line) for line in lines] if any(mark in text for mark in _FRAMES) else lines


def _strip_frames(line: str) -> str:
    found = _FRAMED.match(line) if line.startswith("data:") else None
    return line[found.end() :] if found else line


def _join(data: list[str], broken: dict[int, list[str]]) -> None:
    for number, lines in broken.items():
        data[number] = "\n".join(lines)


def _continues(last: str, value: str) -> bool:
    """Return whether `value` goes on where the line `last` ended: no JSON has a line end between } and {."""
    return "{" not in value or not (value.lstrip().startswith("{") and last.rstrip().endswith("}"))


def _tolerantly(data: str) -> Json:
    """Return what strict JSON forbids but senders write: halves of surrogate pairs, NaN, control characters."""
    data = data.rstrip()
    if not data.endswith("}") or "{" not in data:
        return None  # cut
    missing = data.count("{") - data.count("}")
    if missing in (1, -1):
        data = data + "}" if missing == 1 else data[:-1]  # cut before its last brace, or one too many
        with suppress(orjson.JSONDecodeError):
            return orjson.loads(data)
    try:
        plain = _ENCODER.encode(_DECODER.decode(data)).encode("utf-16-le", "surrogatepass")
        return orjson.loads(plain.decode("utf-16-le", "replace"))
    except (ValueError, RecursionError):
        return None
