"""`/completeness`: what is missing from the record."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from shared.api.callers import Role
from shared.api.cursors import list_cursor, list_key
from shared.api.models import FoundAmiss, Page
from shared.api.parameters import FindingParameters
from shared.api.responses import json_response
from shared.api.routes.common import Audit, AuditCaller, described
from shared.api.views import finding_view, page_view

__all__ = ["router"]

router = APIRouter(prefix="/completeness", tags=["completeness"])


@router.get("", **described(Role.AUDIT_READ, model=Page[FoundAmiss]))
def list_findings(query: Annotated[FindingParameters, Query()], _caller: AuditCaller, audit: Audit) -> Response:
    """List what is missing, by hub, hour and kind, the newest hours first. What vanished has a time in `resolvedAt`."""
    page = audit.findings(query.narrow(), after=list_key(query.cursor, query.question()), limit=query.limit)
    return json_response(page_view(map(finding_view, page.rows), list_cursor(page.next, query.question())))
