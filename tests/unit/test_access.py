"""By which index each filter is found, in SQLite's own plan and by the definitions of Azure SQL."""

import itertools
import random
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic.alias_generators import to_camel
from sqlalchemy.dialects import mssql
from sqlalchemy.engine import Engine

from shared.domain.call_errors import is_error
from shared.domain.interaction import State
from shared.questions import FILTERS, CallCount, Count, Filter, InteractionFilter, ListKey
from shared.sources import SOURCE_NAMES
from shared.stores.sql import access, audit, bulk, tables
from shared.stores.sql.access import PAYER, Access, Look, Way, accesses_of, chosen, look_statement
from shared.stores.sql.counts import count_statement
from shared.stores.sql.indexes import BY_TIME, index_of
from tests.builders.databases import new_sqlite
from tests.contracts.test_ledger import a_row

_AT = "2026-03-02T09:00:00.000Z"
_NAMES = [name for name, one in FILTERS.items() if one.column != "occurred_at"]
_PAIRS = list(itertools.combinations(_NAMES, 2))
_DOCS = (Path(__file__).parents[2] / "docs/queries.md").read_text(encoding="utf-8")


def _value(one: Filter) -> Any:
    """Return a value of the kind that few interactions have."""
    if isinstance(one.values, Count):
        return 429
    if one.values is Decimal:
        return Decimal(2)
    if isinstance(one.values, tuple):
        return one.values[0]
    return {bool: True, State: State.FAILED.value}.get(one.values, "x")


def _narrow(*names: str) -> InteractionFilter:
    return InteractionFilter(**{name: _value(FILTERS[name]) for name in names})


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = new_sqlite(tmp_path_factory.mktemp("access"))
    yield engine
    engine.dispose()


def _plan(engine: Engine, statement: sa.Select[Any] | sa.CompoundSelect[Any]) -> list[str]:
    """Return the lines of SQLite's plan."""
    compiled = statement.compile(engine, compile_kwargs={"render_postcompile": True})
    explained = f"explain query plan {compiled}"
    # A decimal as the type would bind it: the plan is the same whatever the number.
    given = (compiled.params[name] for name in compiled.positiontup or ())
    values = tuple(int(value) if isinstance(value, Decimal) else value for value in given)
    with engine.connect() as connection:
        return [row[3] for row in connection.exec_driver_sql(explained, values)]


def _is_read(plan: list[str], table: str, index: Access) -> bool:
    """Return whether a plan reads a table's rows by an index; of `other`, by the index alone."""
    # Of derived columns SQLite 3.40 does not see that it needs no row, though it reads none.
    covering = "COVERING " if table == "other" and not _is_derived(index) else "(COVERING )?"
    table = "payer" if table == "interaction" and index.table is PAYER else table
    return any(re.match(rf"(SEARCH|SCAN) {table} USING {covering}INDEX {index.index_name}\b", line) for line in plan)


def _is_derived(index: Access) -> bool:
    column = index.index_name.removeprefix("ix_interaction_").removeprefix("ix_charge_")
    return index.table.c[column].computed is not None


def _indexes(found: Access) -> set[sa.Index]:
    return (tables.charge if found.table is PAYER else tables.interaction).indexes


def _ways(*names: str) -> list[Way]:
    """Return every way to read what some filters find together."""
    accesses = accesses_of(_narrow(*names))
    return [Way(first, tuple(one for one in accesses if one is not first and one.in_order)) for first in accesses]


@pytest.mark.parametrize("name", _NAMES)
def test_every_filter_is_found_by_an_index_that_the_docs_name(name: str) -> None:
    (found,) = accesses_of(_narrow(name))

    assert found.index_name in {index.name for index in _indexes(found)}
    assert re.search(rf"\| `{to_camel(name)}`.*`{found.index_name.removeprefix('ix_interaction_')}`", _DOCS), (
        found.index_name
    )


@pytest.mark.parametrize("list_of", [audit.interactions_statement, audit.prompts_statement])
@pytest.mark.parametrize("name", _NAMES)
def test_sqlite_reads_what_one_filter_finds_from_its_index_in_order(name: str, list_of: Any, engine: Engine) -> None:
    narrow = InteractionFilter(occurred_from=_AT, occurred_before=_AT, **_narrow(name).values)
    (way,) = _ways(name)

    plan = _plan(engine, list_of(narrow, after=ListKey(_AT, "x"), limit=101, way=way))

    assert _is_read(plan, "interaction", way.first), plan
    assert any(f"{way.first.index_name} (" in line and line.startswith("SEARCH ") for line in plan), plan
    assert not any(line.startswith(("SCAN interaction", "SCAN payer")) for line in plan), plan
    if way.first.in_order:
        assert "USE TEMP B-TREE FOR ORDER BY" not in plan


@pytest.mark.parametrize(("one", "other"), _PAIRS)
def test_sqlite_reads_what_two_filters_find_from_their_indexes(one: str, other: str, engine: Engine) -> None:
    narrow = _narrow(one, other)

    for way in _ways(one, other):
        plan = _plan(engine, audit.interactions_statement(narrow, after=None, limit=101, way=way))

        assert _is_read(plan, "interaction", way.first), plan
        assert all(_is_read(plan, "other", second) for second in way.others), plan


@pytest.mark.parametrize("name", _NAMES)
def test_sqlite_looks_at_an_index_without_reading_rows(name: str, engine: Engine) -> None:
    narrow = _narrow(name)

    (index,) = accesses_of(narrow)

    plan = _plan(engine, look_statement([index], narrow, _AT))

    covering = "" if _is_derived(index) else "COVERING "
    table = "payer" if index.table is PAYER else "interaction"
    assert any(f" {table} USING {covering}INDEX {index.index_name}" in line for line in plan), plan


def test_sqlite_reads_a_list_that_nothing_narrows_in_order_of_time(engine: Engine) -> None:
    plan = _plan(engine, audit.interactions_statement(InteractionFilter(), after=ListKey(_AT, "x"), limit=101))

    first, *others = plan
    assert first == f"SEARCH interaction USING INDEX {index_of(BY_TIME)} (occurred_at<?)"
    # The charge beside each row, by its key.
    assert [one.split(" (")[0] for one in others] == ["SEARCH charge USING INDEX sqlite_autoindex_charge_1"]


@pytest.mark.parametrize("name", _NAMES)
def test_azure_sql_has_what_a_filter_asks_in_its_index(name: str) -> None:
    (found,) = accesses_of(_narrow(name))
    (index,) = (index for index in _indexes(found) if index.name == found.index_name)
    held = {*index.columns.keys(), *(index.dialect_options["mssql"]["include"] or ()), "occurred_at", "id"}
    table = "payer" if found.table is PAYER else "interaction"
    only = index.dialect_options["mssql"]["where"]

    compiled = str(sa.and_(*found.conditions).compile(dialect=mssql.dialect()))

    asked = set(re.findall(rf"{table}\.(\w+)", compiled))
    assert asked <= held
    assert next(iter(index.columns)).name in asked | {"occurred_at"}
    # The driver sends parameters: of a filtered index the server must see in the text that it holds all that is sought.
    if only is not None:
        column, _, condition = str(only).partition(" ")
        assert column in asked
        assert condition == "is not null" or f"{table}.{column} {condition}" in compiled
        assert not found.table.c[column].computed


@pytest.mark.parametrize("list_of", [audit.interactions_statement, audit.prompts_statement])
def test_azure_sql_makes_the_plan_of_a_list_for_its_values(list_of: Any) -> None:
    compiled = str(list_of(_narrow("user_id", "model"), after=None, limit=1).compile(dialect=mssql.dialect()))

    assert compiled.endswith("option (recompile)")
    assert "indexed by" not in compiled


def test_the_rarest_leads_and_of_what_is_common_that_which_reaches_furthest_back() -> None:
    one, two, three = (Access(name, ()) for name in "abc")
    sorted_one = Access("d", (), in_order=False)
    few, many = Look(3, _AT), Look(one.most, "2026-03-02T08:00:00.000Z")

    assert chosen([one, two], {0: many, 1: few}) == Way(two, (one,))
    assert chosen([one, two, three], {0: Look(one.most, _AT), 1: many, 2: Look(one.most, _AT)}) == Way(
        two, (one, three)
    )
    assert chosen([one, sorted_one], {0: many, 1: Look(sorted_one.most, None)}) == Way(one)
    assert chosen([one, sorted_one], {0: many, 1: Look(2, None)}) == Way(sorted_one, (one,))
    assert chosen([sorted_one], {0: Look(sorted_one.most, None)}) is None


# What is found is the same by whichever index


def _rows(chance: random.Random) -> list[dict[str, Any]]:
    texts = {
        name: ["x", "y", None] for name, one in FILTERS.items() if one.values is str and name in tables.interaction.c
    }
    flags = {
        name: [True, False, None] for name in ("streamed", "cached", "truncated", "filter_failed", "callers_differ")
    }
    choices: dict[str, list[Any]] = {
        **texts,
        **flags,
        "possible_refusal": [True, None],
        "gateway_refused": [True, None, None, None],
        "prompt_filtered": [True, False, None, None],
        "completion_filtered": [True, False, None, None],
        "filter_prompt_hate": ["high filtered", "low", None, None],
        "filter_completion_sexual": ["low", None, None],
        "unreadable": ["page", None],
        "error_code": ["x", None, None, None],
        "http_status": [0, 99, 100, 200, 399, 400, 429, None],
        "state": [state.value for state in State],
        "operation": ["chat.completions", "other", None],
        "vendor": ["openai", "other", None],
        "total_tokens": [1, 428, 429, 430, None],
        "latency_ms": [428.9, 429, 429.5, None],
        "tool_calls": [0, 1, 3, None],
        "usage_provenance": ["estimated", "reported", "missing"],
        "finish_reasons": ['["x"]', '["stop","x"]', '["X"]', '["xx"]', None],
        "sources": ['["native"]', '["azure-openai"]', '["azure-openai","native"]', f'["{SOURCE_NAMES[0]}"]'],
    }
    return [
        a_row(f"call-{number:03}")
        | {name: chance.choice(values) for name, values in choices.items()}
        | {"occurred_at": f"2026-03-02T09:00:{chance.randrange(30):02}.000Z"}
        for number in range(300)
    ]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = new_sqlite(tmp_path_factory.mktemp("filled"))
    chance = random.Random(15)
    rows = _rows(chance)
    # Of some interactions, a charge from before they moved beside the one that counts.
    charges = [
        {"occurred_at": at, "interaction_id": row["id"], "confidence": "exact", "team": chance.choice(["x", "y", None])}
        | {
            "cost_centre": chance.choice(["x", "y", None]),
            "amount": chance.choice([1_999_999_999_999, 2_000_000_000_000, None]),
        }
        for row in rows
        for at in {row["occurred_at"], *chance.choice([(), ("2026-03-02T08:00:00.000Z", "2026-03-02T09:00:10.000Z")])}
    ]
    with engine.begin() as connection:
        bulk.insert(connection, tables.interaction, bulk.values_of(tables.interaction, rows))
        bulk.insert(connection, tables.charge, bulk.values_of(tables.charge, charges))
    yield engine
    engine.dispose()


@pytest.mark.slow
@pytest.mark.parametrize(("one", "other"), [*_PAIRS, *((name, name) for name in _NAMES)])
def test_two_filters_find_the_same_by_whichever_index(one: str, other: str, filled: Engine) -> None:
    narrow = _narrow(one, other)
    page: dict[str, Any] = {"after": ListKey("2026-03-02T09:00:25.000Z", "call-150"), "limit": 20}

    with filled.connect() as connection:
        expected = connection.execute(audit.interactions_statement(narrow, **page)).all()
        for way in _ways(one, other):
            assert connection.execute(audit.interactions_statement(narrow, way=way, **page)).all() == expected


def test_rows_are_found_whichever_number_of_entries_counts_as_few(
    filled: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow = InteractionFilter(user_id="x", model="y", min_total_tokens=2, source="native")
    store = audit.SqlAuditStore(filled)
    expected = store.interactions(narrow, after=None, limit=300)

    monkeypatch.setattr(access, "_FEW", 2)
    monkeypatch.setattr(access, "_SORTED", 2)

    assert len(expected) > 1
    assert store.interactions(narrow, after=None, limit=300) == expected


def test_derived_columns_say_what_the_product_says(filled: Engine) -> None:
    with filled.connect() as connection:
        rows = [dict(row) for row in connection.execute(sa.select(tables.interaction)).mappings()]

    assert {row["is_error"] for row in rows} == {True, False}
    for row in rows:
        found = ("prompt_filtered", "completion_filtered", "filter_prompt_hate", "filter_completion_sexual")
        assert row["is_error"] is is_error(row)
        assert row["has_findings"] is any(row[name] for name in found)
        assert row["known_operation"] == (row["operation"] or "other")
        assert row["source_list"] == row["sources"]


def test_the_list_of_all_sources_fits_into_its_index() -> None:
    assert len(str(list(SOURCE_NAMES))) < 400


def test_a_look_at_who_used_so_much_ends_after_so_many_entries_whatever_the_range() -> None:
    narrow = InteractionFilter(min_total_tokens=1, occurred_from="2026-03-10T00:00:00.000Z")

    look = str(look_statement(accesses_of(narrow), narrow, "2026-03-17T00:00:00.000Z"))

    assert "total_tokens >=" in look
    assert "occurred_at >=" not in look
    assert "occurred_at <=" not in look


@pytest.mark.slow
@pytest.mark.parametrize(("one", "other"), [*_PAIRS[::7], *((name, name) for name in _NAMES)])
def test_as_many_are_counted_as_are_listed_by_whichever_index(one: str, other: str, filled: Engine) -> None:
    narrow = _narrow(one, other)

    with filled.connect() as connection:
        expected = len(connection.execute(audit.interactions_statement(narrow, after=None, limit=500)).all())
        for way in [None, *_ways(one, other)]:
            assert connection.execute(count_statement(narrow, most=500, way=way)).one()[1] == expected


@pytest.mark.parametrize("name", _NAMES)
def test_sqlite_counts_no_more_entries_than_its_bound(name: str, engine: Engine) -> None:
    narrow = InteractionFilter(occurred_from=_AT, occurred_before=_AT, **_narrow(name).values)
    (way,) = _ways(name)
    statement = count_statement(narrow, most=100, way=way)

    plan = _plan(engine, statement)

    assert str(statement.compile(engine)).count("LIMIT") == 2
    assert _is_read(plan, "interaction", way.first), plan
    assert not any(line.startswith(("SCAN interaction", "SCAN payer")) for line in plan), plan


def test_what_is_beyond_the_bound_is_told_to_be_there(filled: Engine) -> None:
    store = audit.SqlAuditStore(filled)

    assert store.count(InteractionFilter(), most=300) == CallCount(300, at_least=False)
    assert store.count(InteractionFilter(), most=299) == CallCount(299, at_least=True)
    by_model = len(store.interactions(InteractionFilter(model="x"), after=None, limit=500))
    assert store.count(InteractionFilter(model="x"), most=by_model) == CallCount(by_model, at_least=False)
    assert store.count(InteractionFilter(model="x"), most=9) == CallCount(9, at_least=True)
    assert store.count(InteractionFilter(model="nobody"), most=9) == CallCount(0, at_least=False)
