"""People: what one user, team, application or address uses, and whether that is ordinary for them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from fastapi import APIRouter, Request, Response

from shared.api.callers import Caller, Role
from shared.api.dashboard.frame import PageRoute, page, parameters_of
from shared.api.dashboard.parameters import PeopleParameters
from shared.api.dashboard.ranges import SINCE, Range, range_of
from shared.api.dashboard.uses import NAMES, Within, spread_in, top_list, totals_of, usage_query
from shared.api.parameters import DIMENSIONS
from shared.api.routes.common import Audit, Budgets, UsageWithin
from shared.domain.values import utc_now, utc_of
from shared.pricing.budgets import Target
from shared.questions import InteractionFilter
from shared.services.audit import AuditService
from shared.services.budgets import BudgetService, Standing
from shared.stores.ports import Row

__all__ = ["KINDS", "router"]

router = APIRouter(route_class=PageRoute, include_in_schema=False)

KINDS: Final = {
    "userId": "People",
    "team": "Teams",
    "appId": "Applications",
    "callerIp": "Addresses",
    "subscriptionId": "Subscriptions",
}
"""Whose pages there are: parameter -> heading of their list."""
_TARGETS: Final = {"userId": Target.USER, "team": Target.TEAM, "subscriptionId": Target.SUBSCRIPTION}
_MOST: Final = 200
_CALLS: Final = 10
_DAYS: Final = 31
"""Newest days that the table of hours shows."""
_SHADES: Final = 5


class Day(NamedTuple):
    """A day of the table of hours."""

    start: str
    end: str
    hours: list[tuple[int, int]]
    """Calls of each hour, and how dark it is drawn."""
    total: int


@router.get("/people")
def show_people(request: Request, caller: UsageWithin, audit: Audit, budgets: Budgets) -> Response:
    """Show the page of whom the filters name; without a name, who there is."""
    query, within = parameters_of(PeopleParameters, request), caller.within(Role.USAGE_READ)
    when = range_of(utc_now(), since=query.since, start=query.from_, end=query.to)
    given = query.model_dump(by_alias=True, exclude_unset=True, exclude={"limit", "cursor", "group_by", "interval"})
    ranged = {name: value for name, value in given.items() if name in {"since", "from", "to"}}
    common: dict[str, Any] = {
        "query": query,
        "when": when,
        "given": given,
        "ranged": ranged,
        "since": SINCE,
        "kinds": KINDS,
    }
    kind = next((name for name in KINDS if given.get(name)), None)
    if kind is None:
        groups = top_list(audit, query, within, when, query.kind, most=_MOST)
        return page(request, "people", groups=groups, **common)
    now, amounts = totals_of(audit, query, within, when.start, when.end)
    before, amounts_before = totals_of(audit, query, within, when.before_start, when.before_end)
    others = [name for name in ("model", "deployment", *KINDS) if name != kind]
    return page(
        request,
        "person",
        kind=kind,
        title=given[kind],
        now=now,
        before=before,
        amounts=amounts,
        amounts_before=amounts_before,
        spread=spread_in(audit, query, within, when.start, when.end),
        days=_days(audit, query, within, when),
        tops=[top_list(audit, query, within, when, one) for one in others],
        standings=_agreed(caller, budgets, kind, given[kind]),
        calls=_newest(caller, audit, query, when),
        names=NAMES,
        **common,
    )


def _days(audit: AuditService, query: PeopleParameters, within: Within, when: Range) -> list[Day]:
    """Return the calls of each hour of the range, of its newest days; nothing where there are none."""
    last = datetime.fromisoformat(when.end)
    first = max(datetime.fromisoformat(when.start), last - timedelta(days=_DAYS)).replace(hour=0)
    question = usage_query(query, within, utc_of(first), when.end, interval="hour")
    rows = audit.usage(question, after=None, limit=24 * (_DAYS + 1)).rows
    calls = {row["interval_start"]: row["requests"] for row in rows}
    most = max(calls.values(), default=0)
    if not most:
        return []
    days = []
    while first < last:
        hours = [calls.get(utc_of(first + timedelta(hours=hour)), 0) for hour in range(24)]
        shaded = [(number, -(-number * _SHADES // most)) for number in hours]
        days.append(Day(utc_of(first), utc_of(first + timedelta(days=1)), shaded, sum(hours)))
        first += timedelta(days=1)
    return days


def _agreed(caller: Caller, budgets: BudgetService, kind: str, name: str) -> Sequence[Standing] | None:
    """Return the budgets of whom the page is about; None for those who see some calls alone."""
    if caller.within(Role.USAGE_READ):
        return None
    return budgets.budgets_of(_TARGETS[kind], name) if kind in _TARGETS else ()


def _newest(caller: Caller, audit: AuditService, query: PeopleParameters, when: Range) -> list[Row] | None:
    """Return the newest calls; None for those who may not see calls."""
    if Role.AUDIT_READ not in caller.roles:
        return None
    names = {name: value for name, value in query.query().narrow.values.items() if name in DIMENSIONS.values()}
    narrow = InteractionFilter(**names, occurred_from=when.start, occurred_before=when.end)
    reaches = caller.within(Role.AUDIT_READ)
    return audit.interactions(narrow.within(reaches), after=None, limit=_CALLS, reader=None).rows
