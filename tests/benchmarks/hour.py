"""Ingest, every timer and 16 readers on one SQLite file for an hour: who finds it locked, who waits, what adds up.

Two processes ingest, a third runs all timers one after the other: far more often than their schedules do. The readers
have a process of their own.
"""

import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Iterator, MutableSequence
from datetime import timedelta
from itertools import count, islice
from multiprocessing.synchronize import Event, Semaphore
from pathlib import Path
from typing import Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Engine, ExceptionContext

from localhost.traffic.mix import DEFAULT_START, an_hour
from shared import bootstrap
from shared.domain.delivery import Delivery, Position
from shared.domain.values import NO_TIME
from shared.errors import StoreUnavailableError
from shared.services.audit import AuditService
from shared.services.readiness import SCHEDULES
from shared.stores.sql.audit import SqlAuditStore
from shared.stores.sql.content import SqlContentStore
from shared.stores.sql.engine import create_engine
from shared.stores.sql.migrate import upgrade
from tests.benchmarks.conversations import batches
from tests.benchmarks.figures import Figure, most_of
from tests.benchmarks.readers import GOAL, Times, ask_for, begin
from tests.benchmarks.timers import longest_of

__all__ = ["Hour", "figures_of", "hour"]

_SIZE: Final = 256
_PER_SECOND: Final = 200
"""Events that each of the two hands in: 10 million calls a month come at 8 in all."""
_EVENTS: Final = 8_000
_PAUSE: Final = 1.0
"""Seconds between two rounds of all timers."""
_START: Final = 60.0
"""Seconds for which a process is waited for that does not begin."""
_LONGEST: Final = 1_000.0
"""Milliseconds of one transaction of a timer."""
_LOCKED: Final = "database is locked"


class Hour(NamedTuple):
    """What became of an hour."""

    idle: float
    """Milliseconds in which 95 of 100 readers had their answer while nobody wrote, before and behind it."""
    busy: float
    handed: int
    """Events that were handed in, each at a position of its own."""
    received: int
    unaccounted: int
    """How far the classes of the balance are from what it received."""
    locked: int
    """Statements of writers that gave up waiting for another writer, those too that were tried again."""
    failed: dict[str, int]
    """Batches, runs of timers and questions that the store refused in the end."""
    runs: dict[str, int]
    """How often each timer ran."""
    longest: dict[str, float]
    """Milliseconds of the longest transaction of each timer: writers wait for it."""


class _Told(NamedTuple):
    """What a process did."""

    handed: int
    locked: int
    failed: dict[str, int]
    runs: dict[str, int]
    longest: dict[str, float]


def hour(folder: Path, seconds: float) -> Hour:
    """Let all work together for so long; return what became of it."""
    path = folder / "hour.db"
    url = f"sqlite:///{path}"
    upgrade(url)
    ids = begin(url)
    before = _balance(url)[0]
    idle: Times = {}
    busy: Times = {}
    faults: Counter[str] = Counter()
    alone = max(3.0, min(seconds / 10, 60.0))
    ask_for(url, ids, alone, idle, faults)
    spawn = multiprocessing.get_context("spawn")
    os.environ["PROMPTLEDGER_DATABASE"] = url
    with spawn.Manager() as manager:
        told = manager.list()
        over, begun = spawn.Event(), spawn.Semaphore(0)
        work = [
            spawn.Process(target=_hand_in, args=(0, begun, over, told)),
            spawn.Process(target=_hand_in, args=(1, begun, over, told)),
            spawn.Process(target=_run_timers, args=(begun, over, told)),
        ]
        for process in work:
            process.start()
        for _ in work:
            begun.acquire(timeout=_START)
        ask_for(url, ids, seconds, busy, faults)
        over.set()
        for process in work:
            process.join()
        found = [_Told(*one) for one in told]
    failed = sum((Counter(one.failed) for one in found), faults)
    if len(found) < len(work):
        failed["process that ended early"] += len(work) - len(found)
    ask_for(url, ids, alone, idle, faults)
    received, unaccounted = _balance(url)
    return Hour(
        idle=most_of([ms for some in idle.values() for ms in some]),
        busy=most_of([ms for some in busy.values() for ms in some]),
        handed=sum(one.handed for one in found),
        received=received - before,
        unaccounted=unaccounted,
        locked=sum(one.locked for one in found),
        failed=dict(failed),
        runs={name: number for one in found for name, number in one.runs.items()},
        longest={name: most for one in found for name, most in one.longest.items()},
    )


def figures_of(found: Hour) -> list[Figure]:
    """Return what an hour is judged by; print what was refused, and how often timers ran."""
    runs = ", ".join(f"{name} {number}" for name, number in sorted(found.runs.items()))
    print(f"hour: {found.handed:,} events, {sum(found.failed.values())} refused {found.failed or ''}; timers: {runs}")
    return [
        Figure("readers, idle", found.idle),
        Figure("readers, beside ingest and timers", found.busy),
        Figure("the same over idle", found.busy / found.idle, unit="", goal=GOAL),
        Figure('"database is locked"', float(found.locked), unit="", goal=0.0),
        Figure("refused in the end", float(sum(found.failed.values())), unit="", goal=0.0),
        Figure("events that the balance lacks", float(abs(found.handed - found.received)), unit="", goal=0.0),
        Figure("events in no class or in two", float(found.unaccounted), unit="", goal=0.0),
        *(Figure(f"longest transaction, {name}", most, goal=_LONGEST) for name, most in sorted(found.longest.items())),
        Figure("events", float(found.handed), unit=""),
    ]


def _balance(url: str) -> tuple[int, int]:
    engine = create_engine(url)
    found = AuditService(store=SqlAuditStore(engine), content=SqlContentStore(engine)).balance()
    engine.dispose()
    return sum(one.received for one in found), sum(one.unaccounted for one in found)


def _hand_in(number: int, begun: Semaphore, over: Event, told: MutableSequence[_Told]) -> None:
    """Ingest one kind of traffic at its pace; what is refused is handed in again, as the host would."""
    locked = _count_locks()
    failed: Counter[str] = Counter()
    handed = 0
    work = _conversations() if number == 0 else _sample_traffic()
    bootstrap.services()
    begun.release()
    began = time.monotonic()
    for batch in work:
        while not over.wait(max(0.0, began + handed / _PER_SECOND - time.monotonic())):
            try:
                bootstrap.services().ingest(batch)
            except StoreUnavailableError as error:
                failed[f"batch: {error}"] += 1
                continue
            handed += len(batch)
            break
        if over.is_set():
            break
    told.append(_Told(handed, locked[_LOCKED], dict(failed), {}, {}))
    bootstrap.reset()


def _run_timers(begun: Semaphore, over: Event, told: MutableSequence[_Told]) -> None:
    locked = _count_locks()
    failed: Counter[str] = Counter()
    runs: Counter[str] = Counter()
    longest: dict[str, float] = {}
    bootstrap.services()
    begun.release()
    while not over.wait(_PAUSE):
        for name in SCHEDULES:
            with longest_of(Engine) as taken:
                try:
                    getattr(bootstrap.services(), name)()
                except StoreUnavailableError as error:
                    failed[f"{name}: {error}"] += 1
            runs[name] += 1
            longest[name] = max(longest.get(name, 0.0), *taken)
    told.append(_Told(0, locked[_LOCKED], dict(failed), dict(runs), longest))
    bootstrap.reset()


def _count_locks() -> Counter[str]:
    """Return the counter of the statements of this process that find the database locked."""
    locked: Counter[str] = Counter()

    def note(context: ExceptionContext) -> None:
        if _LOCKED in str(context.original_exception):
            locked[_LOCKED] += 1

    sa.event.listen(Engine, "handle_error", note)
    return locked


def _conversations() -> Iterator[list[Delivery]]:
    # All batches of one call of it are in memory.
    for first in count(1_000_000, _EVENTS):
        yield from batches(first, _EVENTS, size=_SIZE, lag=3 * _SIZE)


def _sample_traffic() -> Iterator[list[Delivery]]:
    for turn in count(1):
        by_partition: dict[tuple[str, str], list[Delivery]] = {}
        for hub, partition, event in an_hour(_EVENTS, seed=turn, start=DEFAULT_START + timedelta(hours=turn)):
            sequence = (event.sequence or 0) + turn * 1_000_000
            position = Position(hub, f"{partition}-sample", sequence, event.enqueued_at or NO_TIME)
            by_partition.setdefault((hub, partition), []).append(Delivery(position, event.body))
        for deliveries in by_partition.values():
            events = iter(deliveries)
            while batch := list(islice(events, _SIZE)):
                yield batch
