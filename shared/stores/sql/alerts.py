"""Alerts in SQL: raised once, with how budgets stand, and told to each webhook at least once."""

from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from shared.questions import AlertFilter, ListKey
from shared.retry import QUICK_SECONDS, retried
from shared.stores.budget_ports import Alert, Block, BudgetState, Delivery, Notice
from shared.stores.ports import Row
from shared.stores.sql import bulk, tables
from shared.stores.sql.conditions import is_equal
from shared.stores.sql.dialects import dialect_of
from shared.stores.sql.engine import reading, writing
from shared.stores.sql.lease import take_lease

__all__ = ["SqlAlerts", "alerts_statement", "due_statement"]

_LEASE: Final = "budgets"
_DELIVERY: Final = ("webhook", "attempts", "delivered_at", "due_at", "result")


class SqlAlerts:
    """`shared.stores.budget_ports.AlertStore` on either database."""

    def __init__(self, engine: Engine) -> None:
        """Use `engine`, whose database is migrated to the newest revision."""
        self._engine = engine

    def record(
        self, states: Sequence[BudgetState], alerts: Sequence[Alert], blocks: Sequence[Block], webhooks: Sequence[str]
    ) -> list[Alert]:
        """Keep what was measured and raised; see the port."""

        def record() -> list[Alert]:
            with writing(self._engine) as connection:
                take_lease(connection, _LEASE)
                budgets = _ids(connection, tables.budget.c.id, [one.budget_id for one in states])
                raised = _ids(connection, tables.alert.c.id, [one.id for one in alerts])
                new = [one for one in alerts if one.id not in raised]
                connection.execute(sa.delete(tables.budget_block))
                writes = bulk.Writes(connection)
                rows = [_state_row(one) for one in states if one.budget_id in budgets]
                writes.delete(tables.budget_state, rows, by=("budget_id",))
                writes.insert(tables.budget_state, bulk.values_of(tables.budget_state, rows))
                # Of a budget that was taken away meanwhile nothing stays.
                writes.insert(tables.budget_block, [tuple(one) for one in blocks if one.budget_id in budgets])
                writes.insert(tables.alert, bulk.values_of(tables.alert, map(_alert_row, new)))
                deliveries = [(one.id, name, 0, None, one.raised_at, None) for one in new for name in webhooks]
                writes.insert(tables.alert_delivery, deliveries)
                writes.run()
                return new

        return retried(record)

    def due(self, at: str, limit: int) -> list[Notice]:
        """Return what is to be sent; see the port."""

        def read() -> list[Notice]:
            with reading(self._engine) as connection:
                rows = connection.execute(due_statement(at, limit)).mappings()
                return [Notice(_alert(dict(row)), _delivery(dict(row))) for row in rows]

        return retried(read)

    def note(self, alert_id: str, delivery: Delivery) -> None:
        """Keep what became of an attempt; see the port."""
        table = tables.alert_delivery
        statement = sa.update(table).where(table.c.alert_id == alert_id, table.c.webhook == delivery.webhook)

        def note() -> None:
            with writing(self._engine) as connection:
                connection.execute(statement.values(**delivery._asdict()))

        retried(note)

    def alerts(self, narrow: AlertFilter, *, after: ListKey | None, limit: int) -> list[tuple[Alert, list[Delivery]]]:
        """Return alerts with their deliveries; see the port."""

        def read() -> list[tuple[Alert, list[Delivery]]]:
            with reading(self._engine) as connection:
                rows = connection.execute(alerts_statement(narrow, after=after, limit=limit)).mappings()
                alerts = [_alert(dict(row)) for row in rows]
                deliveries = _deliveries(connection, [one.id for one in alerts])
                return [(one, deliveries.get(one.id, [])) for one in alerts]

        return retried(read, seconds=QUICK_SECONDS)


def due_statement(at: str, limit: int) -> sa.Select[Any]:
    """Return the statement of `AlertStore.due`."""
    alert, delivery = tables.alert, tables.alert_delivery
    columns = (*alert.c, *(delivery.c[name] for name in _DELIVERY))
    joined = sa.select(*columns).join_from(delivery, alert, alert.c.id == delivery.c.alert_id)
    order = (delivery.c.due_at, delivery.c.alert_id, delivery.c.webhook)
    return joined.where(delivery.c.due_at <= at).order_by(*order).limit(limit)


def alerts_statement(narrow: AlertFilter, *, after: ListKey | None, limit: int) -> sa.Select[Any]:
    """Return the statement of the alerts of `AlertStore.alerts`."""
    table = tables.alert.c
    statement = sa.select(tables.alert)
    if narrow.raised_from is not None:
        statement = statement.where(table.raised_at >= narrow.raised_from)
    if narrow.raised_before is not None:
        statement = statement.where(table.raised_at < narrow.raised_before)
    if narrow.budget_id is not None:
        statement = statement.where(is_equal(table.budget_id, narrow.budget_id))
    if narrow.kind is not None:
        statement = statement.where(table.kind == narrow.kind)
    if after is not None:
        # The first condition says no more than the second, but an index can seek by it.
        behind = sa.or_(table.raised_at < after.moment, table.id < after.id)
        statement = statement.where(table.raised_at <= after.moment, behind)
    return statement.order_by(table.raised_at.desc(), table.id.desc()).limit(limit)


def _deliveries(connection: Connection, alert_ids: Sequence[str]) -> dict[str, list[Delivery]]:
    table = tables.alert_delivery.c
    chosen = dialect_of(connection).members(table.alert_id.type)
    query = sa.select(tables.alert_delivery).where(table.alert_id.in_(chosen)).order_by(table.alert_id, table.webhook)
    found: dict[str, list[Delivery]] = {}
    for row in connection.execute(query, bulk.listed(alert_ids)).mappings():
        found.setdefault(row["alert_id"], []).append(_delivery(dict(row)))
    return found


def _ids(connection: Connection, column: sa.Column[Any], values: Sequence[str]) -> set[str]:
    """Return which of some values a column has."""
    chosen = dialect_of(connection).members(column.type)
    return set(connection.scalars(sa.select(column).where(column.in_(chosen)), bulk.listed(values)))


def _state_row(state: BudgetState) -> Row:
    forecast = None if state.forecast is None else f"{state.forecast:f}"
    return asdict(state) | {"used": f"{state.used:f}", "forecast": forecast}


def _alert_row(alert: Alert) -> Row:
    return asdict(alert) | {"used": f"{alert.used:f}"}


def _alert(row: Row) -> Alert:
    names = tables.alert.c.keys()
    return Alert(**{name: row[name] for name in names} | {"used": Decimal(row["used"])})


def _delivery(row: Row) -> Delivery:
    return Delivery(*(row[name] for name in _DELIVERY))
