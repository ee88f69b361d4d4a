"""Every statement that the SQL stores send to Azure SQL, as text: the stores run on a driver that only writes down.

It answers what makes the stores go on: to a question about marks, a mark; to a batch that changes rows, that all of
them were there; to any other question, nothing.
"""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shared.domain.access_log import Reader, entry_of
from shared.domain.balance import BalanceClass, Outcome
from shared.domain.delivery import Position
from shared.domain.exports import ExportPart, ExportState
from shared.domain.findings import Finding
from shared.domain.forwarding import ForwardMark
from shared.domain.grants import Grant
from shared.domain.quarantine import QuarantineAction
from shared.domain.reach import Reach, ReachEntry
from shared.domain.words import query_of
from shared.pricing.charge import PRICED_BY
from shared.pricing.costs import COST_OF
from shared.pricing.entries import Restatement
from shared.pricing.files import Origin, PriceFile
from shared.pricing.payers import PAID_BY, Matched
from shared.questions import (
    FILTERS,
    AlertFilter,
    Count,
    DeploymentFilter,
    FindingFilter,
    InteractionFilter,
    ListKey,
    PriceFilter,
    StatementQuery,
    UsageQuery,
)
from shared.stores.access_ports import AccessFilter
from shared.stores.budget_ports import Alert, Block, BudgetState, Delivery
from shared.stores.ports import Alias, Changes, ContentDocument, Quarantined, WaitingClaim
from shared.stores.sql import tables
from shared.stores.sql.alerts import SqlAlerts
from shared.stores.sql.assignments import SqlAssignments
from shared.stores.sql.audit import SqlAuditStore
from shared.stores.sql.budgets import SqlBudgets
from shared.stores.sql.capacity import SqlCapacity
from shared.stores.sql.claims import SqlClaimQueue
from shared.stores.sql.completeness import SqlCompleteness
from shared.stores.sql.content import SqlContentStore
from shared.stores.sql.cost_store import LINE_KEYS, STATEMENT_KEYS, SqlCostStore
from shared.stores.sql.engine import writing
from shared.stores.sql.exports import SqlExports
from shared.stores.sql.forwarding import SqlForwarding
from shared.stores.sql.lease import SqlReadiness
from shared.stores.sql.ledger import SqlLedger
from shared.stores.sql.prices import SqlPrices
from shared.stores.sql.quarantine import SqlQuarantine
from shared.stores.sql.restatements import SqlRestatements
from shared.stores.sql.rollups import SqlUsageRollups
from shared.stores.sql.usage_facts import CHARGED_BY, FACT_DIMENSIONS, FACT_MEASURES
from shared.stores.sql.usage_sums import Groups, digest_of
from shared.stores.sql.word_search import SearchableWords
from shared.stores.word_ports import Filling
from tests.builders.budgets import a_budget
from tests.builders.exports import an_export
from tests.builders.payers import an_assignment
from tests.builders.prices import a_deployment, a_price, a_reservation
from tests.contracts.test_ledger import AT, a_batch, a_row

__all__ = ["STORES", "Recorder", "recorded", "recording", "use_ledger"]

STORES = Path(__file__).parents[2] / "shared" / "stores" / "sql"

_MOMENT = datetime(2026, 3, 2, 9, tzinfo=UTC)
_NO_GROUP = ("",) * len(tables.DIMENSIONS)
_RESERVED = ("", "x", "provisioned", _MOMENT, None, "gpt-4o", "", 15, "1", "hour", "USD", "x", 1, None)
_ENTRIES: Mapping[Origin, Any] = {
    Origin.OWN: [a_price()],
    Origin.DEPLOYMENTS: [a_deployment()],
    Origin.RESERVATIONS: [a_reservation()],
}
_ANSWERS: Mapping[str, list[tuple[object, ...]]] = {
    "FROM dirty_hour ORDER": [(1, _MOMENT, f'["{AT}call-1"]')],
    "SELECT TOP 5000 interaction.id": [("call-1", _MOMENT, *[None] * (len({*PRICED_BY, *PAID_BY, *COST_OF}) - 1), 1)],
    "SELECT interaction.id, CASE": [
        (
            *(name, 1, _MOMENT, *[None] * (len(CHARGED_BY) - 1 + len(FACT_DIMENSIONS))),
            *(False, 200, None, 900, 90, *[1] * len(FACT_MEASURES)),
        )
        # The second has no charge yet.
        for name in ("call-1", "call-9")
    ],
    "FROM charge WHERE charge.occurred_at IN": [
        (_MOMENT, "call-1", *[None] * (len(tables.charge.c) - 5), 7, "[1]", '["l:9"]')
    ],
    # The last day there is: behind it nothing is read.
    "FROM usage_of_day WHERE usage_of_day.cut": [(datetime(9999, 12, 31, tzinfo=UTC),)],
    "SELECT usage_group.id": [(7, *_NO_GROUP)],
    "SELECT usage_group.digest": [
        (digest_of(cut, group), 7) for cut in tables.CUTS for group in (_NO_GROUP, ("other", *_NO_GROUP[1:]))
    ],
    "FROM dirty_usage_key ORDER": [(2, "run_1")],
    # With the second call, and without lines.
    "SELECT usage_of_hour.interval_start, sum(usage_of_hour.requests)": [(_MOMENT, 1)],
    "min(reservation.valid_from)": [(_MOMENT,)],
    "FROM reservation": [_RESERVED],
    "FROM lease WHERE lease.name": [(_MOMENT + timedelta(hours=2),)],
    "FROM dirty_capacity ORDER": [(1, _MOMENT)],
    "sum(charge.weight)": [("/x", 5_000_000, 1, 1, Decimal(1))],
    "WHERE restatement.finished_at IS NULL": [(1, _MOMENT, _MOMENT)],
    "count(*) AS count_1 FROM dirty_hour": [(0,)],
    "sys.fulltext_indexes": [(1,)],
    "FROM word_volume ORDER": [(105668, 1, True, None, None, datetime(2026, 3, 1, tzinfo=UTC), False)],
    "FROM word_mark LEFT": [(1, "call-1", _MOMENT, None)],
    "SELECT min(word_mark.id)": [(1,)],
    "SELECT max(word_mark.id)": [(1,)],
    "SELECT interaction.id, interaction.occurred_at FROM interaction WHERE interaction.id IN": [
        (name, _MOMENT) for name in ("call-1", "call-2", "call-3")
    ],
    "SELECT word_entry.interaction_id, word_entry.number": [("call-1", 0), ("call-3", 893179480735744)],
    "SELECT interaction.occurred_at, interaction.id FROM": [(_MOMENT, "call-1")],
    "delivery.outcome =": [(7, datetime.fromisoformat(AT))],
    "max(closed_month.month)": [(_MOMENT,)],
    "FROM closed_month": [(_MOMENT, _MOMENT, "ada", "ab12", 1, 0, 0, 0)],
    "SELECT hub_partition.received, hub_partition.redelivered": [(1, 0)],
    "SELECT delivery.outcome, count(*)": [("kept", 1)],
    "sum(CASE": [(0,) * 8],
    "SELECT (SELECT count(DISTINCT": [(0, None, 0)],
    "FROM export WHERE": [
        (
            *("e1", "ada", '{"reader":{"id":"ada","route":"x","roles":["Usage.Read"]},"reaches":{}}', "usage", "csv"),
            *("{}", _MOMENT, _MOMENT, "making", 1, 2, 3, '["a"]', None, None, None),
        )
    ],
    "FROM budget WHERE budget.id =": [
        ("red", "Red", "team", "red", "month", "money", "100", "USD", "[50]", False, False, False)
    ],
    "WHERE finding.hour =": [("2026-03-02T09 bypass ", "", _MOMENT, "bypass", 1, None, _MOMENT, None)],
}


_ACTION = QuarantineAction(AT, "ada", "replay", "ab12", Position("gateway", "0", 7, AT), BalanceClass.STORED, "mended")
_CONSTANTS = ("BINARY", "DATETIME", "NUMBER", "ROWID", "STRING", "SQL_DECIMAL", "SQL_VARCHAR", "SQL_WVARCHAR")


@dataclass
class Recorder:
    """What was sent, and from where."""

    statements: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)
    """Text with a question mark for each parameter, and the parameters."""
    places: set[tuple[str, int]] = field(default_factory=set)
    """File and line of the stores' code that a statement went through."""
    types: set[tuple[str, object]] = field(default_factory=set)
    """Of each parameter whose type the driver was told: the statement's beginning, and pyodbc's name of the type."""

    def note(self, statement: str, parameters: tuple[Any, ...]) -> None:
        self.statements.append((statement, parameters))
        frame = sys._getframe()
        while frame is not None:
            path = Path(frame.f_code.co_filename)
            if path.parent == STORES:
                self.places.add((path.name, frame.f_lineno))
            frame = frame.f_back  # type: ignore[assignment]  # ends with None


class _Cursor:
    arraysize = 1

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._rows: list[tuple[object, ...]] = []
        self.columns: list[str] = []
        self.description: Sequence[tuple[object, ...]] | None = None
        self.rowcount = -1
        self._types: list[object] = []

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        self._recorder.note(statement, tuple(parameters))
        self._recorder.types |= {(_one_line(statement)[:60], kind) for kind in self._types}
        self.description = [(name, str, None, None, None, None, True) for name in self.columns] or None
        self._rows = next((list(rows) for words, rows in _ANSWERS.items() if words in _one_line(statement)), [])
        if names := re.findall(r"@count\d+ as (count\d+)", statement):
            self.description = [(name, int, None, None, None, None, True) for name in names]
            declared = re.findall(r"@(rows|bytes)\d+ \w+\(max\) =", statement)
            rows = [orjson.loads(sent) for kind, sent in zip(declared, parameters, strict=True) if kind == "rows"]
            self._rows = [tuple(map(len, rows))]
        self.rowcount = int(statement.startswith(("UPDATE quarantine", "DELETE FROM quarantine", "UPDATE export")))

    def executemany(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        for row in rows:
            self.execute(statement, row)

    def setinputsizes(self, sizes: Sequence[tuple[object, ...]]) -> None:
        self._types = [kind for kind, *_ in sizes]

    def fetchall(self) -> list[tuple[object, ...]]:
        rows, self._rows = self._rows, []
        return rows

    def fetchone(self) -> tuple[object, ...] | None:
        return self._rows.pop(0) if self._rows else None

    def fetchmany(self, _size: int = 1) -> list[tuple[object, ...]]:
        return self.fetchall()

    def nextset(self) -> bool:
        return False

    def close(self) -> None:
        pass


class _Connection:
    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def cursor(self) -> _Cursor:
        return _Cursor(self._recorder)

    def nothing(self, *_: object) -> None:
        pass

    commit = rollback = close = add_output_converter = nothing


def _driver(recorder: Recorder) -> object:
    """Return a module with what SQLAlchemy uses of pyodbc."""
    constants = dict(zip(_CONSTANTS, _CONSTANTS, strict=True))
    errors = dict.fromkeys(
        ["Error", "DatabaseError", "InterfaceError", "OperationalError", "ProgrammingError"], Exception
    )
    return SimpleNamespace(
        paramstyle="qmark",
        Cursor=_Cursor,
        Binary=bytes,
        version="5.5.0",
        connect=lambda *_, **__: _Connection(recorder),
        **constants,
        **errors,
    )


@contextmanager
def recording() -> Iterator[tuple[Engine, Recorder]]:
    """Give an engine for Azure SQL that only writes down, and what it has written."""
    recorder = Recorder()
    url = "mssql+pyodbc://server/ledger?driver=none"
    engine = sa.create_engine(url, module=_driver(recorder), _initialize=False)
    engine.dialect.default_isolation_level = "READ COMMITTED"

    @sa.event.listens_for(engine, "before_cursor_execute")
    def _columns(
        _connection: object, cursor: _Cursor, _text: object, _values: object, context: Any, *_: object
    ) -> None:
        cursor.columns = [column.keyname for column in getattr(context.compiled, "_result_columns", ())]

    yield engine, recorder
    engine.dispose()


def recorded() -> Recorder:
    """Return all that all stores send: each of their methods, with everything that makes a difference."""
    with recording() as (engine, recorder):
        use_ledger(SqlLedger(engine, marks_calls=True))
        _use_content(SqlContentStore(engine))
        _use_claims(SqlClaimQueue(engine))
        _use_quarantine(SqlQuarantine(engine))
        _use_completeness(SqlCompleteness(engine))
        _use_readiness(SqlReadiness(engine))
        _use_prices(SqlPrices(engine))
        _use_restatements(SqlRestatements(engine))
        _use_capacity(SqlCapacity(engine))
        _use_payers(SqlAssignments(engine))
        _use_budgets(SqlBudgets(engine))
        _use_alerts(SqlAlerts(engine))
        _use_rollups(SqlUsageRollups(engine), engine)
        _use_costs(SqlCostStore(engine))
        _use_words(SearchableWords(engine, content_days=30))
        _use_exports(SqlExports(engine))
        _use_forwarding(SqlForwarding(engine))
        _use_audit(SqlAuditStore(engine))
        _use_counts(SqlAuditStore(engine))
    return recorder


def use_ledger(ledger: SqlLedger) -> None:
    """Use each method of the ledger, with a batch that holds everything a batch can."""
    position = Position("gateway", "0", 7, AT)
    full: Changes = a_batch(
        documents=[("call-1", "Q:1", b"{}")],
        new_interactions=[a_row("call-1")],
        changed_interactions=[a_row("call-2")],
        removed_interactions=[("call-3", 0)],
        new_aliases=[Alias("response-id:a", "call-1", AT, 0)],
        changed_aliases=[Alias("response-id:b", "call-1", AT, 0)],
        deliveries=[(position, Outcome.KEPT, "native")],
        waiting=[("call-1", position)],
        settled=["call-2"],
        quarantined=[Quarantined("ab12", position, "not JSON", "1", b"{")],
        dirty_hours={AT},
        dirty_calls={(AT, "call-1")},
        dirty_usage_keys={"run_1"},
        claims=[("call-1", "Q:1+1.0.1.c")],
        met_claims=[("call-2", "Q:2+2.0.1.c")],
        released=["ab12"],
        reclassified=[(position, Outcome.KEPT, "native")],
        unreleased=[Quarantined("cd34", position, "not JSON", "1", b"{")],
        actions=[_ACTION],
    )
    with ledger.transaction() as transaction:
        transaction.known_positions([position])
        transaction.known_quarantine(["ab12"])
        transaction.interactions(["call-1"])
        transaction.aliases(["response-id:a"])
        transaction.overdue(AT, 10)
        transaction.end_waits(["call-1"], AT)
        transaction.take_lease("x")
        transaction.store(full)


def _use_content(content: SqlContentStore) -> None:
    content.put([ContentDocument("call-1", "Q:1", b"{}")])
    content.get(["call-1"])
    content.drop([("call-1", "Q:1")])
    content.check()


def _use_claims(queue: SqlClaimQueue) -> None:
    claim = WaitingClaim("call-1", "Q:1+1.0.1.c", AT)
    queue.due(AT, 10)
    queue.postpone([(claim, AT)])
    queue.forget([claim])


def _use_quarantine(quarantine: SqlQuarantine) -> None:
    quarantine.held(["ab12"])
    quarantine.held_between(AT, AT, after=ListKey(AT, "ab12"), limit=10)
    quarantine.held_between(None, None, after=None, limit=10)
    quarantine.discard(_ACTION)


def _use_prices(prices: SqlPrices) -> None:
    prices.digest(Origin.LIST)
    prices.listed()
    for origin, entries in _ENTRIES.items():
        prices.load(PriceFile(origin, "new", entries), at=AT, actor="ada")
        prices.changeable(origin)
    everything = PriceFilter(model="x", scope="x", tier="x", region="x", unit="x", is_own=True, holds_at=AT)
    prices.prices(everything, after=("x", "x", "x", "x", "x", "x", "x", 0, AT, True), limit=10)
    prices.deployments(DeploymentFilter(name="x", host="x", model="x", holds_at=AT), after=("x", "x", AT), limit=10)
    prices.reservations(after=("x", "x", "x", AT), limit=10)
    prices.versions(before=7, limit=10)


def _use_payers(payers: SqlAssignments) -> None:
    payers.change([an_assignment(), an_assignment("red", matched=Matched.TAG, name="team")], actor="ada", at=AT)
    payers.assignments(after=None, limit=10)
    payers.assignments(after=("tag", "team", "red", AT), limit=10)


def _use_capacity(capacity: SqlCapacity) -> None:
    capacity.note_hours("2026-03-02T13:00:00.000Z")
    capacity.settle(limit=10, at=AT)
    capacity.hours(AT, AT, after=(AT, "x", "x", "provisioned"), limit=10)


def _use_restatements(restatements: SqlRestatements) -> None:
    restatements.add(Restatement(AT, AT, None), reason="x", at=AT, actor="ada")
    restatements.restatements(before=7, limit=10)
    restatements.finish(at=AT)


def _use_budgets(budgets: SqlBudgets) -> None:
    budgets.put(a_budget(), actor="ada", at=AT)
    budgets.put(a_budget("known"), actor="ada", at=AT)
    budgets.remove("known", actor="ada", at=AT)
    budgets.budgets(after=None, limit=10)
    budgets.budgets(after="red", limit=10)
    budgets.budgets_of("team", "red")
    budgets.budget("red")
    budgets.states(["red"])
    budgets.refusals([("everything", ""), ("subscription", "sub-1")], AT)


def _use_alerts(alerts: SqlAlerts) -> None:
    state = BudgetState(
        budget_id="red", period_start=AT, period_end=AT, used=Decimal(1), forecast=None, forecast_method=None,
        unpriced_requests=0, has_other_currencies=False, is_exhausted=True, measured_at=AT, examined_hour=AT,
    )  # fmt: skip
    alert = Alert(
        id="red 1", raised_at=AT, budget_id="red", kind="threshold", threshold=50, period_start=AT, used=Decimal(1),
        detail="{}",
    )  # fmt: skip
    alerts.record([state], [alert], [Block("team", "red", "red", AT)], ["json here"])
    alerts.due(AT, 10)
    alerts.note("red 1", Delivery("json here", 1, AT, None, "status 200"))
    narrow = AlertFilter(raised_from=AT, raised_before=AT, budget_id="red", kind="threshold")
    alerts.alerts(narrow, after=ListKey(AT, "red 1"), limit=10)


def _use_rollups(rollups: SqlUsageRollups, engine: Engine) -> None:
    rollups.marks()
    rollups.marks(without=[1])
    rollups.calls_in(AT, after=None, limit=10)
    rollups.calls_in(AT, after=(AT, "call-1"), limit=10)
    rollups.count([(AT, "call-1")])
    rollups.add_up_costs(AT)
    rollups.hours()
    rollups.recount(AT)
    # A group that is new: nothing here hands out its number.
    with suppress(KeyError), writing(engine) as connection:
        Groups(connection).numbers({(0, ("new", *_NO_GROUP[1:]))})
    rollups.clear([1])


def _use_costs(costs: SqlCostStore) -> None:
    for month in ("2026-03-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z"):
        costs.close(month, actor="ada", at=AT)
    costs.closed_months(before=AT, limit=10)
    costs.closed_months(before=None, limit=10)
    costs.last_closed_month()
    costs.digest(AT)
    costs.day(AT)
    costs.bypass_calls(AT)
    # A closed month, and one that is open.
    for month in (AT, "2027-01-01T00:00:00.000Z"):
        query = StatementQuery(month=month, team="x", cost_centre="x", reaches=(Reach(teams=("x",)),))
        costs.statement(query, after=(AT, *["x"] * (len(STATEMENT_KEYS) - 1)), limit=10)
        costs.sums(query)
        costs.sums(query, by=("team", "cost_centre"), limit=5)
        costs.sums(query, by=("day",))
        costs.lines(query, after=(AT, *["x"] * (len(LINE_KEYS) - 2), Decimal(1)), limit=10)


def _use_completeness(completeness: SqlCompleteness) -> None:
    completeness.events_in(AT, AT)
    completeness.gaps_in(AT, AT, limit=10)
    completeness.calls_in(AT, AT)
    completeness.words_in(AT, AT, limit=10)
    completeness.unpriced_in(AT, AT, limit=10)
    completeness.ambiguous_in(AT, AT, limit=10)
    completeness.recount("gateway", "0")
    completeness.unresolved_hours(10)
    completeness.record([AT], [Finding("gateway", AT, "gap", 1)], at=AT)
    completeness.unresolved()
    completeness.standing()


def _use_words(words: SearchableWords) -> None:
    words.is_there()
    words.marks(after=0, limit=10)
    words.stand()
    filling = words.filling(1, at=AT)
    later = words.filling(10, at="2027-01-01T00:00:00.000Z")
    own = {"call-1": {"two"}, "call-2": {"two"}, "call-3": {"two"}, "call-4": set()}
    for one in (filling, later, None, Filling(105668, 2, [], ListKey(AT, "call-1"))):
        words.keep(own, marks=[1], filling=one, erased=["call-1"], at=AT)
    search = words.search(query_of('two "and two" four*'), InteractionFilter(occurred_from=AT, user_id="x"))
    search.find(ListKey(AT, "call-1"), limit=10, is_over=lambda: False)
    words.search(query_of("two"), InteractionFilter()).find(None, limit=10, is_over=lambda: False)


def _use_readiness(readiness: SqlReadiness) -> None:
    readiness.note("rebuild_usage_rollups", AT)
    readiness.last()
    readiness.stored("gateway")


def _use_exports(exports: SqlExports) -> None:
    part = ExportPart(1, 2, 3, "ab12", '{"ids":["call-1"]}')
    exports.add_export(an_export("e1"))
    exports.export("e1")
    exports.list_exports("ada", after=ListKey(AT, "e1"), limit=10)
    exports.list_exports("ada", after=None, limit=10)
    exports.unfinished_exports(limit=10)
    exports.unfinished_exports(reader="ada", limit=10)
    exports.advance_export("e1", part, (AT, "call-1"))
    exports.finish_export("e1", part, at=AT, remove_at=AT)
    for state in (ExportState.FAILED, ExportState.CANCELLED):
        exports.end_export("e1", state, reason="x", at=AT, remove_at=AT)
    exports.export_parts("e1", limit=10)
    exports.removable_exports(AT, 10)
    exports.forget_files("e1")


def _use_forwarding(forwarding: SqlForwarding) -> None:
    forwarding.forward_marks(10)
    forwarding.forwarded_rows(["call-1"])
    forwarding.forget_marks([ForwardMark(1, "call-1", AT)])


def _use_counts(audit: SqlAuditStore) -> None:
    narrow: dict[str, Any]
    several = {"user_id": "x", "error": False, "min_amount": Decimal(1), "finish_reason": "x"}
    for narrow in ({}, {"user_id": "x"}, {"team": "x"}, several):
        audit.count(InteractionFilter(**narrow), most=10)


def _use_audit(audit: SqlAuditStore) -> None:
    everything: dict[str, Any] = dict.fromkeys(FILTERS, "x")
    flags = {name: True for name, one in FILTERS.items() if one.values is bool}
    unset = dict.fromkeys(flags, False)
    numbers = {
        name: Decimal(1) for name, one in FILTERS.items() if one.values is Decimal or isinstance(one.values, Count)
    }
    times = dict.fromkeys(("occurred_from", "occurred_before"), AT)
    findings = {"filter_category": "hate", "filter_severity": "low", "filter_side": "prompt"}
    after = ListKey(AT, "call-1")
    for changes in ({}, unset | {"operation": "other", "filter_severity": None}):
        narrow = InteractionFilter(**(everything | flags | numbers | times | findings | changes))
        audit.interactions(narrow, after=after, limit=10)
        audit.prompts(narrow, after=after, limit=10)
    audit.interactions(InteractionFilter(), after=None, limit=10)
    audit.interaction("call-1")
    audit.interaction("call-1", ["response-id:a"])
    for interval in ("hour", "day", "month", None):
        query = UsageQuery(
            dimensions=("model", "operation"),
            interval=interval,
            starts_from=AT,
            starts_before=AT,
            narrow=InteractionFilter(model="x", operation="other"),
        )
        keys = (AT, "x", "x") if interval else ("x", "x")
        audit.usage(query, after=keys, limit=10)
    audit.usage(UsageQuery(), after=None, limit=10)
    audit.usage(UsageQuery(dimensions=("model",), interval="day"), after=None, limit=10)
    audit.timer_runs()
    audit.largest(UsageQuery(dimensions=("model",), starts_from=AT), measure="amount", limit=10)
    audit.traits(UsageQuery(dimensions=("model",), starts_from=AT), after=("a",), until=("b",))
    audit.traits(UsageQuery(), after=None, until=())
    audit.traits(UsageQuery(dimensions=("model",), interval="day"), after=None, until=(AT, "b"))
    audit.usage(UsageQuery(dimensions=("user_id",), starts_from=AT), after=None, limit=10)
    audit.partitions()
    audit.quarantined(after=after, limit=10)
    for resolved in (True, False):
        narrow_findings = FindingFilter(starts_from=AT, starts_before=AT, hub="x", kind="gap", resolved=resolved)
        audit.findings(narrow_findings, after=after, limit=10)
    audit.reach_entries(["x"], any_group=True)
    audit.add_reach(ReachEntry("x", "x", "x", False, "team", "x", AT, None, "x", AT))  # noqa: FBT003
    audit.end_reach("x", at=AT, actor="x")
    audit.reach_entry("x")
    audit.list_reaches(after=ListKey(AT, "x"), limit=10)
    reach = Reach(("x", "y"), ("x",), ("x",))
    for reaches in ([reach], [Reach(), Reach(("x",))], [Reach(products=("x",))]):
        within = InteractionFilter(model="x").within(reaches)
        audit.interactions(within, after=None, limit=10)
        audit.interaction("call-1", ["response-id:a"], reaches)
        audit.usage(UsageQuery(narrow=within), after=None, limit=10)
    audit.add_grant(Grant("x", "x", "x", "x", 1, "x", AT))
    audit.give_grant("x", at=AT, valid_to=AT, actor="x")
    audit.end_grant("x", at=AT, actor="x")
    audit.grant("x")
    audit.has_grant("x", "x", at=AT)
    audit.list_grants(after=ListKey(AT, "x"), limit=10)
    audit.record_access(entry_of(Reader("x", "x"), "x", at=AT, ids=["x"]))
    audit.accesses(AccessFilter(), after=None, limit=10)
    names = ("reader", "route", "purpose", "result", "request_id", "interaction")
    filters = AccessFilter(read_from=AT, read_before=AT, **dict.fromkeys(names, "x"))
    audit.accesses(filters, after=ListKey(AT, "7"), limit=10)
    audit.check()


def _one_line(statement: str) -> str:
    return " ".join(statement.split())
