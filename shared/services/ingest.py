"""One partition's batch of deliveries -> the ledger and the content store."""

import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import NamedTuple

from shared.domain.delivery import Delivery, Position
from shared.domain.fragment import Fragment
from shared.domain.invalid_limit import DEFAULT_LIMIT, InvalidLimit
from shared.domain.pieces import Whole, suffix
from shared.errors import ConflictError, EventError, TooManyInvalidError
from shared.services.estimate import estimate_usage, is_unmetered
from shared.services.joining import Joined, Joining, Keyed
from shared.sources import PARSER_VERSION, Aside, Reading, join, read_event
from shared.sources.redaction import redacted
from shared.stores.ports import (
    Batch,
    ContentDocument,
    ContentStore,
    Ledger,
    LedgerTransaction,
    Quarantined,
    Row,
)

__all__ = ["IngestOutcome", "ingest"]

logger = logging.getLogger(__name__)

_ATTEMPTS = 5
"""Tries of one batch against other writers of the same interactions, before the trigger retries."""


@dataclass(frozen=True, slots=True)
class IngestOutcome:
    """What became of a batch's events: the five classes add up to `received`."""

    received: int = 0
    stored: int = 0
    duplicate: int = 0
    pending: int = 0
    skipped: int = 0
    quarantined: int = 0
    retries: int = field(default=0, compare=False)
    """Times that another writer was first."""
    input_tokens: int = field(default=0, compare=False)
    """Of the batch's interactions, more than the ledger knew before."""
    output_tokens: int = field(default=0, compare=False)

    def __str__(self) -> str:
        """Return the counts as `name=value` pairs, for the log."""
        return " ".join(f"{field.name}={getattr(self, field.name)}" for field in fields(self))


class _Read(NamedTuple):
    """A delivery that was read: its fragments by document key, or why there are none."""

    position: Position
    fragments: tuple[Keyed, ...]
    asides: tuple[Aside, ...]
    source: str | None
    quarantined: Quarantined | None


class _Planned(NamedTuple):
    """All that a batch changes, or what has to be read before that is known."""

    changes: Batch
    outcome: IngestOutcome
    unread: list[tuple[str, Whole]]
    spent: list[tuple[str, str]]
    unmetered: dict[str, Row]


def ingest(
    deliveries: Sequence[Delivery], *, ledger: Ledger, content: ContentStore, limit: InvalidLimit = DEFAULT_LIMIT
) -> IngestOutcome:
    """Store all that `deliveries`, one partition's batch, say. Safe to repeat with the same batch.

    Raises:
        TooManyInvalidError: `limit` refuses the batch; nothing was written, of the content neither.
        StoreUnavailableError: the batch is to be delivered again. Content may have been kept; of the
            facts nothing was, or all were and the pieces of what was joined are still to be dropped.
    """
    if not deliveries:
        return IngestOutcome()
    batch = [_read(delivery) for delivery in deliveries]
    _refuse(batch, limit)
    # Content first: a fact whose content is lost cannot be mended, content without a fact is put again.
    content.put(_documents(batch))
    planned = _stored(batch, ledger, content)
    content.drop(planned.spent)
    if planned.unmetered:
        estimate_usage(planned.unmetered, planned.changes, ledger=ledger, content=content)
    first = deliveries[0].position
    logger.info("ingest.batch hub=%s partition=%s %s", first.hub, first.partition, planned.outcome)
    return planned.outcome


def _refuse(batch: Sequence[_Read], limit: InvalidLimit) -> None:
    invalid = [read.quarantined for read in batch if read.quarantined]
    if limit.refuses(len(invalid), len(batch)):
        hub, partition, sequence, _ = invalid[0].position
        raise TooManyInvalidError(
            f"{len(invalid)} of {len(batch)} events cannot be read, the first at {hub}/{partition}/{sequence}:"
            f" {invalid[0].reason}"
        )


def _stored(batch: Sequence[_Read], ledger: Ledger, content: ContentStore) -> _Planned:
    told: Joined = {}
    conflicts = 0
    while True:
        try:
            with ledger.transaction() as transaction:
                planned = _planned(batch, transaction, told)
                if not planned.unread:
                    transaction.store(planned.changes)
        except ConflictError:
            conflicts += 1
            if conflicts == _ATTEMPTS:
                raise
        else:
            if not planned.unread:
                return planned._replace(outcome=replace(planned.outcome, retries=conflicts))
            # Nothing was written, and no lock is held while the content store is asked.
            told |= _join(planned.unread, batch, content)


def _read(delivery: Delivery) -> _Read:
    position, body = delivery
    try:
        reading: Reading = read_event(body, position.enqueued_at)
    except EventError as error:
        kept = Quarantined(_digest(body), position, str(error), PARSER_VERSION, redacted(body))
        return _Read(position, (), (), None, kept)
    return _Read(position, tuple(map(_keyed, reading.fragments)), reading.asides, reading.source, None)


def _keyed(fragment: Fragment) -> Keyed:
    place = "" if fragment.piece is None else suffix(fragment.piece)
    return f"{fragment.code}:{_digest(fragment.document)}{place}", fragment


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


def _documents(batch: Iterable[_Read]) -> list[ContentDocument]:
    documents = _bodies(batch)
    for read in batch:
        documents |= {(shelf, f"aside:{_digest(body)}"): body for shelf, body in read.asides}
    return [ContentDocument(interaction_id, key, body) for (interaction_id, key), body in documents.items()]


def _bodies(batch: Iterable[_Read]) -> dict[tuple[str, str], bytes]:
    return {(fragment.interaction_id, key): fragment.document for read in batch for key, fragment in read.fragments}


def _join(unread: Sequence[tuple[str, Whole]], batch: Sequence[_Read], content: ContentStore) -> Joined:
    """Read the pieces' documents, join them, and keep what they make."""
    bodies = _bodies(batch)
    elsewhere = {name for name, whole in unread if any((name, key) not in bodies for key in whole.keys)}
    if elsewhere:
        kept = content.get(elsewhere)
        bodies |= {(name, key): body for documents in kept.values() for name, key, body in documents}
    told: Joined = {}
    for name, whole in unread:
        own = {key: bodies[name, key] for key in whole.keys if (name, key) in bodies}
        told[name, whole] = [(mark, _keyed(fragment)) for mark, fragment in join(whole, own)]
    content.put(
        [
            ContentDocument(fragment.interaction_id, key, fragment.document)
            for known in told.values()
            for _, (key, fragment) in known
        ]
    )
    return told


def _planned(batch: Sequence[_Read], transaction: LedgerTransaction, told: Joined) -> _Planned:
    """Work out, from what the ledger holds, everything that the batch changes."""
    joining = Joining(transaction, [keyed for read in batch for keyed in read.fragments], told)
    held = transaction.known_quarantine({read.quarantined.id for read in batch if read.quarantined})
    seen = transaction.known_positions({read.position for read in batch})
    kept: list[_Read] = []
    changes = _opened(batch)
    for read in batch:
        is_news = [joining.add(key, fragment) for key, fragment in read.fragments]
        if read.position in seen:
            changes.redelivered += 1
        else:
            seen.add(read.position)
            outcome = _outcome(read, is_news=any(is_news), held=held)
            changes.deliveries.append((read.position, outcome, read.source))
            if outcome == "kept":
                kept.append(read)
        if read.quarantined and read.quarantined.id not in held:
            held.add(read.quarantined.id)
            changes.quarantined.append(read.quarantined)
    unread = joining.join_pieces()
    states = joining.write(changes)
    pending = _wait(kept, joining, states, changes)
    unmetered = {name: row for name, row in joining.rows.items() if is_unmetered(row)}
    counted = replace(_counted(changes, pending), **joining.new_tokens())
    return _Planned(changes, counted, unread, joining.spent(), unmetered)


def _opened(batch: Sequence[_Read]) -> Batch:
    last = max((read.position for read in batch), key=lambda position: (position.enqueued_at, position.sequence))
    return Batch(
        hub=last.hub,
        partition=last.partition,
        received=len(batch),
        redelivered=0,
        last_sequence=last.sequence,
        last_enqueued_at=last.enqueued_at,
    )


def _outcome(read: _Read, *, is_news: bool, held: set[str]) -> str:
    if read.quarantined:
        return "duplicate" if read.quarantined.id in held else "quarantined"
    if not read.fragments:
        return "skipped"
    return "kept" if is_news else "duplicate"


def _wait(kept: Iterable[_Read], joining: Joining, states: dict[str, str], changes: Batch) -> int:
    """Note which kept events speak of a pending interaction; return how many do."""
    pending = 0
    for read in kept:
        waits = {f.interaction_id for _, f in read.fragments if joining.is_waiting(f, states)}
        changes.waiting.extend((interaction_id, read.position) for interaction_id in waits)
        pending += bool(waits)
    return pending


def _counted(changes: Batch, pending: int) -> IngestOutcome:
    outcomes = [outcome for _, outcome, _ in changes.deliveries]
    return IngestOutcome(
        received=changes.received,
        stored=outcomes.count("kept") - pending,
        duplicate=outcomes.count("duplicate") + changes.redelivered,
        pending=pending,
        skipped=outcomes.count("skipped"),
        quarantined=outcomes.count("quarantined"),
    )
