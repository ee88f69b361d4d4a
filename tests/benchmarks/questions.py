"""How long the list of calls takes: every filter with common, rare and absent values, alone and with another."""

import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from shared.questions import FILTERS, Condition, Count, Filter, InteractionFilter
from shared.stores.sql import tables
from shared.stores.sql.audit import SqlAuditStore
from shared.stores.sql.conditions import conditions_of
from shared.stores.sql.engine import create_engine
from shared.stores.sql.indexes import LISTS
from tests.benchmarks.figures import Figure, most_of, of_times

if TYPE_CHECKING:
    from tests.benchmarks.bench import Bench

__all__ = ["questions"]

GOAL_MS: Final = 50.0
_PAGE: Final = 101
_SAMPLE: Final = 20_000
"""Rows in which the commonest and the rarest word are looked for."""
_RANGE: Final = {"occurred_from": "2026-03-10T00:00:00.000Z", "occurred_before": "2026-03-17T00:00:00.000Z"}


class Value(NamedTuple):
    """A value of a filter, and how common it is."""

    share: str
    value: Any


def questions(bench: "Bench") -> list[Figure]:
    """Return how long each filter takes, with every value and each other filter; print those that miss."""
    engine = create_engine(bench.url)
    asked = _asked(engine, bench.times, pairs=not bench.is_short)
    engine.dispose()
    _show(asked)
    groups: dict[str, list[float]] = {}
    for question, times in asked.items():
        words = question.split(" + ")
        for word in words:
            groups.setdefault(f"{word.split(' ')[0]} with another" if len(words) > 1 else question, []).extend(times)
    return [of_times(group, groups[group], goal=GOAL_MS) for group in sorted(groups)]


def _asked(engine: Engine, number: int, *, pairs: bool) -> dict[str, list[float]]:
    store = SqlAuditStore(engine)
    with engine.connect() as connection:
        values = {name: _values(connection, one) for name, one in FILTERS.items() if one.column != "occurred_at"}
    ask = _asking(store)
    asked: dict[str, list[float]] = {}
    for name, some in values.items():
        for share, value in some:
            asked[f"{name} {share}"] = [ask({name: value}) for _ in range(number)]
            asked[f"{name} {share}, a week"] = [ask({name: value} | _RANGE) for _ in range(number)]
    for one, other in itertools.combinations(values, 2) if pairs else ():
        for mine, yours in itertools.product(values[one], values[other]):
            both = {one: mine.value, other: yours.value}
            asked[f"{one} {mine.share} + {other} {yours.share}"] = [min(ask(both) for _ in range(2))]
    return asked


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
    if (one.values is str and one.column not in LISTS) or one.name == "http_status":
        column = (tables.charge if one.condition is Condition.CHARGED else facts).c[one.column]
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
    elif one.values is Decimal:
        yield from map(Decimal, ("0.001", "0.01", "0.1", "1", "999999"))
    elif one.values is str:
        yield from ("stop", "length", "tool_calls", "nothing")
    elif isinstance(one.values, type) and issubclass(one.values, Enum):
        yield from (member.value for member in one.values)
    else:
        yield from one.values


def _show(asked: Mapping[str, list[float]]) -> None:
    over = sorted(((most_of(times), question) for question, times in asked.items()), reverse=True)
    missed = [(most, question) for most, question in over if most > GOAL_MS]
    print(f"questions: {len(missed)} of {len(asked)} miss {GOAL_MS:g} ms")
    for most, question in missed[:40]:
        print(f"    {question:70} {most:10.1f}")
