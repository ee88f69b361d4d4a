"""Any JSON value -> a bounded value of one kind, or None when it is not of that kind.

Events are other people's writing: a number may be a string of digits, a string may be endless, a
flag may be a word. Nothing here raises, and nothing here guesses.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import orjson

__all__ = [
    "COUNT_LIMIT",
    "NO_TIME",
    "Json",
    "average",
    "canonical",
    "count",
    "flag",
    "hour_of",
    "interval_end",
    "number",
    "text",
    "text_of",
    "utc",
    "utc_now",
    "utc_of",
]

Json = Any
"""A parsed JSON value: dict, list, str, int, float, bool or None."""

NO_TIME = "0001-01-01T00:00:00.000Z"
""".NET's beginning of time: nobody knows when."""

COUNT_LIMIT = 10**15
"""Counts from here on are nonsense; sums of smaller ones fit a SQL bigint for thousands of years."""


def text(value: Json, limit: int = 256) -> str | None:
    """Return a trimmed, non-empty string of at most `limit` UTF-16 units (nvarchar's own unit)."""
    return text_of(limit)(value)


@cache
def text_of(limit: int) -> Callable[[Json], str | None]:
    """Return `text` for one limit. A closure, for every event has dozens of texts, and each call counts."""

    def text_within(value: Json) -> str | None:
        result: str = (value if isinstance(value, str) else _written(value)).strip()
        if len(result) * 2 <= limit and "\x00" not in result:
            return result or None  # nearly every one: it fits, whatever its characters are
        if not result.isascii():
            result = result.encode("utf-16-le", "replace")[: 2 * limit].decode("utf-16-le", "ignore")
        # SQL Server takes texts for equal that differ in spaces at their ends.
        return result.replace("\x00", "\N{REPLACEMENT CHARACTER}")[:limit].rstrip()

    return text_within


def _written(value: Json) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    try:
        return str(value)
    except ValueError:  # Python writes no integer of more than 4,300 digits.
        return ""


def count(value: Json) -> int | None:
    """Return a whole number from 0 to `COUNT_LIMIT`, given as a number or as digits."""
    if type(value) is int:
        return value if 0 <= value < COUNT_LIMIT else None
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        value = value.strip()
        if not (value.isascii() and value.isdigit() and len(value) < 16):
            return None
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and 0 <= value < COUNT_LIMIT:
        return value
    return None


def number(value: Json) -> float | None:
    """Return a finite number from 0 to `COUNT_LIMIT`, given as a number or as text."""
    if type(value) is not int and (isinstance(value, bool) or not isinstance(value, int | float | str)):
        return None
    try:
        result = float(value)
    except (ValueError, OverflowError):
        return None
    return result if 0 <= result < COUNT_LIMIT else None


def flag(value: Json) -> bool | None:
    """Return a truth value, given as a JSON boolean or as the word true or false."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return None


def utc(value: Json) -> str | None:
    """Return an ISO 8601 time as the canonical `2026-01-02T03:04:05.678Z`: UTC, milliseconds.

    A time without zone is UTC. .NET's seven fractional digits are cut. Other forms are None.
    """
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
        # Most events say it in the canonical form already; writing it again takes longer than reading.
        return value if _is_canonical(value) else utc_of(moment)
    except (ValueError, OverflowError):
        return None


def _is_canonical(time: str) -> bool:
    """Return whether a text that is an ISO time is one in the canonical form."""
    return len(time) == 24 and time[7] == "-" and time[10] == "T" and time[19] == "." and time[23] == "Z"


def utc_now() -> datetime:
    """Return the time by our clock: what services take for `now` unless a test says otherwise."""
    return datetime.now(UTC)


def utc_of(moment: datetime) -> str:
    """Return a datetime (naive is UTC) in the canonical form of `utc`."""
    if moment.tzinfo is not UTC:
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.isoformat(timespec="milliseconds")[:23].rjust(23, "0") + "Z"


def hour_of(time: str) -> str:
    """Return the beginning of the hour in which a canonical time lies."""
    return f"{time[:13]}:00:00.000Z"


def interval_end(start: str, interval: str) -> str | None:
    """Return where the hour, day or month that begins at a canonical time ends; None where time itself does.

    Raises:
        ValueError: `start` is no time.
    """
    moment = datetime.fromisoformat(start)
    try:
        if interval == "month":
            return utc_of((moment.replace(day=28) + timedelta(days=4)).replace(day=1))
        return utc_of(moment + (timedelta(hours=1) if interval == "hour" else timedelta(days=1)))
    except OverflowError:
        return None


def average(total: int, number: int) -> float:
    """Return total / number to hundredths, halves up: in whole numbers, so that SQL and KQL come to the same."""
    quotient, rest = divmod(total, number)
    return (100 * quotient + (200 * rest + number) // (2 * number)) / 100


def canonical(value: Json) -> str:
    """Return JSON text with sorted keys: equal values give equal text, so text can be compared."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS).decode()
