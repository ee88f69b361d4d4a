"""Which time a page speaks of, and which time before it is compared with."""

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from shared.domain.values import utc_of

__all__ = ["SINCE", "Range", "range_of"]

_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_MOST_HOURS: Final = 2 * _DAY
_MOST_DAYS: Final = 100 * _DAY

SINCE: Final = {"24h": "24 h", "7d": "7 days", "30d": "30 days", "month": "Month"}
"""Ranges that end now: the parameter's word -> the link's."""
_DAYS: Final = {"7d": 7, "30d": 30}


class Range(NamedTuple):
    """A time, in whole hours; all times are canonical UTC."""

    start: str
    end: str
    """Exclusive."""
    before_start: str
    before_end: str
    """So long after `before_start` as what there can be of the range is after `start`."""
    interval: str
    """`hour`, `day` or `month`: of bars that fit beside each other."""
    starts: tuple[str, ...]
    """Of all intervals."""
    is_running: bool
    """Whether the range ends later than now."""
    now: datetime


def range_of(now: datetime, *, since: str = "7d", start: str | None = None, end: str | None = None) -> Range:
    """Return the range from `start` to `end` where one of them is given, else the one that `since` names."""
    current = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + _HOUR
    first, last = _given(current, start, end) if start or end else _named(current, since)
    interval = "hour" if last - first <= _MOST_HOURS else "day" if last - first <= _MOST_DAYS else "month"
    length = last - first
    passed = min(length, max(current - first, _HOUR))
    before = first - length
    return Range(
        utc_of(first),
        utc_of(last),
        utc_of(before),
        utc_of(before + passed),
        interval,
        tuple(_starts(first, last, interval)),
        last > now,
        now,
    )


def _named(current: datetime, since: str) -> tuple[datetime, datetime]:
    midnight = (current - _HOUR).replace(hour=0)
    if since == "month":
        first = midnight.replace(day=1)
        return first, (first + 32 * _DAY).replace(day=1)
    if since in _DAYS:
        return midnight - (_DAYS[since] - 1) * _DAY, midnight + _DAY
    return current - _DAY, current


def _given(current: datetime, start: str | None, end: str | None) -> tuple[datetime, datetime]:
    last = current if end is None else _up(datetime.fromisoformat(end))
    first = last - 7 * _DAY if start is None else datetime.fromisoformat(start)
    first = first.replace(minute=0, second=0, microsecond=0)
    return first, max(last, first + _HOUR)


def _up(moment: datetime) -> datetime:
    down = moment.replace(minute=0, second=0, microsecond=0)
    return down if down == moment else down + _HOUR


def _starts(first: datetime, last: datetime, interval: str) -> list[str]:
    at = first if interval == "hour" else first.replace(hour=0)
    at = at.replace(day=1) if interval == "month" else at
    starts = []
    while at < last:
        starts.append(utc_of(at))
        at = next_start(at, interval)
    return starts


def next_start(at: datetime, interval: str) -> datetime:
    """Return when the interval after the one that begins `at` begins."""
    if interval == "month":
        return (at + 32 * _DAY).replace(day=1)
    return at + (_HOUR if interval == "hour" else _DAY)
