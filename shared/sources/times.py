"""The times that policies write, in whatever culture the gateway runs -> canonical UTC."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from shared.domain.values import Json, utc, utc_of

__all__ = ["known", "time_of"]

# In a str pattern \s takes in U+202F, which newer gateways put before AM and PM.
_CULTURE: Final = re.compile(
    r"(?P<one>\d{1,4})(?P<mark>[/.-])(?P<two>\d{1,2})(?P=mark)(?P<three>\d{1,4})[.,]?[\sT]+"
    r"(?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?:[:.](?P<second>\d{2}))?(?:\s*(?P<half>[AaPp])\.?\s?[Mm]\.?)?"
)
_LONGEST: Final = 40
_CENTURY: Final = 100
_NOON: Final = 12


def known(time: str | None) -> str | None:
    """Return a canonical time, or None for .NET's year 1, which means that no one knows it."""
    return None if time is None or time.startswith("0001-") else time


def time_of(value: Json, enqueued_at: str | None) -> str | None:
    """Return the time that `value` tells, or else the time at which the event was enqueued.

    A date whose day and month could be either is read the way that is nearer to `enqueued_at`;
    without that, month first with slashes and dashes, day first with dots.

    Source: event formats, section 2.4.
    """
    if not isinstance(value, str) or len(value) > _LONGEST:
        return enqueued_at
    moment = known(utc(value))
    if moment is not None:
        return moment
    readings = list(_readings(value.strip()))
    if not readings:
        return enqueued_at
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
