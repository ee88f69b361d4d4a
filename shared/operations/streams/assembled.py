"""What an assembler makes of a stream."""

from collections.abc import Mapping
from typing import Final, NamedTuple

import orjson

from shared.domain.values import Json, count

__all__ = ["Assembled", "better_usage", "error_in", "object_or_text", "tells_tokens"]

_COUNTS: Final = ("prompt_tokens", "completion_tokens", "input_tokens", "output_tokens", "total_tokens")


class Assembled(NamedTuple):
    """The answer that the service would have sent in one piece."""

    body: dict[str, Json] | None
    """None when no assembler knows the events."""
    ended: bool | None
    """The stream said that it ended; None when its events don't tell."""
    operation: str | None = None
    """What the events belong to; a path knows better."""
    text: str | None = None
    """The answer's text, where the body of the operation has no place for it."""
    router: str | None = None
    """The other name that the stream gives its model: the one asked for."""


def better_usage(known: Json, told: Json) -> Json:
    """Return the usage that counts of two in one stream: the later, but nought never wins over a number."""
    if not isinstance(told, dict) or not told:
        return known
    if isinstance(known, dict) and any(count(known.get(name)) and not count(told.get(name)) for name in _COUNTS):
        return known
    return told


def tells_tokens(usage: Json) -> bool:
    """Return whether a usage tells any number: nought of everything is how some say that they don't know."""
    return isinstance(usage, dict) and any(count(usage.get(name)) for name in _COUNTS)


def object_or_text(text: str) -> Json:
    """Return what a tool was called with, from all pieces of its JSON; nothing is an empty object."""
    try:
        return orjson.loads(text) if text else {}
    except orjson.JSONDecodeError:
        return text


def error_in(name: str | None, event: Mapping[str, Json]) -> Json:
    """Return the error object of an event that reports one, in any of the forms; else None.

    Source: event formats, sections 9.4, 9.5 and 10.
    """
    error = event.get("error")
    if isinstance(error, dict):
        return error if event.get("type") in (None, "error") else None
    if name == "error" or event.get("type") == "error":
        # Beside the event's own type, which says no more than its name, there is the error's.
        return {
            key: value
            for key, value in event.items()
            if key not in {"sequence_number", "event_id"} and (key, value) != ("type", "error")
        }
    return {"message": error} if isinstance(error, str) and error else None
