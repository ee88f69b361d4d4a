"""What Event Hubs hands over: bytes and where they stood."""

from typing import Final, NamedTuple

from shared.domain.values import NO_TIME

__all__ = ["NOWHERE", "Delivery", "Position"]


class Position(NamedTuple):
    """The identity of a delivery. A re-created hub counts anew, hence the enqueued time."""

    hub: str
    """`gateway` or `monitor`: the function's hub, not the namespace's name for it."""
    partition: str
    sequence: int
    """Counts up within a partition; negative, and made of the bytes, when the host sent no metadata."""
    enqueued_at: str
    """Canonical UTC time (`shared.domain.values.utc`)."""


NOWHERE: Final = Position("", "", 0, NO_TIME)
"""Where no delivery stands: an interaction waits there whose deliveries count as stored already."""


class Delivery(NamedTuple):
    """One event at one position."""

    position: Position
    body: bytes
