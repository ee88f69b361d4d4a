"""Who pays for a call, as of its time: assignments of callers to teams and cost centres. Pure.

Organisations write a file of assignments, or send them to the audit API (docs/cost.md).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, NamedTuple

import orjson

from shared.domain.values import NO_TIME
from shared.errors import InvalidFileError
from shared.pricing.files import Line, entries_of, lines_in

__all__ = [
    "AMBIGUOUS",
    "NOBODY",
    "PAID_BY",
    "Assignment",
    "Matched",
    "Payer",
    "Payers",
    "assignments_of",
    "check_change",
    "read_assignments",
]


class Matched(StrEnum):
    """What of a call an assignment goes by: the first of these by which any holds decides."""

    TAG = "tag"
    """A tag of the call: a header that the gateway's policy passes on."""
    USER = "user"
    APPLICATION = "application"
    SUBSCRIPTION = "subscription"
    PRODUCT = "product"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Who pays for the calls of one caller, from a day on. It never changes: it may be ended, and another follows."""

    matched: Matched
    name: str
    """Of the tag, in lower case; else empty."""
    value: str
    team: str
    """Empty: none; not both are."""
    cost_centre: str
    valid_from: str
    """Canonical UTC, inclusive."""
    valid_to: str | None
    """Canonical UTC, exclusive; None: until another one follows."""

    @property
    def key(self) -> tuple[object, ...]:
        """Return what tells one assignment from another."""
        return (self.matched, self.name, self.value, self.valid_from)


class Payer(NamedTuple):
    """Who pays for a call."""

    team: str | None
    cost_centre: str | None
    matched: str | None
    """By what: a `Matched`, `AMBIGUOUS`, or nothing."""


AMBIGUOUS: Final = "ambiguous"
"""Two tags of the call name two payers: nobody is chosen, and that is a finding."""
NOBODY: Final = Payer(None, None, None)
PAID_BY: Final = ("occurred_at", "tags", "user_id", "app_id", "subscription_id", "product_id")
"""The fields of an interaction that its payer follows from."""

_FIELDS: Final = {
    Matched.USER: "user_id",
    Matched.APPLICATION: "app_id",
    Matched.SUBSCRIPTION: "subscription_id",
    Matched.PRODUCT: "product_id",
}
_COLUMNS: Final = ("kind", "name", "value", "team", "cost_centre", "valid_from", "valid_to")


class Payers:
    """All assignments of one version."""

    def __init__(self, assignments: Iterable[Assignment] = ()) -> None:
        """Hold assignments of any days."""
        self._held: dict[tuple[Matched, str, str], list[Assignment]] = {}
        for one in assignments:
            self._held.setdefault((one.matched, one.name, one.value), []).append(one)
        self._kinds = [matched for matched in Matched if any(key[0] is matched for key in self._held)]

    def payer(self, call: Mapping[str, Any]) -> Payer:
        """Return who pays for a call.

        The first of `Matched` by which an assignment holds decides alone; of several of one caller the one that began
        last. Tags of two names may contradict each other: then nobody pays.

        Args:
            call: an interaction, at least `PAID_BY`.
        """
        for matched in self._kinds:
            found = {one for key in _keys_of(call, matched) if (one := self._at(key, call["occurred_at"]))}
            if len(found) > 1:
                return Payer(None, None, AMBIGUOUS)
            for team, cost_centre in found:
                return Payer(team or None, cost_centre or None, matched.value)
        return NOBODY

    def _at(self, key: tuple[Matched, str, str], at: str) -> tuple[str, str] | None:
        # One that another followed does not come back when that one ends.
        started = [one for one in self._held.get(key, ()) if one.valid_from <= at]
        last = max(started, key=lambda one: one.valid_from, default=None)
        if last is None or (last.valid_to is not None and last.valid_to <= at):
            return None
        return last.team, last.cost_centre


def _keys_of(call: Mapping[str, Any], matched: Matched) -> Iterator[tuple[Matched, str, str]]:
    if matched is Matched.TAG:
        yield from ((matched, name, value) for name, value in _tags(call.get("tags") or "{}"))
    elif value := call.get(_FIELDS[matched]):
        yield matched, "", value


@lru_cache(maxsize=4096)
def _tags(text: str) -> tuple[tuple[str, str], ...]:
    """Return the tags of a call, of which few are ever different: a name in lower case, and its value."""
    tags = orjson.loads(text)
    return tuple((name.lower(), value) for name, value in tags.items() if isinstance(value, str))


def read_assignments(text: str) -> list[Assignment]:
    """Return what a CSV file states.

    Raises:
        InvalidFileError: a line is wrong; the message names it and says how.
    """
    return entries_of(lines_in(text, _COLUMNS), _assignment)


def assignments_of(entries: Iterable[Mapping[str, str]]) -> list[Assignment]:
    """Return assignments that came otherwise than in a file, each as the texts of a line; what is left out is empty.

    Raises:
        InvalidFileError: an entry is wrong; the message names it by its place, from 1 on, and says how.
    """
    blank = dict.fromkeys(_COLUMNS, "")
    lines = (Line(f"entry {place}", blank | dict(values)) for place, values in enumerate(entries, 1))
    return entries_of(lines, _assignment)


def _assignment(line: Line) -> Assignment:
    matched = Matched(line.one_of("kind", Matched))
    name = line.text("name", required=matched is Matched.TAG).lower()
    if name and matched is not Matched.TAG:
        raise line.error("name", "is of tags alone")
    team, cost_centre = line.text("team"), line.text("cost_centre")
    if not (team or cost_centre):
        raise line.error("team", "must not be empty where cost_centre is")
    return Assignment(
        matched=matched,
        name=name,
        value=line.text("value", required=True),
        team=team,
        cost_centre=cost_centre,
        valid_from=line.day("valid_from") or NO_TIME,
        valid_to=line.day("valid_to") or None,
    )


def check_change(before: Assignment, after: Assignment) -> None:
    """Return if `after` is the same assignment, or ends it.

    Raises:
        InvalidFileError: it says something else.
    """
    is_same = (after.team, after.cost_centre) == (before.team, before.cost_centre)
    if not is_same or (before.valid_to is not None and after.valid_to != before.valid_to):
        words = " ".join(part for part in (after.matched, after.name, after.value, after.valid_from[:10]) if part)
        raise InvalidFileError(f"{words} is there, and says something else: end it, add another")
