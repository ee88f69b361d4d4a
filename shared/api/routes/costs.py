"""`/costs`: statements of months, and closing them."""

from dataclasses import replace
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request, Response

from shared.api.bodies import GuardedRoute
from shared.api.callers import Role
from shared.api.cost_models import (
    ClosedMonth,
    CloseRequest,
    CostStatement,
    ReconcileRequest,
    Reconciliation,
    StatementLine,
    VerifiedMonth,
)
from shared.api.cost_parameters import MONTH, ExportParameters, MonthParameters, StatementParameters, month_start
from shared.api.cost_views import closed_month_view, reconciliation_view, statement_view, verified_month_view
from shared.api.cursors import line_cursor, line_key, list_cursor, list_key, usage_cursor, usage_key
from shared.api.models import Page
from shared.api.parameters import NoParameters
from shared.api.responses import item_response, json_response
from shared.api.routes.common import AdminCaller, Costs, UsageCaller, UsageWithin, described
from shared.api.tabular import list_response, tabular, wanted_format
from shared.api.views import page_view
from shared.errors import InvalidFileError, InvalidRequestError
from shared.questions import ListKey
from shared.services.focus import focus_rows
from shared.services.focus_csv import csv_parts

__all__ = ["router"]

router = APIRouter(prefix="/costs", tags=["costs"], route_class=GuardedRoute)

_DIMENSIONS: Final = 9
"""A line of a statement has so many, behind its month."""
_Month = Annotated[str, Path(alias="month", description="such as 2026-03", pattern=MONTH)]
_Nothing = Annotated[NoParameters, Query()]


@router.get("/statement", **tabular(described(Role.USAGE_READ, model=CostStatement)))
def read_statement(
    query: Annotated[StatementParameters, Query()], caller: UsageWithin, costs: Costs, request: Request
) -> Response:
    """Return what a month cost whom, in lines that add up to its totals, whichever page they stand on.

    A closed month's lines never change. What changed in it since stands as adjustments in the month that was open
    then, and says so. Calls without a price are counted and have no amount.
    """
    question = replace(query.query(), reaches=caller.within(Role.USAGE_READ))
    after = usage_key(query.cursor, query.question(), dimensions=_DIMENSIONS, timed=True)
    statement = costs.statement(question, after=after, limit=query.limit)
    following = usage_cursor(statement.next, query.question())
    answer = statement_view(question, statement, following)
    if wanted_format(request) is None:
        return json_response(answer)
    # The totals are of JSON: a table has the lines, which add up to them.
    return list_response(request, StatementLine, answer["items"], following)


_CSV: Final = "text/csv; charset=utf-8"
# Of no media type but the one that is described.
_EXPORTED = described(Role.USAGE_READ, model=None) | {"response_class": Response}
_EXPORTED["responses"][200] = {"description": "rows of CSV", "content": {_CSV: {"schema": {"type": "string"}}}}


@router.get("/export", **_EXPORTED)
def export_costs(query: Annotated[ExportParameters, Query()], caller: UsageWithin, costs: Costs) -> Response:
    """Return a month's costs by day and meter as CSV in the columns of FOCUS 1.2.

    Calls without a price are in no row. The header `X-Next-Cursor` is the `cursor` of the rest, where there is one.
    """
    question = replace(query.query(), reaches=caller.within(Role.USAGE_READ))
    lines, following = costs.some_lines(question, after=line_key(query.cursor, query.question()), limit=query.limit)
    response = Response("".join(csv_parts(focus_rows(question.month, lines))), media_type=_CSV)
    response.headers["Content-Disposition"] = f'attachment; filename="costs-{query.month}.csv"'
    if following is not None:
        response.headers["X-Next-Cursor"] = line_cursor(following, query.question())
    return response


@router.get("/months", **described(Role.USAGE_READ, model=Page[ClosedMonth]))
def list_months(query: Annotated[MonthParameters, Query()], _caller: UsageCaller, costs: Costs) -> Response:
    """List closed months, the newest first: who closed them, when, and what was unknown then."""
    after = list_key(query.cursor, query.question())
    page = costs.closed_months(before=after.moment if after else None, limit=query.limit)
    following = list_cursor(ListKey(page.next, "") if page.next else None, query.question())
    return json_response(page_view(map(closed_month_view, page.months), following))


@router.get("/months/{month}", **described(Role.USAGE_READ, model=VerifiedMonth, missing=True, tagged=True))
def read_month(month: _Month, _query: _Nothing, _caller: UsageCaller, costs: Costs, request: Request) -> Response:
    """Return a closed month, and whether its lines still have the digest that they were closed with."""
    closed, intact = costs.closed_month(month_start(month))
    return item_response(request, verified_month_view(closed, intact=intact))


@router.post("/months", **described(Role.AUDIT_ADMIN, model=ClosedMonth, refused=True))
def close_month(request: CloseRequest, _query: _Nothing, caller: AdminCaller, costs: Costs) -> Response:
    """Close a month for good: its numbers never change again. This is recorded. Asking twice changes nothing.

    It is refused before the month is over, while hours of it are not charged, and while a month before it is open.
    """
    return json_response(closed_month_view(costs.close(month_start(request.month), actor=caller.label)))


@router.post("/reconciliation", **described(Role.USAGE_READ, model=Reconciliation))
def reconcile_costs(request: ReconcileRequest, _query: _Nothing, _caller: UsageCaller, costs: Costs) -> Response:
    """Compare an export of Azure Cost Management to the charges, by day, account, kind of unit and model.

    Nothing is kept. The larger exports are compared by `python -m localhost reconcile`.
    """
    try:
        found = costs.reconcile(request.export, tolerance=request.tolerance)
    except InvalidFileError as error:
        raise InvalidRequestError("export", str(error)) from error
    return json_response(reconciliation_view(found))
