"""What Event Hubs hands over: bytes and where they stood; and how much of a batch is worked on together, or refused."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from shared.domain.values import NO_TIME
from shared.errors import TooManyInvalidError

__all__ = ["DEFAULT_LIMIT", "NOWHERE", "NO_LIMIT", "Delivery", "InvalidLimit", "Position", "check_limit", "slices"]


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


@dataclass(frozen=True, slots=True)
class InvalidLimit:
    """Refuse a batch with more than `count` invalid events *and* more than `ratio` of its size.

    Both, because one bad event is all of a batch of one and must not stop its partition.
    """

    count: int
    ratio: float
    """0 to 1. At 1 nothing is ever refused."""

    def refuses(self, invalid: int, total: int) -> bool:
        """Return whether a batch of `total` events, `invalid` of which cannot be read, must not be stored."""
        return invalid > self.count and invalid > self.ratio * total


DEFAULT_LIMIT: Final = InvalidLimit(count=12, ratio=0.5)
"""Noise of an honest hub stays far below it; of the host's batches of 64 that a broken parser meets, none does."""
NO_LIMIT: Final = InvalidLimit(count=0, ratio=1.0)

_SLICE_BYTES: Final = 4 * 1024 * 1024
"""Of bodies that are worked on together: parsed they weigh many times as much, and each partition has its own."""


def slices(deliveries: Sequence[Delivery]) -> Iterator[Sequence[Delivery]]:
    """Yield the deliveries, in their order, in parts whose bodies may be in memory together, parsed."""
    start = size = 0
    for place, delivery in enumerate(deliveries):
        if place > start and size + len(delivery.body) > _SLICE_BYTES:
            yield deliveries[start:place]
            start, size = place, 0
        size += len(delivery.body)
    if start < len(deliveries):
        yield deliveries[start:]


def check_limit(reasons: Iterable[str | None], total: int, limit: InvalidLimit) -> None:
    """Refuse a batch of `total` events, given why each cannot be read; look at no more of them than that takes.

    Args:
        reasons: for each event where it stands and why it cannot be read; None for one that can.
        total: how many there are.
        limit: what may be so.

    Raises:
        TooManyInvalidError: the batch must not be stored.
    """
    invalid = readable = 0
    first = None
    for reason in reasons:
        if reason is None:
            readable += 1
            if not limit.refuses(total - readable, total):
                return
        else:
            invalid += 1
            first = first or reason
    if limit.refuses(invalid, total):
        raise TooManyInvalidError(f"{invalid} of {total} events cannot be read, the first at {first}")
