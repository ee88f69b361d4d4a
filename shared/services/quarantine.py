"""Events in quarantine: looked at, tried again, or discarded; each recorded."""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import islice
from typing import NamedTuple

from shared.domain.access_log import Reader, entry_of
from shared.domain.balance import BalanceClass
from shared.domain.delivery import NO_LIMIT, Delivery, slices
from shared.domain.quarantine import Held, QuarantineAction
from shared.domain.values import text, utc_now, utc_of
from shared.errors import NotFoundError
from shared.questions import ListKey
from shared.retry import QUICK_SECONDS, retried
from shared.services.booking import Replay
from shared.services.ingest import ingest
from shared.stores.ports import AuditStore, ContentStore, Ledger, QuarantineStore

__all__ = ["QuarantineService", "Replayed"]

logger = logging.getLogger(__name__)


class Replayed(NamedTuple):
    """What became of events that were tried again."""

    classes: Mapping[BalanceClass, int]
    """How many are in which class now; those that still cannot be read are quarantined."""
    unknown: list[str]
    """Ids asked for that are not in quarantine, or not any more."""
    next: ListKey | None
    """Where the rest of the range begins; None at its end."""


def _groups(held: Sequence[Held]) -> list[list[str]]:
    """Return ids of events whose bodies may be in memory together, and go into one transaction."""
    ids = iter([one.id for one in held])
    return [list(islice(ids, len(part))) for part in slices([Delivery(one.position, one.body) for one in held])]


class QuarantineService:
    """The use cases. Every method raises StoreUnavailableError when a store is down.

    A replay runs here, through the very ingest of the triggers, and does not send the events to their
    hub again: there they would get new positions and be received twice, and the app would need the
    right to send. Here what the event says, its new class and the record of it are one transaction.
    """

    def __init__(
        self,
        *,
        store: QuarantineStore,
        audit: AuditStore,
        ledger: Ledger,
        content: ContentStore,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        """Act on what `store` holds; reads of bytes are recorded in `audit`."""
        self._store = store
        self._audit = audit
        self._ledger = ledger
        self._content = content
        self._now = now

    def event(self, event_id: str, *, reader: Reader) -> Held:
        """Return an event with its bytes; the reading is recorded first.

        Raises:
            NotFoundError: it is not in quarantine, or was discarded.
        """
        held = self._held(event_id)
        self._audit.record_access(entry_of(reader, held.id, at=utc_of(self._now()), rows=1))
        return held

    def replay(self, ids: Collection[str], *, actor: str) -> Replayed:
        """Try the events again, as if they came now; running it twice has the effect of once.

        An event that can be read leaves quarantine, and its delivery moves to the class that it is
        in now. One that cannot stays, with the reason and the version of this parser.
        """
        known: set[str] = set()
        classes: Counter[BalanceClass] = Counter()
        for group in _groups(self._store.held(ids)):
            held, became = retried(partial(self._replayed, group, actor), seconds=QUICK_SECONDS)
            known |= {one.id for one in held}
            classes += Counter(became)
        return Replayed(classes, [one for one in ids if one not in known], None)

    def replay_between(
        self, start: str | None, end: str | None, *, after: ListKey | None, limit: int, actor: str
    ) -> Replayed:
        """Try up to `limit` events that were enqueued from `start` until before `end`, newest first."""
        held = self._store.held_between(start, end, after=after, limit=limit + 1)
        replayed = self.replay([one.id for one in held[:limit]], actor=actor)
        if len(held) <= limit:
            return replayed._replace(unknown=[])
        last = held[limit - 1]
        return replayed._replace(unknown=[], next=ListKey(last.position.enqueued_at, last.id))

    def discard(self, event_id: str, *, reason: str, actor: str) -> None:
        """Forget an event's bytes, for good; its delivery counts as skipped. Discarded once, it stays so.

        Raises:
            NotFoundError: it is not in quarantine, and was not discarded.
        """
        if self._is_discarded(event_id):
            return
        held = self._held(event_id)
        self._store.discard(self._action("discard", actor, held, BalanceClass.SKIPPED, reason))
        logger.info("quarantine.discard events=1")

    def _held(self, event_id: str) -> Held:
        found = self._store.held([event_id])
        if not found:
            raise NotFoundError("there is no event with this id in quarantine")
        return found[0]

    def _is_discarded(self, event_id: str) -> bool:
        with self._ledger.transaction() as transaction:
            is_known = event_id in transaction.known_quarantine({event_id})
        return is_known and not self._store.held([event_id])

    def _replayed(self, ids: Collection[str], actor: str) -> tuple[Sequence[Held], Mapping[BalanceClass, int]]:
        # Where somebody else tried or discarded one of them meanwhile, what is held is another.
        held = self._store.held(ids)
        return held, self._replay(held, actor) if held else {}

    def _replay(self, held: Sequence[Held], actor: str) -> Mapping[BalanceClass, int]:
        booking = Replay(held, partial(self._action, "replay", actor))
        ingest(
            [Delivery(one.position, one.body) for one in held],
            ledger=self._ledger,
            content=self._content,
            booking=booking,
            limit=NO_LIMIT,
        )
        classes = Counter(action.result for action in booking.actions)
        logger.info("quarantine.replay events=%d released=%d", len(held), len(held) - classes[BalanceClass.QUARANTINED])
        return classes

    def _action(
        self, action: str, actor: str, held: Held, result: BalanceClass, reason: str | None
    ) -> QuarantineAction:
        return QuarantineAction(
            acted_at=utc_of(self._now()),
            actor=actor,
            action=action,
            event_id=held.id,
            position=held.position,
            result=result,
            reason=reason and text(reason, 512),
        )
