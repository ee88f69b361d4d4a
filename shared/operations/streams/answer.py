"""What an assembler makes of a stream: the answer, and the model that served it."""

from collections.abc import Container
from typing import Final, NamedTuple

import orjson

from shared.domain.values import Json

__all__ = ["Models", "StreamAnswer", "object_or_text"]

_MOST_NAMES: Final = 16
"""Names beyond any that a service gives one answer."""


class StreamAnswer(NamedTuple):
    """The answer that the service would have sent in one body."""

    body: dict[str, Json] | None
    """None when no assembler knows the events."""
    ended: bool | None
    """Whether the stream said that it ended; None when its events don't tell."""
    operation: str | None = None
    """What the events belong to; a path knows better."""
    text: str | None = None
    """The answer's text, where the body of the operation has no place for it."""
    router: str | None = None
    """The other name that the stream gives its model: the one asked for."""


def object_or_text(text: str) -> Json:
    """Return what a tool was called with, from all deltas of its JSON; nothing is an empty object."""
    try:
        return orjson.loads(text) if text else {}
    except orjson.JSONDecodeError:
        return text


class Models:
    """Counts the names chunk by chunk: a router may name itself in the first and the last."""

    __slots__ = ("_counts", "_latest", "_speaking")

    def __init__(self) -> None:
        """Begin with none."""
        self._latest = ""
        self._counts: dict[str, int] = {}
        self._speaking: dict[str, int] = {}

    def add(self, name: str, *, speaks: bool) -> None:
        """Add the name in a chunk, and whether the chunk says something of the answer."""
        if name in self._counts or len(self._counts) < _MOST_NAMES:
            self._latest = name
            self._counts[name] = self._counts.get(name, 0) + 1
            self._speaking[name] = self._speaking.get(name, 0) + speaks

    def repeat(self, times: int) -> None:
        """Add chunks that are like the last one, but for their text."""
        if times and self._latest:
            self._counts[self._latest] += times
            self._speaking[self._latest] += times

    def model_and_router(self, requested: Container[str]) -> tuple[str | None, str | None]:
        """Return the model that served, and the router: the other name, where there is just one.

        The one that served is not the one asked for; else the one that spoke most, and of equals the later.

        Source: event formats, sections 9.2 and 16.9.
        """
        names = list(self._counts)
        others = [name for name in names if name not in requested] or names
        served = max(
            others, key=lambda name: (self._speaking[name], self._counts[name], names.index(name)), default=None
        )
        rest = [name for name in names if name != served]
        return served, rest[0] if len(rest) == 1 else None
