"""What costs by month need from storage: statements, and closing months."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from shared.questions import StatementQuery
from shared.stores.ports import Row

__all__ = ["ClosedMonth", "CostStore"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedMonth:
    """A month whose lines never change again."""

    month: str
    """Its start, canonical UTC."""
    closed_at: str
    actor: str
    digest: str
    """SHA-256 of all its lines, the adjustments booked into it among them, whatever their order."""
    line_count: int
    unpriced_calls: int
    """Calls without a price when it was closed."""
    unmetered_calls: int
    """Calls of which nothing told what they used."""
    pending_calls: int
    """Calls that waited for a part."""


class CostStore(Protocol):
    """Cost lines by month. Every method raises StoreUnavailableError when the database is down."""

    def close(self, month: str, *, actor: str, at: str) -> ClosedMonth:
        """Close a month and return it; one that is closed is returned as it is.

        Args:
            month: its start, canonical UTC.
            actor: who closes it.
            at: when.

        Raises:
            NotPossibleError: hours are not charged yet, or a month before it is open and has costs.
        """

    def closed_months(self, *, before: str | None, limit: int) -> list[ClosedMonth]:
        """Return up to `limit` closed months before the start of one, the newest first."""

    def last_closed_month(self) -> str | None:
        """Return the start of the last closed month; all before it are closed too. None where none is."""

    def digest(self, month: str) -> str:
        """Return the digest of a closed month's lines as they stand in the database now."""

    def statement(self, query: StatementQuery, *, after: tuple[str, ...] | None, limit: int) -> list[Row]:
        """Return up to `limit` lines of a month's statement behind `after`, in the order of their keys.

        A row has `STATEMENT_KEYS`, the number of `calls` and the `amount`, null where it is not known. Of a closed
        month they are the lines that were frozen; of another one the costs as they are now.
        """

    def sums(self, query: StatementQuery, *, by: Sequence[str] = (), limit: int | None = None) -> list[Row]:
        """Return what all lines of a statement add up to by `kind`, `currency` and `by`: `calls` and `amount`.

        Args:
            query: whose statement of which month.
            by: some of `LINE_KEYS`, and `month`.
            limit: the most rows, which then are those with the largest amounts; None: all.
        """

    def lines(self, query: StatementQuery, *, after: tuple[Any, ...] | None, limit: int) -> list[Row]:
        """Return up to `limit` of the days' lines by meter behind `after`, in the order of their keys.

        A row has `LINE_KEYS`, `quantity` and `amount`.
        """

    def day(self, start: str) -> list[Row]:
        """Return what a day costs as its facts are now, closed or not.

        A row has `day`, `host`, `deployment`, `unit`, `meter`, `currency`, `confidence`, `quantity` and `amount`.
        """

    def bypass_calls(self, start: str) -> list[tuple[str | None, int]]:
        """Return host and number of the calls of a day that only Azure OpenAI's own log knows."""
