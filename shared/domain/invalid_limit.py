"""How many events of one batch may go to quarantine before the batch is refused."""

from dataclasses import dataclass
from typing import Final

__all__ = ["DEFAULT_LIMIT", "NO_LIMIT", "InvalidLimit"]


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
