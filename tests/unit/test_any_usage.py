"""Usage is the same whichever sums it is answered from: any groups, range, interval and size of a page."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.values import utc_of
from shared.questions import InteractionFilter, UsageQuery
from shared.services.audit import AuditService
from shared.stores.sql import tables
from shared.stores.sql.audit import SqlAuditStore
from shared.stores.sql.content import SqlContentStore
from shared.stores.sql.engine import writing
from shared.stores.sql.usage import parts_of
from shared.stores.sql.usage_sums import Differences, Groups, group_of
from tests.builders.databases import memory_folder, new_sqlite

pytestmark = pytest.mark.slow

_START = datetime(2026, 1, 30, 20, tzinfo=UTC)
_HOURS = 24 * 64
_VALUES: dict[str, list[str | None]] = {
    "user_id": [f"user-{number}" for number in range(40)] + [None],
    "model": ["gpt-4o", "o3", None],
    "operation": ["chat.completions", "other", None],
    "team": ["red", "blue", None],
    "currency": ["USD", None],
}
Calls = list[tuple[str, dict[str, str | None], tuple[Any, ...]]]


def _calls() -> Calls:
    chance = Random(7)
    calls: Calls = []
    for number in range(800):
        values = dict.fromkeys(tables.DIMENSIONS) | {name: chance.choice(some) for name, some in _VALUES.items()}
        measures = [1, *(chance.randrange(3) for _ in tables.MEASURES[1:])]
        money = (0, Decimal(0)) if values["currency"] is None else (1, Decimal(chance.randrange(100)) / 8)
        time = _START + timedelta(hours=chance.randrange(_HOURS) if number % 3 else number % 5)
        calls.append((utc_of(time), values, (*measures, *money)))
    return calls


CALLS = _calls()


@pytest.fixture(scope="module")
def audit() -> Iterator[AuditService]:
    with memory_folder() as folder:
        engine = new_sqlite(Path(folder))
        differences = Differences()
        for time, values, counted in CALLS:
            differences.add(time, group_of(values), counted)
        with writing(engine) as connection:
            differences.write(connection, Groups(connection))
        yield AuditService(store=SqlAuditStore(engine), content=SqlContentStore(engine))
        engine.dispose()


def _by_hand(query: UsageQuery) -> list[tuple[Any, ...]]:
    digits, rest = {"hour": (13, ":00:00.000Z"), "day": (10, "T00:00:00.000Z"), "month": (7, "-01T00:00:00.000Z")}[
        query.interval or "hour"
    ]
    start = query.starts_from and query.starts_from[:digits] + rest
    found: dict[tuple[str, ...], list[Any]] = {}
    for time, values, counted in CALLS:
        known = dict(zip(tables.DIMENSIONS, group_of(values), strict=True))
        at = time[:digits] + rest
        if (start and at < start) or (query.starts_before and at >= query.starts_before):
            continue
        if any(known[name] != value for name, value in query.narrow.values.items()):
            continue
        key = (*((at,) if query.interval else ()), *(known[name] for name in query.dimensions))
        sums = found.setdefault(key, [0, 0, None])
        sums[0] += counted[0]
        sums[1] += counted[7]
        if counted[-2]:
            sums[2] = (sums[2] or 0) + counted[-1]
    if not found and not query.interval and not query.dimensions:
        return [(0, 0, None)]
    return [(*key, *found[key]) for key in sorted(found)]


_moments = st.one_of(
    st.none(),
    st.integers(-30, _HOURS + 30).map(lambda hours: utc_of(_START + timedelta(hours=hours))),
    st.sampled_from(["2026-02-01T00:00:00.000Z", "2026-03-01T00:00:00.000Z", "2026-02-03T00:00:00.000Z"]),
)


_NARROW: list[dict[str, str]] = [
    {},
    {},
    {"model": "o3"},
    {"user_id": "user-7"},
    {"user_id": "nobody"},
    {"operation": "other"},
]
_queries = st.builds(
    lambda dimensions, interval, start, end, narrow: UsageQuery(
        dimensions=tuple(dimensions),
        interval=interval,
        starts_from=start,
        starts_before=end,
        narrow=InteractionFilter(**narrow),
    ),
    st.lists(st.sampled_from(sorted(_VALUES)), unique=True, max_size=3),
    st.sampled_from([None, None, "hour", "day", "month"]),
    _moments,
    _moments,
    st.sampled_from(_NARROW),
)


@settings(max_examples=40, deadline=None)
@given(query=_queries, limit=st.sampled_from([1, 7, 50, 1000]))
def test_any_question_is_answered_as_by_hand(audit: AuditService, query: UsageQuery, limit: int) -> None:
    rows: list[Any] = []
    after: tuple[str, ...] | None = None
    while True:
        page = audit.usage(query, after=after, limit=limit)
        assert len(page.rows) <= limit
        rows += page.rows
        after = page.next
        if after is None or len(rows) > 100:
            break

    keys = (("interval_start",) if query.interval else ()) + query.dimensions
    found = [(*(row[name] for name in keys), row["requests"], row["total_tokens"], row["amount"]) for row in rows]
    assert found == _by_hand(query)[: len(found)]
    assert after is not None or len(found) == len(_by_hand(query))


@given(start=_moments, end=_moments)
def test_any_range_is_cut_into_intervals_that_lie_side_by_side(start: str | None, end: str | None) -> None:
    parts = parts_of(start, end)

    assert len(parts) <= 5
    assert all(one.end == other.start for one, other in pairwise(parts))
    if start is not None and end is not None and start < end:
        assert (parts[0].start, parts[-1].end) == (start, end)
