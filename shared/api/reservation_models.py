"""Capacity that is paid by the hour, in requests and answers."""

from typing import Annotated, Final, Literal

from pydantic import Field

from shared.api.models import Column, Model
from shared.api.parameters import ListParameters, Moment, NoParameters, Text
from shared.api.price_models import Amount, Currency, Entry
from shared.pricing.capacity import CapacityKind, Per

__all__ = ["CapacityHour", "CapacityParameters", "Reservation", "ReservationsToAdd"]

_MOST_ENTRIES: Final = 500


class Reservation(Model):
    """So many units for a deployment, from an hour on. Several for the same hours add up."""

    id: str
    deployment: str
    host: str | None = Field(description="of the resource; null: any")
    kind: CapacityKind = Field(description="provisioned throughput, or hosting of a fine-tuned model")
    model: str | None = Field(description="null: as the table of deployments says")
    version: str | None
    units: int
    amount: float = Field(description="of one unit, exact: read it as a decimal")
    per: Per
    currency: str
    valid_from: str
    valid_to: str | None = Field(description="exclusive; null: until it is ended")
    source: str
    price_version: Annotated[str, Column("book_version")] = Field(description="with which it came")
    ended_version: str | None = Field(description="with which its end came, where that was later")


class CapacityHour(Model):
    """An hour of capacity: `cost` is the sum of its calls' charges and `amount`, to the last digit."""

    hour: str
    host: str | None
    deployment: str
    kind: CapacityKind
    line: Literal["idle", "rounding", "unmetered", "hosting"] = Field(
        description="what the rest is: capacity that no call used; digits behind the twelfth place; an hour whose calls"
        " tell nothing of what they used; hosting"
    )
    basis: Literal["capacity", "hour", "none"] = Field(
        description="what its calls' parts went by: its capacity, as published; all calls of the hour; none had any"
    )
    amount: float | None = Field(description="the rest, which no call bears, exact; null where the cost is not known")
    currency: str
    cost: float | None = Field(description="of the whole hour; null: in several currencies")
    units: int
    capacity: int | None = Field(description="weighted tokens that it can serve; null: not published")
    used: int = Field(description="weighted tokens of its calls, as far as known")
    calls: int
    unmetered_calls: int
    price_version: str


class CapacityParameters(ListParameters):
    """Which hours are listed."""

    from_: Annotated[Moment | None, Field(alias="from", description="earliest time, ISO 8601, inclusive")] = None
    to: Annotated[Moment | None, Field(description="latest time, ISO 8601, exclusive")] = None


class _ReservationToAdd(Entry):
    deployment: Text
    host: Text | None = None
    kind: CapacityKind = CapacityKind.PROVISIONED
    model: Text | None = None
    version: Text | None = None
    units: Annotated[int, Field(ge=1, lt=10**9)]
    amount: Annotated[Amount, Field(description="of one unit, a decimal as a text")]
    per: Per
    currency: Currency
    valid_from: Annotated[Moment, Field(description="a whole hour, ISO 8601")]
    valid_to: Moment | None = None
    source: Text


class ReservationsToAdd(NoParameters):
    """Capacity that is paid for: all entries are added, or none."""

    entries: Annotated[list[_ReservationToAdd], Field(min_length=1, max_length=_MOST_ENTRIES)]
