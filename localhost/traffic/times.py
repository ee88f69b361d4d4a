"""Times as the sources write them, from milliseconds since 1970."""

from datetime import UTC, datetime, timedelta
from typing import Final

__all__ = ["iso", "net_text", "within_hour"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SHAPE: Final = (3, 4, 6, 7, 8, 9, 9, 8, 7, 5, 6, 7)
"""How busy each five minutes of a working hour are."""
_SLOT_MS: Final = 300_000


def iso(milliseconds: int) -> str:
    """Return ISO 8601, UTC: `2026-03-02T09:30:00.000Z`."""
    return (_EPOCH + timedelta(milliseconds=milliseconds)).isoformat(timespec="milliseconds")[:23] + "Z"


def net_text(milliseconds: int) -> str:
    """Return what .NET's `DateTime.UtcNow.ToString()` gives in American culture: `3/2/2026 9:30:00 AM`."""
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    hour = moment.hour % 12 or 12
    half = "AM" if moment.hour < 12 else "PM"
    return f"{moment.month}/{moment.day}/{moment.year} {hour}:{moment.minute:02}:{moment.second:02} {half}"


def within_hour(fraction: float) -> int:
    """Return the milliseconds of the hour after which this fraction of its calls has begun."""
    left = fraction * sum(_SHAPE)
    for slot, weight in enumerate(_SHAPE):
        if left < weight:
            return slot * _SLOT_MS + int(left / weight * _SLOT_MS)
        left -= weight
    return len(_SHAPE) * _SLOT_MS - 1
