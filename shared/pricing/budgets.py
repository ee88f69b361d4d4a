"""Budgets: what they are of, how much of one is used, where its period will end, which hour is out of line. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from statistics import median
from typing import Final, NamedTuple

from shared.domain.values import utc_of

__all__ = [
    "HISTORY_DAYS",
    "RATE_DAYS",
    "TARGETS",
    "Anomaly",
    "Budget",
    "Forecast",
    "Measure",
    "Method",
    "Period",
    "Span",
    "Target",
    "anomaly_of",
    "crossed",
    "forecast_of",
    "span_of",
]


class Target(StrEnum):
    """What a budget is of."""

    EVERYTHING = "everything"
    TEAM = "team"
    USER = "user"
    SUBSCRIPTION = "subscription"
    PRODUCT = "product"
    MODEL = "model"
    DEPLOYMENT = "deployment"


TARGETS: Final = {
    Target.TEAM: "team",
    Target.USER: "user_id",
    Target.SUBSCRIPTION: "subscription_id",
    Target.PRODUCT: "product_id",
    Target.MODEL: "model",
    Target.DEPLOYMENT: "deployment",
}
"""Target -> the dimension of usage that has its value; everything has none."""


class Period(StrEnum):
    """How long a budget lasts, in UTC; weeks begin on Mondays."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Measure(StrEnum):
    """What a budget counts."""

    MONEY = "money"
    TOKENS = "tokens"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How much may be used of something in each period."""

    id: str
    name: str
    target: Target
    value: str
    """Empty: of everything."""
    period: Period
    measure: Measure
    amount: Decimal
    """More than 0; tokens are whole."""
    currency: str | None
    """Of money; None: of tokens."""
    thresholds: tuple[int, ...]
    """Percent of the amount at which an alert is raised, ascending."""
    warns_ahead: bool
    """Whether an alert is raised when the forecast exceeds the amount."""
    finds_anomalies: bool
    """Whether an alert is raised when an hour is far above what is usual."""
    is_enforced: bool
    """Whether calls are refused, or marked, where it is used up."""


class Span(NamedTuple):
    """A period of a budget."""

    start: str
    """Canonical UTC."""
    end: str
    """Exclusive."""


def span_of(period: Period, at: datetime) -> Span:
    """Return the period in which a moment, in UTC, lies."""
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    if period is Period.MONTH:
        start = day.replace(day=1)
        return Span(utc_of(start), utc_of((start + timedelta(days=31)).replace(day=1)))
    start = day - timedelta(days=day.weekday()) if period is Period.WEEK else day
    return Span(utc_of(start), utc_of(start + timedelta(days=7 if period is Period.WEEK else 1)))


def crossed(budget: Budget, used: Decimal) -> list[int]:
    """Return the thresholds that are reached."""
    return [percent for percent in budget.thresholds if used * 100 >= budget.amount * percent]


RATE_DAYS: Final = 7
"""Days whose use tells how fast a budget is used: a whole week, as weekends differ."""
_LEAST_PART: Final = 20
"""A twentieth of the period must be over before its own use tells where it ends."""
_PLACES: Final = Decimal("1e-12")


class Method(StrEnum):
    """How a forecast comes about."""

    LAST_DAYS = "last-7-days"
    """The rest of the period goes on as the last seven whole days went."""
    PERIOD_SO_FAR = "period-so-far"
    """The rest goes on as the period went so far: there is no longer history."""


class Forecast(NamedTuple):
    """How much will be used when the period ends."""

    amount: Decimal
    method: Method


def forecast_of(days: Mapping[str, Decimal], span: Span, at: datetime) -> Forecast | None:
    """Return what will be used when the period ends; None where too little is known.

    Args:
        days: canonical start of each day with use, `RATE_DAYS` and more before `at` too -> how much it was.
        span: the period.
        at: now, in UTC.
    """
    used = sum((amount for day, amount in days.items() if span.start <= day < span.end), Decimal(0))
    start, end = map(datetime.fromisoformat, span)
    rest = Decimal((end - at) // timedelta(milliseconds=1))
    today = at.replace(hour=0, minute=0, second=0, microsecond=0)
    first = utc_of(today - timedelta(days=RATE_DAYS))
    if any(day <= first for day in days):
        last = sum((amount for day, amount in days.items() if first <= day < utc_of(today)), Decimal(0))
        more = last * rest / (RATE_DAYS * 86_400_000)
        return Forecast((used + more).quantize(_PLACES, ROUND_HALF_EVEN), Method.LAST_DAYS)
    over = Decimal((at - start) // timedelta(milliseconds=1))
    if used == 0 or over * _LEAST_PART < over + rest:
        return None
    return Forecast((used + used * rest / over).quantize(_PLACES, ROUND_HALF_EVEN), Method.PERIOD_SO_FAR)


HISTORY_DAYS: Final = 28
"""Days before an hour that it is compared with."""
_LEAST_HOURS: Final = 48
"""Hours with use that make a history."""
_DEVIATIONS: Final = 6
_OF_NORMAL: Final = Decimal("1.4826")
"""The standard deviation of a normal distribution, in median absolute deviations."""
_LEAST_DEVIATION: Final = 10
"""A history as even as a clock's still deviates by a tenth of its median."""


class Anomaly(NamedTuple):
    """An hour far above its history."""

    used: Decimal
    usual: Decimal
    """The median."""
    limit: Decimal
    """The highest use that would not have been out of line."""


def anomaly_of(used: Decimal, history: Sequence[Decimal]) -> Anomaly | None:
    """Return how far an hour is out of line; None where it is not, or where too little is known.

    It is above the median by more than six standard deviations, as the median absolute deviation (MAD) estimates them:
    neither the median nor the MAD moves for a few hours that were out of line themselves.

    Args:
        used: in the hour.
        history: use of each hour of the days before that had any.
    """
    if len(history) < _LEAST_HOURS:
        return None
    usual = median(history)
    deviation = max(median(abs(one - usual) for one in history) * _OF_NORMAL, usual / _LEAST_DEVIATION)
    limit = usual + _DEVIATIONS * deviation
    return Anomaly(used, usual, limit) if used > limit else None
