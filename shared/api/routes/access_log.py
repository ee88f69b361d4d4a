"""`/access-log`: who read content, searched, or acted, and why."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from shared.api.access_models import AccessParameters, AccessRecord, access_view
from shared.api.bodies import GuardedRoute
from shared.api.callers import Role
from shared.api.cursors import access_key, list_cursor
from shared.api.models import Page
from shared.api.responses import json_response
from shared.api.routes.common import AdminCaller, Audit, described
from shared.api.views import page_view

__all__ = ["router"]

router = APIRouter(prefix="/access-log", tags=["access log"], route_class=GuardedRoute)


@router.get("", **described(Role.AUDIT_ADMIN, model=Page[AccessRecord]))
def list_accesses(query: Annotated[AccessParameters, Query()], _caller: AdminCaller, audit: Audit) -> Response:
    """List every answer that held text, every search and every act of an administrator, newest first.

    This reading is itself recorded.
    """
    page = audit.accesses(query.narrow(), after=access_key(query.cursor, query.question()), limit=query.limit)
    return json_response(page_view(map(access_view, page.rows), list_cursor(page.next, query.question())))
