"""The shapes of answers about costs: what the OpenAPI document says, and what `cost_views.py` builds them from."""

from decimal import Decimal
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from shared.api.cost_parameters import MONTH
from shared.pricing.reconcile import CAUSES

__all__ = [
    "CloseRequest",
    "ClosedMonth",
    "CostStatement",
    "ReconcileRequest",
    "Reconciliation",
    "StatementLine",
    "StatementTotal",
    "Variance",
    "VerifiedMonth",
]


class _Model(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class StatementLine(_Model):
    """What the calls of one payer through one deployment cost; null is unknown."""

    kind: Literal["charge", "idle", "adjustment", "unpriced"] = Field(
        description="adjustment: what changed in a closed month; unpriced: what these calls cost is not known"
    )
    month: str = Field(description="in which the calls were made: of an adjustment an earlier, closed one")
    team: str | None
    cost_centre: str | None
    subscription_id: str | None
    product_id: str | None
    model: str | None
    deployment: str | None = Field(description="the one that served")
    currency: str | None
    confidence: str | None
    calls: int = Field(description="of an adjustment so many more, or fewer")
    amount: float | None = Field(description="exact: read it as a decimal; null: not known")


class StatementTotal(_Model):
    """What all lines in one currency add up to, on whatever page they stand."""

    currency: str
    charges: float
    idle: float
    adjustments: float
    amount: float = Field(description="the sum of the three, and of the lines' amounts")


class CostStatement(_Model):
    """Part of the lines of a month's statement, and the totals of all of them."""

    month: str
    closed: bool = Field(description="true: these numbers never change again")
    totals: list[StatementTotal]
    calls: int = Field(description="of this month")
    unpriced_calls: int = Field(description="of them those whose cost is not known and in no total")
    items: list[StatementLine]
    next_cursor: str | None


class ClosedMonth(_Model):
    """A month that was closed."""

    month: str
    closed_at: str
    actor: str
    digest: str = Field(description="SHA-256 of its lines")
    line_count: int
    unpriced_calls: int = Field(description="without a price when it was closed")
    unmetered_calls: int = Field(description="of which nothing told what they used")
    pending_calls: int = Field(description="that waited for a part")


class VerifiedMonth(ClosedMonth):
    """A closed month, and whether its lines are still those that were closed."""

    intact: bool


class CloseRequest(_Model):
    """Which month to close."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")

    month: str = Field(pattern=MONTH, description="such as 2026-03")


_EXPORT: Final = (
    "Date,MeterCategory,MeterName,Quantity,UnitOfMeasure,CostInBillingCurrency,BillingCurrencyCode,ResourceId\n"
    "03/02/2026,Azure OpenAI,gpt 4o 1120 Inp glbl,1200,1K,3,USD,/subscriptions/1/x/accounts/AOAI\n"
)


class ReconcileRequest(_Model):
    """An export of Azure Cost Management."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        json_schema_extra={"examples": [{"export": _EXPORT}]},
    )

    export: str = Field(min_length=1, description="CSV, of actual or amortised costs")
    tolerance: Decimal = Field(default=Decimal("0.01"), ge=0, le=1, description="part of what was billed")


class Variance(_Model):
    """What was billed beside what was charged."""

    day: str
    account: str | None
    kind: str = Field(description="of unit")
    model: str = Field(description="where nothing that was charged fits, the name of the meter")
    meters: Any
    deployments: Any
    currency: str | None
    billed_quantity: float
    charged_quantity: float
    billed_amount: float
    charged_amount: float
    variance: float = Field(description="charged less billed")
    cause: Literal[tuple(CAUSES)] | None  # type: ignore[valid-type]  # the words are listed there
    within_tolerance: bool
    bypass_calls: int = Field(description="of that day and account, that only Azure OpenAI's own log knows")


class Reconciliation(_Model):
    """All comparisons of an export."""

    items: list[Variance]
    purchases: float = Field(description="what reservations cost that were bought: in no comparison")
