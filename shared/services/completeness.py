"""Is the record complete? Hour by hour: what came against what is stored, and what calls lack."""

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import orjson

from shared.domain.values import NO_TIME, hour_of, utc_now, utc_of
from shared.stores.ports import AuditStore, PartitionCounts
from shared.stores.upkeep_ports import CompletenessStore, Finding, Gap

__all__ = ["KINDS", "check_completeness"]

logger = logging.getLogger(__name__)

KINDS: Final = {
    "gap": "Sequence numbers of a partition that never came: events were lost before us, or passed over.",
    "quarantined": "Events of the hour that cannot be understood.",
    "pending": "Events of the hour that still wait for their other parts.",
    "unaccounted": "Events received that are in no class of the balance: a fault of ours.",
    "no_answer": "Requests without an answer.",
    "no_request": "Answers without a request.",
    "pieces_missing": "Calls of which pieces of a body, or rows of a log, are missing.",
    "log_without_event": "Calls that the gateway's own log tells of, and none of its policy's events.",
    "event_without_log": "Calls that the policy's events tell of, and no log of the gateway's.",
    "bypass": "Calls that Azure OpenAI's own log alone knows: they did not come through the gateway.",
}
"""Kind of finding -> what it counts."""

_CALLS: Final = ("no_answer", "no_request", "pieces_missing", "bypass")
_AGREEMENTS: Final = ("log_without_event", "event_without_log")
_HOURS: Final = 12
"""Hours that each run looks at: long enough for late logs, short enough to be cheap."""
_UNRESOLVED: Final = 48
"""Older hours with findings, looked at again until they are resolved."""
_GAPS: Final = 1000
_GAPS_SHOWN: Final = 20


def check_completeness(
    *, store: CompletenessStore, audit: AuditStore, wait: timedelta, now: Callable[[], datetime] = utc_now
) -> int:
    """Look at every hour that ended longer ago than `wait`, keep what is amiss; return how many findings hold.

    The same hour has the same findings however often it is looked at; what vanished is resolved.

    Raises:
        StoreUnavailableError: nothing of this run was kept.
    """
    hours = _hours(now() - wait) + store.unresolved_hours(_UNRESOLVED)
    findings = list(_unaccounted(audit.partitions()))
    hours = sorted({*hours, *(one.hour for one in findings)})
    calls = {hour: store.calls_in(hour, _end(hour)) for hour in hours}
    both = any(numbers["told_by_both"] for numbers in calls.values())
    for hour in hours:
        findings.extend(_of_events(hour, store.events_in(hour, _end(hour))))
        findings.extend(_of_gaps(hour, store.gaps_in(hour, _end(hour), limit=_GAPS)))
        findings.extend(_of_calls(hour, calls[hour], both=both))
    store.record(hours, findings, at=utc_of(now()))
    logger.info("completeness.run hours=%d findings=%d", len(hours), len(findings))
    return len(findings)


def _hours(until: datetime) -> list[str]:
    """Return the hours that ended before `until`, as many as one run looks at."""
    last = until.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return [utc_of(last - timedelta(hours=back)) for back in range(1, _HOURS + 1)]


def _end(hour: str) -> str:
    return utc_of(datetime.fromisoformat(hour) + timedelta(hours=1))


def _unaccounted(partitions: Iterable[PartitionCounts]) -> Iterable[Finding]:
    """Yield where the classes of the balance do not add up to what was received."""
    lost: dict[tuple[str, str], int] = {}
    for one in partitions:
        classed = one.redelivered + one.kept + one.duplicate + one.skipped + one.quarantined
        if one.received != classed:
            place = one.hub, hour_of(one.last_enqueued_at or NO_TIME)
            lost[place] = lost.get(place, 0) + abs(one.received - classed)
    for (hub, hour), number in lost.items():
        yield Finding(hub, hour, "unaccounted", number)


def _of_events(hour: str, events: Iterable[tuple[str, str, int]]) -> Iterable[Finding]:
    counts: dict[str, dict[str, int]] = {}
    for hub, outcome, number in events:
        counts.setdefault(hub, {})[outcome] = number
    for hub, outcomes in counts.items():
        waiting = outcomes.pop("waiting", 0)
        detail = _text({"received": sum(outcomes.values())})
        for kind, number in (("quarantined", outcomes.get("quarantined", 0)), ("pending", waiting)):
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


def _text(detail: object) -> str:
    return orjson.dumps(detail).decode()
