"""Statements and closed months -> JSON of the audit API, in the shapes that `cost_models.py` states."""

from dataclasses import asdict

from shared.api import cost_models
from shared.api.views import Answer, amount_view, view_of
from shared.pricing.reconcile import Reconciled, Variance
from shared.questions import StatementQuery
from shared.services.costs import Statement, Total
from shared.stores.cost_ports import ClosedMonth
from shared.stores.ports import Row

__all__ = ["closed_month_view", "reconciliation_view", "statement_view", "verified_month_view"]


def statement_view(query: StatementQuery, statement: Statement, next_cursor: str | None) -> Answer:
    """Return lines of a statement and its totals."""
    return view_of(
        cost_models.CostStatement,
        {},
        month=query.month[:7],
        closed=statement.closed,
        totals=list(map(_total_view, statement.totals)),
        calls=statement.calls,
        unpriced_calls=statement.unpriced_calls,
        items=list(map(_line_view, statement.lines)),
        next_cursor=next_cursor,
    )


def _line_view(row: Row) -> Answer:
    known = {name: value or None for name, value in row.items() if isinstance(value, str)}
    amount = amount_view(row["amount"])
    return view_of(cost_models.StatementLine, row | known, month=row["month"][:7], amount=amount)


def _total_view(total: Total) -> Answer:
    amounts = {name: amount_view(getattr(total, name)) for name in ("charges", "idle", "adjustments", "amount")}
    return view_of(cost_models.StatementTotal, {}, currency=total.currency, **amounts)


def closed_month_view(month: ClosedMonth) -> Answer:
    """Return a closed month."""
    return view_of(cost_models.ClosedMonth, asdict(month), month=month.month[:7])


def verified_month_view(month: ClosedMonth, *, intact: bool) -> Answer:
    """Return a closed month, and whether its lines are still those that were closed."""
    return view_of(cost_models.VerifiedMonth, asdict(month), month=month.month[:7], intact=intact)


def reconciliation_view(found: Reconciled) -> Answer:
    """Return how an export compares to the charges."""
    items = list(map(_variance_view, found.variances))
    return view_of(cost_models.Reconciliation, {}, items=items, purchases=amount_view(found.purchases))


def _variance_view(one: Variance) -> Answer:
    names = ("billed_quantity", "charged_quantity", "billed_amount", "charged_amount")
    numbers = {name: amount_view(getattr(one, name)) for name in names}
    variance = amount_view(one.charged_amount - one.billed_amount)
    stated = {"day": one.day[:10], "account": one.account or None, "meters": one.meters, "deployments": one.deployments}
    return view_of(cost_models.Variance, asdict(one), **stated, **numbers, variance=variance)
