"""Cost centres, budgets and alerts in requests and answers."""

import re
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from shared.api.models import Column, Model, Page, Usage
from shared.api.parameters import ListParameters, Moment, NoParameters, Text
from shared.pricing.budgets import Budget as Agreed
from shared.pricing.budgets import Measure, Period, Target
from shared.pricing.payers import Matched
from shared.questions import AlertFilter

__all__ = [
    "Alert",
    "AlertDelivery",
    "AlertParameters",
    "Assignment",
    "AssignmentChange",
    "AssignmentsToMake",
    "Budget",
    "BudgetState",
    "BudgetToAgree",
    "Decision",
    "DecisionParameters",
    "OwnUsage",
    "RefusingBudget",
    "Removed",
]

_MOST_ENTRIES: Final = 500
_MOST_THRESHOLDS: Final = 10
_HIGHEST_THRESHOLD: Final = 1000
_AMOUNT: Final = re.compile(r"[0-9]{1,15}(\.[0-9]{1,12})?")
_Day = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        description="begins at midnight UTC",
        json_schema_extra={"format": "date"},
    ),
]
_Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
_Kind = Literal["threshold", "forecast", "anomaly"]


class Assignment(Model):
    """Who pays for the calls of one caller, from a day on."""

    kind: Annotated[Matched, Column("matched")]
    name: str | None = Field(description="of the tag; null of all other kinds")
    value: str
    team: str | None
    cost_centre: str | None
    valid_from: str | None = Field(description="null: ever")
    valid_to: str | None = Field(description="exclusive; null: until another one follows")


class AssignmentChange(Model):
    """What a change came to."""

    changed: int = Field(description="assignments that were added or ended")


class _Assigned(NoParameters):
    kind: Matched
    name: Text | None = None
    value: Text
    team: Text | None = None
    cost_centre: Text | None = None
    valid_from: _Day | None = None
    valid_to: _Day | None = None

    def texts(self) -> dict[str, str]:
        """Return the entry as a line of a file states it."""
        return {name: str(value) for name, value in self.model_dump(exclude_none=True).items()}


class AssignmentsToMake(NoParameters):
    """Assignments: all are added, or ended by their `validTo`, or none."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"entries": [{"kind": "subscription", "value": "sub-7", "team": "Search", "costCentre": "4711"}]}
            ]
        }
    )

    entries: Annotated[list[_Assigned], Field(min_length=1, max_length=_MOST_ENTRIES)]


class BudgetToAgree(NoParameters):
    """A budget; one with its id is changed to it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "all",
                    "name": "All teams",
                    "target": "everything",
                    "period": "month",
                    "measure": "tokens",
                    "amount": "5000000",
                }
            ]
        }
    )

    id: _Id
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128)]
    target: Target
    value: Annotated[str | None, Field(min_length=1, max_length=128, description="nothing of everything")] = None
    period: Period
    measure: Measure
    amount: Annotated[str, Field(pattern=f"^{_AMOUNT.pattern}$", description="a decimal as a text; tokens are whole")]
    currency: Annotated[str | None, Field(pattern="^[A-Z]{3}$", description="of money")] = None
    thresholds: Annotated[
        tuple[Annotated[int, Field(ge=1, le=_HIGHEST_THRESHOLD)], ...],
        Field(max_length=_MOST_THRESHOLDS, description="percent of the amount, at each of which an alert is raised"),
    ] = (80, 100)
    forecast_alert: bool = True
    anomaly_alert: bool = True
    enforced: Annotated[bool, Field(description="whether `/budgets/decision` goes by it")] = False

    @model_validator(mode="after")
    def _fits(self) -> "BudgetToAgree":
        if (self.value is None) is not (self.target is Target.EVERYTHING):
            raise ValueError("give a value of every target but everything")
        if (self.currency is None) is (self.measure is Measure.MONEY):
            raise ValueError("give a currency of money, and of money alone")
        amount = Decimal(self.amount)
        if amount == 0 or (self.measure is Measure.TOKENS and amount % 1):
            raise ValueError("the amount must be more than 0, and of tokens a whole number")
        return self

    def budget(self) -> Agreed:
        """Return the budget."""
        return Agreed(
            id=self.id,
            name=self.name,
            target=self.target,
            value=self.value or "",
            period=self.period,
            measure=self.measure,
            amount=Decimal(self.amount),
            currency=self.currency,
            thresholds=tuple(sorted(set(self.thresholds))),
            warns_ahead=self.forecast_alert,
            finds_anomalies=self.anomaly_alert,
            is_enforced=self.enforced,
        )


class BudgetState(Model):
    """How a budget stands."""

    period_start: str
    period_end: str
    used: float = Field(description="exact: read it as a decimal")
    percent: float = Field(description="of the amount, to hundredths")
    forecast: float | None = Field(description="of the end of the period; null: too little is known")
    forecast_method: str | None
    exhausted: Annotated[bool, Column("is_exhausted")]
    unpriced_requests: int = Field(description="calls without a price: what they cost is not in `used`")
    other_currencies: Annotated[bool, Column("has_other_currencies")] = Field(
        description="true: there are charges in another currency, which are not in `used` either"
    )
    measured_at: str


class Budget(Model):
    """How much may be used of something in each period, and how that stands."""

    id: str
    name: str
    target: Target
    value: str | None
    period: Period
    measure: Measure
    amount: float = Field(description="exact: read it as a decimal")
    currency: str | None
    thresholds: list[int]
    forecast_alert: Annotated[bool, Column("warns_ahead")]
    anomaly_alert: Annotated[bool, Column("finds_anomalies")]
    enforced: Annotated[bool, Column("is_enforced")]
    state: BudgetState | None = Field(description="null until it is measured in this period")


class Removed(Model):
    """A budget that was taken away."""

    id: str
    removed: bool


class DecisionParameters(NoParameters):
    """Whose call it is."""

    subscription_id: Text
    product_id: Text | None = None
    user_id: Text | None = None
    app_id: Text | None = None
    model: Text | None = None
    deployment: Text | None = None

    def callers(self) -> dict[str, str]:
        """Return who calls what: kind -> value."""
        given = {
            Target.SUBSCRIPTION.value: self.subscription_id,
            Target.PRODUCT.value: self.product_id,
            Target.USER.value: self.user_id,
            Matched.APPLICATION.value: self.app_id,
            Target.MODEL.value: self.model,
            Target.DEPLOYMENT.value: self.deployment,
        }
        return {kind: value for kind, value in given.items() if value is not None}


class RefusingBudget(Model):
    """An enforced budget that is used up."""

    id: Annotated[str, Column("budget_id")]
    name: str
    until: str = Field(description="end of its period")


class Decision(Model):
    """Whether budgets let a call pass."""

    allowed: bool
    budgets: list[RefusingBudget] = Field(description="those that do not")
    message: str | None


class AlertDelivery(Model):
    """What became of an alert on its way to a webhook."""

    webhook: str
    attempts: int
    delivered_at: str | None
    due_at: str | None = Field(description="when it is tried next; null: not any more")
    result: str | None = Field(description="of the last attempt")


class Alert(Model):
    """Something about a budget that somebody should know."""

    id: str
    raised_at: str
    budget_id: str
    kind: _Kind
    threshold: int | None = Field(description="percent")
    period_start: str = Field(description="of the period; of an anomaly, of the hour")
    used: float
    detail: Any = Field(description="the budget as it was, and what the alert goes by")
    deliveries: list[AlertDelivery]


class AlertParameters(ListParameters):
    """What the list of alerts can be narrowed to."""

    from_: Annotated[Moment | None, Field(alias="from", description="raised at the earliest, inclusive")] = None
    to: Annotated[Moment | None, Field(description="raised at the latest, exclusive")] = None
    budget_id: Text | None = None
    kind: _Kind | None = None

    def narrow(self) -> AlertFilter:
        """Return the filter that the parameters ask for."""
        return AlertFilter(raised_from=self.from_, raised_before=self.to, budget_id=self.budget_id, kind=self.kind)


class OwnUsage(Page[Usage]):
    """The caller's own usage, and his own budgets."""

    user_id: str = Field(description="by which the caller is known")
    budgets: list[Budget]
