"""How long 16 readers wait while a replay and the timers write, beside what they wait when nobody does.

Readers and writers are processes of their own, as they are when a ledger is replayed beside a server.
"""

import multiprocessing
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
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
from tests.benchmarks.figures import Figure, most_of, of_times

__all__ = ["READERS", "Times", "ask_for", "begin", "readers"]

GOAL: Final = 2.0
READERS: Final = 16
_PAUSE: Final = 0.5
"""Seconds between two questions of one reader, about: people ask, they are no loop."""
_FIRST: Final = 6_400

Times = dict[str, list[float]]
"""Milliseconds of every answer, by what was asked."""


def readers(folder: Path, *, seconds: float, rounds: int) -> list[Figure]:
    """Let readers ask while nobody writes and while all do, turn by turn; return how long they waited."""
    url = f"sqlite:///{folder / 'readers.db'}"
    upgrade(url)
    ids = begin(url)
    quiet: Times = {}
    busy: Times = {}
    faults: Counter[str] = Counter()
    for turn in range(rounds):
        ask_for(url, ids, seconds, quiet, faults)
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
            ask_for(url, ids, seconds, busy, faults)
            over.set()
            for writer in writers:
                writer.join()
            faults.update(written)
    return [*_figures(quiet, busy), Figure("refused", float(sum(faults.values())), unit="", goal=0.0)]


def begin(url: str) -> list[str]:
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


def ask_for(url: str, ids: Sequence[str], seconds: float, times: Times, faults: Counter[str]) -> None:
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

    asking = [threading.Thread(target=ask) for _ in range(READERS)]
    for reader in asking:
        reader.start()
    for reader in asking:
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


def _figures(quiet: Times, busy: Times) -> Iterator[Figure]:
    for name in [*sorted(quiet), "all"]:
        idle, load = (
            [ms for one, some in times.items() for ms in some if name in {one, "all"}] for times in (quiet, busy)
        )
        yield of_times(f"{name}, idle", idle)
        if load:
            yield of_times(f"{name}, beside writers", load)
            yield Figure(f"{name}, beside writers over idle", most_of(load) / most_of(idle), unit="", goal=GOAL)
