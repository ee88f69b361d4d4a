"""Bodies that wait in Blob storage -> what their events say with them, as soon as they are there."""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from shared.domain.delivery import NOWHERE
from shared.domain.fragment import Content, Fragment
from shared.domain.reassembly.chunks import Reassembly
from shared.domain.reassembly.claim_checks import Claim, ClaimFault, weight
from shared.domain.reassembly.keys import fault_mark
from shared.domain.values import NO_TIME, utc_now, utc_of
from shared.errors import EventError
from shared.retry import retried
from shared.services.estimate import estimate_usage, is_unmetered
from shared.services.interactions import Assembled, ChunkPlace, Interactions
from shared.services.isolation import LOGGED_ONLY, Failures, apart
from shared.sources import claim_of, read_event, redeem
from shared.stores.ports import (
    Changes,
    ClaimedBodies,
    ClaimQueue,
    ContentDocument,
    ContentStore,
    Ledger,
    Row,
    WaitingClaim,
)

__all__ = ["ClaimCheck", "fetch_claimed_bodies"]

logger = logging.getLogger(__name__)

_TOGETHER: Final = 8 * 1024 * 1024
"""Bytes of bodies in memory at one time, if none is larger alone; those that are go one by one."""
_HEAVIEST: Final = 3
"""Times the largest body that a parsed one may weigh."""
_STEP: Final = 50
"""Claims looked after together."""
_STEPS: Final = 200
"""Such groups in one run: what is left waits for the next run."""
_SOONEST, _LATEST = timedelta(minutes=1), timedelta(hours=1)
"""A claim is tried again after as long as it has waited already, within these bounds."""


class ClaimCheck:
    """Meets claims in bounded memory, however many threads ask."""

    def __init__(self, bodies: ClaimedBodies | None, *, largest: int) -> None:
        """Fetch from `bodies`, if the settings name any; none that has more than `largest` bytes."""
        self._bodies = bodies
        self._largest = largest
        self._large = threading.Lock()

    def meet(self, claimed: Mapping[ChunkPlace, bytes], content: ContentStore) -> Assembled:
        """Keep what events say with the bodies that they claimed; return it without texts, for the ledger.

        For a claim that is not met, return the mark of its fault, or nothing where the next try may do.

        Args:
            claimed: where it stands -> the event's document.
            content: where the events are kept, with their bodies.

        Raises:
            StoreUnavailableError: the content store did not keep them.
        """
        assembled: Assembled = {}
        for group, size in self._groups(claimed):
            # Several partitions are ingested at once: no two large bodies may be in memory together.
            with self._large if size > _TOGETHER else nullcontext():
                assembled |= self._fetch(group, claimed, content)
        return assembled

    def _groups(self, claimed: Mapping[ChunkPlace, bytes]) -> Iterator[tuple[list[tuple[ChunkPlace, Claim]], int]]:
        """Yield claims that may be in memory together, and the bytes that they come to."""
        group: list[tuple[ChunkPlace, Claim]] = []
        total = 0
        for place, document in claimed.items():
            claim = claim_of(document)
            if claim is None:  # It was one when its key was made: a newer parser thinks otherwise.
                continue
            size = self._largest if claim.size is None else min(claim.size, self._largest)
            if group and total + size > _TOGETHER:
                yield group, total
                group, total = [], 0
            group.append((place, claim))
            total += size
        if group:
            yield group, total

    def _fetch(
        self, group: Sequence[tuple[ChunkPlace, Claim]], claimed: Mapping[ChunkPlace, bytes], content: ContentStore
    ) -> Assembled:
        assembled: Assembled = {}
        bodies: list[bytes | ClaimFault] = [ClaimFault.FOREIGN] * len(group)
        if self._bodies is not None:
            bodies = self._bodies.fetch([claim for _, claim in group])
        unreachable = sum(one is ClaimFault.UNREACHABLE for one in bodies)
        if unreachable:
            logger.warning("claims.unreachable number=%d", unreachable)
        documents: list[ContentDocument] = []
        bodies.reverse()
        for place, _ in group:
            chunks = place[1]
            fragment = self._read(claimed[place], bodies)
            if isinstance(fragment, ClaimFault):
                assembled[place] = [(fault_mark(chunks.keys[0], fragment), None)] if fragment.stays else []
                continue
            documents.append(ContentDocument(fragment.interaction_id, fragment.key, fragment.document))
            assembled[place] = [(chunks.mark(0, 0, withheld=True), fragment._replace(document=b""))]
            del fragment
        content.put(documents)
        return assembled

    def _read(self, document: bytes, bodies: list[bytes | ClaimFault]) -> Fragment | ClaimFault:
        """Return what an event says with the last of the bodies, which is taken out and let go."""
        body = bodies.pop()
        if isinstance(body, ClaimFault):
            return body
        if weight(body) > _HEAVIEST * self._largest:
            return ClaimFault.LARGE
        alone = [body]
        del body
        fragment = redeem(document, alone)
        return ClaimFault.UNREADABLE if fragment is None else fragment._replace(content=Content())


def fetch_claimed_bodies(
    *,
    queue: ClaimQueue,
    ledger: Ledger,
    content: ContentStore,
    claims: ClaimCheck,
    patience: timedelta,
    failures: Failures = LOGGED_ONLY,
    now: Callable[[], datetime] = utc_now,
) -> int:
    """Try again the claims that were not met and are due; return how many are settled now.

    One that was not met for longer than `patience` is not tried any more; another delivery of its
    event would try it again. One that fails is tried again like any other, and stops none.

    Raises:
        StoreUnavailableError: the claims not reached stay due; run it again.
    """
    retry = partial(_try, ledger=ledger, content=content, claims=claims, failures=failures)
    settled = tried = 0
    for _ in range(_STEPS):
        moment = now()
        due = queue.due(utc_of(moment), _STEP)
        done = apart(retry, due, failures)
        waiting = set().union(*done.results, done.failed)
        over = [one for one in due if one not in waiting or _age(one, moment) > patience]
        queue.forget(over)
        queue.postpone([(one, utc_of(moment + _pause(one, moment))) for one in due if one not in over])
        settled += len(due) - len(waiting)
        tried += len(due)
        if len(due) < _STEP:
            break
    logger.info("claims.run tried=%d settled=%d", tried, settled)
    return settled


def _age(claim: WaitingClaim, moment: datetime) -> timedelta:
    try:
        return moment - datetime.fromisoformat(claim.noted_at)
    except (TypeError, ValueError):
        return timedelta()  # nobody knows: it waits on


def _pause(claim: WaitingClaim, moment: datetime) -> timedelta:
    return min(max(_age(claim, moment), _SOONEST), _LATEST)


def _try(
    due: Sequence[WaitingClaim], *, ledger: Ledger, content: ContentStore, claims: ClaimCheck, failures: Failures
) -> set[WaitingClaim]:
    """Return those of the claims that go on waiting."""
    kept = content.get({one.interaction_id for one in due})
    bodies = {(name, key): body for documents in kept.values() for name, key, body in documents}
    events = {(name, key): event for name, key, _ in due if (event := _event(key, bodies.get((name, key)))) is not None}
    claimed = {(name, Reassembly([key]).ready[0]): bodies[name, key] for name, key in events}
    assembled = claims.meet(claimed, content)

    def attempt() -> Interactions:
        changes = Changes.unbooked()
        with ledger.transaction() as transaction:
            rows = transaction.interactions({name for name, _ in events})
            # What was erased meanwhile is not made anew.
            living = [event for (name, _), event in events.items() if name in rows]
            interactions = Interactions(transaction, living, assembled)
            for event in living:
                interactions.add(event)
            interactions.add_assembled(assembled)
            interactions.plan(changes)
            changes.waiting.extend((name, NOWHERE) for name in sorted(interactions.began_to_wait))
            transaction.store(changes)
        return interactions

    interactions = retried(attempt)
    content.drop(interactions.spent())
    estimate_one_by_one(interactions.rows, ledger=ledger, content=content, failures=failures)
    waiting = set(interactions.unmet_claims())
    return {one for one in due if (one.interaction_id, one.document) in waiting}


def _event(key: str, document: bytes | None) -> Fragment | None:
    if document is None:
        return None
    try:
        (fragment,) = read_event(document, NO_TIME).fragments
    except (EventError, ValueError):
        return None
    # It said when it happened with the time at which it was enqueued beside it, which nobody knows here.
    facts = {name: value for name, value in fragment.facts.items() if name != "occurred_at"}
    return fragment._replace(facts=facts, key=key)


def estimate_one_by_one(
    rows: Mapping[str, Row], *, ledger: Ledger, content: ContentStore, failures: Failures = LOGGED_ONLY
) -> None:
    """Estimate the usage of interactions whose bodies may be large: one at a time in memory."""
    for name, row in rows.items():
        if is_unmetered(row):
            estimate_usage({name: row}, ledger=ledger, content=content, failures=failures)
