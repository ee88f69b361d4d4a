"""What capacity that is paid by the hour needs from storage."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple, Protocol

__all__ = ["CapacityHour", "CapacityKey", "CapacityStore", "Settled"]


class Settled(NamedTuple):
    """What one step of settling did."""

    hours: int
    recharged: int
    """Of them, those whose calls must be charged anew, because what they share the hour's cost by has changed."""


class CapacityHour(NamedTuple):
    """An hour of capacity that is paid for: its cost is that of its calls and the rest."""

    hour: str
    """Canonical UTC."""
    host: str
    deployment: str
    kind: str
    """`provisioned` or `hosting`."""
    line: str
    """What the rest is: `idle`, `rounding` (digits behind the twelfth place), `unmetered` (nothing tells what its calls
    used) or `hosting`."""
    basis: str
    """What its calls' parts went by: `capacity` of the hour, as published; the calls of the `hour`; `none` had any."""
    amount: Decimal | None
    """The rest; None where the cost is."""
    currency: str
    cost: Decimal | None
    """None: in several currencies."""
    units: int
    capacity: int | None
    """Weighted tokens that it can serve; None: not published."""
    used: int
    calls: int
    unmetered_calls: int
    price_version: int


CapacityKey = tuple[str, str, str, str]
"""Hour, host, deployment, kind: their order in lists."""


class CapacityStore(Protocol):
    """Hours of capacity. Every method raises StoreUnavailableError when the database is down."""

    def note_hours(self, until: str) -> int:
        """Mark the reserved hours before `until` that were not yet, up to some thousands; return how many."""

    def settle(self, *, limit: int, at: str) -> Settled:
        """Make up to `limit` of the marked hours anew, from their calls' charges, and take the marks away.

        What thereby changes in a closed month is booked into the open one, at `at`.
        """

    def hours(
        self, start: str | None, end: str | None, *, after: CapacityKey | None, limit: int
    ) -> Sequence[CapacityHour]:
        """Return up to `limit` hours from `start` until before `end`, behind `after`."""
