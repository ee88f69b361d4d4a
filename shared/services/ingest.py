"""One partition's batch of deliveries -> the ledger and the content store."""

import hashlib
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

from shared.domain.delivery import Delivery, Position
from shared.domain.fragment import Fragment
from shared.domain.interaction import State
from shared.errors import ConflictError, EventError
from shared.merge import merge, parts_of
from shared.sources import PARSER_VERSION, Reading, read_event
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

    def __str__(self) -> str:
        """Return the counts as `name=value` pairs, for the log."""
        return " ".join(f"{field.name}={getattr(self, field.name)}" for field in fields(self))


class _Read(NamedTuple):
    """A delivery that was read: its fragments by document key, or why there are none."""

    position: Position
    fragments: tuple[tuple[str, Fragment], ...]
    source: str | None
    quarantined: Quarantined | None


def ingest(deliveries: Sequence[Delivery], *, ledger: Ledger, content: ContentStore) -> IngestOutcome:
    """Store all that `deliveries`, one partition's batch, say. Safe to repeat with the same batch.

    Raises:
        StoreUnavailableError: the batch is to be delivered again. Content may have been kept; of the
            facts nothing was.
    """
    if not deliveries:
        return IngestOutcome()
    batch = [_read(delivery) for delivery in deliveries]
    # Content first: a fact whose content is lost cannot be mended, content without a fact is put again.
    content.put(_documents(batch))
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with ledger.transaction() as transaction:
                changes, outcome = _changes(batch, transaction)
                transaction.store(changes)
        except ConflictError:
            if attempt == _ATTEMPTS:
                raise
        else:
            break
    first = deliveries[0].position
    logger.info("ingest.batch hub=%s partition=%s %s", first.hub, first.partition, outcome)
    return outcome


def _read(delivery: Delivery) -> _Read:
    position, body = delivery
    try:
        reading: Reading = read_event(body, position.enqueued_at)
    except EventError as error:
        kept = Quarantined(_digest(body), position, str(error), PARSER_VERSION, redacted(body))
        return _Read(position, (), None, kept)
    keyed = tuple((f"{fragment.code}:{_digest(fragment.document)}", fragment) for fragment in reading.fragments)
    return _Read(position, keyed, reading.source, None)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


def _documents(batch: Iterable[_Read]) -> list[ContentDocument]:
    documents = {
        (fragment.interaction_id, key): fragment.document for read in batch for key, fragment in read.fragments
    }
    return [ContentDocument(interaction_id, key, body) for (interaction_id, key), body in documents.items()]


def _changes(batch: Sequence[_Read], transaction: LedgerTransaction) -> tuple[Batch, IngestOutcome]:
    """Work out, from what the ledger holds, everything that the batch changes."""
    rows = transaction.interactions({f.interaction_id for read in batch for _, f in read.fragments})
    held = transaction.known_quarantine({read.quarantined.id for read in batch if read.quarantined})
    seen = transaction.known_positions({read.position for read in batch})
    known = {interaction_id: parts_of(row) for interaction_id, row in rows.items()}
    news: defaultdict[str, list[tuple[str, Fragment]]] = defaultdict(list)
    kept: list[_Read] = []
    changes = _opened(batch)
    for read in batch:
        new = _new_fragments(read, known)
        for key, fragment in new:
            news[fragment.interaction_id].append((key, fragment))
        if read.position in seen:
            changes.redelivered += 1
        else:
            seen.add(read.position)
            outcome = _outcome(read, is_news=bool(new), held=held)
            changes.deliveries.append((read.position, outcome, read.source))
            if outcome == "kept":
                kept.append(read)
        if read.quarantined and read.quarantined.id not in held:
            held.add(read.quarantined.id)
            changes.quarantined.append(read.quarantined)
    states = {interaction_id: row["state"] for interaction_id, row in rows.items()}
    states.update(_merge_all(news, rows, changes))
    pending = _wait(kept, states, changes)
    return changes, _counted(changes, pending)


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


def _new_fragments(read: _Read, known: dict[str, set[str]]) -> list[tuple[str, Fragment]]:
    """Return the fragments that say something new, and note in `known` that they are known now."""
    new = []
    for key, fragment in read.fragments:
        parts = known.setdefault(fragment.interaction_id, set())
        if key not in parts:
            parts.add(key)
            new.append((key, fragment))
    return new


def _outcome(read: _Read, *, is_news: bool, held: set[str]) -> str:
    if read.quarantined:
        return "duplicate" if read.quarantined.id in held else "quarantined"
    if not read.fragments:
        return "skipped"
    return "kept" if is_news else "duplicate"


def _merge_all(news: dict[str, list[tuple[str, Fragment]]], rows: dict[str, Row], changes: Batch) -> dict[str, str]:
    """Merge what is new into the rows; return the new state of each interaction touched."""
    states: dict[str, str] = {}
    for interaction_id, fragments in news.items():
        before = rows.get(interaction_id)
        after = merge(interaction_id, before, fragments)
        states[interaction_id] = after["state"]
        changes.dirty_hours.add(_hour(after))
        changes.dirty_usage_keys.update(_usage_keys(before, after))
        if before is None:
            changes.new_interactions.append(after)
            continue
        changes.changed_interactions.append(after)
        changes.dirty_hours.add(_hour(before))
        if before["state"] == State.PENDING and after["state"] != State.PENDING:
            changes.settled.append(interaction_id)
    return states


def _usage_keys(*rows: Row | None) -> Iterator[str]:
    """Yield the keys under which the rows state usage: others that repeat it may count now, or no more."""
    for row in rows:
        if row is not None and row.get("usage_key") is not None and row.get("total_tokens") is not None:
            yield row["usage_key"]


def _hour(row: Row) -> str:
    return f"{row['occurred_at'][:13]}:00:00.000Z"


def _wait(kept: Iterable[_Read], states: dict[str, str], changes: Batch) -> int:
    """Note which kept events speak of a pending interaction; return how many do."""
    pending = 0
    for read in kept:
        waits = {f.interaction_id for _, f in read.fragments if states.get(f.interaction_id) == State.PENDING}
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
