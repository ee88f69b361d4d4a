"""Usage -> how budgets stand, what is to be raised, and whose calls an exhausted budget concerns."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Final, NamedTuple

import orjson

from shared.domain.values import hour_of, utc_now, utc_of
from shared.pricing.budgets import (
    HISTORY_DAYS,
    RATE_DAYS,
    TARGETS,
    Budget,
    Measure,
    Span,
    Target,
    anomaly_of,
    crossed,
    forecast_of,
    span_of,
)
from shared.pricing.payers import Assignment, Matched
from shared.questions import InteractionFilter, UsageQuery
from shared.services.isolation import LOGGED_ONLY, Failures, one_by_one
from shared.services.notices import send_notices
from shared.stores.budget_ports import Alert, AlertStore, Block, BudgetState, BudgetStore, Webhook
from shared.stores.ports import AuditStore, Row
from shared.stores.price_ports import AssignmentStore
from shared.telemetry import BUDGET_ALERTS, BUDGETS_EXHAUSTED, SILENT, Recorder

__all__ = ["Stores", "check_budgets"]

logger = logging.getLogger(__name__)

_PAGE: Final = 1_000
_SETTLED: Final = timedelta(minutes=15)
"""After its end an hour is compared with its history: its usage is there by then."""


class _Use(NamedTuple):
    """What was used in an interval."""

    amount: Decimal
    unpriced: int
    has_other_currencies: bool


_NOTHING: Final = _Use(Decimal(0), 0, False)  # noqa: FBT003  # by its name


class _Checked(NamedTuple):
    state: BudgetState
    alerts: list[Alert]


class Stores(NamedTuple):
    """What budgets are measured by, and where it is kept."""

    budgets: BudgetStore
    alerts: AlertStore
    usage: AuditStore
    payers: AssignmentStore


def check_budgets(
    stores: Stores,
    *,
    webhooks: Sequence[Webhook] = (),
    failures: Failures = LOGGED_ONLY,
    recorder: Recorder = SILENT,
    now: Callable[[], datetime] = utc_now,
) -> int:
    """Measure every budget, raise what is new, tell the webhooks; return how many alerts are new.

    Each threshold, and the forecast, is raised once in a period, an anomaly once for its hour, however often this runs.
    A budget that fails stops no other.

    Raises:
        StoreUnavailableError: nothing was raised, or somebody was not told yet: the next run goes on.
    """
    at = now().astimezone(UTC)
    held = list(_all_budgets(stores.budgets))
    before = stores.budgets.states([one.id for one in held])
    check = partial(_checked, usage=stores.usage, before=before, at=at)
    checked = one_by_one(check, held, failures).results
    exhausted = {one.state.budget_id for one in checked if one.state.is_exhausted}
    enforced = [one for one in held if one.is_enforced and one.id in exhausted]
    blocks = list(_blocks(enforced, stores.payers, at)) if enforced else []
    raised = [alert for one in checked for alert in one.alerts]
    new = stores.alerts.record([one.state for one in checked], raised, blocks, [one.name for one in webhooks])
    _tell(recorder, len(exhausted), new)
    send_notices(stores.alerts, webhooks, failures=failures, now=now)
    logger.info("budgets.run budgets=%d alerts=%d", len(checked), len(new))
    return len(new)


def _all_budgets(budgets: BudgetStore) -> Iterator[Budget]:
    after: str | None = None
    while page := budgets.budgets(after=after, limit=_PAGE):
        yield from page
        after = page[-1].id


def _checked(budget: Budget, *, usage: AuditStore, before: Mapping[str, BudgetState], at: datetime) -> _Checked:
    span = span_of(budget.period, at)
    today = at.replace(hour=0, minute=0, second=0, microsecond=0)
    first = min(span.start, utc_of(today - timedelta(days=2 * RATE_DAYS)))
    days = _used(usage, budget, "day", first, utc_of(today + timedelta(days=1)))
    own = [use for day, use in days.items() if day >= span.start]
    used = sum((use.amount for use in own), Decimal(0))
    forecast = forecast_of({day: use.amount for day, use in days.items()}, span, at)
    examined = utc_of((at - _SETTLED).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1))
    known = before.get(budget.id)
    anomalies: list[Alert] = []
    if budget.finds_anomalies and (known is None or (known.examined_hour or "") < examined):
        anomalies = _anomalies(budget, usage, examined, utc_of(at))
    state = BudgetState(
        budget_id=budget.id,
        period_start=span.start,
        period_end=span.end,
        used=used,
        forecast=None if forecast is None else forecast.amount,
        forecast_method=None if forecast is None else forecast.method.value,
        unpriced_requests=sum(use.unpriced for use in own),
        has_other_currencies=any(use.has_other_currencies for use in own),
        is_exhausted=used >= budget.amount,
        measured_at=utc_of(at),
        examined_hour=examined,
    )
    return _Checked(state, [*_crossings(budget, state, span), *anomalies])


def _used(usage: AuditStore, budget: Budget, interval: str, start: str, end: str) -> dict[str, _Use]:
    """Return what was used of a budget in each interval that has any use."""
    dimension = TARGETS.get(budget.target)
    narrow = InteractionFilter(**({} if dimension is None else {dimension: budget.value}))
    query = UsageQuery(dimensions=("currency",), interval=interval, starts_from=start, starts_before=end, narrow=narrow)
    found: dict[str, _Use] = {}
    after: tuple[str, ...] | None = None
    while page := usage.usage(query, after=after, limit=_PAGE):
        for row in page:
            before, more = found.get(row["interval_start"], _NOTHING), _use(budget, row)
            found[row["interval_start"]] = _Use(
                before.amount + more.amount,
                before.unpriced + more.unpriced,
                before.has_other_currencies or more.has_other_currencies,
            )
        after = (page[-1]["interval_start"], page[-1]["currency"])
    return found


def _use(budget: Budget, row: Row) -> _Use:
    if budget.measure is Measure.TOKENS:
        return _Use(Decimal(row["total_tokens"]), 0, False)  # noqa: FBT003  # by its name
    amount = row["amount"] or Decimal(0)
    unpriced = row["unpriced_requests"] or 0
    if row["currency"] == budget.currency:
        return _Use(amount, unpriced, False)  # noqa: FBT003  # by its name
    return _Use(Decimal(0), unpriced, amount != 0)


def _crossings(budget: Budget, state: BudgetState, span: Span) -> Iterator[Alert]:
    for percent in crossed(budget, state.used):
        yield _alert(budget, state.measured_at, "threshold", span.start, state.used, threshold=percent)
    if budget.warns_ahead and not state.is_exhausted and (state.forecast or 0) > budget.amount:
        detail = {"forecast": _digits(state.forecast or Decimal(0)), "method": state.forecast_method}
        yield _alert(budget, state.measured_at, "forecast", span.start, state.used, detail=detail)


def _anomalies(budget: Budget, usage: AuditStore, hour: str, at: str) -> list[Alert]:
    moment = datetime.fromisoformat(hour)
    first, end = utc_of(moment - timedelta(days=HISTORY_DAYS)), utc_of(moment + timedelta(hours=1))
    hours = {name: use.amount for name, use in _used(usage, budget, "hour", first, end).items()}
    used = hours.pop(hour, Decimal(0))
    found = anomaly_of(used, [amount for amount in hours.values() if amount > 0])
    if found is None:
        return []
    detail = {"hour": hour, "usual": _digits(found.usual), "limit": _digits(found.limit)}
    return [_alert(budget, at, "anomaly", hour, used, detail=detail)]


def _alert(
    budget: Budget,
    at: str,
    kind: str,
    start: str,
    used: Decimal,
    *,
    threshold: int | None = None,
    detail: Mapping[str, str | None] | None = None,
) -> Alert:
    of = {"name": budget.name, "target": budget.target.value, "value": budget.value, "period": budget.period.value}
    limit = {"measure": budget.measure.value, "amount": _digits(budget.amount), "currency": budget.currency}
    return Alert(
        id=f"{budget.id} {hour_of(start)[:13]} {kind}{'' if threshold is None else f' {threshold}'}",
        raised_at=at,
        budget_id=budget.id,
        kind=kind,
        threshold=threshold,
        period_start=start,
        used=used,
        detail=orjson.dumps({"budget": of | limit, **(detail or {})}).decode(),
    )


def _digits(amount: Decimal) -> str:
    """Return a decimal without noughts at its end."""
    digits = f"{amount:f}"
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


_KINDS: Final = {
    Matched.USER: "user",
    Matched.APPLICATION: "application",
    Matched.SUBSCRIPTION: "subscription",
    Matched.PRODUCT: "product",
}
"""By what the gateway knows callers, of those by which they are assigned to teams."""


def _blocks(exhausted: Sequence[Budget], payers: AssignmentStore, at: datetime) -> Iterator[Block]:
    """Yield whose calls the budgets concern: of a team, also those who are assigned to it now."""
    moment = utc_of(at)
    teams = any(one.target is Target.TEAM for one in exhausted)
    members = list(_members(payers, moment)) if teams else []
    for budget in exhausted:
        until = span_of(budget.period, at).end
        yield Block(budget.target.value, budget.value, budget.id, until)
        if budget.target is Target.TEAM:
            for one in members:
                if one.team == budget.value:
                    yield Block(_KINDS[one.matched], one.value, budget.id, until)


def _members(payers: AssignmentStore, at: str) -> Iterator[Assignment]:
    """Yield the assignment of each caller that holds at a time: the last that began, unless it ended."""
    last: dict[tuple[object, ...], Assignment] = {}
    after: tuple[str, ...] | None = None
    while page := payers.assignments(after=after, limit=_PAGE):
        # In the order of their beginning.
        last |= {one.key[:3]: one for one in page if one.matched in _KINDS and one.valid_from <= at}
        end = page[-1]
        after = (end.matched.value, end.name, end.value, end.valid_from)
    yield from (one for one in last.values() if one.valid_to is None or one.valid_to > at)


def _tell(recorder: Recorder, exhausted: int, new: Sequence[Alert]) -> None:
    recorder.record(BUDGETS_EXHAUSTED, exhausted)
    for alert in new:
        recorder.record(BUDGET_ALERTS, 1, kind=alert.kind)
        logger.warning("budgets.alert budget=%s kind=%s threshold=%s", alert.budget_id, alert.kind, alert.threshold)
