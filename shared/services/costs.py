"""Costs by month: statements, and the closing of months."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from shared.domain.values import interval_end, utc_now, utc_of
from shared.errors import InvalidFileError, NotFoundError, NotPossibleError
from shared.pricing.bills import account_of, read_export
from shared.pricing.reconcile import Reconciled, reconcile
from shared.questions import StatementQuery
from shared.stores.cost_ports import ClosedMonth, CostStore
from shared.stores.ports import Row

__all__ = ["CostService", "DaySums", "ModelTotal", "MonthPage", "PayerTotal", "Statement", "Total"]

logger = logging.getLogger(__name__)

_LINES_AT_A_TIME: Final = 5_000
_MOST_DAYS: Final = 62
_MOST_PAYERS: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """What the lines of a statement in one currency add up to."""

    currency: str
    charges: Decimal
    idle: Decimal
    adjustments: Decimal

    @property
    def amount(self) -> Decimal:
        """Return the sum of the three."""
        return self.charges + self.idle + self.adjustments


@dataclass(frozen=True, slots=True, kw_only=True)
class PayerTotal(Total):
    """What one team and cost centre pay in one currency; empty where nobody is known to."""

    team: str
    cost_centre: str
    calls: int
    unpriced_calls: int


class ModelTotal(NamedTuple):
    """What a model costs in one currency, and how many of its calls have no price."""

    model: str
    deployment: str
    currency: str
    amount: Decimal | None
    calls: int
    unpriced_calls: int


class DaySums(NamedTuple):
    """A month by days, in one currency."""

    days: dict[str, Decimal]
    """Start of the day -> charges and idle capacity."""
    adjustments: Decimal
    """Booked into the month, of whichever day."""


class Statement(NamedTuple):
    """Part of the lines of a month's statement, and what all of them add up to."""

    lines: list[Row]
    next: tuple[str, ...] | None
    """Behind which the next part begins; None at the end."""
    totals: list[Total]
    calls: int
    unpriced_calls: int
    """Of them, those without an amount, which is in no total."""
    closed: bool


class MonthPage(NamedTuple):
    """Part of the list of closed months."""

    months: Sequence[ClosedMonth]
    next: str | None


class CostService:
    """The use cases of costs by month. Every method raises StoreUnavailableError when the database is down."""

    def __init__(self, store: CostStore, *, now: Callable[[], datetime] = utc_now) -> None:
        """Read from and write to `store`."""
        self._store = store
        self._now = now

    def close(self, month: str, *, actor: str) -> ClosedMonth:
        """Close a month for good and return it. Closing it again changes nothing.

        Raises:
            NotPossibleError: it is not over, hours of it are not charged, or a month before it is open and has costs.
        """
        at = utc_of(self._now())
        end = interval_end(month, "month")
        if end is None or at < end:
            raise NotPossibleError(f"{month[:7]} is not over")
        closed = self._store.close(month, actor=actor, at=at)
        logger.info("costs.closed month=%s lines=%d", month[:7], closed.line_count)
        return closed

    def closed_months(self, *, before: str | None, limit: int) -> MonthPage:
        """Return closed months, the newest first."""
        found = self._store.closed_months(before=before, limit=limit + 1)
        return MonthPage(found[:limit], found[limit - 1].month if len(found) > limit else None)

    def closed_month(self, month: str) -> tuple[ClosedMonth, bool]:
        """Return a closed month, and whether its lines are still those that were closed.

        Raises:
            NotFoundError: it is not closed.
        """
        after = interval_end(month, "month")
        found = next(iter(self._store.closed_months(before=after, limit=1)), None)
        if found is None or found.month != month:
            raise NotFoundError("this month is not closed")
        return found, self._store.digest(month) == found.digest

    def statement(self, query: StatementQuery, *, after: tuple[str, ...] | None, limit: int) -> Statement:
        """Return lines of a month's statement in the order of their keys, and the totals of all of them."""
        last = self._store.last_closed_month()
        lines = self._store.statement(query, after=after, limit=limit + 1)
        sums = self._store.sums(query)
        unknown = sum(row["calls"] for row in sums if row["kind"] == "unpriced")
        following = tuple(lines[limit - 1].values())[:-2] if len(lines) > limit else None
        return Statement(
            lines[:limit],
            following,
            _totals(sums),
            sum(row["calls"] for row in sums if row["kind"] != "adjustment"),
            unknown,
            last is not None and query.month <= last,
        )

    def by_payer(self, query: StatementQuery, *, limit: int = _MOST_PAYERS) -> list[PayerTotal]:
        """Return what a month costs by team and cost centre, the largest amounts first."""
        found: dict[tuple[str, str, str], list[Row]] = {}
        for row in self._store.sums(query, by=("team", "cost_centre"), limit=limit):
            found.setdefault((row["team"], row["cost_centre"], row["currency"]), []).append(row)
        totals = [_payer_total(key, rows) for key, rows in found.items()]
        return sorted(totals, key=lambda one: (one.currency, -one.amount, one.team, one.cost_centre))

    def by_model(self, query: StatementQuery, *, limit: int) -> list[ModelTotal]:
        """Return what a month costs by model and deployment, the largest amounts first, then what has no price."""
        found: dict[tuple[str, str, str], list[Row]] = {}
        for row in self._store.sums(query, by=("model", "deployment"), limit=limit):
            found.setdefault((row["model"], row["deployment"], row["currency"]), []).append(row)
        totals = [
            ModelTotal(*key, _amount_of(rows), _calls_of(rows), _calls_of(rows, "unpriced"))
            for key, rows in found.items()
        ]
        return sorted(totals, key=lambda one: (-(one.amount or 0), -one.calls, one.model, one.deployment))

    def by_day(self, query: StatementQuery, currency: str) -> DaySums:
        """Return what the days of a month cost in one currency."""
        days: dict[str, Decimal] = {}
        adjustments = Decimal(0)
        for row in self._store.sums(query, by=("day",)):
            if row["currency"] != currency or row["amount"] is None:
                continue
            if row["kind"] == "adjustment":
                adjustments += row["amount"]
            else:
                days[row["day"]] = days.get(row["day"], Decimal(0)) + row["amount"]
        return DaySums(days, adjustments)

    def lines(self, query: StatementQuery) -> Iterator[Row]:
        """Yield all lines of a month by day and meter, so many at a time."""
        after: tuple[Any, ...] | None = None
        while True:
            page, after = self.some_lines(query, after=after, limit=_LINES_AT_A_TIME)
            yield from page
            if after is None:
                return

    def reconcile(self, export: str, *, tolerance: Decimal) -> Reconciled:
        """Return how a CSV export of Azure Cost Management compares to the charges of its days.

        Raises:
            InvalidFileError: it is no such export, or of more than `_MOST_DAYS` days.
        """
        billed = read_export(export)
        days = sorted({one.day for one in billed})
        if len(days) > _MOST_DAYS:
            raise InvalidFileError(f"the export is of {len(days)} days: {_MOST_DAYS} at most")
        bypasses: dict[tuple[str, str], int] = {}
        for day in days:
            for host, calls in self._store.bypass_calls(day):
                key = (day, account_of(host or ""))
                bypasses[key] = bypasses.get(key, 0) + calls
        charged = (line for day in days for line in self._store.day(day))
        return reconcile(billed, charged, tolerance=tolerance, bypasses=bypasses)

    def some_lines(
        self, query: StatementQuery, *, after: tuple[Any, ...] | None, limit: int
    ) -> tuple[list[Row], tuple[Any, ...] | None]:
        """Return lines of a month by day and meter in the order of their keys, and behind which the rest begins."""
        page = self._store.lines(query, after=after, limit=limit + 1)
        return page[:limit], tuple(page[limit - 1].values())[:-2] if len(page) > limit else None


def _payer_total(key: tuple[str, str, str], rows: Sequence[Row]) -> PayerTotal:
    team, cost_centre, currency = key
    kinds = {"charges": "charge", "idle": "idle", "adjustments": "adjustment"}
    return PayerTotal(
        team=team,
        cost_centre=cost_centre,
        currency=currency,
        calls=_calls_of(rows),
        unpriced_calls=_calls_of(rows, "unpriced"),
        **{
            name: _amount_of([row for row in rows if row["kind"] == kind]) or Decimal(0) for name, kind in kinds.items()
        },
    )


def _amount_of(rows: Sequence[Row]) -> Decimal | None:
    known = [row["amount"] for row in rows if row["amount"] is not None]
    return sum(known, Decimal(0)) if known else None


def _calls_of(rows: Sequence[Row], kind: str | None = None) -> int:
    return sum(row["calls"] for row in rows if row["kind"] != "adjustment" and kind in {None, row["kind"]})


def _totals(sums: Sequence[Row]) -> list[Total]:
    amounts = {(row["currency"], row["kind"]): row["amount"] for row in sums if row["currency"]}
    kinds = {"charges": "charge", "idle": "idle", "adjustments": "adjustment"}
    return [
        Total(
            currency=currency,
            **{name: amounts.get((currency, kind)) or Decimal(0) for name, kind in kinds.items()},
        )
        for currency in sorted({currency for currency, _ in amounts})
    ]
