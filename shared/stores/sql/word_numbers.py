"""Numbers of interactions in the order of time, by which the index of words knows them.

A number is five minutes since the year 1, and a place within them. So what is found comes in the order of lists, and
the numbers of those that have a word lie close together, which is what keeps the index small.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from shared.domain.values import utc_of

__all__ = ["BITS", "bucket_of", "numbers_of", "start_of", "week_of", "weeks_of"]

_YEAR_1: Final = datetime(1, 1, 1, tzinfo=UTC)
"""A Monday."""
_SECONDS: Final = 300
_IN_A_WEEK: Final = 7 * 24 * 3600 // _SECONDS
BITS: Final = 22
"""Four million interactions in five minutes: more than any gateway lets through."""


def bucket_of(moment: str) -> int:
    """Return the five minutes of a time, canonical UTC."""
    return int((datetime.fromisoformat(moment) - _YEAR_1).total_seconds()) // _SECONDS


def week_of(bucket: int) -> int:
    """Return the week of five minutes."""
    return bucket // _IN_A_WEEK


def start_of(bucket: int) -> str:
    """Return when five minutes begin, canonical UTC."""
    return utc_of(_YEAR_1 + timedelta(seconds=bucket * _SECONDS))


def weeks_of(week: int) -> tuple[str, str | None]:
    """Return when a week begins and ends, canonical UTC; None: with the calendar."""
    try:
        return start_of(week * _IN_A_WEEK), start_of((week + 1) * _IN_A_WEEK)
    except OverflowError:
        return start_of(week * _IN_A_WEEK), None


def numbers_of(first: int, last: int) -> tuple[int, int]:
    """Return the least and the largest number within some five minutes, both ends included."""
    return first << BITS, ((last + 1) << BITS) - 1
