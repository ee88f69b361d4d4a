"""The reading side's SQL, as Azure SQL and SQLite will see it."""

import re
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mssql, sqlite

from shared.questions import FILTERS, Condition, FindingFilter, InteractionFilter, ListKey, UsageQuery
from shared.stores.sql import audit, completeness, ledger, quarantine, tables, usage
from shared.stores.sql.conditions import _CONDITIONS
from shared.stores.sql.dialects import AZURE_SQL
from shared.stores.sql.types import UtcTime

_AT = "2026-03-02T09:00:00.000Z"
_KEY = ListKey(_AT, "call-1")
_EVERYTHING = InteractionFilter(
    occurred_from=_AT,
    occurred_before=_AT,
    operation="other",
    model="secret",
    deployment="secret",
    subscription_id="secret",
    product_id="secret",
    user_id="secret",
    app_id="secret",
    team="secret",
    cost_centre="secret",
    caller_ip="secret",
    http_status=200,
    state="complete",
    streamed=True,
    filtered=False,
    filter_category="hate",
    filter_severity="low",
    filter_side="prompt",
    min_total_tokens=1,
    source="native",
    bypass=True,
    error=False,
    cached=True,
    requested_model="secret",
    vendor="other",
    truncated=False,
    unreadable=True,
    filter_failed=False,
    possible_refusal=True,
    callers_differ=True,
    session_id="secret",
    end_user_id="secret",
    api_id="secret",
    backend_id="secret",
    gateway_region="secret",
    error_code="secret",
    finish_reason="secret",
    min_latency_ms=1,
    min_amount=Decimal(1),
    has_tool_calls=True,
    estimated=True,
)
_FINDINGS = FindingFilter(starts_from=_AT, starts_before=_AT, hub="secret", kind="secret", resolved=False)
_DIMENSIONS = {name: "secret" for name, one in FILTERS.items() if one.column in tables.DIMENSIONS}
_BY_HOUR = UsageQuery(
    dimensions=("model", "user_id"),
    interval="hour",
    starts_from=_AT,
    starts_before=_AT,
    narrow=InteractionFilter(**_DIMENSIONS),
)

_HOURS = usage.Part("hour", _AT, _AT)

_STATEMENTS = {
    "interactions": audit.interactions_statement(_EVERYTHING, after=_KEY, limit=101),
    "filtered interactions": audit.interactions_statement(InteractionFilter(filtered=True), after=None, limit=1),
    "calls with findings": audit.interactions_statement(InteractionFilter(filter_side="prompt"), after=None, limit=1),
    "interaction": audit.interaction_statement("secret"),
    "prompts": audit.prompts_statement(_EVERYTHING, after=_KEY, limit=101),
    "quarantine": audit.quarantine_statement(after=_KEY, limit=101),
    "usage": usage.intervals_statement(_BY_HOUR, _HOURS, after=(_AT, "secret", "secret"), limit=101),
    "usage in total": usage.totals_statement(UsageQuery(), [_HOURS], after=None, until=None, limit=101),
    "usage of groups": usage.totals_statement(
        _BY_HOUR, [_HOURS, _HOURS], after=("secret", "secret"), until=("secret", "secret"), limit=101
    ),
    "groups of usage": usage.keys_statement(_BY_HOUR, [_HOURS], after=("secret", "secret"), limit=101),
    "partitions": audit.partitions_statement(),
    "findings": audit.findings_statement(_FINDINGS, after=_KEY, limit=101),
    "held": quarantine.held_between_statement(_AT, _AT, after=_KEY, limit=101),
    "events": completeness.events_statement(_AT, _AT),
    "waiting": completeness.waiting_statement(_AT, _AT),
    "gaps": completeness.gaps_statement(_AT, _AT, limit=101),
    "calls": completeness.calls_statement(_AT, _AT),
    "standing": completeness.standing_statement(),
    "overdue": ledger.overdue_statement(_AT, 101),
}


@pytest.mark.parametrize("dialect", [mssql.dialect(), sqlite.dialect()], ids=["mssql", "sqlite"])
@pytest.mark.parametrize("name", _STATEMENTS)
def test_every_statement_compiles_with_its_values_bound(name: str, dialect: Any) -> None:
    compiled = str(_STATEMENTS[name].compile(dialect=dialect))

    assert "secret" not in compiled
    assert "2026" not in compiled


@pytest.mark.parametrize(
    "statement",
    [
        quarantine.held_statement(AZURE_SQL),
        quarantine._released(AZURE_SQL),
        quarantine._quarantined_positions(AZURE_SQL),
        sa.text(AZURE_SQL.delete(tables.delivery, ("hub", "sequence", "outcome"))),
        sa.text(AZURE_SQL.delete(tables.finding, ("id",))),
    ],
    ids=["held", "released", "positions", "reclassified", "findings"],
)
def test_what_is_done_to_many_rows_takes_them_as_one_parameter(statement: Any) -> None:
    compiled = str(statement.compile(dialect=mssql.dialect()))

    assert "openjson(" in compiled.lower()


@pytest.mark.parametrize(
    "name", ["interactions", "prompts", "quarantine", "usage", "findings", "held", "gaps", "overdue"]
)
def test_lists_are_cut_and_ordered_as_sql_server_wants_it(name: str) -> None:
    compiled = str(_STATEMENTS[name].compile(dialect=mssql.dialect()))

    assert compiled.startswith("SELECT TOP ")
    assert " ORDER BY " in compiled
    assert "LIMIT" not in compiled


def test_flags_are_compared_as_bits_on_sql_server() -> None:
    compiled = str(_STATEMENTS["interactions"].compile(dialect=mssql.dialect()))

    assert "streamed = 1" in compiled
    assert "prompt_filtered = 0" in compiled
    assert " IS 1" not in compiled
    assert " IS 0" not in compiled


def test_the_statements_here_narrow_by_every_filter() -> None:
    assert _EVERYTHING.values.keys() == FILTERS.keys()


def test_every_condition_is_one_that_the_store_knows_on_a_column_that_exists() -> None:
    assert _CONDITIONS.keys() == set(Condition)
    assert {one.column for one in FILTERS.values()} <= {"", *tables.interaction.c.keys(), *tables.charge.c.keys()}


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        (
            "interactions",
            ("model", "deployment", "subscription_id", "product_id", "user_id", "app_id", "caller_ip", "team"),
        ),
        ("findings", ("hub", "kind")),
        ("usage", tuple(name for name in _DIMENSIONS if name != "operation")),
    ],
)
def test_texts_that_are_equal_are_equally_long_on_sql_server(name: str, columns: tuple[str, ...]) -> None:
    # SQL Server's `=` takes `x` for `x ` with a blank.
    compiled = " ".join(str(_STATEMENTS[name].compile(dialect=mssql.dialect())).split())

    for column in columns:
        assert re.search(rf"{column} = :(\w+) AND datalength\([\w.]*\b{column}\) = datalength\(:\w+\)", compiled), (
            column
        )


def test_groups_hold_no_parameter_on_sql_server() -> None:
    # SQL Server takes two parameters for two values, even where they are the same.
    compiled = str(_STATEMENTS["usage"].compile(dialect=mssql.dialect()))
    _, _, grouped = compiled.partition("GROUP BY")

    assert grouped
    assert ":" not in grouped
    assert "?" not in grouped


def test_times_are_bound_as_times() -> None:
    compiled = _STATEMENTS["usage"].compile(dialect=mssql.dialect())
    moments = [bind.type for bind in compiled.binds.values() if bind.value == _AT]

    assert moments
    assert all(isinstance(kind, UtcTime) for kind in moments)


def test_quarantined_bytes_and_bookkeeping_are_never_read() -> None:
    for name, column in (("quarantine", "body"), ("interactions", "field_sources"), ("interaction", "revision")):
        statement = _STATEMENTS[name]
        assert isinstance(statement, sa.Select)
        assert column not in statement.selected_columns
