"""The times that events tell, in whatever form and culture -> canonical UTC, within what is possible."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from shared.domain.interaction import Facts
from shared.domain.values import Json, utc, utc_of

__all__ = ["possible_time", "state_time", "time_of"]

_EARLIEST: Final = "2015-01-01T00:00:00.000Z"
"""API Management sends to Event Hubs since 2015: no event is older, however late its log or its replay is."""
_LATEST: Final = "2100-01-01T00:00:00.000Z"
"""Nor newer than this, where nobody knows when the event was enqueued."""
_AHEAD: Final = timedelta(days=1)
"""How far a clock may be ahead of the hub's: more than a time zone that was taken for UTC."""

# In a str pattern \s takes in U+202F, which newer gateways put before AM and PM.
_CULTURE: Final = re.compile(
    r"(?P<one>\d{1,4})(?P<mark>[/.-])(?P<two>\d{1,2})(?P=mark)(?P<three>\d{1,4})[.,]?[\sT]+"
    r"(?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?:[:.](?P<second>\d{2}))?(?:\s*(?P<half>[AaPp])\.?\s?[Mm]\.?)?"
)
_LONGEST: Final = 40
_CENTURY: Final = 100
_NOON: Final = 12


def possible_time(time: str | None) -> str | None:
    """Return a canonical time, or None where it is impossible: .NET's year 1, which means unknown, or its year 9999."""
    return None if time is None or not _EARLIEST <= time < _LATEST else time


def state_time(facts: Facts, enqueued_at: str | None, *times: str | None) -> None:
    """State when a call happened: the first of `times`, best first, that is possible.

    Possible is what lies in 2015 or later, and a day at most behind the moment at which the event was enqueued:
    logs come late, and files are replayed years later, but nothing is reported before it happened. Where
    no time is possible, `enqueued_at` stands in, and `time_replaced` says so; without that the time is unknown.

    Args:
        facts: of the event.
        enqueued_at: canonical UTC by the hub's clock; None when the host did not know it.
        times: canonical UTC; None where a member has none.
    """
    for time in map(possible_time, times):
        if time is not None and not _is_ahead(time, enqueued_at):
            facts["occurred_at"] = time
            return
    if enqueued_at is not None:
        facts["occurred_at"] = enqueued_at
        facts["time_replaced"] = True


def _is_ahead(time: str, enqueued_at: str | None) -> bool:
    # Nearly every event tells a time before it was enqueued: the texts alone show that.
    if enqueued_at is None or time <= enqueued_at:
        return False
    return datetime.fromisoformat(time) - datetime.fromisoformat(enqueued_at) > _AHEAD


def time_of(value: Json, enqueued_at: str | None) -> str | None:
    """Return the time that `value` tells in any culture; None where it tells none.

    A date whose day and month could be either is read the way that is nearer to `enqueued_at`;
    without that, month first with slashes and dashes, day first with dots.

    Source: event formats, section 2.4.
    """
    if not isinstance(value, str) or len(value) > _LONGEST:
        return None
    moment = utc(value)
    if moment is not None:
        return moment
    readings = list(_readings(value.strip()))
    if not readings:
        return None
    if enqueued_at is None:
        return utc_of(readings[0])
    enqueued = datetime.fromisoformat(enqueued_at)
    return utc_of(min(readings, key=lambda reading: abs(reading - enqueued)))


def _readings(value: str) -> Iterator[datetime]:
    found = _CULTURE.fullmatch(value)
    if found is None:
        return
    one, two, three = (int(found[name]) for name in ("one", "two", "three"))
    hour, half = int(found["hour"]), found["half"]
    if half is not None:
        hour = hour % _NOON + (_NOON if half in "Pp" else 0)
    if one >= _CENTURY:
        dates = [(one, two, three)]
    else:
        year = three if three >= _CENTURY else 2000 + three
        dates = [(year, one, two), (year, two, one)]
        if found["mark"] == ".":
            dates.reverse()
    for year, month, day in dates:
        try:
            yield datetime(year, month, day, hour, int(found["minute"]), int(found["second"] or 0), tzinfo=UTC)
        except ValueError:
            continue
