"""Capacity that is paid by the hour: what an hour costs, and which part of it a call has. Pure; decimals throughout.

Provisioned throughput is billed by the hour for its units, used or not; so is the hosting of fine-tuned models.

Source: https://learn.microsoft.com/azure/foundry/openai/concepts/provisioned-throughput and
https://learn.microsoft.com/azure/foundry/openai/how-to/fine-tuning-cost-management
"""

import csv
import io
from calendar import monthrange
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal, localcontext
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

from shared.domain.values import hour_of, utc_of

__all__ = [
    "CapacityKind",
    "Per",
    "Reservation",
    "ReservedHour",
    "Throughput",
    "hours_between",
    "part_of",
    "reserved_hours",
    "throughput_of",
    "weight_of",
]

_PLACES: Final = Decimal("1e-12")
_DIGITS: Final = 60
_MINUTES: Final = 60


class CapacityKind(StrEnum):
    """What is paid by the hour."""

    PROVISIONED = "provisioned"
    """Throughput: its calls have no price of their own, and share the hour's."""
    HOSTING = "hosting"
    """Of a fine-tuned model: its calls are charged by their tokens besides."""


class Per(StrEnum):
    """What an amount is for."""

    HOUR = "hour"
    MONTH = "month"
    """Of the calendar: its hours have equal parts, to the last digit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """So many units for a deployment, from an hour on. Several for the same hours add up."""

    deployment: str
    host: str
    """Of the resource, as `backend_host` of interactions; empty: of any."""
    kind: CapacityKind
    model: str
    """Empty: as the table of deployments says."""
    version: str
    units: int
    amount: Decimal
    """Of one unit."""
    per: Per
    currency: str
    valid_from: str
    """An hour, canonical UTC, inclusive."""
    valid_to: str | None
    """Exclusive; None: until it is ended."""
    source: str
    book_version: int = 0
    ended_version: int | None = None

    @property
    def key(self) -> tuple[object, ...]:
        """Return what tells one entry from another."""
        return (self.host, self.deployment, self.kind, self.valid_from)

    def cost_of(self, hour: str) -> Decimal:
        """Return what an hour costs, to the last digit: the hours of a month add up to the month."""
        with localcontext(prec=_DIGITS):
            paid = self.units * self.amount
            if self.per is Per.HOUR:
                return paid.quantize(_PLACES, ROUND_FLOOR)
            moment = datetime.fromisoformat(hour)
            hours = monthrange(moment.year, moment.month)[1] * 24
            place = (moment.day - 1) * 24 + moment.hour
            until, before = ((paid * number / hours).quantize(_PLACES, ROUND_FLOOR) for number in (place + 1, place))
            return until - before


class Throughput(NamedTuple):
    """What a unit of provisioned throughput serves of a model."""

    tokens_per_minute: int
    """Of input."""
    output_weight: int
    """Tokens of input that one of output counts as."""


class ReservedHour(NamedTuple):
    """An hour of a deployment's capacity."""

    host: str
    deployment: str
    kind: CapacityKind
    hour: str
    units: int
    cost: Decimal | None
    """None: in several currencies."""
    currency: str
    throughput: Throughput | None
    """None: not published."""
    book_version: int

    @property
    def name(self) -> str:
        """Return how charges name the capacity."""
        return f"{self.host}/{self.deployment}"

    @property
    def capacity(self) -> int | None:
        """Return the weighted tokens that the hour can serve; None where that is not published."""
        return None if self.throughput is None else self.throughput.tokens_per_minute * _MINUTES * self.units

    def shared_tokens(self, used: int) -> int:
        """Return the weighted tokens that share the cost when `used` were: what it can serve, or all that it did."""
        return max(self.capacity or 0, used)


def throughput_of(model: str, version: str) -> Throughput | None:
    """Return what a unit serves of a model, where that is published.

    Source: `throughput.csv`, as https://learn.microsoft.com/azure/foundry/openai/how-to/provisioned-throughput-sizing
    has it, "Throughput and deployment parameter values by model".
    """
    known = _published()
    return known.get((model.lower(), version)) or known.get((model.lower(), ""))


@cache
def _published() -> dict[tuple[str, str], Throughput]:
    text = (files("shared.pricing") / "throughput.csv").read_text(encoding="utf-8")
    return {
        (line["model"], line["version"]): Throughput(int(line["tokens_per_minute"]), int(line["output_weight"]))
        for line in csv.DictReader(io.StringIO(text))
    }


def weight_of(*, given: int, cached: int, made: int, throughput: Throughput | None) -> int:
    """Return the weighted tokens of a call: input that was not cached, and output by its ratio.

    Where no ratio is published, one token of output counts as one of input.

    Source: as above, "Estimate PTUs required": cached tokens are deducted wholly.
    """
    return max(given - cached, 0) + (throughput.output_weight if throughput else 1) * made


def part_of(cost: Decimal, weight: int, among: int) -> Decimal:
    """Return the part of an hour's cost for so many of the weighted tokens that share it.

    Rounded down: what no call has, the last digits too, is the hour's rest, so that both add up to the cost whatever
    comes in which order.
    """
    with localcontext(prec=_DIGITS):
        return (cost * weight / among).quantize(_PLACES, ROUND_FLOOR) if among else Decimal(0)


def reserved_hours(
    reservations: Iterable[Reservation], hour: str, model_of: Callable[[str, str], tuple[str, str]]
) -> list[ReservedHour]:
    """Return the capacity of an hour, by host, deployment and kind.

    Args:
        reservations: of any hours.
        hour: canonical UTC.
        model_of: returns model and version of a deployment by host and name, where reservations don't say.
    """
    held: dict[tuple[str, str, CapacityKind], list[Reservation]] = {}
    for one in reservations:
        if one.valid_from <= hour and (one.valid_to is None or hour < one.valid_to):
            held.setdefault((one.host, one.deployment, one.kind), []).append(one)
    return [_reserved(some, hour, model_of) for _, some in sorted(held.items())]


def _reserved(some: list[Reservation], hour: str, model_of: Callable[[str, str], tuple[str, str]]) -> ReservedHour:
    first = some[0]
    own = next(((one.model, one.version) for one in some if one.model), None)
    model, version = own or model_of(first.host, first.deployment)
    currencies = {one.currency for one in some}
    return ReservedHour(
        first.host,
        first.deployment,
        first.kind,
        hour,
        sum(one.units for one in some),
        sum((one.cost_of(hour) for one in some), Decimal(0)) if len(currencies) == 1 else None,
        min(currencies),
        throughput_of(model, version) if model else None,
        max(one.book_version for one in some),
    )


def hours_between(start: str, end: str) -> list[str]:
    """Return the hours from the one in which `start` lies until before `end`."""
    hour, hours = datetime.fromisoformat(hour_of(start)), []
    while (text := utc_of(hour)) < end:
        hours.append(text)
        hour += timedelta(hours=1)
    return hours
