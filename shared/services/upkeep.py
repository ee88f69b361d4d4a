"""Interactions that wait too long for their other parts -> incomplete; a part that comes later still merges."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import orjson

from shared.domain.fragment import Content, Fragment
from shared.domain.interaction import State
from shared.domain.reassembly.keys import is_chunk
from shared.domain.values import utc_now, utc_of
from shared.errors import ConflictError
from shared.merge import contributions_of, fold, give_up
from shared.services.content import salvage
from shared.services.interactions import change_row
from shared.services.isolation import LOGGED_ONLY, Failures, apart
from shared.stores.ports import Changes, ContentStore, Ledger, Row

__all__ = ["expire_pending_fragments"]

logger = logging.getLogger(__name__)

_LEASE: Final = "pending fragments"
_STEP: Final = 500
"""Interactions in one transaction."""
_BODIES: Final = 10
"""Interactions whose bodies, as far as they are there, are in memory at one time."""
_STEPS: Final = 20
"""Transactions in one run: what is left waits for the next run, not this one for it."""


def expire_pending_fragments(
    *,
    ledger: Ledger,
    content: ContentStore,
    wait: timedelta,
    failures: Failures = LOGGED_ONLY,
    now: Callable[[], datetime] = utc_now,
) -> int:
    """Give up the interactions whose newest waiting delivery was stored longer ago than `wait`; return how many.

    Their deliveries count as stored from then on: all that they say is in the ledger, and nothing
    waits any more. Safe beside ingest, which makes the row pending again or complete with any part that
    comes, and beside itself. One that fails goes on waiting, and stops no other.

    Raises:
        StoreUnavailableError: what was given up before stays so; the next run goes on.
    """
    before = utc_of(now() - wait)
    given_up = 0
    passed: set[str] = set()
    for _ in range(_STEPS):
        most = _STEP + len(passed)
        with ledger.transaction() as transaction:
            ids = [one for one in transaction.overdue(before, most) if one not in passed]
        expire = partial(_expire, ledger=ledger, content=content, before=before, most=most)
        done = apart(expire, ids, failures)
        passed.update(done.failed)
        given_up += sum(number for number, _ in done.results)
        if sum(settled for _, settled in done.results) + len(done.failed) < _STEP:
            break
    logger.info("expire.run interactions=%d passed_over=%d", given_up, len(passed))
    return given_up


def _expire(ids: Sequence[str], *, ledger: Ledger, content: ContentStore, before: str, most: int) -> tuple[int, int]:
    """Return how many of the interactions were given up, and how many do not wait any more."""
    with ledger.transaction() as transaction:
        rows = transaction.interactions(ids)
    # No lock is held while the content store is asked.
    salvaged = _salvage(rows, content)
    changes = Changes.unbooked()
    try:
        with ledger.transaction() as transaction:
            transaction.take_lease(_LEASE)
            overdue = set(transaction.overdue(before, most)).intersection(ids)
            for interaction_id, row in transaction.interactions(overdue).items():
                if row["state"] != State.PENDING:
                    continue
                overdue.discard(interaction_id)
                if row["parts"] == rows.get(interaction_id, {}).get("parts"):
                    change_row(changes, row, _give_up(row, salvaged.get(interaction_id, [])))
            # What is left waits for an interaction that is not pending, or not there, any more; should ingest
            # make it pending at this moment, that wait is younger.
            transaction.end_waits(sorted(overdue), before)
            transaction.store(changes)
    except ConflictError:
        # Ingest was first with one of them: the next run looks again.
        return 0, 0
    return len(changes.changed_interactions), len(changes.changed_interactions) + len(overdue)


def _salvage(rows: Mapping[str, Row], content: ContentStore) -> dict[str, list[Fragment]]:
    """Return what the chunks that each row waits with say, as far as they are complete; of the bodies nothing stays."""
    in_chunks = [name for name, row in rows.items() if any(map(is_chunk, orjson.loads(row["parts"])))]
    salvaged: dict[str, list[Fragment]] = {}
    for start in range(0, len(in_chunks), _BODIES):
        documents = content.get(in_chunks[start : start + _BODIES])
        for name, own in documents.items():
            fragments = salvage(own, orjson.loads(rows[name]["parts"]))
            salvaged[name] = [one._replace(content=Content(), document=b"") for one in fragments]
    return salvaged


def _give_up(row: Row, fragments: list[Fragment]) -> Row:
    contributions = contributions_of(row)
    give_up(contributions, fragments)
    return fold(row["id"], contributions, row["revision"])
