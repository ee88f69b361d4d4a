"""One partition's batch of deliveries -> the ledger and the content store: read, load, merge, plan, commit."""

import logging
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import NamedTuple

from shared.domain.balance import IngestOutcome, Outcome, balance_of
from shared.domain.delivery import (
    DEFAULT_LIMIT,
    NO_LIMIT,
    NOWHERE,
    Delivery,
    InvalidLimit,
    Position,
    check_limit,
    slices,
)
from shared.domain.fragment import Fragment, digest, without_content
from shared.domain.reassembly.keys import chunk_key
from shared.domain.redaction import redact
from shared.errors import EventError
from shared.retry import retried
from shared.services.booking import ARRIVAL, Booking, Known
from shared.services.claim_checks import ClaimCheck, estimate_one_by_one
from shared.services.estimate import Estimates, estimate_in, estimates_of, is_unmetered, with_estimate
from shared.services.interactions import Assembled, ChunkPlace, Interactions, speaks_of_pending
from shared.services.isolation import LOGGED_ONLY, Failures
from shared.sources import PARSER_VERSION, Aside, assemble, read_event
from shared.stores.ports import Changes, ContentDocument, ContentStore, Ledger, LedgerTransaction, Quarantined, Row

__all__ = ["IngestOutcome", "ingest"]

logger = logging.getLogger(__name__)


class _Read(NamedTuple):
    """A delivery that was read: its fragments, or why there are none."""

    position: Position
    fragments: tuple[Fragment, ...] = ()
    asides: tuple[Aside, ...] = ()
    source: str | None = None
    quarantined: Quarantined | None = None
    unknown_words: tuple[str, ...] = ()
    secrets: int = 0
    """Taken out of the event."""


@dataclass(frozen=True, slots=True)
class _Stores:
    """Where a batch goes, and how."""

    ledger: Ledger
    content: ContentStore
    claims: ClaimCheck | None
    booking: Booking
    failures: Failures


class _Merged(NamedTuple):
    """What became of the batch's events."""

    interactions: Interactions
    changes: Changes
    """With the batch's deliveries and what of it is quarantined."""
    kept: list[_Read]
    """Deliveries that say something new."""
    unknown_words: Counter[str]
    """Of events that speak of no call."""
    unread: list[ChunkPlace]
    """Chunks whose documents must be read before the rows are known."""


class _Plan(NamedTuple):
    """All that a batch changes, or what has to be read before that is known."""

    changes: Changes
    outcome: IngestOutcome
    unread: list[ChunkPlace]
    unmetered: dict[str, Row]
    """Of interactions that may get an estimate, and whose texts are not all in the batch."""
    spent: list[tuple[str, str]]
    redeemed: dict[str, Row]
    """Of interactions whose bodies came out of Blob storage: they may be large."""

    @property
    def is_complete(self) -> bool:
        return not self.unread and not self.unmetered


def ingest(
    deliveries: Sequence[Delivery],
    *,
    ledger: Ledger,
    content: ContentStore,
    claims: ClaimCheck | None = None,
    booking: Booking = ARRIVAL,
    limit: InvalidLimit = DEFAULT_LIMIT,
    failures: Failures = LOGGED_ONLY,
) -> IngestOutcome:
    """Store all that `deliveries`, one partition's batch, say. Safe to repeat with the same batch.

    A batch of large bodies is worked off in slices, each a transaction of its own: what was stored of it
    is a duplicate when the rest fails and the batch comes again.

    Without `claims`, bodies in Blob storage wait for `fetch_claimed_bodies`. An estimate that fails stops nothing:
    `failures` are told.

    Raises:
        TooManyInvalidError: `limit` refuses the batch; nothing was written, of the content neither.
        StoreUnavailableError: the batch is to be delivered again. Content may have been kept; of the
            facts nothing was, or whole slices were, or all and the chunks of what was joined are still to be dropped.
    """
    if not deliveries:
        return IngestOutcome()
    batches = list(slices(deliveries))
    if len(batches) > 1:
        check_limit((_fault(_read(delivery)) for delivery in deliveries), len(deliveries), limit)
        limit = NO_LIMIT
    stores = _Stores(ledger, content, claims, booking, failures)
    outcome = IngestOutcome()
    for batch in batches:
        outcome += _ingest(batch, stores, limit)
    first = deliveries[0].position
    logger.info("ingest.batch hub=%s partition=%s %s", first.hub, first.partition, outcome)
    return outcome


def _ingest(deliveries: Sequence[Delivery], stores: _Stores, limit: InvalidLimit) -> IngestOutcome:
    batch = [_read(delivery) for delivery in deliveries]
    check_limit(map(_fault, batch), len(batch), limit)
    plan = _commit(batch, stores)
    stores.content.drop(plan.spent)
    if plan.redeemed:
        estimate_one_by_one(plan.redeemed, ledger=stores.ledger, content=stores.content, failures=stores.failures)
    return plan.outcome


# Read


def _read(delivery: Delivery) -> _Read:
    position, body = delivery
    try:
        reading = read_event(body, position.enqueued_at)
    except EventError as error:
        clean, secrets = redact(body)
        quarantined = Quarantined(digest(body), position, str(error), PARSER_VERSION, clean)
        return _Read(position, quarantined=quarantined, secrets=secrets)
    fragments = tuple(map(without_content, reading.fragments))
    return _Read(
        position, fragments, reading.asides, reading.source, None, reading.unknown_words, secrets=reading.removed
    )


def _fault(read: _Read) -> str | None:
    """Return where an event stands that cannot be read, and why; None for one that can."""
    if read.quarantined is None:
        return None
    hub, partition, sequence, _ = read.position
    return f"{hub}/{partition}/{sequence}: {read.quarantined.reason}"


def _documents(batch: Iterable[_Read]) -> list[ContentDocument]:
    documents = _bodies(batch)
    for read in batch:
        documents |= {(shelf, f"aside:{digest(body)}"): body for shelf, body in read.asides}
    return [ContentDocument(interaction_id, key, body) for (interaction_id, key), body in documents.items()]


def _bodies(batch: Iterable[_Read]) -> dict[tuple[str, str], bytes]:
    return {(one.interaction_id, one.key): one.document for read in batch for one in read.fragments}


# Load, merge, plan, commit


def _commit(batch: Sequence[_Read], stores: _Stores) -> _Plan:
    """Load, merge and plan; read outside the transaction what the plan lacks, and begin again; then write."""
    documents = _documents(batch)
    packed = stores.ledger.packed(documents, stores.content)
    if packed is None:
        # Content first: a fact whose content is lost cannot be mended, content without a fact is put again.
        stores.content.put(documents)
    assembled: Assembled = {}
    estimates: Estimates = {}
    tries, needed = 0, 1

    def attempt() -> _Plan:
        nonlocal tries
        tries += 1
        with stores.ledger.transaction() as transaction:
            loaded = _load(batch, transaction, assembled, stores.booking)
            merged = _merge(batch, loaded, assembled)
            plan = _plan(batch, merged, estimates, stores.failures)
            if plan.is_complete:
                plan.changes.documents = packed or ()
                transaction.store(stores.booking.book(plan.changes))
        return plan

    while not (plan := retried(attempt)).is_complete:
        # Nothing was written, and no lock is held while the content store is asked.
        needed += 1
        if packed:
            stores.content.put(documents)
            packed = None
        if plan.unread:
            assembled |= _assemble(plan.unread, batch, stores)
        else:
            estimates |= estimates_of(plan.unmetered, stores.content, stores.failures, without=plan.spent)
    return plan._replace(outcome=replace(plan.outcome, retries=tries - needed))


def _load(
    batch: Sequence[_Read], transaction: LedgerTransaction, assembled: Assembled, booking: Booking
) -> tuple[Interactions, Known]:
    """Load what the ledger holds of all that the batch speaks of."""
    fragments = [fragment for read in batch for fragment in read.fragments]
    positions = {read.position for read in batch}
    quarantine_ids = {read.quarantined.id for read in batch if read.quarantined}
    return Interactions(transaction, fragments, assembled), booking.known(transaction, positions, quarantine_ids)


def _merge(batch: Sequence[_Read], loaded: tuple[Interactions, Known], assembled: Assembled) -> _Merged:
    """Merge every event, and class each delivery that is new."""
    interactions, known = loaded
    last = max((read.position for read in batch), key=lambda position: (position.enqueued_at, position.sequence))
    changes = Changes(last.hub, last.partition, len(batch), 0, last.sequence, last.enqueued_at)
    kept: list[_Read] = []
    words: Counter[str] = Counter()
    positions, quarantine_ids = set(known.positions), set(known.quarantine_ids)
    for read in batch:
        is_news = [interactions.add(fragment) for fragment in read.fragments]
        if read.position in positions:
            changes.redelivered += 1
        else:
            positions.add(read.position)
            words.update(read.unknown_words)
            outcome = _outcome(read, is_news=any(is_news), quarantine_ids=quarantine_ids)
            changes.deliveries.append((read.position, outcome, read.source))
            if outcome is Outcome.KEPT:
                kept.append(read)
        if read.quarantined and read.quarantined.id not in quarantine_ids:
            quarantine_ids.add(read.quarantined.id)
            changes.quarantined.append(read.quarantined)
    unread = interactions.add_assembled(assembled)
    return _Merged(interactions, changes, kept, words, unread)


def _plan(batch: Sequence[_Read], merged: _Merged, estimates: Estimates, failures: Failures) -> _Plan:
    """Work out everything that the batch changes."""
    interactions, changes, kept, words, unread = merged
    spent = interactions.spent()
    # Every claim ever met of interactions of which the batch brings a chunk: none may be tried again.
    changes.met_claims = [(name, key) for name, key in spent if chunk_key(key).is_claim]
    redeemed = {name for name, _ in changes.met_claims}
    bodies = _bodies(batch)
    unmetered: dict[str, Row] = {}

    def finish(row: Row) -> Row:
        if row["id"] in redeemed or not is_unmetered(row):
            return row
        facts = estimate_in(row, bodies, estimates, failures)
        if facts is None:
            unmetered[row["id"]] = row
        return with_estimate(row, facts) if facts else row

    states = interactions.plan(changes, finish)
    pending = _note_waits(kept, interactions, states, changes)
    changes.claims = interactions.unmet_claims()
    words.update(interactions.new_words())
    outcomes = Counter(outcome for _, outcome, _ in changes.deliveries)
    outcome = IngestOutcome(
        **asdict(balance_of(outcomes, waiting=pending, redelivered=changes.redelivered)),
        unknown_words=words,
        secrets=sum(read.secrets for read in batch),
        **interactions.new_tokens(),
    )
    return _Plan(changes, outcome, unread, unmetered, spent, {name: interactions.rows[name] for name in redeemed})


def _outcome(read: _Read, *, is_news: bool, quarantine_ids: Collection[str]) -> Outcome:
    if read.quarantined:
        return Outcome.DUPLICATE if read.quarantined.id in quarantine_ids else Outcome.QUARANTINED
    if not read.fragments:
        return Outcome.SKIPPED
    return Outcome.KEPT if is_news else Outcome.DUPLICATE


def _note_waits(kept: Iterable[_Read], interactions: Interactions, states: dict[str, str], changes: Changes) -> int:
    """Note which kept events speak of a pending interaction; return how many do."""
    pending = 0
    unnoted = set(interactions.began_to_wait)
    for read in kept:
        waits = {one.interaction_id for one in read.fragments if speaks_of_pending(one, states)}
        changes.waiting.extend((interaction_id, read.position) for interaction_id in waits)
        unnoted -= waits
        pending += bool(waits)
    # Those that began to wait though no kept delivery speaks of them: a repeated event got its body at last, and its
    # interaction, which was given up, still lacks another part.
    changes.waiting.extend((interaction_id, NOWHERE) for interaction_id in sorted(unnoted))
    return pending


def _assemble(unread: Sequence[ChunkPlace], batch: Sequence[_Read], stores: _Stores) -> Assembled:
    """Read the chunks' documents, put them together, and keep what they make."""
    bodies = _bodies(batch)
    elsewhere = {name for name, chunks in unread if any((name, key.text) not in bodies for key in chunks.keys)}
    if elsewhere:
        kept = stores.content.get(elsewhere)
        bodies |= {(name, key): body for documents in kept.values() for name, key, body in documents}
    assembled: Assembled = {}
    documents: list[ContentDocument] = []
    claimed: dict[ChunkPlace, bytes] = {}
    for name, chunks in unread:
        own = {key.text: bodies[name, key.text] for key in chunks.keys if (name, key.text) in bodies}
        if chunks.is_claim:
            claimed[name, chunks] = own.get(chunks.keys[0].text, b"")
            continue
        made = assemble(chunks, own)
        documents += [ContentDocument(one.interaction_id, one.key, one.document) for _, one in made]
        assembled[name, chunks] = [(mark, without_content(one)._replace(document=b"")) for mark, one in made]
    stores.content.put(documents)
    assembled |= {place: [] for place in claimed}
    if claimed and stores.claims is not None:
        assembled |= stores.claims.meet(claimed, stores.content)
    return assembled
