"""What every store of usage rollups does."""

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shared.domain.call_errors import is_error
from shared.domain.traits import ErrorCount, Quantiles, Spread
from shared.questions import UsageQuery
from shared.services.audit import AuditService
from shared.services.rollup import rebuild_usage_rollups, recount_usage
from shared.stores.ports import Ledger
from shared.stores.sql import tables
from shared.stores.sql.audit import SqlAuditStore
from shared.stores.sql.content import SqlContentStore
from shared.stores.usage_ports import UsageRollups
from tests.contracts.test_ledger import a_batch, a_row

NINE, TEN = "2026-03-02T09:00:00.000Z", "2026-03-02T10:00:00.000Z"


def a_call(number: int, at: str, **facts: object) -> dict[str, object]:
    usage = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15, "usage_provenance": "reported"}
    return a_row(f"call-{number}", **({"occurred_at": at, "model": "gpt-4o"} | usage | facts))


def store(ledger: Ledger, *rows: dict[str, object]) -> None:
    hours = {f"{row['occurred_at'][:13]}:00:00.000Z" for row in rows}  # type: ignore[index]  # a builder's row
    keys = {row["usage_key"] for row in rows if "usage_key" in row}
    with ledger.transaction() as transaction:
        transaction.store(a_batch(new_interactions=list(rows), dirty_hours=hours, dirty_usage_keys=keys))


def a_poll(number: int, at: str, total: int | None, **facts: object) -> dict[str, object]:
    usage = {"usage_key": "run_1", "input_tokens": total, "output_tokens": None, "total_tokens": total}
    return a_call(number, at, **(usage | facts))


def usage(engine: Engine, table: sa.Table) -> list[tuple[object, ...]]:
    c = table.c
    query = sa.select(c.interval_start, c.model, c.requests, c.errors, c.unmetered_requests, c.total_tokens)
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(query.order_by(c.interval_start, c.model))]


def test_marked_hours_are_summed_by_dimension(engine: Engine, ledger: Ledger, rollups: UsageRollups) -> None:
    error = {"http_status": 429, "usage_provenance": "missing", "input_tokens": None, "total_tokens": None}
    store(ledger, a_call(1, "2026-03-02T09:00:00.000Z"), a_call(2, "2026-03-02T09:59:59.999Z"), a_call(3, TEN))
    store(ledger, a_call(4, "2026-03-02T09:10:00.000Z", **error))

    assert rebuild_usage_rollups(rollups) == 2

    assert usage(engine, tables.usage_hour) == [(NINE, "gpt-4o", 3, 1, 1, 30), (TEN, "gpt-4o", 1, 0, 0, 15)]
    assert usage(engine, tables.usage_day) == [("2026-03-02T00:00:00.000Z", "gpt-4o", 4, 1, 1, 45)]
    assert usage(engine, tables.usage_month) == [("2026-03-01T00:00:00.000Z", "gpt-4o", 4, 1, 1, 45)]


def test_calls_that_exceeded_a_limit_are_counted_beside_all_errors(
    engine: Engine, ledger: Ledger, rollups: UsageRollups
) -> None:
    store(ledger, a_call(1, NINE, http_status=429), a_call(2, NINE, http_status=429, gateway_refused=True))
    store(ledger, a_call(3, NINE, http_status=500), a_call(4, NINE, http_status=200), a_call(5, NINE))

    rebuild_usage_rollups(rollups)

    for table in tables.USAGE.values():
        with engine.connect() as connection:
            sums = sa.select(sa.func.sum(table.c.errors), sa.func.sum(table.c.throttled_requests))
            assert [tuple(row) for row in connection.execute(sums)] == [(3, 2)]


def test_usage_is_summed_by_vendor_too(engine: Engine, ledger: Ledger, rollups: UsageRollups) -> None:
    store(ledger, a_call(1, NINE, vendor="openai"), a_call(2, NINE, vendor="other"), a_call(3, NINE))
    store(ledger, a_call(4, NINE, vendor="openai"))

    rebuild_usage_rollups(rollups)

    for table in tables.USAGE.values():
        with engine.connect() as connection:
            rows = connection.execute(sa.select(table.c.vendor, table.c.requests).order_by(table.c.vendor))
            assert [tuple(row) for row in rows] == [(None, 1), ("openai", 2), ("other", 1)]


def test_only_requests_whose_tokens_are_known_and_count_are_in_the_average(
    engine: Engine, ledger: Ledger, rollups: UsageRollups
) -> None:
    speech = {"input_tokens": None, "output_tokens": None, "total_tokens": None, "characters": 40}
    missing = speech | {"characters": None, "usage_provenance": "missing"}
    store(ledger, a_call(1, NINE), a_call(2, NINE, **speech), a_call(3, NINE, **missing))
    store(ledger, a_poll(4, NINE, 20), a_poll(5, TEN, 30), a_poll(6, TEN, None))

    rebuild_usage_rollups(rollups)

    for table, counts in (
        (tables.usage_hour, [(NINE, 1), (TEN, 1)]),
        (tables.usage_day, [(f"{NINE[:10]}T00:00:00.000Z", 2)]),
    ):
        c = table.c
        with engine.connect() as connection:
            rows = connection.execute(sa.select(c.interval_start, c.token_requests).order_by(c.interval_start))
            assert [tuple(row) for row in rows] == counts


def test_what_the_content_filter_did_and_found_is_counted(
    engine: Engine, ledger: Ledger, rollups: UsageRollups
) -> None:
    facts: list[dict[str, object]] = [
        {"prompt_filtered": True, "completion_filtered": True, "filter_jailbreak": "detected filtered"},
        {"prompt_filtered": True, "completion_filtered": False, "filter_prompt_blocklist": "filtered"},
        {"prompt_filtered": False, "completion_filtered": True, "filter_completion_blocklist": "filtered"},
        {"prompt_filtered": False, "filter_indirect_attack": "detected", "filter_jailbreak": "detected"},
        {"filter_protected_text": "detected", "filter_protected_code": "detected"},
        {"filter_protected_code": "detected", "filter_prompt_hate": "low"},
        {},
    ]
    store(ledger, *(a_call(number, NINE, **told) for number, told in enumerate(facts)))
    rebuild_usage_rollups(rollups)

    for table in tables.USAGE.values():
        c = table.c
        acted = (c.requests, c.filtered_requests, c.prompt_filtered, c.completion_filtered)
        found = (c.jailbreaks, c.indirect_attacks, c.protected_material, c.blocklisted)
        with engine.connect() as connection:
            assert [tuple(row) for row in connection.execute(sa.select(*acted, *found))] == [(7, 3, 2, 2, 2, 1, 2, 2)]


def test_rebuilding_again_changes_nothing_and_a_clean_ledger_has_nothing_to_do(
    engine: Engine, ledger: Ledger, rollups: UsageRollups
) -> None:
    store(ledger, a_call(1, NINE))
    assert rebuild_usage_rollups(rollups) == 1
    before = usage(engine, tables.usage_hour)

    assert rebuild_usage_rollups(rollups) == 0

    assert usage(engine, tables.usage_hour) == before


def test_new_facts_in_an_hour_replace_its_rows_and_those_of_its_day(
    engine: Engine, ledger: Ledger, rollups: UsageRollups
) -> None:
    store(ledger, a_call(1, NINE))
    assert rebuild_usage_rollups(rollups)
    store(ledger, a_call(2, NINE), a_call(3, NINE, model=None))

    assert rebuild_usage_rollups(rollups) == 1

    assert usage(engine, tables.usage_hour) == [(NINE, None, 1, 0, 0, 15), (NINE, "gpt-4o", 2, 0, 0, 30)]
    assert sum(row[2] for row in usage(engine, tables.usage_day)) == 3  # type: ignore[misc]  # a count


def test_many_calls_are_taken_a_few_at_a_time(ledger: Ledger, rollups: UsageRollups) -> None:
    store(ledger, *(a_call(hour, f"2026-03-02T{hour:02d}:30:00.000Z") for hour in range(5)))

    assert [rebuild_usage_rollups(rollups, most_calls=2) for _ in range(2)] == [5, 0]


def test_a_mark_written_after_a_rebuild_is_kept_for_the_next(
    engine: Engine, ledger: Ledger, rollups: UsageRollups
) -> None:
    store(ledger, a_call(1, NINE))
    rebuild_usage_rollups(rollups)
    store(ledger, a_call(2, NINE))

    with engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(tables.dirty_hour)) == 1


def test_the_month_after_december_is_january(engine: Engine, ledger: Ledger, rollups: UsageRollups) -> None:
    store(ledger, a_call(1, "2026-12-31T23:59:59.999Z"), a_call(2, "2027-01-01T00:00:00.000Z"))

    assert rebuild_usage_rollups(rollups) == 2

    months = [row[0] for row in usage(engine, tables.usage_month)]
    assert months == ["2026-12-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z"]


def totals(engine: Engine, rollups: UsageRollups) -> list[tuple[object, object]]:
    rebuild_usage_rollups(rollups, most_calls=1)
    return [(row[0], row[5]) for row in usage(engine, tables.usage_hour)]


def test_usage_that_polls_repeat_counts_once_and_every_poll_is_a_request(
    engine: Engine, ledger: Ledger, rollups: UsageRollups
) -> None:
    store(ledger, a_poll(1, NINE, None), a_poll(2, NINE, 15), a_poll(3, NINE, 15), a_poll(4, TEN, 15), a_call(5, TEN))

    assert totals(engine, rollups) == [(NINE, 15), (TEN, 15)]
    assert [row[2] for row in usage(engine, tables.usage_hour)] == [3, 2]


def test_an_earlier_poll_that_comes_late_takes_the_usage_from_an_hour_that_is_done(
    engine: Engine, ledger: Ledger, rollups: UsageRollups
) -> None:
    store(ledger, a_poll(2, TEN, 15))
    assert totals(engine, rollups) == [(TEN, 15)]
    store(ledger, a_poll(1, NINE, 15))

    assert totals(engine, rollups) == [(NINE, 15), (TEN, 0)]
    day = "2026-03-02T00:00:00.000Z"
    assert usage(engine, tables.usage_day) == [(day, "gpt-4o", 2, 0, 0, 15)]


@pytest.mark.parametrize("late", [{"total": 40}, {"total": 9, "usage_provenance": "reported"}], ids=["more", "told"])
def test_the_largest_account_counts_and_a_reported_one_before_an_estimate(
    late: dict[str, Any], engine: Engine, ledger: Ledger, rollups: UsageRollups
) -> None:
    store(ledger, a_poll(1, NINE, 20, usage_provenance="estimated"))
    assert totals(engine, rollups) == [(NINE, 20)]
    store(ledger, a_poll(2, TEN, **late))

    assert totals(engine, rollups) == [(NINE, 0), (TEN, late["total"])]


def test_usage_keys_differ_by_case_and_calls_without_one_are_all_counted(
    engine: Engine, ledger: Ledger, rollups: UsageRollups
) -> None:
    store(ledger, a_poll(1, NINE, 20), a_poll(2, NINE, 20, usage_key="RUN_1"), a_call(3, NINE), a_call(4, NINE))

    assert totals(engine, rollups) == [(NINE, 70)]


def test_what_a_cache_answered_is_a_request_that_used_nothing(
    engine: Engine, ledger: Ledger, rollups: UsageRollups
) -> None:
    store(ledger, a_call(1, NINE), a_call(2, NINE, cached=True), a_call(3, NINE, cached=False))
    store(ledger, a_call(4, NINE, cached=True, total_tokens=None, usage_provenance="missing"))
    rebuild_usage_rollups(rollups)

    c = tables.usage_day.c
    with engine.connect() as connection:
        counts = (c.requests, c.cached_requests, c.unmetered_requests, c.token_requests)
        assert [tuple(row) for row in connection.execute(sa.select(*counts, c.input_tokens, c.total_tokens))] == [
            (4, 2, 0, 2, 20, 30)
        ]


def test_a_cached_repeat_takes_the_usage_from_no_one(engine: Engine, ledger: Ledger, rollups: UsageRollups) -> None:
    store(ledger, a_poll(1, NINE, 20, cached=True), a_poll(2, TEN, 15))

    assert totals(engine, rollups) == [(NINE, 0), (TEN, 15)]


def test_durations_and_errors_follow_their_calls_into_every_group_and_interval(
    engine: Engine, ledger: Ledger, rollups: UsageRollups
) -> None:
    store(ledger, a_call(1, NINE, latency_ms=100), a_call(2, TEN, latency_ms=9, time_to_first_byte_ms=3))
    store(ledger, a_call(3, TEN, http_status=429, error_code="RateLimit", latency_ms=1))
    store(ledger, a_call(4, TEN, http_status=400, error_code="say no more, I beg you", model=None))
    rebuild_usage_rollups(rollups)
    audit = AuditService(store=SqlAuditStore(engine), content=SqlContentStore(engine))

    def told(query: UsageQuery) -> list[tuple[int, Spread]]:
        return [(row["requests"], spread) for row, spread in audit.statistics(query, after=None, limit=10).rows]

    limited, other = ErrorCount(429, "RateLimit", 1), ErrorCount(400, "(other)", 1)
    both = Spread(Quantiles(2, 9, 101, 101), Quantiles(1, 3, 3, 3), [other, limited])
    assert told(UsageQuery()) == [(4, both)]
    assert told(UsageQuery(interval="month")) == [(4, both)]
    assert told(UsageQuery(dimensions=("user_id",), starts_from=NINE, starts_before=TEN)) == [
        (1, Spread(Quantiles(1, 101, 101, 101), None, []))
    ]
    assert [spread.errors for _, spread in told(UsageQuery(dimensions=("model",), interval="day"))] == [
        [other],
        [limited],
    ]

    store(ledger, a_call(5, NINE, latency_ms=100))
    rebuild_usage_rollups(rollups)
    assert told(UsageQuery(interval="hour"))[0][1].latency == Quantiles(2, 101, 101, 101)
    assert not recount_usage(rollups)


def test_pages_of_statistics_hold_the_traits_of_their_own_groups(
    engine: Engine, ledger: Ledger, rollups: UsageRollups
) -> None:
    store(ledger, *(a_call(n, at, model=f"m{n % 3}", latency_ms=n) for n, at in enumerate([NINE, TEN] * 6, 1)))
    rebuild_usage_rollups(rollups)
    audit = AuditService(store=SqlAuditStore(engine), content=SqlContentStore(engine))

    for query in (UsageQuery(dimensions=("model",)), UsageQuery(dimensions=("model",), interval="hour")):
        everything = audit.statistics(query, after=None, limit=50).rows
        pages, after = [], None
        while True:
            page = audit.statistics(query, after=after, limit=1)
            pages += page.rows
            after = page.next
            if after is None:
                break
        assert pages == everything
        assert all(spread.latency and spread.latency.calls == row["requests"] for row, spread in everything)


def test_the_largest_groups_come_first_and_no_more_than_are_wanted(
    engine: Engine, ledger: Ledger, rollups: UsageRollups
) -> None:
    store(ledger, *(a_call(n, NINE, model=f"m{n % 3}", total_tokens=n) for n in range(1, 8)))
    rebuild_usage_rollups(rollups)
    audit = SqlAuditStore(engine)

    def largest(measure: str) -> list[tuple[str, int]]:
        rows = audit.largest(UsageQuery(dimensions=("model",)), measure=measure, limit=2)
        return [(row["model"], row[measure]) for row in rows]

    assert largest("requests") == [("m1", 3), ("m0", 2)]
    assert largest("total_tokens") == [("m1", 12), ("m0", 9)]


ERRORS: list[tuple[dict[str, object], bool]] = [
    ({"http_status": 200}, False),
    ({"http_status": 399}, False),
    ({"http_status": None}, False),
    ({"http_status": 400}, True),
    ({"http_status": 0}, True),
    ({"http_status": 200, "error_code": "server_error"}, True),
    ({"http_status": 200, "error_code": "server_error", "state": "pending"}, True),
    ({"http_status": 200, "error_message": "It broke.", "state": "failed"}, True),
    ({"http_status": 200, "gateway_refused": True, "state": "pending"}, True),
    ({"http_status": 200, "gateway_refused": False}, False),
    ({"http_status": 200, "state": "refused"}, True),
    ({"http_status": None, "state": "incomplete"}, False),
]


@pytest.mark.parametrize(("facts", "expected"), ERRORS)
def test_what_counts_as_an_error_is_the_same_for_the_rollups_and_in_python(
    facts: dict[str, object], expected: object, engine: Engine, ledger: Ledger, rollups: UsageRollups
) -> None:
    row = a_call(1, NINE, **facts)
    store(ledger, row)
    rebuild_usage_rollups(rollups)

    with engine.connect() as connection:
        assert connection.scalar(sa.select(tables.usage_hour.c.errors)) == int(is_error(row))
    assert is_error(row) is expected
