"""The price book in requests and answers."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from shared.api.models import Column, Model
from shared.api.parameters import ListParameters, Moment, NoParameters, Text
from shared.pricing.entries import SKUS, Scope, Tier, Unit
from shared.pricing.entries import Restatement as Period
from shared.pricing.files import Origin
from shared.questions import DeploymentFilter, PriceFilter

__all__ = [
    "Amount",
    "BookChange",
    "BookVersion",
    "Currency",
    "DeploymentEntry",
    "DeploymentParameters",
    "DeploymentsToAdd",
    "End",
    "Entry",
    "Price",
    "PriceParameters",
    "PricesToAdd",
    "Restated",
    "Restatement",
    "RestatementRequest",
]

_MOST_ENTRIES: Final = 500
_AMOUNT: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?")


def _decimal(value: str) -> str:
    if _AMOUNT.fullmatch(value) is None:
        raise ValueError('give a decimal as a text, such as "2.5", 12 digits before and behind the point at most')
    return value


def _sku(value: str) -> str:
    if value not in SKUS:
        raise ValueError(f"give one of {', '.join(SKUS)}")
    return value


Amount = Annotated[str, AfterValidator(_decimal)]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$")]
_Day = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        description="begins at midnight UTC",
        json_schema_extra={"format": "date"},
    ),
]


class Price(Model):
    """One price, from a day on. It never changes: it may be ended, and another one follows."""

    id: str = Field(description="by which the organisation's own are ended")
    model: str
    version: str | None = Field(description="null: of every version that has no entry of its own")
    scope: Scope
    tier: Tier
    region: str | None = Field(description="null: every region that has no entry of its own")
    unit: Unit
    variant: str | None = Field(description="of images quality and size, of videos the size")
    above_tokens: int = Field(description="it holds for calls with more input tokens than this")
    amount: float = Field(description="of 1,000,000 units, exact: read it as a decimal")
    currency: str
    valid_from: str | None = Field(description="null: ever")
    valid_to: str | None = Field(description="exclusive; null: until another entry follows")
    source: str
    dated: str = Field(description="when the source was read")
    own: Annotated[bool, Column("is_own")] = Field(description="the organisation's: before the shipped list's")
    price_version: Annotated[str, Column("book_version")] = Field(description="with which it came")
    ended_version: str | None = Field(description="with which its end came, where that was later")


class DeploymentEntry(Model):
    """What a deployment is, from a day on."""

    id: str
    name: str
    host: str | None = Field(description="of the resource; null: any")
    model: str | None = Field(description="null: the one that answers name")
    version: str | None
    sku: str
    region: str | None
    valid_from: str | None = Field(description="null: ever")
    valid_to: str | None = Field(description="exclusive")
    price_version: Annotated[str, Column("book_version")] = Field(description="with which it came")
    ended_version: str | None = Field(description="with which its end came, where that was later")


class BookVersion(Model):
    """A change of the price book."""

    price_version: Annotated[str, Column("version")]
    loaded_at: str
    origin: Origin = Field(description="what changed: the shipped list, own prices, or deployments")
    actor: str | None = Field(description="who changed it; null: nobody kept it")


class BookChange(Model):
    """What a change came to."""

    price_version: Annotated[str, Column("version")] = Field(description="of the price book since")
    added: int
    ended: int


class RestatedAmount(Model):
    """What the calls of a period come to, in one currency."""

    currency: str | None = Field(description="null: calls without a price")
    amount: float | None = Field(description="exact: read it as a decimal")
    requests: int
    unpriced_requests: int


class Restatement(Model):
    """A period that is charged by another version of the price book."""

    restatement: Annotated[str, Column("version")] = Field(description="its number: a version of the price book")
    restated_at: str
    actor: str | None
    starts_from: Annotated[str, Field(alias="from")]
    starts_before: Annotated[str, Field(alias="to")]
    price_version: str | None = Field(description="null: by the newest, whatever comes")
    reason: str
    finished_at: str | None = Field(description="when all hours had been charged anew; null until then")
    before: list[RestatedAmount] = Field(description="what its calls came to when it was asked for")
    after: list[RestatedAmount] = Field(description="what they came to at finishedAt")


class Restated(Model):
    """A restatement that was asked for."""

    restatement: str


class PriceParameters(ListParameters):
    """What the list of prices can be narrowed to."""

    model: Text | None = None
    scope: Scope | None = None
    tier: Tier | None = None
    region: Text | None = None
    unit: Unit | None = None
    own: Annotated[bool | None, Field(description="true: the organisation's; false: the shipped list's")] = None
    at: Annotated[Moment | None, Field(description="a time at which they hold, ISO 8601")] = None

    def narrow(self) -> PriceFilter:
        """Return the filter that the parameters ask for."""
        return PriceFilter(
            model=self.model,
            scope=self.scope,
            tier=self.tier,
            region=self.region,
            unit=self.unit,
            is_own=self.own,
            holds_at=self.at,
        )


class DeploymentParameters(ListParameters):
    """What the list of deployments can be narrowed to."""

    name: Text | None = None
    host: Text | None = None
    model: Text | None = None
    at: Annotated[Moment | None, Field(description="a time at which they hold, ISO 8601")] = None

    def narrow(self) -> DeploymentFilter:
        """Return the filter that the parameters ask for."""
        return DeploymentFilter(name=self.name, host=self.host, model=self.model, holds_at=self.at)


class Entry(NoParameters):
    """An entry to add: what is left out, or null, is empty."""

    def texts(self) -> dict[str, str]:
        """Return the entry as a line of a file states it."""
        return {name: str(value) for name, value in self.model_dump(exclude_none=True).items()}


class _PriceToAdd(Entry):
    model: Text
    version: Text | None = None
    scope: Scope
    tier: Tier = Tier.STANDARD
    region: Text | None = None
    unit: Unit
    variant: Text | None = None
    above_tokens: Annotated[int | None, Field(ge=0)] = None
    amount: Annotated[Amount, Field(description="of 1,000,000 units, a decimal as a text")]
    currency: Currency
    valid_from: _Day | None = None
    valid_to: _Day | None = None
    source: Text
    dated: _Day


class _DeploymentToAdd(Entry):
    name: Text
    host: Text | None = None
    model: Text | None = None
    version: Text | None = None
    sku: Annotated[str, AfterValidator(_sku), Field(json_schema_extra={"enum": [*SKUS]})]
    region: Text | None = None
    valid_from: _Day | None = None
    valid_to: _Day | None = None


class PricesToAdd(NoParameters):
    """Prices of the organisation's own: all are added, or none."""

    entries: Annotated[list[_PriceToAdd], Field(min_length=1, max_length=_MOST_ENTRIES)]


class DeploymentsToAdd(NoParameters):
    """What deployments are: all entries are added, or none."""

    entries: Annotated[list[_DeploymentToAdd], Field(min_length=1, max_length=_MOST_ENTRIES)]


class End(NoParameters):
    """When an entry ends."""

    valid_to: Annotated[Moment, Field(description="exclusive, ISO 8601")]


_RESTATED: Final = {"from": "2026-03-02", "to": "2026-03-03", "priceVersion": "1", "reason": "prices came late"}


class RestatementRequest(NoParameters):
    """Which hours are to be charged by which version of the price book, and why."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**_RESTATED}]})

    from_: Annotated[Moment, Field(alias="from", description="an hour, ISO 8601, inclusive")]
    to: Annotated[Moment, Field(description="an hour, exclusive")]
    price_version: Annotated[
        Annotated[str, Field(pattern=r"^[0-9]{1,9}$")] | None, Field(description="null: by the newest, whatever comes")
    ]
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=512)]

    def period(self) -> Period:
        """Return the period that is asked for."""
        return Period(self.from_, self.to, None if self.price_version is None else int(self.price_version))
