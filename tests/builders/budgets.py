"""Budgets with one thing changed."""

from decimal import Decimal
from typing import Any

from shared.pricing.budgets import Budget, Measure, Period, Target

__all__ = ["a_budget"]


def a_budget(budget_id: str = "red", amount: str = "100", **changes: Any) -> Budget:
    """Return a budget of a team, in USD a month."""
    usual: dict[str, Any] = {
        "name": "Team Red",
        "target": Target.TEAM,
        "value": "red",
        "period": Period.MONTH,
        "measure": Measure.MONEY,
        "currency": "USD",
        "thresholds": (50, 100),
        "warns_ahead": False,
        "finds_anomalies": False,
        "is_enforced": False,
    }
    return Budget(id=budget_id, amount=Decimal(amount), **usual | changes)
