"""What services need from storage. Contract suites in tests/contracts hold for every store."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from shared.domain.delivery import Position

__all__ = [
    "Batch",
    "ContentDocument",
    "ContentStore",
    "Ledger",
    "LedgerTransaction",
    "Quarantined",
    "Row",
    "UsageRollups",
]

Row = dict[str, Any]
"""One row of a table: column name -> value. A column left out is null."""


class ContentDocument(NamedTuple):
    """What one fragment said, whole."""

    interaction_id: str
    document: str
    """Evidence code and digest: the same fragment is the same document."""
    body: bytes


class ContentStore(Protocol):
    """Texts and bodies, kept apart from the facts."""

    def put(self, documents: Sequence[ContentDocument]) -> None:
        """Keep documents. Idempotent: a document that is there already stays as it is.

        Raises:
            StoreUnavailableError: some or none were kept; put them all again.
        """

    def get(self, interaction_ids: Collection[str]) -> Mapping[str, Sequence[ContentDocument]]:
        """Return each interaction's documents, ordered by `document`; none for an unknown id."""


class Quarantined(NamedTuple):
    """An event that cannot be understood."""

    id: str
    position: Position
    reason: str
    body: bytes


@dataclass(slots=True)
class Batch:
    """Everything that one batch of deliveries changes in the ledger; committed whole or not at all."""

    hub: str
    partition: str
    received: int
    redelivered: int
    last_sequence: int
    last_enqueued_at: str
    new_interactions: list[Row] = field(default_factory=list)
    changed_interactions: list[Row] = field(default_factory=list)
    """With the `revision` that was read."""
    deliveries: list[tuple[Position, str, str | None]] = field(default_factory=list)
    """New positions, with outcome and source."""
    waiting: list[tuple[str, Position]] = field(default_factory=list)
    """Kept deliveries of interactions that are pending now."""
    settled: list[str] = field(default_factory=list)
    """Interactions that were pending and are not any more."""
    quarantined: list[Quarantined] = field(default_factory=list)
    dirty_hours: set[str] = field(default_factory=set)


class LedgerTransaction(Protocol):
    """One transaction; a constant number of statements, whatever the size of the batch."""

    def known_positions(self, positions: Collection[Position]) -> set[Position]:
        """Return those of one partition's positions that were received before."""

    def known_quarantine(self, ids: Collection[str]) -> set[str]:
        """Return those ids that are in quarantine already."""

    def interactions(self, ids: Collection[str]) -> dict[str, Row]:
        """Return the rows of those interactions that exist."""

    def store(self, batch: Batch) -> None:
        """Write the batch.

        Raises:
            ConflictError: another transaction was first with one of the interactions.
        """


class Ledger(Protocol):
    """The facts and the accounting."""

    def transaction(self) -> AbstractContextManager[LedgerTransaction]:
        """Open a transaction that commits on leaving and rolls back on an exception.

        Raises:
            StoreUnavailableError: nothing was written.
            ConflictError: nothing was written; the same batch may succeed at once.
        """


class UsageRollups(Protocol):
    """Usage by hour, day and month."""

    def rebuild(self, *, most_hours: int) -> Iterable[str]:
        """Recompute up to `most_hours` of the hours marked dirty; return them, empty when all is clean."""
