"""What the services do, measured: a handful of numbers per batch or run."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from time import perf_counter

from shared.domain.delivery import Delivery
from shared.domain.unknown_words import MOST
from shared.domain.values import NO_TIME, utc_now
from shared.errors import StoreUnavailableError, TooManyInvalidError
from shared.services.ingest import IngestOutcome
from shared.services.isolation import LOGGED_ONLY, Failures, one_by_one
from shared.stores.ports import CompletenessStore
from shared.telemetry import (
    BATCH_DURATION,
    BATCH_FAILURES,
    BYTES,
    EVENTS,
    FINDINGS,
    LAG,
    PARTITION_AGE,
    PENDING,
    PENDING_AGE,
    QUARANTINE_DEPTH,
    SECRETS,
    STORE_RETRIES,
    TOKENS,
    UNKNOWN_WORDS,
    Recorder,
)

__all__ = ["measure_findings", "measure_standing", "measured"]

logger = logging.getLogger(__name__)

Ingest = Callable[[Sequence[Delivery]], IngestOutcome]


def measured(ingest: Ingest, recorder: Recorder, *, now: Callable[[], datetime] = utc_now) -> Ingest:
    """Return `ingest` that tells `recorder` of each batch: what it was, how long it took, or that it failed."""

    def ingest_and_tell(deliveries: Sequence[Delivery]) -> IngestOutcome:
        if not deliveries:
            return ingest(deliveries)
        started = perf_counter()
        try:
            outcome = ingest(deliveries)
        except Exception as error:
            # Whatever it was, the batch failed: that is counted, and the trigger hears of it all the same.
            _tell_failure(recorder, deliveries, error)
            raise
        _tell(recorder, deliveries, outcome, perf_counter() - started, now())
        return outcome

    return ingest_and_tell


def _tell(
    recorder: Recorder, deliveries: Sequence[Delivery], outcome: IngestOutcome, seconds: float, at: datetime
) -> None:
    hub, partition, _, _ = deliveries[0].position
    for one, number in outcome.classes.items():
        if number:
            recorder.record(EVENTS, number, **{"hub": hub, "partition": partition, "class": one.value})
    recorder.record(BYTES, sum(len(one.body) for one in deliveries), hub=hub, partition=partition)
    recorder.record(BATCH_DURATION, seconds, hub=hub)
    oldest = min(one.position.enqueued_at for one in deliveries)
    if oldest != NO_TIME:
        recorder.record(LAG, _age(oldest, at), hub=hub, partition=partition)
    if outcome.secrets:
        recorder.record(SECRETS, outcome.secrets, hub=hub)
    if outcome.retries:
        recorder.record(STORE_RETRIES, outcome.retries, hub=hub)
    for kind, number in (("input", outcome.input_tokens), ("output", outcome.output_tokens)):
        if number > 0:
            recorder.record(TOKENS, number, kind=kind)
    if outcome.unknown_words:
        _tell_words(recorder, hub, partition, outcome.unknown_words)


def _tell_words(recorder: Recorder, hub: str, partition: str, words: Mapping[str, int]) -> None:
    """Tell how many interactions have unknown words, by kind; the words, which are the service's own, are logged."""
    kinds: Counter[str] = Counter()
    for word, number in words.items():
        kinds[word.partition(":")[0]] += number
    for kind, number in sorted(kinds.items()):
        recorder.record(UNKNOWN_WORDS, number, kind=kind)
    most = sorted(words, key=lambda word: (-words[word], word))[:MOST]
    shown = " ".join(f"{word}={words[word]}" for word in most)
    logger.warning("ingest.unknown_words hub=%s partition=%s %s", hub, partition, shown)


def _tell_failure(recorder: Recorder, deliveries: Sequence[Delivery], error: Exception) -> None:
    hub, partition, sequence, enqueued_at = deliveries[0].position
    # One line at every try, with what it is that waits: a partition must not stand still in silence.
    waits = f"hub={hub} partition={partition} sequence={sequence} enqueued_at={enqueued_at}: {error}"
    kind = "fault"
    if isinstance(error, TooManyInvalidError):
        kind = "refused"
        logger.error("ingest.refused %s", waits)
    elif isinstance(error, StoreUnavailableError):
        kind = "unavailable"
        logger.error("ingest.unavailable %s", waits)
    recorder.record(BATCH_FAILURES, 1, hub=hub, partition=partition, kind=kind)


def measure_standing(
    store: CompletenessStore,
    recorder: Recorder,
    *,
    failures: Failures = LOGGED_ONLY,
    now: Callable[[], datetime] = utc_now,
) -> None:
    """Tell `recorder` how the ledger stands: what waits, what is in quarantine, how old each partition's last event is.

    Raises:
        StoreUnavailableError: the ledger did not answer.
    """
    standing, at = store.standing(), now()
    recorder.record(PENDING, standing.pending)
    recorder.record(QUARANTINE_DEPTH, standing.quarantined)

    def measure_pending(oldest: str | None) -> None:
        recorder.record(PENDING_AGE, 0 if oldest is None else _age(oldest, at))

    def measure_partition(newest: tuple[str, str, str]) -> None:
        hub, partition, enqueued_at = newest
        if enqueued_at != NO_TIME:
            recorder.record(PARTITION_AGE, _age(enqueued_at, at), hub=hub, partition=partition)

    one_by_one(measure_pending, [standing.oldest_pending_at], failures)
    one_by_one(measure_partition, standing.newest, failures)


def measure_findings(store: CompletenessStore, recorder: Recorder, kinds: Sequence[str]) -> None:
    """Tell `recorder` how many findings of each kind hold.

    Raises:
        StoreUnavailableError: the ledger did not answer.
    """
    held = store.unresolved()
    for kind in kinds:
        recorder.record(FINDINGS, held.get(kind, 0), kind=kind)


def _age(moment: str, at: datetime) -> float:
    """Return seconds; never below nought, whatever two clocks say."""
    return max(0.0, (at - datetime.fromisoformat(moment)).total_seconds())
