"""`/grants`: leave to read texts for a case, given by a second person for some hours."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from shared.api.bodies import GuardedRoute
from shared.api.callers import Role
from shared.api.cursors import list_cursor, list_key
from shared.api.grant_models import GrantAnswer, GrantToGet, grant_view
from shared.api.models import Page
from shared.api.parameters import ListParameters, NoParameters
from shared.api.responses import json_response
from shared.api.routes.common import AdminCaller, Audit, ContentWithin, described
from shared.api.views import page_view

__all__ = ["router"]

router = APIRouter(prefix="/grants", tags=["grants"], route_class=GuardedRoute)

_Id = Annotated[str, Path(alias="id", description="the grant's id", max_length=64)]
_Nothing = Annotated[NoParameters, Query()]


@router.get("", **described(Role.AUDIT_ADMIN, model=Page[GrantAnswer]))
def list_grants(query: Annotated[ListParameters, Query()], _caller: AdminCaller, audit: Audit) -> Response:
    """List grants, the newest first: those that wait to be given, those that count, those that have ended."""
    page = audit.grants.grants(after=list_key(query.cursor, query.question()), limit=query.limit)
    return json_response(page_view(map(grant_view, page.grants), list_cursor(page.next, query.question())))


@router.post("", **described(Role.CONTENT_READ, model=GrantAnswer, limited=True))
def want_grant(request: GrantToGet, _query: _Nothing, caller: ContentWithin, audit: Audit) -> Response:
    """Ask to read texts for a case. Nothing comes of it until an administrator other than the caller gives it."""
    grant = audit.grants.want(
        reader=caller.id, case_id=request.case_id, reason=request.reason, hours=request.hours, label=caller.label
    )
    return json_response(grant_view(grant))


@router.post("/{id}/give", **described(Role.AUDIT_ADMIN, model=GrantAnswer, missing=True, refused=True))  # noqa: FAST003  # by its alias
def give_grant(grant: _Id, _query: _Nothing, caller: AdminCaller, audit: Audit) -> Response:
    """Give a grant to who asked for it, who must be somebody else. Recorded. Asking twice changes nothing."""
    return json_response(grant_view(audit.grants.give(grant, giver=caller.id, label=caller.label)))


@router.post("/{id}/end", **described(Role.AUDIT_ADMIN, model=GrantAnswer, missing=True))  # noqa: FAST003  # by its alias
def end_grant(grant: _Id, _query: _Nothing, caller: AdminCaller, audit: Audit) -> Response:
    """Let a grant count no longer, or never. Recorded. Asking twice changes nothing."""
    return json_response(grant_view(audit.grants.end(grant, label=caller.label)))
