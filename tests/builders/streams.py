"""Event streams as the service sends them: recorded ones, and ones written by hand."""

import json
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from tests.builders.recordings import CORPUS

__all__ = ["DONE", "RecordedStream", "a_chunk", "an_event", "recorded_streams", "stream_of"]

DONE = "data: [DONE]\n\n"


@dataclass(frozen=True)
class RecordedStream:
    """A recorded stream, and its events as plain JSON shows them."""

    name: str
    text: str = field(repr=False)
    events: tuple[dict[str, Any], ...] = field(repr=False)

    @property
    def labels(self) -> set[str]:
        """What the events call themselves."""
        return {str(event.get("type") or event.get("object") or "") for event in self.events}

    def told(self, *names: str) -> list[dict[str, Any]]:
        """Return the events whose type or object is one of `names`."""
        return [event for event in self.events if event.get("type") in names or event.get("object") in names]


@cache
def recorded_streams() -> tuple[RecordedStream, ...]:
    """Return every recorded stream; none where there is no corpus."""
    streams = []
    for path in sorted([*CORPUS.glob("*/*.response.sse"), *CORPUS.glob("semantic-kernel/*streaming*.sse")]):
        text = path.read_bytes().decode()
        lines = [line[5:] for line in text.split("\n") if line.startswith("data:")]
        streams.append(RecordedStream(f"{path.parent.name}/{path.name}", text, _events(lines)))
    # Their recorder kept the data only.
    for path in sorted(CORPUS.glob("*/*.chunks.txt")):
        lines = path.read_text().rstrip("\n").split("\n")
        done = "" if "response.created" in lines[0] else DONE
        text = "".join(f"data: {line}\n\n" for line in lines) + done
        streams.append(RecordedStream(f"{path.parent.name}/{path.name}", text, _events(lines)))
    return tuple(streams)


def _events(lines: list[str]) -> tuple[dict[str, Any], ...]:
    return tuple(_event(line.strip()) for line in lines if line.strip() != "[DONE]")


def _event(line: str) -> dict[str, Any]:
    """Parse a line; examples written by hand have a brace too few or too many."""
    for attempt in (line, line[:-1], line + "}"):
        try:
            event: dict[str, Any] = json.loads(attempt)
        except ValueError:
            continue
        return event
    raise ValueError(line)


def an_event(data: Any, name: str | None = None) -> str:
    """Return one event; `data` is JSON."""
    return (f"event: {name}\n" if name else "") + f"data: {json.dumps(data, separators=(',', ':'))}\n\n"


def stream_of(*events: Any, done: bool = True) -> str:
    """Return a stream of events without names."""
    return "".join(map(an_event, events)) + (DONE if done else "")


def a_chunk(delta: Any = None, *, index: int = 0, finish_reason: str | None = None, **changes: Any) -> dict[str, Any]:
    """Return a chunk of a chat completion with one choice."""
    choice = {"index": index, "delta": {} if delta is None else delta, "finish_reason": finish_reason}
    return {
        "choices": [choice | changes.pop("choice", {})],
        "created": 1772443799,
        "id": "chatcmpl-example",
        "model": "gpt-4o-2024-11-20",
        "object": "chat.completion.chunk",
    } | changes
