"""`/budgets` and `/alerts`: how much may be used, whether a call may pass, and what was raised."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from shared.api.bodies import GuardedRoute
from shared.api.budget_models import (
    Alert,
    AlertParameters,
    Budget,
    BudgetToAgree,
    Decision,
    DecisionParameters,
    Removed,
)
from shared.api.budget_views import alert_view, budget_view, decision_view
from shared.api.callers import Role
from shared.api.cursors import list_cursor, list_key, name_key, usage_cursor
from shared.api.models import Page
from shared.api.parameters import ListParameters, NoParameters
from shared.api.responses import item_response, json_response
from shared.api.routes.common import AdminCaller, Budgets, UsageCaller, described
from shared.api.views import page_view, view_of

__all__ = ["alerts", "router"]

router = APIRouter(prefix="/budgets", tags=["budgets"], route_class=GuardedRoute)
alerts = APIRouter(prefix="/alerts", tags=["budgets"])

_Id = Annotated[str, Path(alias="id", description="the budget's id", max_length=64)]
_Nothing = Annotated[NoParameters, Query()]


@router.get("", **described(Role.USAGE_READ, model=Page[Budget]))
def list_budgets(query: Annotated[ListParameters, Query()], _caller: UsageCaller, budgets: Budgets) -> Response:
    """List budgets by their ids, each with how it stands."""
    page = budgets.budgets(after=name_key(query.cursor, query.question()), limit=query.limit)
    following = usage_cursor(None if page.next is None else [page.next], query.question())
    return json_response(page_view(map(budget_view, page.standings), following))


@router.get("/decision", **described(Role.USAGE_READ, model=Decision))
def decide(query: Annotated[DecisionParameters, Query()], _caller: UsageCaller, budgets: Budgets) -> Response:
    """Return whether an enforced budget that is used up concerns a call. The gateway asks, and keeps the answer."""
    return json_response(decision_view(budgets.refusals(query.callers())))


@router.get("/{id}", **described(Role.USAGE_READ, model=Budget, missing=True, tagged=True))  # noqa: FAST003  # by its alias
def read_budget(budget_id: _Id, _query: _Nothing, _caller: UsageCaller, budgets: Budgets, request: Request) -> Response:
    """Return a budget, and how it stands."""
    return item_response(request, budget_view(budgets.budget(budget_id)))


@router.post("", **described(Role.AUDIT_ADMIN, model=Budget))
def agree_budget(request: BudgetToAgree, _query: _Nothing, caller: AdminCaller, budgets: Budgets) -> Response:
    """Add a budget, or change the one with its id. This is recorded, with what it was before.

    It is measured within minutes; until then it refuses nothing.
    """
    budgets.put(request.budget(), actor=caller.label)
    return json_response(budget_view(budgets.budget(request.id)))


@router.post("/{id}/remove", **described(Role.AUDIT_ADMIN, model=Removed, missing=True))  # noqa: FAST003  # by its alias
def remove_budget(budget_id: _Id, _query: _Nothing, caller: AdminCaller, budgets: Budgets) -> Response:
    """Take a budget away. This is recorded, with what it was; its alerts stay."""
    budgets.remove(budget_id, actor=caller.label)
    return json_response(view_of(Removed, {}, id=budget_id, removed=True))


@alerts.get("", **described(Role.USAGE_READ, model=Page[Alert]))
def list_alerts(query: Annotated[AlertParameters, Query()], _caller: UsageCaller, budgets: Budgets) -> Response:
    """List alerts, newest first, each with what became of it at every webhook."""
    page = budgets.alerts(query.narrow(), after=list_key(query.cursor, query.question()), limit=query.limit)
    return json_response(page_view(map(alert_view, page.alerts), list_cursor(page.next, query.question())))
