"""`/balance`: where every event is."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from shared.api.callers import Role
from shared.api.models import Balance
from shared.api.parameters import NoParameters
from shared.api.responses import json_response
from shared.api.routes.common import Audit, AuditCaller, described
from shared.api.views import balance_view

__all__ = ["router"]

router = APIRouter(prefix="/balance", tags=["balance"])


@router.get("", **described(Role.AUDIT_READ, model=Balance))
def read_balance(_query: Annotated[NoParameters, Query()], _caller: AuditCaller, audit: Audit) -> Response:
    """Return, for each hub and partition and in total, how many events were received and where they are."""
    return json_response(balance_view(audit.balance()))
