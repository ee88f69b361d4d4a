"""Interactions that wait too long for their other parts -> incomplete; a part that comes later still merges."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

import orjson

from shared.domain.fragment import Content, Fragment
from shared.domain.interaction import State
from shared.domain.piece_keys import is_piece
from shared.domain.values import utc_now, utc_of
from shared.errors import ConflictError
from shared.merge import fold, give_up, strands_of
from shared.services.content import salvaged_pieces
from shared.services.joining import write_row
from shared.stores.ports import Batch, ContentStore, Ledger, Row

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
    *, ledger: Ledger, content: ContentStore, wait: timedelta, now: Callable[[], datetime] = utc_now
) -> int:
    """Give up the interactions whose newest waiting delivery was stored longer ago than `wait`; return how many.

    Their deliveries count as stored from then on: all that they say is in the ledger, and nothing
    waits any more. Safe beside ingest, which makes the row pending again or whole with any part that
    comes, and beside itself.

    Raises:
        StoreUnavailableError: what was given up before stays so; the next run goes on.
    """
    before = utc_of(now() - wait)
    given_up = 0
    for _ in range(_STEPS):
        number, settled = _expire(ledger, content, before)
        given_up += number
        if settled < _STEP:
            break
    logger.info("expire.run interactions=%d", given_up)
    return given_up


def _expire(ledger: Ledger, content: ContentStore, before: str) -> tuple[int, int]:
    """Return how many interactions were given up, and how many do not wait any more."""
    with ledger.transaction() as transaction:
        ids = transaction.overdue(before, _STEP)
        rows = transaction.interactions(ids)
    if not ids:
        return 0, 0
    # No lock is held while the content store is asked.
    told = _told(rows, content)
    changes = Batch.unbooked()
    try:
        with ledger.transaction() as transaction:
            transaction.take_lease(_LEASE)
            overdue = set(transaction.overdue(before, _STEP)).intersection(ids)
            for interaction_id, row in transaction.interactions(overdue).items():
                if row["state"] != State.PENDING:
                    continue
                overdue.discard(interaction_id)
                if row["parts"] == rows.get(interaction_id, {}).get("parts"):
                    write_row(changes, row, _given_up(row, told.get(interaction_id, [])))
            # What is left waits for an interaction that is not pending, or not there, any more; should ingest
            # make it pending at this moment, that wait is younger.
            transaction.end_waits(sorted(overdue), before)
            transaction.store(changes)
    except ConflictError:
        # Ingest was first with one of them: the next run looks again.
        return 0, 0
    return len(changes.changed_interactions), len(changes.changed_interactions) + len(overdue)


def _told(rows: Mapping[str, Row], content: ContentStore) -> dict[str, list[Fragment]]:
    """Return what the pieces that each row waits with say, as far as they are whole; of the bodies nothing stays."""
    in_pieces = [name for name, row in rows.items() if any(map(is_piece, orjson.loads(row["parts"])))]
    told: dict[str, list[Fragment]] = {}
    for start in range(0, len(in_pieces), _BODIES):
        documents = content.get(in_pieces[start : start + _BODIES])
        for name, own in documents.items():
            said = salvaged_pieces(own, orjson.loads(rows[name]["parts"]))
            told[name] = [one._replace(content=Content(), document=b"") for one in said]
    return told


def _given_up(row: Row, told: list[Fragment]) -> Row:
    strands = strands_of(row)
    give_up(strands, told)
    return fold(row["id"], strands, row["revision"])
