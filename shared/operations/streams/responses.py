"""Streams of the Responses API -> the response object."""

from collections.abc import Mapping
from typing import Final

from shared.domain.values import Json
from shared.operations.streams.assembled import Assembled, error_in
from shared.operations.streams.framing import Frames, events_of, object_of
from shared.operations.streams.response_items import Items

__all__ = ["assemble"]

_LAST: Final = frozenset(
    {"response.completed", "response.incomplete", "response.failed", "response.cancelled", "response.done"}
)


def assemble(frames: Frames) -> Assembled:
    """Return the response that the last event carries, else what the events before it add up to.

    Source: event formats, section 9.4.
    """
    last = _last(frames)
    response = last.get("response") if last.get("type") in _LAST else None
    if isinstance(response, dict) and response.get("output"):
        return Assembled(response, ended=True, operation="responses")
    return _rebuilt(frames)


def _last(frames: Frames) -> Mapping[str, Json]:
    """Return the last whole event: nothing else of a whole stream needs to be parsed."""
    for data in reversed(frames.data):
        event = object_of(data)
        if event is not None:
            return event
    return {}


def _rebuilt(frames: Frames) -> Assembled:
    body: dict[str, Json] = {"object": "response"}
    items = Items()
    ended = False
    for name, event in events_of(frames):
        response = event.get("response")
        if isinstance(response, dict):
            body.update({key: value for key, value in response.items() if key != "output" or value})
            ended = ended or event.get("type") in _LAST
        elif error := error_in(name, event):
            body["error"] = error
            ended = True
        else:
            items.add(event)
    output = items.whole()
    if output and not (ended and body.get("output")):
        body["output"] = output
    return Assembled(body, ended, "responses")
