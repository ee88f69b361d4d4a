"""Money: what a month cost whom, where it will end, and what has no price."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Final, NamedTuple

from fastapi import APIRouter, Request, Response

from shared.api.callers import Caller, Role
from shared.api.dashboard.charts import Curve, RunningTotal, running_total
from shared.api.dashboard.frame import Link, PageRoute, csv_file, linker, page, parameters_of, safe_cell
from shared.api.dashboard.parameters import MoneyParameters
from shared.api.routes.common import Budgets, Costs, Prices, UsageWithin
from shared.domain.values import interval_end, utc_now, utc_of
from shared.pricing.budgets import Measure, Period, Target
from shared.questions import AlertFilter, PriceFilter, StatementQuery
from shared.services.budgets import BudgetService, Standing
from shared.services.costs import CostService, DaySums, Total
from shared.stores.budget_ports import Alert, Delivery

__all__ = ["router"]

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_MONTHS: Final = 4
"""That the page leads to besides its own."""
_MOST_BUDGETS: Final = 50
_MOST_ALERTS: Final = 10
_MOST_PRICES: Final = 40
_MOST_MODELS: Final = 20
_BUDGET_WIDTH: Final = 80
"""Per cent of a picture's width at which the budget stands, in every row."""


class Bullet(NamedTuple):
    """A budget as drawn; places are per cent of the width."""

    standing: Standing
    spent: str
    ahead: str
    """How much further the forecast reaches."""
    notch: str | None
    """Of the first threshold."""
    percent: Decimal
    percent_ahead: Decimal | None


class Course(NamedTuple):
    """Where a month stands, and will end."""

    currency: str
    so_far: Decimal
    last_month: Decimal | None
    """As far into the month before; None: it had no costs."""
    budget: Standing | None
    chart: RunningTotal
    days: list[tuple[str, str, Decimal, Decimal]]
    """Start, link, that day's amount, and the month's up to its end."""


@router.get("/money")
def show_money(request: Request, caller: UsageWithin, costs: Costs, budgets: Budgets, prices: Prices) -> Response:
    """Show a month's statement by team, its budgets and alerts, what has no price, and the prices."""
    query, now = parameters_of(MoneyParameters, request), utc_now()
    question = replace(query.statement(now), reaches=caller.within(Role.USAGE_READ))
    lines = costs.by_payer(question)
    models = costs.by_model(question, limit=_MOST_MODELS)
    totals = costs.statement(question, after=None, limit=1)
    currency = _currency(query.currency, totals.totals)
    standings, alerts = _agreed(caller, budgets)
    model = query.model or next((one.model for one in models if one.model), None)
    narrow = PriceFilter(model=model, holds_at=min(utc_of(now), _last_moment(question.month)))
    course = None
    if currency is not None:
        budget = _budget_of(budgets, question, currency)
        course = _course(costs, question, budget, currency=currency, now=now, link=linker(request))
    return page(
        request,
        "money",
        month=question.month[:7],
        months=_months(question.month, now),
        is_running=question.month[:7] == utc_of(now)[:7],
        query=query,
        lines=lines,
        shares=_shares(lines, totals.totals),
        statement=totals,
        course=course,
        bullets=standings and [_bullet(one) for one in standings if one.state],
        unmeasured=standings and [one for one in standings if not one.state],
        alerts=alerts,
        models=models,
        model=model,
        prices=prices.prices(narrow, after=None, limit=_MOST_PRICES) if model else None,
        start=question.month,
        end=interval_end(question.month, "month"),
    )


@router.get("/money.csv")
def send_statement(request: Request, caller: UsageWithin, costs: Costs) -> Response:
    """Send a month's statement by team and cost centre, as the page shows it."""
    question = parameters_of(MoneyParameters, request).statement(utc_now())
    lines = costs.by_payer(replace(question, reaches=caller.within(Role.USAGE_READ)))
    rows = (
        [
            question.month[:7],
            *(safe_cell(one.team), safe_cell(one.cost_centre), one.currency, one.calls),
            *([one.charges, one.idle, one.adjustments, one.amount] if one.currency else [""] * 4),
            one.unpriced_calls,
        ]
        for one in lines
    )
    return csv_file(f"statement-{question.month[:7]}.csv", _CSV_HEAD, rows)


_CSV_HEAD: Final = (
    "month", "team", "costCentre", "currency", "calls", "charges", "idle", "adjustments", "amount", "unpricedCalls",
)  # fmt: skip


def _currency(wanted: str | None, totals: Sequence[Total]) -> str | None:
    known = {one.currency: one.amount for one in totals}
    return wanted if wanted in known else max(known, key=lambda name: known[name], default=None)


def _agreed(
    caller: Caller, budgets: BudgetService
) -> tuple[list[Standing] | None, list[tuple[Alert, list[Delivery]]] | None]:
    """Return budgets and the newest alerts; None for those who see some calls alone."""
    if caller.within(Role.USAGE_READ):
        return None, None
    alerts = budgets.alerts(AlertFilter(), after=None, limit=_MOST_ALERTS).alerts
    return budgets.budgets(after=None, limit=_MOST_BUDGETS).standings, alerts


def _bullet(standing: Standing) -> Bullet:
    budget, state = standing
    assert state is not None  # noqa: S101  # for the type checker: only measured ones are drawn
    scale = Decimal(_BUDGET_WIDTH) / budget.amount
    spent = min(state.used * scale, Decimal(100))
    ahead = min((state.forecast or state.used) * scale, Decimal(100)) - spent
    first = next(iter(budget.thresholds), None)
    return Bullet(
        standing,
        f"{spent:.1f}%",
        f"{max(ahead, Decimal(0)):.1f}%",
        None if first is None else f"{min(first * _BUDGET_WIDTH / 100, 100):.1f}%",
        state.used * 100 / budget.amount,
        None if state.forecast is None else state.forecast * 100 / budget.amount,
    )


def _shares(lines: Sequence[Total], totals: Sequence[Total]) -> list[Decimal | None]:
    """Return what part of its currency's total each line is, in per cent."""
    amounts = {one.currency: one.amount for one in totals}
    return [one.amount * 100 / amounts[one.currency] if amounts.get(one.currency) else None for one in lines]


def _months(month: str, now: datetime) -> list[str]:
    """Return months to choose from: the newest, and the one that is shown."""
    first = now.replace(day=1)
    newest = []
    for _ in range(_MONTHS):
        newest.append(utc_of(first)[:7])
        first = (first - timedelta(days=1)).replace(day=1)
    return sorted({*newest, month[:7]})


def _last_moment(month: str) -> str:
    end = interval_end(month, "month")
    return month if end is None else utc_of(datetime.fromisoformat(end) - timedelta(milliseconds=1))


def _course(
    costs: CostService, question: StatementQuery, budget: Standing | None, *, currency: str, now: datetime, link: Link
) -> Course:
    month = datetime.fromisoformat(question.month)
    before = (month - timedelta(days=1)).replace(day=1)
    starts = _days(month)
    passed = [start for start in starts if start <= utc_of(now)] or starts[:1]
    line = _summed(costs.by_day(question, currency), passed)
    last = _summed(costs.by_day(replace(question, month=utc_of(before)), currency), _days(before))
    curves = [Curve("l1", "so far" if len(passed) < len(starts) else "this month", line)]
    if last[-1]:
        curves.append(Curve("l0", utc_of(before)[:7], last))
    links = [_explored(question, start, link) for start in starts]
    agreed = budget and budget.budget.amount
    chart = running_total(curves, starts, links, forecast=budget and _forecast(budget), limit=agreed)
    so_far_before = last[min(len(passed), len(last) - 1)]
    steps = [after - prior for prior, after in pairwise(line)]
    days = list(zip(passed, links[: len(passed)], steps, line[1:], strict=True))
    return Course(currency, line[-1], so_far_before or None, budget, chart, days)


def _forecast(standing: Standing) -> Decimal | None:
    return None if standing.state is None else standing.state.forecast


def _explored(question: StatementQuery, start: str, link: Link) -> str:
    end = utc_of(datetime.fromisoformat(start) + timedelta(days=1))
    return link("explore", {"team": question.team, "costCentre": question.cost_centre, "from": start, "to": end})


def _budget_of(budgets: BudgetService, question: StatementQuery, currency: str) -> Standing | None:
    """Return the month's budget of what is shown, where there is just one such and it was measured in that month."""
    if question.cost_centre is not None or question.reaches:
        return None
    target, value = (Target.EVERYTHING, "") if question.team is None else (Target.TEAM, question.team)
    kind = (Period.MONTH, Measure.MONEY, currency)
    found = [
        one
        for one in budgets.budgets_of(target, value)
        if (one.budget.period, one.budget.measure, one.budget.currency) == kind
        and one.state is not None
        and one.state.period_start == question.month
    ]
    return found[0] if len(found) == 1 else None


def _days(month: datetime) -> list[str]:
    end = (month + timedelta(days=31)).replace(day=1)
    return [utc_of(month + timedelta(days=number)) for number in range((end - month).days)]


def _summed(sums: DaySums, starts: Sequence[str]) -> list[Decimal]:
    """Return what a month had cost before its first day, by adjustments, and at the end of each of `starts`."""
    days: Mapping[str, Decimal] = sums.days
    line = [sums.adjustments]
    for start in starts:
        line.append(line[-1] + days.get(start, Decimal(0)))
    return line
