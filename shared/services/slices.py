"""A batch -> parts that may be in memory together; and whether so much of it is unreadable that nothing is stored."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from shared.domain.delivery import Delivery
from shared.domain.invalid_limit import InvalidLimit
from shared.errors import TooManyInvalidError

__all__ = ["refuse", "slices"]

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


def refuse(reasons: Iterable[str | None], total: int, limit: InvalidLimit) -> None:
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
