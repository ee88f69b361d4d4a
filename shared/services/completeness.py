"""Is the record complete? Hour by hour: what came against what is stored, and what calls lack."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import orjson

from shared.domain.balance import Outcome, PartitionCounts
from shared.domain.findings import Finding, Gap, Unpriced
from shared.domain.unknown_words import words_in
from shared.domain.values import NO_TIME, hour_of, interval_end, utc_now, utc_of
from shared.services.isolation import LOGGED_ONLY, Failures, apart, one_by_one
from shared.stores.ports import AuditStore, CompletenessStore

__all__ = ["KINDS", "check_completeness", "recount_balance", "recounted"]

logger = logging.getLogger(__name__)

KINDS: Final = {
    "gap": "Sequence numbers of a partition that never came: events were lost before us, or passed over.",
    "quarantined": "Events of the hour that cannot be understood.",
    "pending": "Events of the hour that still wait for their other parts.",
    "unaccounted": "Events received that are in no class of the balance: a fault of ours.",
    "no_answer": "Requests without an answer.",
    "no_request": "Answers without a request.",
    "pieces_missing": "Calls of which chunks of a body, or rows of a log, are missing.",
    "log_without_event": "Calls that the gateway's own log tells of, and none of its policy's events.",
    "event_without_log": "Calls that the policy's events tell of, and no log of the gateway's.",
    "bypass": "Calls that Azure OpenAI's own log alone knows: they did not come through the gateway.",
    "callers_differ": "Calls of which two records name different callers.",
    "no_price": "Calls that used something for which the price book has no price.",
    "unmapped_deployment": "Calls on a deployment that the table of deployments does not have.",
    "ambiguous_payer": "Calls whose tags name several teams or cost centres: nobody pays for them.",
    "unknown_word": "Calls with words of the service that no list of ours knows: what they mean is not read.",
}
"""Kind of finding -> what it counts."""

_CALLS: Final = ("no_answer", "no_request", "pieces_missing", "bypass", "callers_differ")
_AGREEMENTS: Final = ("log_without_event", "event_without_log")
_HOURS: Final = 12
"""Hours that each run looks at: long enough for late logs, short enough to be cheap."""
_UNRESOLVED: Final = 48
"""Older hours with findings, looked at again until they are resolved."""
_GAPS: Final = 1000
_GAPS_SHOWN: Final = 20
_TRACES: Final = 1000
_WORDS_SHOWN: Final = 32
_UNNAMED: Final = "?"


def check_completeness(
    *,
    store: CompletenessStore,
    audit: AuditStore,
    wait: timedelta,
    failures: Failures = LOGGED_ONLY,
    now: Callable[[], datetime] = utc_now,
) -> int:
    """Look at every hour that ended longer ago than `wait`, keep what is amiss; return how many findings hold.

    The same hour has the same findings however often it is looked at; what vanished is resolved. Of an
    hour that fails the findings stay as they were, and it stops no other.

    Raises:
        StoreUnavailableError: of the hours not reached nothing was kept.
    """
    hours = _hours(now() - wait) + store.unresolved_hours(_UNRESOLVED)
    found: dict[str, list[Finding]] = {hour: [] for hour in hours}
    lost = one_by_one(_unaccounted, recounted(store, audit), failures).results
    for one in _summed(lost):
        found.setdefault(one.hour, []).append(one)

    def look(hour: str) -> tuple[str, Mapping[str, int]]:
        end = interval_end(hour, "hour")
        events, gaps = store.events_in(hour, end), store.gaps_in(hour, end, limit=_GAPS)
        numbers, words = store.calls_in(hour, end), store.words_in(hour, end, limit=_TRACES)
        unpriced = store.unpriced_in(hour, end, limit=_TRACES)
        found[hour] += [*_of_events(hour, events), *_of_gaps(hour, gaps), *_of_words(hour, words)]
        found[hour] += _of_charges(hour, unpriced)
        found[hour] += _of_payers(hour, store.ambiguous_in(hour, end, limit=_TRACES))
        return hour, numbers

    calls = dict(one_by_one(look, sorted(found), failures).results)
    both = any(numbers["told_by_both"] for numbers in calls.values())
    for hour, numbers in calls.items():
        found[hour] += _of_calls(hour, numbers, both=both)
    moment = utc_of(now())

    def record(some: Sequence[str]) -> None:
        store.record(some, [one for hour in some for one in found[hour]], at=moment)

    unrecorded = apart(record, sorted(calls), failures).failed
    number = sum(len(found[hour]) for hour in calls.keys() - set(unrecorded))
    logger.info("completeness.run hours=%d findings=%d", len(calls) - len(unrecorded), number)
    return number


def recounted(store: CompletenessStore, audit: AuditStore) -> list[PartitionCounts]:
    """Return the counts of all partitions, after counting those again whose classes are not what was received.

    The release before keeps no numbers of outcomes: what it wrote last is counted here.
    """
    counts = audit.partitions()

    def count_again(one: PartitionCounts) -> bool:
        is_odd = one.balance.unaccounted > 0
        if is_odd:
            store.recount(one.hub, one.partition)
        return is_odd

    # Of a partition that fails here whoever asks for its classes says so.
    return audit.partitions() if any(one_by_one(count_again, counts, LOGGED_ONLY).results) else counts


def recount_balance(store: CompletenessStore, audit: AuditStore) -> int:
    """Count the deliveries of every partition again; return of how many partitions the numbers were wrong."""
    before = audit.partitions()
    for one in before:
        store.recount(one.hub, one.partition)
    return sum(one.outcomes != other.outcomes for one, other in zip(before, audit.partitions(), strict=False))


def _hours(until: datetime) -> list[str]:
    """Return the hours that ended before `until`, as many as one run looks at."""
    last = until.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return [utc_of(last - timedelta(hours=back)) for back in range(1, _HOURS + 1)]


def _unaccounted(one: PartitionCounts) -> Finding:
    """Return how far the classes of a partition's balance are from what was received, at its last event's hour."""
    hour = hour_of(one.last_enqueued_at or NO_TIME)
    return Finding(one.hub, hour, "unaccounted", one.balance.unaccounted)


def _summed(findings: Iterable[Finding]) -> Iterable[Finding]:
    """Yield one finding for those of the same hub, hour and kind, where there is something to find."""
    sums: dict[str, Finding] = {}
    for one in findings:
        known = sums.get(one.id)
        sums[one.id] = one if known is None else replace(one, number=known.number + one.number)
    yield from (one for one in sums.values() if one.number)


def _of_events(hour: str, events: Iterable[tuple[str, str, int]]) -> Iterable[Finding]:
    counts: dict[str, dict[str, int]] = {}
    for hub, outcome, number in events:
        counts.setdefault(hub, {})[outcome] = number
    for hub, outcomes in counts.items():
        waiting = outcomes.pop("waiting", 0)
        detail = _text({"received": sum(outcomes.values())})
        for kind, number in (("quarantined", outcomes.get(Outcome.QUARANTINED, 0)), ("pending", waiting)):
            if number:
                yield Finding(hub, hour, kind, number, detail)


def _of_gaps(hour: str, gaps: Iterable[Gap]) -> Iterable[Finding]:
    by_hub: dict[str, list[Gap]] = {}
    for gap in gaps:
        by_hub.setdefault(gap.hub, []).append(gap)
    for hub, own in by_hub.items():
        shown = [{"partition": gap.partition, "after": gap.after, "before": gap.before} for gap in own[:_GAPS_SHOWN]]
        missing = sum(gap.before - gap.after - 1 for gap in own)
        yield Finding(hub, hour, "gap", missing, _text({"gaps": shown}))


def _of_calls(hour: str, numbers: Mapping[str, int], *, both: bool) -> Iterable[Finding]:
    # Who has only logs, or only events, lacks nothing: the two are compared where both are seen.
    for kind in (*_CALLS, *(_AGREEMENTS if both else ())):
        if numbers[kind]:
            yield Finding("", hour, kind, numbers[kind])


def _of_words(hour: str, traces: Iterable[tuple[str, int]]) -> Iterable[Finding]:
    calls = 0
    words: Counter[str] = Counter()
    for trace, number in traces:
        calls += number
        words.update(dict.fromkeys(words_in(trace), number))
    if calls:
        yield Finding("", hour, "unknown_word", calls, _text(_shown(words)))


def _of_charges(hour: str, unpriced: Iterable[Unpriced]) -> Iterable[Finding]:
    kinds: dict[str, Counter[str]] = {"no_price": Counter(), "unmapped_deployment": Counter()}
    for one in unpriced:
        if not one.has_price:
            kinds["no_price"][one.model or one.deployment or _UNNAMED] += one.number
        if one.is_unmapped:
            kinds["unmapped_deployment"][one.deployment or _UNNAMED] += one.number
    for kind, names in kinds.items():
        if names:
            yield Finding("", hour, kind, names.total(), _text(_shown(names)))


def _of_payers(hour: str, ambiguous: Iterable[tuple[str, int]]) -> Iterable[Finding]:
    tags = Counter(dict(ambiguous))
    if tags:
        yield Finding("", hour, "ambiguous_payer", tags.total(), _text(_shown(tags)))


def _shown(names: Counter[str]) -> dict[str, int]:
    """Return the most frequent names, and how many calls each has."""
    return dict(sorted(names.items(), key=lambda name: (-name[1], name[0]))[:_WORDS_SHOWN])


def _text(detail: object) -> str:
    return orjson.dumps(detail).decode()
