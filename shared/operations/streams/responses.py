"""Streams of the Responses API -> the response object."""

from collections.abc import Mapping
from typing import Final

from shared.domain.values import Json
from shared.operations.streams.assembled import Assembled, error_in
from shared.operations.streams.framing import Frames, events_of, object_of
from shared.operations.streams.response_items import Items

__all__ = ["assemble", "assemble_finished"]

_LAST: Final = frozenset(
    {"response.completed", "response.incomplete", "response.failed", "response.cancelled", "response.done"}
)


def assemble_finished(text: str) -> Assembled | None:
    """Return the response that the last line of `text` carries; None when it carries none.

    Nothing else of a whole stream needs to be looked at.
    """
    return _carried(object_of(text[text.rfind("\ndata:") + 6 :]) or {})


def assemble(frames: Frames) -> Assembled:
    """Return the response that the last event carries, else what the events before it add up to.

    Source: event formats, section 9.4.
    """
    last = next(filter(None, map(frames.patience.object_of, reversed(frames.data))), {})
    return _carried(last) or _rebuilt(frames)


def _carried(last: Mapping[str, Json]) -> Assembled | None:
    response = last.get("response")
    if last.get("type") in _LAST and isinstance(response, dict) and response.get("output"):
        return Assembled(response, ended=True, operation="responses")
    return None


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
