"""How long the rollup timer takes for what changed, and `/usage` and `/balance` to answer, in a ledger of a year."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from shared.questions import InteractionFilter, UsageQuery
from shared.services.rollup import rebuild_usage_rollups
from shared.stores.sql import tables
from shared.stores.sql.audit import SqlAuditStore
from shared.stores.sql.engine import create_engine, writing
from shared.stores.sql.rollups import SqlUsageRollups
from shared.stores.sql.usage_marks import marks_of
from tests.benchmarks.figures import Figure, of_times

if TYPE_CHECKING:
    from tests.benchmarks.bench import Bench

__all__ = ["add_hour", "fill_usage", "longest_of", "timers"]

_PAGE: Final = 101
_YEAR: Final = ("2026-01-01T00:00:00.000Z", "2028-01-01T00:00:00.000Z")
GOALS: Final = {
    "one new hour": 100.0,
    "twelve touched months": 2000.0,
    "longest transaction": 1000.0,
    "/balance": 10.0,
    "/usage": 50.0,
}
"""Milliseconds in which 95 of 100 are done."""


class Question(NamedTuple):
    """What is asked of `/usage`."""

    name: str
    query: UsageQuery


def timers(bench: "Bench") -> list[Figure]:
    """Return how long timers and the questions that they prepare take."""
    engine = create_engine(bench.url)
    times = _times(engine, bench.times)
    engine.dispose()
    return [
        of_times(name, some, goal=next(GOALS[kind] for kind in GOALS if name.startswith(kind)))
        for name, some in times.items()
    ]


def fill_usage(engine: Engine) -> int:
    """Count every call, where none is in any sum yet; return how many."""
    with writing(engine) as connection:
        if connection.scalar(sa.select(tables.usage_of_hour.c.group_id).limit(1)) is not None:
            return 0
        connection.execute(sa.delete(tables.dirty_hour))
        connection.exec_driver_sql(
            "insert into dirty_hour (hour) select distinct substr(occurred_at, 1, 13) || ':00:00.000Z'"
            " from interaction order by 1"
        )
        calls = connection.scalar(sa.select(sa.func.count()).select_from(tables.interaction)) or 0
    rebuild_usage_rollups(SqlUsageRollups(engine))
    return calls


def _times(engine: Engine, number: int) -> dict[str, list[float]]:
    with engine.connect() as connection:
        questions = list(_questions(connection))
    times: dict[str, list[float]] = {}
    rollups, store = SqlUsageRollups(engine), SqlAuditStore(engine)
    rebuild_usage_rollups(rollups)
    with longest_of(engine) as longest:
        for _ in range(max(2, number // 4)):
            add_hour(engine)
            times.setdefault("one new hour", []).append(_ms(lambda: rebuild_usage_rollups(rollups)))
            _touch_months(engine)
            times.setdefault("twelve touched months", []).append(_ms(lambda: rebuild_usage_rollups(rollups)))
        times["longest transaction"] = [max(longest)]
    times["/balance"] = [_ms(store.partitions) for _ in range(number)]
    for question in questions:

        def ask(query: UsageQuery = question.query) -> object:
            return store.usage(query, after=None, limit=_PAGE)

        times[f"/usage {question.name}"] = [_ms(ask) for _ in range(number)]
    return times


def add_hour(engine: Engine, size: int | None = None) -> int:
    """Put an hour like the others behind the last one; return how many calls it has: `size`, where that is said."""
    names = [column.name for column in tables.interaction.c if column.computed is None]
    with writing(engine) as connection:
        run = connection.exec_driver_sql
        first, last, number = run("select min(occurred_at), max(occurred_at), count(*) from interaction").one()
        hours = run("select (julianday(?) - julianday(?)) * 24", (last, first)).scalar_one()
        middle = first
        if size is None:
            middle = run("select strftime('%Y-%m-%dT%H', julianday(?) - 3) || ':00:00.000Z'", (last,)).scalar_one()
        new = run("select strftime('%Y-%m-%dT%H', julianday(?) + 1.0 / 24)", (last,)).scalar_one()
        changed = {
            "id": "lower(hex(randomblob(16)))",
            "occurred_at": f"'{new}' || printf(':%02d:%02d.000Z', abs(random()) % 60, abs(random()) % 60)",
            "usage_key": "null",
        }
        values = ", ".join(changed.get(name, name) for name in names)
        size = size or round(number / hours)
        run(
            f"insert into interaction ({', '.join(names)}) select {values} from interaction"  # names
            " where occurred_at >= ? order by occurred_at limit ?",
            (middle, size),
        )
        calls = {tuple(row) for row in run("select occurred_at, id from interaction where occurred_at >= ?", (new,))}
        run("insert into dirty_hour (hour, calls) values (?, ?)", marks_of(calls))
    return len(calls)


def _touch_months(engine: Engine) -> None:
    """Correct one call in each of twelve months."""
    with writing(engine) as connection:
        run = connection.exec_driver_sql
        (last,) = run("select max(occurred_at) from interaction").one()
        calls = set()
        for month in range(12):
            found = run(
                "select occurred_at, id from interaction where occurred_at >="
                " strftime('%Y-%m-%dT%H:%M:%fZ', julianday(?) - 2 - ?) and total_tokens > 0"
                " order by occurred_at limit 1",
                (last, month * 30.4),
            ).one()
            calls.add((found[0], found[1]))
            run("update interaction set total_tokens = total_tokens + 1 where id = ?", (found[1],))
        run("insert into dirty_hour (hour, calls) values (?, ?)", marks_of(calls))


def _questions(connection: Connection) -> Iterator[Question]:
    start, end = _YEAR

    def ask(*dimensions: str, interval: str | None = None, **narrow: str) -> UsageQuery:
        return UsageQuery(
            dimensions=dimensions,
            interval=interval,
            starts_from=start,
            starts_before=end,
            narrow=InteractionFilter(**narrow),
        )

    # Rounded to no interval: months, days and hours at both ends.
    first, last = connection.execute(
        sa.select(sa.func.min(tables.interaction.c.occurred_at), sa.func.max(tables.interaction.c.occurred_at))
    ).one()
    uneven = (f"{first[:8]}28T05:00:00.000Z", f"{last[:8]}02T17:00:00.000Z")
    yield Question("a year by caller and model", ask("caller_ip", "model"))
    yield Question("a year by user", ask("user_id"))
    yield Question("a year by team and model", ask("subscription_id", "model"))
    yield Question("a year by model", ask("model"))
    yield Question("a year in all", ask())
    yield Question(
        "a range of months, days and hours by caller and model",
        UsageQuery(dimensions=("caller_ip", "model"), starts_from=uneven[0], starts_before=uneven[1]),
    )
    for interval in ("hour", "day", "month"):
        yield Question(f"by {interval} and model", ask("model", interval=interval))
        yield Question(f"by {interval}, caller and model", ask("caller_ip", "model", interval=interval))
    for share, user in _users(connection):
        yield Question(f"of a {share} user by model", ask("model", user_id=user))
        yield Question(f"of a {share} user by day", ask(interval="day", user_id=user))
    yield Question("of a model by user", ask("user_id", model="gpt-4o-2024-11-20"))


def _users(connection: Connection) -> Iterator[tuple[str, str]]:
    column = tables.interaction.c.user_id
    counts = connection.execute(
        sa.select(column, sa.func.count()).where(column.is_not(None)).group_by(column).order_by(sa.func.count())
    ).all()
    yield "common", counts[-1][0]
    yield "rare", counts[0][0]
    yield "absent", "nobody"


def _ms(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return round((time.perf_counter() - started) * 1000, 2)


@contextmanager
def longest_of(engine: Engine | type[Engine]) -> Iterator[list[float]]:
    """Collect how many milliseconds each transaction that wrote was open; of one engine or of all."""
    taken: list[float] = [0.0]
    began: dict[int, float] = {}

    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("writes"):
            began[id(connection)] = time.perf_counter()

    def end(connection: Connection) -> None:
        if id(connection) in began:
            taken.append((time.perf_counter() - began.pop(id(connection))) * 1000)

    sa.event.listen(engine, "begin", begin)
    sa.event.listen(engine, "commit", end)
    yield taken
    sa.event.remove(engine, "begin", begin)
    sa.event.remove(engine, "commit", end)
