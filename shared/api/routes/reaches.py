"""`/reaches`: to which calls the roles of people and groups extend."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from shared.api.bodies import GuardedRoute
from shared.api.callers import Role
from shared.api.cursors import list_cursor, list_key
from shared.api.models import Page
from shared.api.parameters import ListParameters, NoParameters
from shared.api.reach_models import ReachAnswer, ReachToAdd, reach_view
from shared.api.responses import json_response
from shared.api.routes.common import AdminCaller, Audit, described
from shared.api.views import page_view

__all__ = ["router"]

router = APIRouter(prefix="/reaches", tags=["reaches"], route_class=GuardedRoute)

_Id = Annotated[str, Path(alias="id", description="the entry's id", max_length=64)]
_Nothing = Annotated[NoParameters, Query()]


@router.get("", **described(Role.AUDIT_ADMIN, model=Page[ReachAnswer]))
def list_reaches(query: Annotated[ListParameters, Query()], _caller: AdminCaller, audit: Audit) -> Response:
    """List whose roles are limited to which calls, the newest entries first, those that have ended too."""
    page = audit.reaches.entries(after=list_key(query.cursor, query.question()), limit=query.limit)
    return json_response(page_view(map(reach_view, page.entries), list_cursor(page.next, query.question())))


@router.post("", **described(Role.AUDIT_ADMIN, model=ReachAnswer))
def add_reach(request: ReachToAdd, _query: _Nothing, caller: AdminCaller, audit: Audit) -> Response:
    """Limit a role of somebody, or of a group, to some calls: to those of all its entries that are valid. Recorded.

    When all of them have ended, the role extends to no call. An entry for `all` lifts the limit.
    """
    entry = audit.reaches.add(
        role=request.role.value,
        holder=request.holder,
        is_group=request.is_group,
        matched=request.matched,
        value=request.value,
        valid_from=request.valid_from,
        valid_to=request.valid_to,
        actor=caller.label,
    )
    return json_response(reach_view(entry))


@router.post("/{id}/end", **described(Role.AUDIT_ADMIN, model=ReachAnswer, missing=True))  # noqa: FAST003  # by its alias
def end_reach(entry: _Id, _query: _Nothing, caller: AdminCaller, audit: Audit) -> Response:
    """Let an entry be valid no longer. Recorded. Asking twice changes nothing."""
    return json_response(reach_view(audit.reaches.end(entry, actor=caller.label)))
