"""The names that a stream gives its model -> the one that served."""

from collections.abc import Container
from typing import Final

__all__ = ["Models"]

_MOST: Final = 16
"""Names beyond any that a service gives one answer."""


class Models:
    """Counts the names chunk by chunk: a router may name itself in the first and the last."""

    __slots__ = ("_latest", "_spoken", "_told")

    def __init__(self) -> None:
        """Begin with none."""
        self._latest = ""
        self._told: dict[str, int] = {}
        self._spoken: dict[str, int] = {}

    def add(self, name: str, *, speaks: bool) -> None:
        """Add the name that a chunk tells, and whether the chunk says something of the answer."""
        if name in self._told or len(self._told) < _MOST:
            self._latest = name
            self._told[name] = self._told.get(name, 0) + 1
            self._spoken[name] = self._spoken.get(name, 0) + speaks

    def repeat(self, times: int) -> None:
        """Add chunks that are like the last one, but for their piece of text."""
        if times and self._latest:
            self._told[self._latest] += times
            self._spoken[self._latest] += times

    def served(self, asked: Container[str]) -> tuple[str | None, str | None]:
        """Return the model that served, and the router: the other name, where there is just one.

        The one that served is not the one asked for; else the one that spoke most, and of equals the later.

        Source: event formats, sections 9.2 and 16.9.
        """
        names = list(self._told)
        others = [name for name in names if name not in asked] or names
        served = max(others, key=lambda name: (self._spoken[name], self._told[name], names.index(name)), default=None)
        rest = [name for name in names if name != served]
        return served, rest[0] if len(rest) == 1 else None
