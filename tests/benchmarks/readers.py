"""How long 16 readers wait while a replay and the timers write, beside what they wait when nobody does.

python -m tests.benchmarks readers [--seconds 10] [--rounds 3]

Readers and writers are processes of their own, as they are when a ledger is replayed beside a server.
"""

import argparse
import multiprocessing
import os
import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Final

from shared.domain.access_log import Reader
from shared.errors import StoreUnavailableError
from shared.questions import InteractionFilter
from shared.retry import QUICK_SECONDS
from shared.services.audit import AuditService
from shared.services.ingest import ingest
from shared.services.rollup import rebuild_usage_rollups
from shared.services.words import index_words
from shared.stores.sql.audit import SqlAuditStore
from shared.stores.sql.content import SqlContentStore
from shared.stores.sql.engine import create_engine
from shared.stores.sql.ledger import SqlLedger
from shared.stores.sql.migrate import upgrade
from shared.stores.sql.rollups import SqlUsageRollups
from shared.stores.sql.word_search import SearchableWords
from tests.benchmarks.conversations import batches

__all__ = ["main"]

GOAL: Final = 2.0
READERS: Final = 16
_PAUSE: Final = 0.5
"""Seconds between two questions of one reader, about: people ask, they are no loop."""
_FIRST: Final = 6_400

_Times = dict[str, list[float]]


def main(arguments: list[str]) -> int:
    """Ask while nobody writes and while all do, turn by turn; print how long it took; return 0."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks readers")
    parser.add_argument("--seconds", type=float, default=10, help="of each turn")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each kind")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'ledger.db'}"
        upgrade(url)
        ids = _begin(url)
        quiet: _Times = {}
        busy: _Times = {}
        faults: Counter[str] = Counter()
        for turn in range(options.rounds):
            _read(url, ids, options.seconds, quiet, faults)
            with multiprocessing.get_context("spawn").Manager() as manager:
                written = manager.list()
                over = multiprocessing.get_context("spawn").Event()
                writers = [
                    multiprocessing.get_context("spawn").Process(target=work, args=(url, turn, over, written))
                    for work in (_replay, _run_timers)
                ]
                for writer in writers:
                    writer.start()
                time.sleep(3)  # until they have begun
                _read(url, ids, options.seconds, busy, faults)
                over.set()
                for writer in writers:
                    writer.join()
                faults.update(written)
    _show(quiet, busy, faults)
    return 0


def _begin(url: str) -> list[str]:
    engine = create_engine(url)
    ledger, content = SqlLedger(engine), SqlContentStore(engine)
    for batch in batches(0, _FIRST, size=256, lag=1):
        ingest(batch, ledger=ledger, content=content)
    index_words(index=SearchableWords(engine), content=content)
    rows = SqlAuditStore(engine).interactions(InteractionFilter(), after=None, limit=1_000)
    engine.dispose()
    return [row["id"] for row in rows]


def _replay(url: str, turn: int, over: Event, faults: list[str]) -> None:
    engine = create_engine(url)
    ledger, content = SqlLedger(engine), SqlContentStore(engine)
    first = _FIRST * (turn + 1) * 10
    for batch in batches(first, first + 10 * _FIRST, size=256, lag=1):
        if over.is_set():
            break
        _noting(faults, "replay", partial(ingest, batch, ledger=ledger, content=content))
    engine.dispose()


def _run_timers(url: str, _turn: int, over: Event, faults: list[str]) -> None:
    engine = create_engine(url)
    content, index = SqlContentStore(engine), SearchableWords(engine)
    while not over.wait(1):
        _noting(faults, "rollups", partial(rebuild_usage_rollups, SqlUsageRollups(engine)))
        _noting(faults, "words", partial(index_words, index=index, content=content, seconds=5))
    engine.dispose()


def _noting(faults: list[str], name: str, work: Callable[[], object]) -> None:
    try:
        work()
    except StoreUnavailableError as error:
        faults.append(f"{name}: {error}")


def _read(url: str, ids: Sequence[str], seconds: float, times: _Times, faults: Counter[str]) -> None:
    """Let all readers ask for so long."""
    engine = create_engine(url, busy_seconds=2)
    content = SqlContentStore(engine, retry_seconds=QUICK_SECONDS)
    audit = AuditService(
        store=SqlAuditStore(engine), content=content, words=SearchableWords(engine, retry_seconds=QUICK_SECONDS)
    )
    until = time.monotonic() + seconds
    lock = threading.Lock()
    numbers = count()

    def ask() -> None:
        chance = random.Random(next(numbers))
        questions = _questions(audit, ids, chance)
        time.sleep(chance.random() * _PAUSE)
        while time.monotonic() < until:
            name, question = chance.choice(questions)
            began = time.perf_counter()
            try:
                question()
            except StoreUnavailableError as error:
                with lock:
                    faults[f"{name}: {error}"] += 1
            with lock:
                times.setdefault(name, []).append((time.perf_counter() - began) * 1000)
            time.sleep(_PAUSE * (0.5 + chance.random()))

    readers = [threading.Thread(target=ask) for _ in range(READERS)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    engine.dispose()


def _questions(
    audit: AuditService, ids: Sequence[str], chance: random.Random
) -> list[tuple[str, Callable[[], object]]]:
    reader = Reader("bench", "/bench")
    everything = InteractionFilter()
    return [
        ("list", lambda: audit.interactions(everything, after=None, limit=20, reader=None)),
        ("list with texts", lambda: audit.interactions(everything, after=None, limit=20, reader=reader)),
        ("one", lambda: audit.interaction(chance.choice(ids), reader=None)),
        ("content", lambda: audit.content_of(chance.choice(ids), reader=reader)),
        ("search", lambda: audit.search("four", everything, after=None, limit=5, reader=reader)),
    ]


def _show(quiet: _Times, busy: _Times, faults: Counter[str]) -> None:
    print(f"{READERS} readers, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors;")
    print("milliseconds: 95 of 100 answers when nobody writes / while a replay and the timers do")
    for name in [*sorted(quiet), "all"]:
        idle, load = (
            _most([ms for one, some in times.items() for ms in some if name in {one, "all"}]) for times in (quiet, busy)
        )
        ratio = load / idle
        print(f"{name:20} {idle:8.1f} / {load:8.1f}   {ratio:4.1f} times  {'met' if ratio <= GOAL else 'MISSED'}")
    print(f"not done: {sum(faults.values())}", dict(faults) if faults else "")


def _most(times: Sequence[float]) -> float:
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)]
