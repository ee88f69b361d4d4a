"""Streams of Assistants runs -> the run, with its messages and steps."""

from collections.abc import Iterator, Mapping
from typing import Final

from shared.domain.values import Json
from shared.operations.errors import error_in_event
from shared.operations.streams.answer import StreamAnswer
from shared.operations.streams.framing import Event, Frames

__all__ = ["assemble"]

_RUN: Final = "thread.run."
_STEP: Final = "thread.run.step."
_AT_REST: Final = frozenset({"requires_action", "cancelled", "failed", "completed", "incomplete", "expired"})


def assemble(frames: Frames) -> StreamAnswer:
    """Return the run as its last event has it, with the `messages` and `steps` that the stream brought beside.

    The usage is the run's own: steps repeat it.

    Source: event formats, section 9.5.
    """
    run: dict[str, Json] = {"object": "thread.run"}
    steps: dict[Json, Json] = {}
    messages: dict[Json, _Message] = {}
    error: Json = None
    for name, event in _events_of(frames):
        kind, key = event.get("object"), event.get("id")
        if not isinstance(key, str):
            key = None
        if kind == "thread.run":
            run = event
        elif kind == "thread.run.step":
            steps[key] = event
        elif kind == "thread.message":
            messages.setdefault(key, _Message()).given = event
        elif kind == "thread.message.delta":
            messages.setdefault(key, _Message()).add(event.get("delta"))
        else:
            error = error or error_in_event(name, event)
    body = dict(run)
    spoken = [message.body() for message in messages.values()]
    if error:
        body["error"] = error
    if spoken:
        body["messages"] = spoken
    if steps:
        body["steps"] = list(steps.values())
    ended = frames.done or bool(error) or _status(run) in _AT_REST
    return StreamAnswer(body, ended, "threads.runs", "\n".join(filter(None, map(_text, spoken))) or None)


def _events_of(frames: Frames) -> Iterator[Event]:
    """Yield the events; of those that carry the run, each says all that the one before it says: only the last."""
    runs: list[str] = []
    object_of = frames.patience.object_of
    for name, data in zip(frames.names, frames.data, strict=True):
        if name and name.startswith(_RUN) and not name.startswith(_STEP):
            runs.append(data)
        elif event := object_of(data):
            yield name, event
    last = next(filter(None, map(object_of, reversed(runs))), None)
    if last is not None:
        yield None, last


class _Message:
    """A message that grows by deltas, until it comes complete."""

    __slots__ = ("_others", "_texts", "given")

    def __init__(self) -> None:
        self.given: Mapping[str, Json] = {"object": "thread.message", "role": "assistant"}
        self._texts: dict[int, list[str]] = {}
        self._others: dict[int, Json] = {}

    def add(self, delta: Json) -> None:
        parts = delta.get("content") if isinstance(delta, dict) else None
        for part in parts if isinstance(parts, list) else ():
            if not isinstance(part, dict):
                continue
            place = part.get("index")
            index = place if type(place) is int else 0
            text = part.get("text")
            if isinstance(text, dict):
                if isinstance(value := text.get("value"), str):
                    self._texts.setdefault(index, []).append(value)
            else:
                self._others[index] = {key: value for key, value in part.items() if key != "index"}

    def body(self) -> dict[str, Json]:
        if self.given.get("content") or not (self._texts or self._others):
            return dict(self.given)
        parts = dict(self._others)
        for index, deltas in self._texts.items():
            parts[index] = {"type": "text", "text": {"value": "".join(deltas), "annotations": []}}
        return {**self.given, "content": [parts[index] for index in sorted(parts)]}


def _status(run: Mapping[str, Json]) -> str | None:
    status = run.get("status")
    return status if isinstance(status, str) else None


def _text(message: Mapping[str, Json]) -> str:
    parts = message.get("content")
    texts = [part.get("text") for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
    values = [text.get("value") for text in texts if isinstance(text, dict)]
    return "\n".join(value for value in values if isinstance(value, str))
