"""What an assembler makes of a stream."""

from collections.abc import Mapping
from typing import NamedTuple

from shared.domain.values import Json

__all__ = ["Assembled", "error_in"]


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


def error_in(name: str | None, event: Mapping[str, Json]) -> Json:
    """Return the error object of an event that reports one, in any of the forms; else None.

    Source: event formats, sections 9.4, 9.5 and 10.
    """
    error = event.get("error")
    if isinstance(error, dict):
        return error if event.get("type") in {None, "error"} else None
    if name == "error" or event.get("type") == "error":
        # Beside the event's own type, which says no more than its name, there is the error's.
        return {
            key: value
            for key, value in event.items()
            if key not in {"sequence_number", "event_id"} and (key, value) != ("type", "error")
        }
    return {"message": error} if isinstance(error, str) and error else None
