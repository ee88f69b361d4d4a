"""How long the audit API's lists take: every filter with common, rare and absent values, alone and with another.

python -m tests.benchmarks questions [--rows 1000000] [--ledger FILE] [--json FILE] [--compare FILE]
"""

import argparse
import itertools
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from shared.questions import FILTERS, Count, Filter, InteractionFilter
from shared.stores.sql import tables
from shared.stores.sql.audit import SqlAuditStore
from shared.stores.sql.conditions import conditions_of
from shared.stores.sql.engine import create_engine
from tests.benchmarks.large_ledger import make_ledger

__all__ = ["main"]

GOAL_MS: Final = 50.0
_ALONE: Final = 20
"""How often a question with one filter is asked; one with two is asked twice, and the quicker answer counts."""
_PAGE: Final = 101
_SAMPLE: Final = 20_000
"""Rows in which the commonest and the rarest word are looked for."""
_RANGE: Final = {"occurred_from": "2026-03-10T00:00:00.000Z", "occurred_before": "2026-03-17T00:00:00.000Z"}


class Value(NamedTuple):
    """A value of a filter, and how common it is."""

    share: str
    value: Any


def main(arguments: list[str]) -> int:
    """Ask everything, print and keep how long it took; return 0."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks questions")
    parser.add_argument("--rows", type=int, default=1_000_000, help="interactions in the ledger")
    parser.add_argument("--ledger", type=Path, help="a ledger to ask, which stays; it is made where it is not there")
    parser.add_argument("--json", type=Path, help="where to keep the results")
    parser.add_argument("--compare", type=Path, help="results of before, to be shown beside these")
    parser.add_argument("--no-pairs", dest="pairs", action="store_false", help="ask with one filter alone")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        path = options.ledger or Path(folder) / "ledger.db"
        if not path.exists():
            started = time.monotonic()
            make_ledger(path, options.rows)
            print(f"made in {time.monotonic() - started:.0f} s")
        engine = create_engine(f"sqlite:///{path}")
        results = _results(engine, pairs=options.pairs)
        engine.dispose()
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    before = json.loads(options.compare.read_text(encoding="utf-8")) if options.compare else {}
    _show(results, before)
    return 0


def _results(engine: Engine, *, pairs: bool) -> dict[str, Any]:
    store = SqlAuditStore(engine)
    with engine.connect() as connection:
        rows = connection.scalar(sa.select(sa.func.count()).select_from(tables.interaction)) or 0
        values = {name: _values(connection, one) for name, one in FILTERS.items() if one.column != "occurred_at"}
    ask = _asking(store)
    questions: dict[str, list[float]] = {}
    for name, some in values.items():
        for share, value in some:
            questions[f"{name} {share}"] = [ask({name: value}) for _ in range(_ALONE)]
            questions[f"{name} {share}, a week"] = [ask({name: value} | _RANGE) for _ in range(_ALONE)]
    for one, other in itertools.combinations(values, 2) if pairs else ():
        for mine, yours in itertools.product(values[one], values[other]):
            asked = {one: mine.value, other: yours.value}
            questions[f"{one} {mine.share} + {other} {yours.share}"] = [min(ask(asked) for _ in range(2))]
    return {"rows": rows, "goal_ms": GOAL_MS, "load": os.getloadavg()[0], "questions": questions}


def _asking(store: SqlAuditStore) -> Callable[[Mapping[str, Any]], float]:
    def ask(values: Mapping[str, Any]) -> float:
        started = time.perf_counter()
        store.interactions(InteractionFilter(**values), after=None, limit=_PAGE)
        return round((time.perf_counter() - started) * 1000, 2)

    return ask


def _values(connection: Connection, one: Filter) -> list[Value]:
    """Return the commonest, the rarest and an absent value of a filter, as far as it has them."""
    counts = dict(_counts(connection, one))
    present = sorted((value for value in counts if counts[value]), key=lambda value: counts[value])
    absent = [value for value in counts if not counts[value]]
    found = [Value("common", present[-1])] if present else []
    found += [Value("rare", present[0])] if len(present) > 1 else []
    return found + [Value("absent", value) for value in absent[:1]]


def _counts(connection: Connection, one: Filter) -> Iterator[tuple[Any, int]]:
    facts = tables.interaction
    if one.values is str or one.name == "http_status":
        column = facts.c[one.column]
        grouped = sa.select(column, sa.func.count()).where(column.is_not(None)).group_by(column)
        yield from (tuple(row) for row in connection.execute(grouped))
        yield ("nobody" if one.values is str else 999), 0
        return
    for value in _words(one):
        # The copies have the shares of what was copied, which was written first.
        first = sa.literal_column("rowid") <= _SAMPLE
        narrow = conditions_of(InteractionFilter(**{one.name: value}))
        number = connection.scalar(sa.select(sa.func.count()).select_from(facts).where(first, *narrow))
        yield value, number or 0


def _words(one: Filter) -> Iterator[Any]:
    if isinstance(one.values, Count):
        yield from (1, 100, 1_000, 2_000, 4_000, 8_000, 16_000, 1_000_000_000)
    elif one.values is bool:
        yield from (True, False)
    elif isinstance(one.values, type) and issubclass(one.values, Enum):
        yield from (member.value for member in one.values)
    else:
        yield from one.values


def _show(results: Mapping[str, Any], before: Mapping[str, Any]) -> None:
    old = before.get("questions", {})
    print(f"{results['rows']:,} interactions, load {results['load']:.1f} on {os.cpu_count()} processors;")
    print(f"milliseconds of a page of {_PAGE - 1}: half of the answers / 95 of 100")
    groups: dict[str, list[str]] = {}
    for question in results["questions"]:
        words = question.split(" + ")
        for word in words:
            name = word.split(" ")[0]
            groups.setdefault(f"{name} with another" if len(words) > 1 else question, []).append(question)
    missed = 0
    for group, questions in sorted(groups.items()):
        half, most = _spread([ms for one in questions for ms in results["questions"][one]])
        is_missed = most > GOAL_MS
        missed += is_missed
        known = [ms for one in questions for ms in old.get(one, ())]
        beside = "   before {:.1f} / {:.1f}".format(*_spread(known)) if known else ""
        print(f"{group:45} {half:8.1f} / {most:8.1f}   {'MISSED' if is_missed else 'met'}{beside}")
    slow = sorted(results["questions"].items(), key=lambda item: -_spread(item[1])[1])
    over = [item for item in slow if _spread(item[1])[1] > GOAL_MS]
    print(
        f"goal {GOAL_MS:g} ms: missed by {len(over)} of {len(slow)} questions; by {missed} of {len(groups)} lines above"
    )
    for question, times in over[:40]:
        print(f"    {question:70} {_spread(times)[1]:10.1f}")


def _spread(times: list[float]) -> tuple[float, float]:
    """Return the time of half of the answers, and of 95 of 100."""
    ordered = sorted(times)
    return statistics.median(ordered), ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)]
