"""Budgets: agreed, changed and shown by people; and what is used up, asked by the gateway at each call."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from shared.domain.values import utc_now, utc_of
from shared.errors import NotFoundError
from shared.pricing.budgets import Budget, Target
from shared.questions import AlertFilter, ListKey
from shared.stores.budget_ports import Alert, AlertStore, BudgetState, BudgetStore, Delivery, Refused

__all__ = ["AlertPage", "BudgetPage", "BudgetService", "Standing"]

logger = logging.getLogger(__name__)


class Standing(NamedTuple):
    """A budget, and how it stands; None until it is measured."""

    budget: Budget
    state: BudgetState | None


class BudgetPage(NamedTuple):
    """Part of the list of budgets."""

    standings: list[Standing]
    next: str | None
    """Behind which the next page begins; None at the end."""


class AlertPage(NamedTuple):
    """Part of the list of alerts, newest first."""

    alerts: list[tuple[Alert, list[Delivery]]]
    next: ListKey | None


class BudgetService:
    """The use cases of budgets. Every method raises StoreUnavailableError when the database is down."""

    def __init__(self, budgets: BudgetStore, alerts: AlertStore, *, now: Callable[[], datetime] = utc_now) -> None:
        """Read and write `budgets`, read `alerts`."""
        self._budgets = budgets
        self._alerts = alerts
        self._now = now

    def budgets(self, *, after: str | None, limit: int) -> BudgetPage:
        """Return budgets, in the order of their ids."""
        found = self._budgets.budgets(after=after, limit=limit + 1)
        return BudgetPage(self._standing(found[:limit]), found[limit - 1].id if len(found) > limit else None)

    def budgets_of(self, target: Target, value: str) -> list[Standing]:
        """Return the budgets of one thing."""
        return self._standing(self._budgets.budgets_of(target.value, value))

    def budget(self, budget_id: str) -> Standing:
        """Return a budget.

        Raises:
            NotFoundError: there is none with this id.
        """
        found = self._budgets.budget(budget_id)
        if found is None:
            raise _unknown()
        return self._standing([found])[0]

    def put(self, budget: Budget, *, actor: str) -> None:
        """Add a budget, or change the one with its id; recorded. It is measured with the next run of the timer."""
        self._budgets.put(budget, actor=actor, at=utc_of(self._now()))
        logger.info("budgets.put budget=%s", budget.id)

    def remove(self, budget_id: str, *, actor: str) -> None:
        """Take a budget away; recorded. Its alerts stay.

        Raises:
            NotFoundError: there is none with this id.
        """
        if not self._budgets.remove(budget_id, actor=actor, at=utc_of(self._now())):
            raise _unknown()
        logger.info("budgets.remove budget=%s", budget_id)

    def refusals(self, callers: Mapping[str, str]) -> list[Refused]:
        """Return the enforced budgets that are used up and concern a call, by who calls what: kind -> value."""
        return self._budgets.refusals([("everything", ""), *callers.items()], utc_of(self._now()))

    def alerts(self, narrow: AlertFilter, *, after: ListKey | None, limit: int) -> AlertPage:
        """Return alerts with what became of their notices, newest first."""
        found = self._alerts.alerts(narrow, after=after, limit=limit + 1)
        if len(found) <= limit:
            return AlertPage(found, None)
        last, _ = found[limit - 1]
        return AlertPage(found[:limit], ListKey(last.raised_at, last.id))

    def _standing(self, budgets: Sequence[Budget]) -> list[Standing]:
        states = self._budgets.states([one.id for one in budgets])
        now = utc_of(self._now())
        # What was measured in a period that is over says nothing of this one.
        current = {name: one for name, one in states.items() if now < one.period_end}
        return [Standing(one, current.get(one.id)) for one in budgets]


def _unknown() -> NotFoundError:
    return NotFoundError("there is no budget with this id")
