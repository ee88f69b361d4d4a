"""What budgets need from storage, and from those who are told of alerts."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple, Protocol

from shared.pricing.budgets import Budget
from shared.questions import AlertFilter, ListKey

__all__ = [
    "Alert",
    "AlertStore",
    "Block",
    "BudgetState",
    "BudgetStore",
    "Delivery",
    "Notice",
    "Refused",
    "Webhook",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetState:
    """How a budget stands."""

    budget_id: str
    period_start: str
    period_end: str
    used: Decimal
    forecast: Decimal | None
    forecast_method: str | None
    unpriced_requests: int
    """Of the period, that have no price: what they cost is not in `used`."""
    has_other_currencies: bool
    """Whether the period has charges in another currency, which are not in `used` either."""
    is_exhausted: bool
    measured_at: str
    examined_hour: str | None
    """The last hour that was compared with its history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Something that somebody should know, raised once."""

    id: str
    """Budget, period or hour, and kind: raising it again is raising the same."""
    raised_at: str
    budget_id: str
    kind: str
    """`threshold`, `forecast` or `anomaly`."""
    threshold: int | None
    period_start: str
    used: Decimal
    """In the period; of an anomaly, in the hour."""
    detail: str
    """JSON object: budget as it was, and what the alert goes by."""


class Block(NamedTuple):
    """Whose calls an exhausted budget concerns, until when."""

    kind: str
    """`everything`, a `Target`, or `application`."""
    value: str
    budget_id: str
    until: str


class Refused(NamedTuple):
    """A budget that is used up."""

    budget_id: str
    name: str
    until: str


class Delivery(NamedTuple):
    """How far an alert has come on its way to a webhook."""

    webhook: str
    attempts: int
    delivered_at: str | None
    due_at: str | None
    """When it is tried next; None: not any more."""
    result: str | None
    """Of the last attempt: the status of the answer, or what was wrong."""


class Notice(NamedTuple):
    """An alert that a webhook is to be told of."""

    alert: Alert
    delivery: Delivery


class BudgetStore(Protocol):
    """Budgets and how they stand. Every method raises StoreUnavailableError when the database is down."""

    def budgets(self, *, after: str | None, limit: int) -> list[Budget]:
        """Return up to `limit` budgets behind `after`, in the order of their ids."""

    def budgets_of(self, target: str, value: str) -> list[Budget]:
        """Return the budgets of one thing."""

    def budget(self, budget_id: str) -> Budget | None:
        """Return a budget; None when there is none with this id."""

    def put(self, budget: Budget, *, actor: str, at: str) -> None:
        """Add a budget, or put it in the place of the one with its id; recorded, unless it is the same."""

    def remove(self, budget_id: str, *, actor: str, at: str) -> bool:
        """Take a budget away, recorded; return whether it was there. What it raised stays."""

    def states(self, budget_ids: Collection[str]) -> Mapping[str, BudgetState]:
        """Return how budgets stood when they were measured last."""

    def refusals(self, callers: Sequence[tuple[str, str]], at: str) -> list[Refused]:
        """Return the exhausted budgets that concern one of some callers, given as kinds and values, at a time."""


class AlertStore(Protocol):
    """What was measured and raised. Every method raises StoreUnavailableError when the database is down."""

    def record(
        self, states: Sequence[BudgetState], alerts: Sequence[Alert], blocks: Sequence[Block], webhooks: Sequence[str]
    ) -> list[Alert]:
        """Keep how budgets stand, whom that concerns, and the alerts that are new; return these.

        Each new alert is due for every webhook at once. All of it is kept, or nothing.
        """

    def due(self, at: str, limit: int) -> list[Notice]:
        """Return up to `limit` notices that are to be sent at a time, those that are due longest first."""

    def note(self, alert_id: str, delivery: Delivery) -> None:
        """Keep what became of an attempt."""

    def alerts(self, narrow: AlertFilter, *, after: ListKey | None, limit: int) -> list[tuple[Alert, list[Delivery]]]:
        """Return up to `limit` alerts behind `after` in (raised_at, id) order, newest first, with their deliveries."""


class Webhook(Protocol):
    """Somebody who is told of alerts."""

    @property
    def name(self) -> str:
        """Return what names it in records: never its address, which may hold a secret."""

    def send(self, alert: Alert) -> str:
        """Tell it of an alert; return the answer's status.

        Raises:
            WebhookError: it was not taken; it says why.
        """
