"""Cost centres, budgets and alerts -> JSON of the audit API, in the shapes that `budget_models.py` states."""

from collections.abc import Sequence
from dataclasses import asdict
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from shared.api import budget_models
from shared.api.views import Answer, amount_view, view_of
from shared.domain.values import NO_TIME
from shared.pricing.budgets import Budget
from shared.pricing.payers import Assignment
from shared.services.budgets import Standing
from shared.stores.budget_ports import Alert, BudgetState, Delivery, Refused

__all__ = ["alert_view", "assignment_view", "budget_view", "decision_view"]

_HUNDREDTHS: Final = Decimal("0.01")


def assignment_view(one: Assignment) -> Answer:
    """Return an assignment; what is empty is null."""
    row = {name: None if value == "" else value for name, value in asdict(one).items()}
    return view_of(budget_models.Assignment, row, valid_from=None if one.valid_from == NO_TIME else one.valid_from)


def budget_view(standing: Standing) -> Answer:
    """Return a budget and how it stands."""
    budget, state = standing
    return view_of(
        budget_models.Budget,
        asdict(budget),
        value=budget.value or None,
        amount=amount_view(budget.amount),
        thresholds=list(budget.thresholds),
        state=None if state is None else _state_view(budget, state),
    )


def _state_view(budget: Budget, state: BudgetState) -> Answer:
    percent = (state.used * 100 / budget.amount).quantize(_HUNDREDTHS, ROUND_HALF_EVEN)
    return view_of(
        budget_models.BudgetState,
        asdict(state),
        used=amount_view(state.used),
        percent=amount_view(percent),
        forecast=amount_view(state.forecast),
    )


def decision_view(refused: Sequence[Refused]) -> Answer:
    """Return whether a call may pass, and else why not."""
    names = ", ".join(f"{one.name} (until {one.until})" for one in refused)
    return view_of(
        budget_models.Decision,
        {},
        allowed=not refused,
        budgets=[view_of(budget_models.RefusingBudget, one._asdict()) for one in refused],
        message=f"used up: {names}" if refused else None,
    )


def alert_view(found: tuple[Alert, list[Delivery]]) -> Answer:
    """Return an alert, and what became of its notices."""
    alert, deliveries = found
    return view_of(
        budget_models.Alert,
        asdict(alert),
        used=amount_view(alert.used),
        deliveries=[view_of(budget_models.AlertDelivery, one._asdict()) for one in deliveries],
    )
