"""What rollups need from storage. The contract suite in tests/contracts holds for every store."""

from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol

__all__ = ["CallKey", "Mark", "UsageRollups"]

CallKey = tuple[str, str]
"""When an interaction happened, and its id; also when it was said to have happened before."""


class Mark(NamedTuple):
    """A mark on usage that is out of date."""

    id: int
    hour: str
    """Canonical UTC."""
    calls: Sequence[CallKey] | None
    """The interactions that changed; None: any of the hour may have."""


class UsageRollups(Protocol):
    """Usage by hour, day and month. Every method raises StoreUnavailableError when the database is down."""

    def marks(self, *, without: Collection[int] = ()) -> list[Mark]:
        """Return some of the marks, but those `without`, oldest first. Empty when there is none."""

    def calls_in(self, hour: str, *, after: CallKey | None, limit: int) -> list[CallKey]:
        """Return up to `limit` of what happened in an hour or has a charge there, in order, behind `after`."""

    def count(self, calls: Collection[CallKey]) -> set[str]:
        """Charge interactions as they are now, and add to the sums what they count as more than before; all or none.

        Idempotent. An interaction that is not there any more counts as nothing. Cost lines of new calls are added, too.

        Returns:
            The hours whose cost lines are to be made anew, by `add_up_costs`: those of all calls that are not new.
        """

    def add_up_costs(self, hour: str) -> None:
        """Make the cost lines of an hour anew, and its day's; book what that changes of a closed month.

        Raises:
            ValueError: `hour` is no time.
        """

    def hours(self) -> list[str]:
        """Return the hours that are summed, in order."""

    def recount(self, hour: str) -> int:
        """Add an hour up from its facts and charges again; return how many groups have other sums.

        Raises:
            ValueError: `hour` is no time.
        """

    def clear(self, marks: Collection[int]) -> None:
        """Take away marks whose calls were counted after the marks were read. Idempotent."""
