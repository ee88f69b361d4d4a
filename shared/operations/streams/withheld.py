"""Sound and pixels inside a stream's text: never kept."""

import re
from typing import Final

import orjson

from shared.domain.values import Json
from shared.operations.streams.framing import Patience
from shared.operations.withheld import REMOVED

__all__ = ["withhold_from_events"]

_MARKS: Final = ('b64_json"', '"audio"', "audio.delta", "image_generation")
"""One of these stands in every stream that carries sound or pixels."""
_PAYLOADS: Final = frozenset({"b64_json", "partial_image_b64"})
_SOUND: Final = frozenset({"response.audio.delta", "response.output_audio.delta"})
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_\-=]{80,}")
"""In a line that was cut, whose members cannot be told apart."""
_SHORT: Final = 40
"""No line as short holds sound or pixels: what announces them is as long."""


def withhold_from_events(text: str) -> str:
    """Return the stream `text` with `REMOVED` in place of sound and pixels; `text` itself where there is none.

    Source: event formats, sections 9.2, 9.4 and 9.5.
    """
    if not any(mark in text for mark in _MARKS):
        return text
    lines = text.split("\n")
    changed = False
    patience = Patience(len(text))
    for number, line in enumerate(lines):
        if len(line) < _SHORT:
            continue
        kept = _line(line, patience)
        if kept is not line:
            lines[number] = kept
            changed = True
    return "\n".join(lines) if changed else text


def _line(line: str, patience: Patience) -> str:
    start = line.find("{")
    # Without JSON it may go on from the line before.
    event = patience.object_of(line[start:]) if start >= 0 else None
    if event is None:
        return _cut(line)
    if not _blank(event):
        return line
    return line[:start] + orjson.dumps(event).decode() + ("\r" if line.endswith("\r") else "")


def _cut(line: str) -> str:
    return _BASE64.sub(REMOVED, line) if len(line) >= 80 and _BASE64.search(line) else line


def _blank(event: dict[str, Json]) -> bool:
    changed = False
    rest: list[Json] = [event]
    while rest:
        value = rest.pop()
        if isinstance(value, list):
            rest.extend(value)
        elif isinstance(value, dict):
            for name, item in value.items():
                if isinstance(item, str):
                    if item != REMOVED and item and _is_payload(value, name):
                        value[name] = REMOVED
                        changed = True
                elif item:
                    if name == "audio" and isinstance(item, dict) and isinstance(item.get("data"), str):
                        changed |= item["data"] not in {"", REMOVED}
                        item["data"] = item["data"] and REMOVED
                    rest.append(item)
    return changed


def _is_payload(holder: dict[str, Json], name: str) -> bool:
    if name in _PAYLOADS:
        return True
    kind = holder.get("type")
    return (
        (name == "audio" and kind == "speech.audio.delta")
        or (name == "delta" and kind in _SOUND)
        or (name == "result" and kind == "image_generation_call")
    )
