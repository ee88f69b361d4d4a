"""`/quarantine`: events that cannot be understood."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from shared.api.callers import Role
from shared.api.cursors import list_cursor, list_key
from shared.api.models import Page, QuarantinedEvent
from shared.api.parameters import ListParameters
from shared.api.responses import json_response
from shared.api.routes.common import AdminCaller, Audit, described
from shared.api.views import page_view, quarantine_view

__all__ = ["router"]

router = APIRouter(prefix="/quarantine", tags=["quarantine"])


@router.get("", **described(Role.AUDIT_ADMIN, model=Page[QuarantinedEvent]))
def list_quarantine(query: Annotated[ListParameters, Query()], _caller: AdminCaller, audit: Audit) -> Response:
    """List what is in quarantine, newest first, without the bytes."""
    page = audit.quarantined(after=list_key(query.cursor), limit=query.limit)
    return json_response(page_view([quarantine_view(row) for row in page.rows], list_cursor(page.next)))
