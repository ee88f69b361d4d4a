"""How the ledger's accounting takes a batch: as deliveries that arrive, or as a replay of what is in quarantine.

What the events say is merged in the same way in any case.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, NamedTuple, Protocol

from shared.domain.balance import BalanceClass, Outcome, class_of
from shared.domain.delivery import Position
from shared.domain.quarantine import Held, QuarantineAction
from shared.domain.redaction import redacted
from shared.stores.ports import Changes, LedgerTransaction

__all__ = ["ARRIVAL", "Booking", "Known", "Replay"]


class Known(NamedTuple):
    """What the ledger has booked already of a batch's deliveries."""

    positions: set[Position]
    quarantine_ids: set[str]


class Booking(Protocol):
    """How the ledger's accounting takes a batch. What its events say is merged in the same way in any case."""

    def known(self, transaction: LedgerTransaction, positions: set[Position], quarantine_ids: set[str]) -> Known:
        """Return what of the batch was booked before and counts as a repeat; nothing where all of it is booked anew."""

    def book(self, changes: Changes) -> Changes:
        """Return the changes as they are to be written."""


class _Arrival:
    """Deliveries that a trigger hands over."""

    def known(self, transaction: LedgerTransaction, positions: set[Position], quarantine_ids: set[str]) -> Known:
        return Known(transaction.known_positions(positions), transaction.known_quarantine(quarantine_ids))

    def book(self, changes: Changes) -> Changes:
        return changes


ARRIVAL: Final = _Arrival()


class Replay:
    """Books what is in quarantine as if it had never been received: its deliveries are classed anew."""

    def __init__(
        self, held: Sequence[Held], note: Callable[[Held, BalanceClass, str | None], QuarantineAction]
    ) -> None:
        """Book `held`; `note` makes the record of what became of one of them."""
        self._held = held
        self._note = note
        self.actions: list[QuarantineAction] = []
        """What became of each, in the transaction that was committed last."""

    def known(self, transaction: LedgerTransaction, positions: set[Position], quarantine_ids: set[str]) -> Known:
        """Return nothing: all of it is booked anew."""
        del transaction, positions, quarantine_ids
        return Known(set(), set())

    def book(self, changes: Changes) -> Changes:
        """Return `changes` as they are of deliveries that were received, and counted, long ago."""
        unread = {one.body: one for one in changes.quarantined}
        outcomes = {position: (outcome, source) for position, outcome, source in changes.deliveries}
        waiting = {position for _, position in changes.waiting}
        self.actions = []
        released: list[str] = []
        unreleased = []
        moved: dict[Position, tuple[Position, Outcome, str | None]] = {}
        for one in self._held:
            still = unread.get(redacted(one.body))
            if still is not None:
                unreleased.append(still._replace(id=one.id))
                self.actions.append(self._note(one, BalanceClass.QUARANTINED, still.reason))
                continue
            outcome, source = outcomes.get(one.position, (Outcome.DUPLICATE, None))
            released.append(one.id)
            moved.setdefault(one.position, (one.position, outcome, source))
            self.actions.append(self._note(one, class_of(outcome, waits=one.position in waiting), None))
        return replace(
            changes,
            received=0,
            redelivered=0,
            deliveries=[],
            quarantined=[],
            released=released,
            reclassified=list(moved.values()),
            unreleased=unreleased,
            actions=self.actions,
        )
