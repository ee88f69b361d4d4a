"""Marks on calls -> usage rollups."""

import logging
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from shared.services.isolation import LOGGED_ONLY, Failures, apart, one_by_one
from shared.stores.usage_ports import CallKey, UsageRollups

__all__ = ["rebuild_usage_rollups", "recount_usage"]

logger = logging.getLogger(__name__)

_CALLS_AT_A_TIME: Final = 1_000
"""Calls per transaction: ingest waits, where it must, for a tenth of a second or two."""
_HOURS_AT_A_TIME: Final = 24
"""Hours of which all calls are counted before their marks are taken away: whoever is stopped repeats no more."""


def rebuild_usage_rollups(
    rollups: UsageRollups, *, most_calls: int = _CALLS_AT_A_TIME, failures: Failures = LOGGED_ONLY
) -> int:
    """Bring usage up to date until no call is marked; return how many hours were.

    A call that fails keeps a mark for the next run and stops no other.

    Raises:
        StoreUnavailableError: the calls not reached keep their marks; run it again.
    """
    done: set[str] = set()
    passed: dict[int, str] = {}
    while marks := rollups.marks(without=passed):
        counted = _count(rollups, {call for mark in marks for call in mark.calls or ()}, most_calls, failures)
        failed = counted.failed
        hours = sorted({mark.hour for mark in marks if mark.calls is None}, reverse=True)[:_HOURS_AT_A_TIME]
        marks = [mark for mark in marks if mark.calls is not None or mark.hour in hours]
        bad = {hour for hour in hours if not _count_hour(rollups, hour, most_calls, failures)}
        behind = counted.behind | {mark.hour for mark in marks if mark.calls is None}
        bad.update(one_by_one(rollups.add_up_costs, sorted(behind - bad), failures).failed)
        # Of an hour that is to be tried again one mark is enough; of calls each mark says something of its own.
        kept = {mark.hour: mark.id for mark in marks if mark.calls is None and mark.hour in bad}
        again = (mark for mark in marks if mark.calls and (mark.hour in bad or not failed.isdisjoint(mark.calls)))
        kept_ids = {*kept.values(), *(mark.id for mark in again)}
        rollups.clear([mark.id for mark in marks if mark.id not in kept_ids])
        passed |= {mark.id: mark.hour for mark in marks if mark.id in kept_ids}
        done |= {mark.hour for mark in marks}
        logger.info("rollup.step hours=%d newest=%s", len(done), max(done))
    number = len(done.difference(passed.values()))
    logger.info("rollup.run hours=%d passed_over=%d", number, len(done) - number)
    return number


def recount_usage(rollups: UsageRollups) -> dict[str, int]:
    """Add all hours up from the facts again; return how many groups are wrong, by hour.

    Raises:
        StoreUnavailableError: run it again.
    """
    wrong: dict[str, int] = {}
    for hour in rollups.hours():
        if number := rollups.recount(hour):
            logger.warning("rollup.recount hour=%s groups=%d", hour, number)
            wrong[hour] = number
    return wrong


def _count_hour(rollups: UsageRollups, hour: str, most_calls: int, failures: Failures) -> bool:
    """Count all calls of an hour; return whether none failed."""

    def count(hour: str) -> bool:
        counted = [_count(rollups, some, most_calls, failures) for some in _pages(rollups, hour, most_calls)]
        return not any(one.failed for one in counted)

    return one_by_one(count, [hour], failures).results == [True]


def _pages(rollups: UsageRollups, hour: str, most_calls: int) -> Iterator[list[CallKey]]:
    after: CallKey | None = None
    while some := rollups.calls_in(hour, after=after, limit=most_calls):
        yield some
        after = some[-1]


class _Counted(NamedTuple):
    failed: set[CallKey]
    behind: set[str]
    """Hours whose cost lines are to be made anew."""


def _count(rollups: UsageRollups, calls: Iterable[CallKey], most_calls: int, failures: Failures) -> _Counted:
    """Count calls in the order of time."""
    ordered = sorted(calls)
    counted = _Counted(set(), set())
    for start in range(0, len(ordered), most_calls):
        done = apart(rollups.count, ordered[start : start + most_calls], failures)
        counted.failed.update(done.failed)
        counted.behind.update(*done.results)
    return counted
