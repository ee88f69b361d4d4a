"""`/cost-centres`: who pays for whose calls."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from shared.api.bodies import GuardedRoute
from shared.api.budget_models import Assignment, AssignmentChange, AssignmentsToMake
from shared.api.budget_views import assignment_view
from shared.api.callers import Role
from shared.api.cursors import assignment_key, usage_cursor
from shared.api.models import Page
from shared.api.parameters import ListParameters, NoParameters
from shared.api.responses import json_response
from shared.api.routes.common import AdminCaller, AuditCaller, Payers, described
from shared.api.views import page_view, view_of
from shared.errors import InvalidFileError, InvalidRequestError
from shared.pricing.payers import assignments_of

__all__ = ["router"]

router = APIRouter(prefix="/cost-centres", tags=["cost centres"], route_class=GuardedRoute)


@router.get("", **described(Role.AUDIT_READ, model=Page[Assignment]))
def list_cost_centres(query: Annotated[ListParameters, Query()], _caller: AuditCaller, payers: Payers) -> Response:
    """List who pays for whose calls, those that ended too, by kind, name, value and beginning."""
    page = payers.assignments(after=assignment_key(query.cursor, query.question()), limit=query.limit)
    following = usage_cursor(page.next, query.question())
    return json_response(page_view(map(assignment_view, page.assignments), following))


@router.post("", **described(Role.AUDIT_ADMIN, model=AssignmentChange))
def assign_cost_centres(
    request: AssignmentsToMake, _query: Annotated[NoParameters, Query()], caller: AdminCaller, payers: Payers
) -> Response:
    """Add assignments, or end those that are there, all or none. This is recorded; the hours since are charged anew.

    One that is there is sent again with a `validTo` to end it; one that says something else than it did is refused.
    Asking twice has the effect of asking once.
    """
    try:
        assignments = assignments_of([one.texts() for one in request.entries])
        changed = payers.change(assignments, actor=caller.label)
    except InvalidFileError as error:
        raise InvalidRequestError("entries", str(error)) from error
    return json_response(view_of(AssignmentChange, {}, changed=changed))
