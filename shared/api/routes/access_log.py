"""`/access-log`: who read content, searched, or acted, and why."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from shared.api.access_models import AccessParameters, AccessRecord, access_view
from shared.api.bodies import GuardedRoute
from shared.api.callers import Role
from shared.api.cursors import access_key, list_cursor
from shared.api.models import Page
from shared.api.routes.common import AdminCaller, Audit, described
from shared.api.tabular import list_response, tabular

__all__ = ["router"]

router = APIRouter(prefix="/access-log", tags=["access log"], route_class=GuardedRoute)


@router.get("", **tabular(described(Role.AUDIT_ADMIN, model=Page[AccessRecord])))
def list_accesses(
    query: Annotated[AccessParameters, Query()], _caller: AdminCaller, audit: Audit, request: Request
) -> Response:
    """List every answer that held text, every search and every act of an administrator, newest first.

    This reading is itself recorded.
    """
    page = audit.accesses(query.narrow(), after=access_key(query.cursor, query.question()), limit=query.limit)
    following = list_cursor(page.next, query.question())
    return list_response(request, AccessRecord, map(access_view, page.rows), following)
