"""Budgets in SQL: what was agreed, who changed it, how it stands, and whose calls are to be refused."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from shared.pricing.budgets import Budget, Measure, Period, Target
from shared.retry import QUICK_SECONDS, retried
from shared.stores.budget_ports import BudgetState, Refused
from shared.stores.ports import Row
from shared.stores.sql import bulk, tables
from shared.stores.sql.assignments import change_row
from shared.stores.sql.conditions import is_equal
from shared.stores.sql.dialects import dialect_of
from shared.stores.sql.engine import reading, writing
from shared.stores.sql.lease import take_lease

__all__ = ["SqlBudgets", "refusals_statement"]

_LEASE: Final = "budgets"
_BUDGET: Final = tables.budget


class SqlBudgets:
    """`shared.stores.budget_ports.BudgetStore` on either database."""

    def __init__(self, engine: Engine) -> None:
        """Use `engine`, whose database is migrated to the newest revision."""
        self._engine = engine

    def budgets(self, *, after: str | None, limit: int) -> list[Budget]:
        """Return budgets; see the port."""
        statement = sa.select(_BUDGET).order_by(_BUDGET.c.id).limit(limit)
        return self._budgets(statement if after is None else statement.where(_BUDGET.c.id > after))

    def budgets_of(self, target: str, value: str) -> list[Budget]:
        """Return the budgets of one thing; see the port."""
        same = (is_equal(_BUDGET.c.target, target), is_equal(_BUDGET.c.value, value))
        return self._budgets(sa.select(_BUDGET).where(*same).order_by(_BUDGET.c.id))

    def budget(self, budget_id: str) -> Budget | None:
        """Return a budget; see the port."""
        return next(iter(self._budgets(sa.select(_BUDGET).where(is_equal(_BUDGET.c.id, budget_id)))), None)

    def put(self, budget: Budget, *, actor: str, at: str) -> None:
        """Add or change a budget; see the port."""
        self._change(budget.id, _row(budget), actor, at)

    def remove(self, budget_id: str, *, actor: str, at: str) -> bool:
        """Take a budget away; see the port."""
        return self._change(budget_id, None, actor, at)

    def states(self, budget_ids: Collection[str]) -> Mapping[str, BudgetState]:
        """Return how budgets stand; see the port."""
        table = tables.budget_state

        def read() -> dict[str, BudgetState]:
            with reading(self._engine) as connection:
                chosen = dialect_of(connection).members(table.c.budget_id.type)
                query = sa.select(table).where(table.c.budget_id.in_(chosen))
                rows = connection.execute(query, bulk.listed(budget_ids)).mappings()
                return {row["budget_id"]: _state(dict(row)) for row in rows}

        return retried(read, seconds=QUICK_SECONDS) if budget_ids else {}

    def refusals(self, callers: Sequence[tuple[str, str]], at: str) -> list[Refused]:
        """Return what is used up; see the port."""

        def read() -> list[Refused]:
            with reading(self._engine) as connection:
                return [Refused(*row) for row in connection.execute(refusals_statement(callers, at))]

        return retried(read, seconds=QUICK_SECONDS)

    def _change(self, budget_id: str, row: Row | None, actor: str, at: str) -> bool:
        def change() -> bool:
            with writing(self._engine) as connection:
                take_lease(connection, _LEASE)
                known = _known(connection, budget_id)
                if row == known:
                    return known is not None
                writes = bulk.Writes(connection)
                if known is not None:
                    writes.delete(_BUDGET, [known])
                    # How it stood and whom that concerned is not so any more, until it is measured again.
                    writes.delete(tables.budget_state, [{"budget_id": budget_id}], by=("budget_id",))
                    writes.delete(tables.budget_block, [{"budget_id": budget_id}], by=("budget_id",))
                if row is not None:
                    writes.insert(_BUDGET, bulk.values_of(_BUDGET, [row]))
                changed = change_row("budget", actor, at, _as_json(known), _as_json(row))
                writes.insert(tables.money_change, [changed])
                writes.run()
                return known is not None

        return retried(change)

    def _budgets(self, statement: sa.Select[Any]) -> list[Budget]:
        def read() -> list[Budget]:
            with reading(self._engine) as connection:
                return [_budget(dict(row)) for row in connection.execute(statement).mappings()]

        return retried(read, seconds=QUICK_SECONDS)


def refusals_statement(callers: Sequence[tuple[str, str]], at: str) -> sa.Select[Any]:
    """Return the statement of `BudgetStore.refusals`: each caller is sought by the key."""
    block = tables.budget_block.c
    concerned = sa.or_(*(sa.and_(block.kind == kind, is_equal(block.value, value)) for kind, value in callers))
    joined = sa.select(block.budget_id, _BUDGET.c.name, block.until).join_from(
        tables.budget_block, _BUDGET, _BUDGET.c.id == block.budget_id
    )
    return joined.where(concerned, block.until > at).distinct().order_by(block.budget_id)


def _known(connection: Connection, budget_id: str) -> Row | None:
    found = connection.execute(sa.select(_BUDGET).where(is_equal(_BUDGET.c.id, budget_id))).mappings().one_or_none()
    # SQLAlchemy's names of columns are texts of a class of their own, which JSON does not take.
    return None if found is None else {str(name): value for name, value in found.items()}


def _row(budget: Budget) -> Row:
    return asdict(budget) | {
        "target": budget.target.value,
        "period": budget.period.value,
        "measure": budget.measure.value,
        "amount": str(budget.amount),
        "thresholds": orjson.dumps(budget.thresholds).decode(),
    }


def _budget(row: Row) -> Budget:
    return Budget(
        **row
        | {
            "target": Target(row["target"]),
            "period": Period(row["period"]),
            "measure": Measure(row["measure"]),
            "amount": Decimal(row["amount"]),
            "thresholds": tuple(orjson.loads(row["thresholds"])),
        }
    )


def _state(row: Row) -> BudgetState:
    forecast = row["forecast"]
    return BudgetState(
        **row | {"used": Decimal(row["used"]), "forecast": None if forecast is None else Decimal(forecast)}
    )


def _as_json(row: Row | None) -> str | None:
    return None if row is None else orjson.dumps(row).decode()
