"""Streams of the Responses API -> the response object."""

from collections.abc import Iterable, Mapping
from typing import Final

from shared.domain.values import Json
from shared.operations.asked import Asked
from shared.operations.streams.assembled import Assembled, better_usage, error_in
from shared.operations.streams.framing import Frames, events_of, object_of
from shared.operations.streams.models import Models
from shared.operations.streams.response_items import Items

__all__ = ["assemble", "assemble_finished"]

_LAST: Final = ("response.completed", "response.incomplete", "response.failed", "response.cancelled", "response.done")


def assemble_finished(text: str, asked: Asked) -> Assembled | None:
    """Return the response that the last line of `text` carries; None when it carries none.

    Nothing else of a whole stream needs to be looked at, but for the model where the last line names
    the one asked for: the first may name the one that serves.
    """
    carried = _carried(object_of(text[text.rfind("\ndata:") + 6 :]) or {})
    if carried is None or carried.body is None or carried.body.get("model") not in asked.models:
        return carried
    first, _, _ = text.partition("\n\n")
    return _with_served(carried, [object_of(first[first.find("data:") + 5 :]) or {}], asked)


def assemble(frames: Frames, asked: Asked) -> Assembled:
    """Return the response that the last event carries, else what the events before it add up to.

    Source: event formats, section 9.4.
    """
    last = next(filter(None, map(frames.patience.object_of, reversed(frames.data))), {})
    return _carried(last) or _rebuilt(frames, asked)


def _carried(last: Mapping[str, Json]) -> Assembled | None:
    response = last.get("response")
    if last.get("type") in _LAST and isinstance(response, dict) and response.get("output"):
        return Assembled(response, ended=True, operation="responses")
    return None


def _rebuilt(frames: Frames, asked: Asked) -> Assembled:
    body: dict[str, Json] = {"object": "response"}
    items = Items()
    told: list[Mapping[str, Json]] = []
    ended = False
    for name, event in events_of(frames):
        response = event.get("response")
        if isinstance(response, dict):
            usage = better_usage(body.get("usage"), response.get("usage"))
            body.update({key: value for key, value in response.items() if key != "output" or value})
            if usage:
                body["usage"] = usage
            told.append(event)
            ended = ended or event.get("type") in _LAST
        elif error := error_in(name, event):
            body["error"] = error
            ended = True
        else:
            items.add(event)
    output = items.whole()
    if output and not (ended and body.get("output")):
        body["output"] = output
    return _with_served(Assembled(body, ended, "responses"), told, asked)


def _with_served(found: Assembled, events: Iterable[Mapping[str, Json]], asked: Asked) -> Assembled:
    """Return what was found with the model that served, of all that the events and it name."""
    body = found.body or {}
    models = Models()
    for response in (*(event.get("response") for event in events), body):
        name = response.get("model") if isinstance(response, dict) else None
        if isinstance(name, str) and name:
            models.add(name, speaks=False)
    served, router = models.served(asked.models)
    return found if router is None else found._replace(body={**body, "model": served}, router=router)
