"""How long searches by words take, alone and with another filter, and what the index costs.

python -m tests.benchmarks words [--rows 1000000] [--days 360] [--ledger FILE] [--json FILE]

The calls of a year, each with some words of a vocabulary that is as skewed as a language; some are planted. The content
of those is kept by the product's own store, so that each hit is read and compared as it would be.
"""

import argparse
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shared.domain.values import utc_now, utc_of
from shared.domain.words import query_of
from shared.questions import InteractionFilter
from shared.services.search import Search
from shared.stores.ports import ContentDocument
from shared.stores.sql import tables
from shared.stores.sql.audit import SqlAuditStore
from shared.stores.sql.content import SqlContentStore
from shared.stores.sql.engine import create_engine
from shared.stores.sql.word_search import SearchableWords
from tests.benchmarks.large_ledger import make_ledger
from tests.builders.events import a_request

__all__ = ["main"]

GOAL_MS: Final = 200.0
_STEP: Final = 500
_WORDS: Final = 100
"""Different ones of a call; the text of 200 tokens, about."""
_VOCABULARY: Final = [f"w{number}" for number in range(50_000)]
_SHARES: Final = list(accumulate(1 / (rank + 3) for rank in range(len(_VOCABULARY))))
_PLANTED: Final = {"zebra": 200_000, "yak": 1_000, "heron": 3, "ibis": 3}
"""Word -> it stands in one call of so many; the last two never in the same."""
_KEPT: Final = 20_000
"""Calls whose content is kept, of those with a common word; of those with a rare one all are."""


def main(arguments: list[str]) -> int:
    """Ask, print how long it took; return 0."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks words")
    parser.add_argument("--rows", type=int, default=1_000_000, help="interactions in the ledger")
    parser.add_argument("--days", type=int, default=360, help="in which they occurred")
    parser.add_argument("--ledger", type=Path, help="a ledger to ask, which stays; it is made where it is not there")
    parser.add_argument("--json", type=Path, help="where to keep the results")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        path = options.ledger or Path(folder) / "ledger.db"
        is_new = not path.exists()
        if is_new:
            make_ledger(path, options.rows, days=options.days)
        engine = create_engine(f"sqlite:///{path}")
        if is_new:
            _fill(engine)
        results = _results(engine)
        engine.dispose()
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    _show(results)
    return 0


def _fill(engine: Engine) -> None:
    """Take all calls in, as the timer does a ledger of before."""
    index, content = SearchableWords(engine), SqlContentStore(engine)
    chance = random.Random(15)
    number, kept, began = 0, 0, time.process_time()
    while filling := index.filling(_STEP, at=utc_of(utc_now())):
        words: dict[str, set[str]] = {}
        documents: list[ContentDocument] = []
        for name, _ in filling.interactions:
            number += 1
            own = set(chance.choices(_VOCABULARY, cum_weights=_SHARES, k=_WORDS))
            planted = [word for word, share in _PLANTED.items() if share > 3 and number % share == 7]
            planted += ["heron"] if number % 3 == 1 else ["ibis"] if number % 3 == 2 else []
            words[name] = own.union(planted)
            if {"zebra", "yak"} & set(planted) or kept < _KEPT:
                kept += 1
                body = {"messages": [{"role": "user", "content": f"{' '.join(own)} {' '.join(planted)}"}]}
                documents.append(ContentDocument(name, "Q:words", a_request(name, body=body)))
        content.put(documents)
        index.keep(words, filling=filling, at=utc_of(utc_now()))
    print(f"filled: {number:,} calls, {(time.process_time() - began) / max(number, 1) * 1e6:.0f} us of CPU each")


def _questions(engine: Engine) -> Iterator[tuple[str, str, dict[str, Any]]]:
    users = tables.interaction.c.user_id
    counted = sa.select(users, sa.func.count()).where(users.is_not(None)).group_by(users)
    with engine.connect() as connection:
        common, *_, rare = [user for user, _ in connection.execute(counted.order_by(sa.func.count().desc()))]
    year = {"occurred_from": "2025-01-01T00:00:00.000Z", "occurred_before": "2028-01-01T00:00:00.000Z"}
    for word, text in (
        ("rare", "zebra"), ("uncommon", "yak"), ("common", "heron"), ("absent", "unicorn"),
        ("beginning", "zebr*"), ("rare + common", "zebra w1"), ("two common", "heron w1"),
        ("never together", "heron ibis"), ("phrase", '"yak heron"'),
    ):  # fmt: skip
        yield f"{word}", text, {}
        yield f"{word}, a range", text, year
        yield f"{word}, common user", text, year | {"user_id": common}
        yield f"{word}, rare user", text, {"user_id": rare}
        yield f"{word}, errors", text, {"error": True}


def _results(engine: Engine) -> dict[str, Any]:
    search = Search(SqlAuditStore(engine), SqlContentStore(engine), SearchableWords(engine))
    questions: dict[str, Any] = {}
    for name, text, values in _questions(engine):
        times, cpu, page = [], 0.0, None
        for _ in range(9):
            began, spent = time.perf_counter(), time.thread_time()
            page = search.page(query_of(text), InteractionFilter(**values), after=None, limit=100)
            times.append(round((time.perf_counter() - began) * 1000, 2))
            cpu = max(cpu, time.thread_time() - spent)
        found, is_end = (len(page.rows), page.next is None) if page else (0, True)
        questions[name] = {"ms": times, "cpu": round(cpu, 3), "found": found, "is_end": is_end}
    with engine.connect() as connection:
        rows = connection.scalar(sa.select(sa.func.count()).select_from(tables.interaction)) or 0
        held = connection.exec_driver_sql("select sum(pgsize) from dbstat where name like '%word%'").scalar() or 0
    return {"rows": rows, "index_bytes": held / rows, "load": os.getloadavg()[0], "questions": questions}


def _show(results: dict[str, Any]) -> None:
    print(f"{results['rows']:,} interactions, load {results['load']:.1f} on {os.cpu_count()} processors;")
    print(f"index: {results['index_bytes']:.0f} bytes a call of {_WORDS} different words or fewer")
    print("milliseconds of a page of 100: half of the answers / the longest; processor; hits")
    for name, one in results["questions"].items():
        half, most = statistics.median(one["ms"]), max(one["ms"])
        goal = ("met" if half <= GOAL_MS else "MISSED") if name.startswith(("rare", "absent", "beginning")) else ""
        more = "" if one["is_end"] else " and more"
        print(f"{name:30} {half:8.1f} / {most:8.1f} {one['cpu'] * 1000:8.0f}   {one['found']}{more} {goal}")
