"""Who pays for whose calls: read from files, changed by people, listed."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from shared.domain.values import utc_now, utc_of
from shared.pricing.payers import Assignment, read_assignments
from shared.stores.price_ports import AssignmentStore

__all__ = ["AssignmentPage", "PayerService"]

logger = logging.getLogger(__name__)


class AssignmentPage(NamedTuple):
    """Part of the list of assignments."""

    assignments: list[Assignment]
    next: tuple[str, ...] | None
    """Behind which the next page begins; None at the end."""


class PayerService:
    """The use cases of cost centres. Every method raises StoreUnavailableError when the database is down."""

    def __init__(self, store: AssignmentStore, *, now: Callable[[], datetime] = utc_now) -> None:
        """Read from and write to `store`."""
        self._store = store
        self._now = now

    def load(self, text: str, *, actor: str) -> int:
        """Load a CSV file of assignments; return how many it added or ended. Idempotent.

        Raises:
            InvalidFileError: a line cannot be read, or contradicts what is there; nothing was loaded.
        """
        return self.change(read_assignments(text), actor=actor)

    def change(self, assignments: Sequence[Assignment], *, actor: str) -> int:
        """Add and end assignments; return how many that are. Idempotent.

        Raises:
            InvalidFileError: one contradicts what is there; nothing was changed.
        """
        changed = self._store.change(assignments, actor=actor, at=utc_of(self._now()))
        logger.info("payers.change changed=%d", changed)
        return changed

    def assignments(self, *, after: tuple[str, ...] | None, limit: int) -> AssignmentPage:
        """Return assignments, in the order of their keys."""
        rows = self._store.assignments(after=after, limit=limit + 1)
        if len(rows) <= limit:
            return AssignmentPage(rows, None)
        last = rows[limit - 1]
        return AssignmentPage(rows[:limit], (last.matched.value, last.name, last.value, last.valid_from))
