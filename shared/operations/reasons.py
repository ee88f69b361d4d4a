"""What an error says went wrong, in whatever shape -> one line of text."""

from collections.abc import Iterator, Mapping
from typing import Final

from shared.domain.values import Json, text

__all__ = ["reason_in"]

_MOST: Final = 16
"""Reasons of one error that are told, and members and items that are looked at on each level."""
_DEPTH: Final = 5
_LENGTH: Final = 1024
_SAYING: Final = ("msg", "message", "Message", "detail", "reason", "title", "description", "error_description")
"""Members that say it in a text, best first. What was sent (`input`, `ctx`) is no reason, and content."""
_HOLDING: Final = ("detail", "details", "message", "errors", "error")
"""Members that hold reasons, which may hold others."""
_PLACES: Final = ("loc", "path", "field", "param")


def reason_in(told: Json) -> str | None:
    """Return a reason, or all of a list of reasons, as one text of bounded length; None when there is none.

    A reason is a text; an object that says it, with the place that it is about; or one object of lists
    by place.

    Source: event formats, sections 10 and 16.8.
    """
    reasons: list[str] = []
    for reason in _reasons(told, _DEPTH):
        if reason not in reasons:
            reasons.append(reason)
        if len(reasons) == _MOST:
            break
    return text("; ".join(reasons), _LENGTH)


def _reasons(told: Json, depth: int) -> Iterator[str]:
    if isinstance(told, str):
        if (known := text(told, _LENGTH)) is not None:
            yield known
    elif depth and isinstance(told, list):
        for item in told[:_MOST]:
            yield from _reasons(item, depth - 1)
    elif depth and isinstance(told, dict):
        yield from _of_object(told, depth)


def _of_object(told: Mapping[str, Json], depth: int) -> Iterator[str]:
    found = False
    for name in _HOLDING:
        if isinstance(told.get(name), list | dict):
            for reason in _within(told[name], depth - 1):
                found = True
                yield reason
    if not found:
        said = next(
            (known for name in _SAYING if isinstance(told.get(name), str) and (known := text(told[name]))), None
        )
        if said is not None:
            place = next(filter(None, (_place(told.get(name)) for name in _PLACES)), None)
            yield said if place is None else f"{place}: {said}"


def _within(holder: Json, depth: int) -> Iterator[str]:
    """Yield the reasons that a member holds; of an object without any member that says one, those of each place."""
    if isinstance(holder, dict) and holder.keys().isdisjoint((*_SAYING, *_HOLDING)):
        for place, told in list(holder.items())[:_MOST]:
            yield from (f"{text(place, 64)}: {reason}" for reason in _reasons(told, depth - 1))
    else:
        yield from _reasons(holder, depth)


def _place(told: Json) -> str | None:
    """Return where in the request it is: a text, or names and numbers from the outside in."""
    if not isinstance(told, list):
        return text(told, 64) if isinstance(told, str) else None
    return ".".join(filter(None, (text(part, 64) for part in told[:_MOST]))) or None
