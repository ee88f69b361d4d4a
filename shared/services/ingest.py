"""One partition's batch of deliveries -> the ledger and the content store."""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import NamedTuple

from shared.domain.balance import Outcome, balance_of
from shared.domain.delivery import NOWHERE, Delivery, Position
from shared.domain.fragment import Content
from shared.domain.invalid_limit import DEFAULT_LIMIT, NO_LIMIT, InvalidLimit
from shared.domain.piece_keys import Whole, is_claim
from shared.domain.redaction import redact
from shared.errors import EventError
from shared.retry import retried
from shared.services.claims import ClaimCheck, estimate_one_by_one
from shared.services.documents import Keyed, digest, keyed
from shared.services.estimate import Estimates, estimate_in, estimates_of, is_unmetered, with_estimate
from shared.services.isolation import UNTOLD, Failures
from shared.services.joining import Joined, Joining
from shared.services.outcome import IngestOutcome
from shared.services.slices import refuse, slices
from shared.sources import PARSER_VERSION, Aside, Reading, join, read_event
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


class _Read(NamedTuple):
    """A delivery that was read: its fragments by document key, or why there are none."""

    position: Position
    fragments: tuple[Keyed, ...]
    asides: tuple[Aside, ...]
    source: str | None
    quarantined: Quarantined | None
    unknown_words: tuple[str, ...] = ()
    removed: int = 0
    """Secrets that were taken out."""


class _Planned(NamedTuple):
    """All that a batch changes, or what has to be read before that is known."""

    changes: Batch
    outcome: IngestOutcome
    unread: list[tuple[str, Whole]]
    unmetered: dict[str, Row]
    """Of interactions that may get an estimate, and whose texts are not all in the batch."""
    spent: list[tuple[str, str]]
    claimed: dict[str, Row]
    """Of interactions whose bodies came out of Blob storage: they may be large."""


def ingest(
    deliveries: Sequence[Delivery],
    *,
    ledger: Ledger,
    content: ContentStore,
    claims: ClaimCheck | None = None,
    limit: InvalidLimit = DEFAULT_LIMIT,
    failures: Failures = UNTOLD,
) -> IngestOutcome:
    """Store all that `deliveries`, one partition's batch, say. Safe to repeat with the same batch.

    A batch of large bodies is worked off in slices, each a transaction of its own: what was stored of it
    is a duplicate when the rest fails and the batch comes again.

    Without `claims`, bodies in Blob storage wait for `fetch_claimed_bodies`. An estimate that fails stops nothing:
    `failures` are told.

    Raises:
        TooManyInvalidError: `limit` refuses the batch; nothing was written, of the content neither.
        StoreUnavailableError: the batch is to be delivered again. Content may have been kept; of the
            facts nothing was, or whole slices were, or all and the pieces of what was joined are still to be dropped.
    """
    if not deliveries:
        return IngestOutcome()
    parts = list(slices(deliveries))
    if len(parts) > 1:
        refuse(map(_reason, deliveries), len(deliveries), limit)
        limit = NO_LIMIT
    outcome = IngestOutcome()
    for part in parts:
        outcome += _ingest(part, ledger, content, claims, limit=limit, failures=failures)
    first = deliveries[0].position
    logger.info("ingest.batch hub=%s partition=%s %s", first.hub, first.partition, outcome)
    return outcome


def _ingest(
    deliveries: Sequence[Delivery],
    ledger: Ledger,
    content: ContentStore,
    claims: ClaimCheck | None,
    *,
    limit: InvalidLimit,
    failures: Failures,
) -> IngestOutcome:
    batch = [_read(delivery) for delivery in deliveries]
    refuse((_named(read.quarantined) for read in batch), len(batch), limit)
    # Content first: a fact whose content is lost cannot be mended, content without a fact is put again.
    content.put(_documents(batch))
    planned = _stored(batch, ledger, content, claims, failures)
    content.drop(planned.spent)
    if planned.changes.met_claims:
        estimate_one_by_one(planned.claimed, ledger=ledger, content=content, failures=failures)
    return planned.outcome


def _reason(delivery: Delivery) -> str | None:
    return _named(_read(delivery).quarantined)


def _named(quarantined: Quarantined | None) -> str | None:
    """Return where an event stands that cannot be read, and why."""
    if quarantined is None:
        return None
    hub, partition, sequence, _ = quarantined.position
    return f"{hub}/{partition}/{sequence}: {quarantined.reason}"


def _stored(
    batch: Sequence[_Read], ledger: Ledger, content: ContentStore, claims: ClaimCheck | None, failures: Failures
) -> _Planned:
    told: Joined = {}
    estimates: Estimates = {}
    tries, needed = 0, 1

    def transact() -> _Planned:
        nonlocal tries
        tries += 1
        with ledger.transaction() as transaction:
            planned = _planned(batch, transaction, told, estimates, failures)
            if not planned.unread and not planned.unmetered:
                transaction.store(planned.changes)
        return planned

    while (planned := retried(transact)).unread or planned.unmetered:
        # Nothing was written, and no lock is held while the content store is asked.
        needed += 1
        if planned.unread:
            told |= _join(planned.unread, batch, content, claims)
        else:
            estimates |= estimates_of(planned.unmetered, content, failures, without=planned.spent)
    return planned._replace(outcome=replace(planned.outcome, retries=tries - needed))


def _read(delivery: Delivery) -> _Read:
    position, body = delivery
    try:
        reading: Reading = read_event(body, position.enqueued_at)
    except EventError as error:
        clean, removed = redact(body)
        kept = Quarantined(digest(body), position, str(error), PARSER_VERSION, clean)
        return _Read(position, (), (), None, kept, removed=removed)
    # The texts are let go: the document has them, and parsed they weigh many times as much.
    fragments = tuple(keyed(fragment._replace(content=Content())) for fragment in reading.fragments)
    return _Read(
        position, fragments, reading.asides, reading.source, None, reading.unknown_words, removed=reading.removed
    )


def _documents(batch: Iterable[_Read]) -> list[ContentDocument]:
    documents = _bodies(batch)
    for read in batch:
        documents |= {(shelf, f"aside:{digest(body)}"): body for shelf, body in read.asides}
    return [ContentDocument(interaction_id, key, body) for (interaction_id, key), body in documents.items()]


def _bodies(batch: Iterable[_Read]) -> dict[tuple[str, str], bytes]:
    return {(fragment.interaction_id, key): fragment.document for read in batch for key, fragment in read.fragments}


def _join(
    unread: Sequence[tuple[str, Whole]], batch: Sequence[_Read], content: ContentStore, claims: ClaimCheck | None
) -> Joined:
    """Read the pieces' documents, join them, and keep what they make."""
    bodies = _bodies(batch)
    elsewhere = {name for name, whole in unread if any((name, key) not in bodies for key in whole.keys)}
    if elsewhere:
        kept = content.get(elsewhere)
        bodies |= {(name, key): body for documents in kept.values() for name, key, body in documents}
    told: Joined = {}
    made: list[ContentDocument] = []
    claimed: dict[tuple[str, Whole], bytes] = {}
    for name, whole in unread:
        own = {key: bodies[name, key] for key in whole.keys if (name, key) in bodies}
        if is_claim(whole.keys[0]):
            claimed[name, whole] = own.get(whole.keys[0], b"")
        else:
            joined = [(mark, keyed(fragment)) for mark, fragment in join(whole, own)]
            made += [ContentDocument(one.interaction_id, key, one.document) for _, (key, one) in joined]
            told[name, whole] = [
                (mark, (key, one._replace(content=Content(), document=b""))) for mark, (key, one) in joined
            ]
    content.put(made)
    told |= {place: [] for place in claimed}
    if claimed and claims is not None:
        told |= claims.meet(claimed, content)
    return told


def _planned(
    batch: Sequence[_Read], transaction: LedgerTransaction, told: Joined, estimates: Estimates, failures: Failures
) -> _Planned:
    """Work out, from what the ledger holds, everything that the batch changes."""
    joining = Joining(transaction, [keyed for read in batch for keyed in read.fragments], told)
    held = transaction.known_quarantine({read.quarantined.id for read in batch if read.quarantined})
    seen = transaction.known_positions({read.position for read in batch})
    kept: list[_Read] = []
    words: Counter[str] = Counter()
    changes = _opened(batch)
    for read in batch:
        is_news = [joining.add(key, fragment) for key, fragment in read.fragments]
        if read.position in seen:
            changes.redelivered += 1
        else:
            seen.add(read.position)
            words.update(read.unknown_words)
            outcome = _outcome(read, is_news=any(is_news), held=held)
            changes.deliveries.append((read.position, outcome, read.source))
            if outcome is Outcome.KEPT:
                kept.append(read)
        if read.quarantined and read.quarantined.id not in held:
            held.add(read.quarantined.id)
            changes.quarantined.append(read.quarantined)
    unread = joining.join_pieces()
    spent = joining.spent()
    changes.met_claims = [(name, key) for name, key in spent if is_claim(key)]
    met = {name for name, _ in changes.met_claims}
    bodies = _bodies(batch)
    unmetered: dict[str, Row] = {}

    def finished(row: Row) -> Row:
        if row["id"] in met or not is_unmetered(row):
            return row
        facts = estimate_in(row, bodies, estimates, failures)
        if facts is None:
            unmetered[row["id"]] = row
        return with_estimate(row, facts) if facts else row

    states = joining.write(changes, finished)
    pending = _wait(kept, joining, states, changes)
    changes.claims = joining.waiting_claims()
    claimed = {name: joining.rows[name] for name in met}
    words.update(joining.new_words())
    secrets = sum(read.removed for read in batch)
    outcomes = Counter(outcome for _, outcome, _ in changes.deliveries)
    balance = balance_of(outcomes, waiting=pending, redelivered=changes.redelivered)
    counted = IngestOutcome(**asdict(balance), unknown_words=words, secrets=secrets, **joining.new_tokens())
    return _Planned(changes, counted, unread, unmetered, spent, claimed)


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


def _outcome(read: _Read, *, is_news: bool, held: set[str]) -> Outcome:
    if read.quarantined:
        return Outcome.DUPLICATE if read.quarantined.id in held else Outcome.QUARANTINED
    if not read.fragments:
        return Outcome.SKIPPED
    return Outcome.KEPT if is_news else Outcome.DUPLICATE


def _wait(kept: Iterable[_Read], joining: Joining, states: dict[str, str], changes: Batch) -> int:
    """Note which kept events speak of a pending interaction; return how many do."""
    pending = 0
    unnoted = set(joining.began_to_wait)
    for read in kept:
        waits = {f.interaction_id for _, f in read.fragments if joining.is_waiting(f, states)}
        changes.waiting.extend((interaction_id, read.position) for interaction_id in waits)
        unnoted -= waits
        pending += bool(waits)
    # A body that a repeated event got at last: its interaction was given up, and lacks another part still.
    changes.waiting.extend((interaction_id, NOWHERE) for interaction_id in sorted(unnoted))
    return pending
