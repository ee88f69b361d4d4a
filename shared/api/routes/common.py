"""What the routes share: the service they ask, who asks, and the errors that each may answer."""

from typing import Annotated, Any, Final

from fastapi import Depends, Request

from shared.api.callers import Caller, Role, require
from shared.api.models import Problem
from shared.services.audit import AuditService
from shared.services.budgets import BudgetService
from shared.services.capacity import CapacityService
from shared.services.costs import CostService
from shared.services.exports import ExportService
from shared.services.payers import PayerService
from shared.services.prices import PriceService
from shared.services.quarantine import QuarantineService
from shared.services.restatements import RestatementService

__all__ = [
    "AdminCaller",
    "AnyCaller",
    "Audit",
    "AuditCaller",
    "AuditWithin",
    "Budgets",
    "Capacity",
    "ContentCaller",
    "ContentWithin",
    "Costs",
    "Exports",
    "Payers",
    "Prices",
    "Quarantine",
    "Restatements",
    "UsageCaller",
    "UsageWithin",
    "described",
]


async def _audit(request: Request) -> AuditService:
    service: AuditService = request.app.state.audit
    return service


async def _quarantine(request: Request) -> QuarantineService:
    service: QuarantineService = request.app.state.quarantine
    return service


async def _prices(request: Request) -> PriceService:
    service: PriceService = request.app.state.prices
    return service


async def _payers(request: Request) -> PayerService:
    service: PayerService = request.app.state.payers
    return service


async def _budgets(request: Request) -> BudgetService:
    service: BudgetService = request.app.state.budgets
    return service


async def _restatements(request: Request) -> RestatementService:
    service: RestatementService = request.app.state.restatements
    return service


async def _costs(request: Request) -> CostService:
    service: CostService = request.app.state.costs
    return service


async def _exports(request: Request) -> ExportService:
    service: ExportService = request.app.state.exports
    return service


async def _capacity(request: Request) -> CapacityService:
    service: CapacityService = request.app.state.capacity
    return service


Audit = Annotated[AuditService, Depends(_audit)]
Budgets = Annotated[BudgetService, Depends(_budgets)]
Payers = Annotated[PayerService, Depends(_payers)]
Capacity = Annotated[CapacityService, Depends(_capacity)]
Prices = Annotated[PriceService, Depends(_prices)]
Costs = Annotated[CostService, Depends(_costs)]
Exports = Annotated[ExportService, Depends(_exports)]
Quarantine = Annotated[QuarantineService, Depends(_quarantine)]
Restatements = Annotated[RestatementService, Depends(_restatements)]
AnyCaller = Annotated[Caller, Depends(require(None))]
UsageCaller = Annotated[Caller, Depends(require(Role.USAGE_READ))]
AuditCaller = Annotated[Caller, Depends(require(Role.AUDIT_READ))]
ContentCaller = Annotated[Caller, Depends(require(Role.CONTENT_READ))]
UsageWithin = Annotated[Caller, Depends(require(Role.USAGE_READ, limited=True))]
AuditWithin = Annotated[Caller, Depends(require(Role.AUDIT_READ, limited=True))]
ContentWithin = Annotated[Caller, Depends(require(Role.CONTENT_READ, limited=True))]
AdminCaller = Annotated[Caller, Depends(require(Role.AUDIT_ADMIN))]

_PROBLEMS: Final = {
    400: "a parameter is wrong, unknown or given twice; `parameter` names it",
    401: "nobody has signed in (Entra)",
    403: "the caller lacks the role that `role` names",
    404: "there is no such thing",
    409: "it cannot be done as things stand; `detail` says what must be done first",
    429: "the caller sends more requests than they may; `Retry-After` says when to go on",
    503: "a store does not answer; try again",
}


_IF_NONE_MATCH: Final = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "ETag of the answer that the caller has",
    "schema": {"type": "string"},
}


def described(
    role: Role | None,
    *,
    model: object,
    missing: bool = False,
    refused: bool = False,
    limited: bool = False,
    tagged: bool = False,
) -> dict[str, Any]:
    """Return the OpenAPI side of a route: shape of the answer, role it needs, problems it may answer.

    Args:
        role: without which the route answers 403; None: it needs none.
        model: of the answer. Only described: routes return finished responses, for speed.
        missing: whether the route may answer 404.
        refused: whether it may answer 409.
        limited: whether the role may extend to some calls alone, where there is a body.
        tagged: whether the answer has an ETag, and may be 304.
    """
    may_answer = {404: missing, 409: refused}
    statuses = [status for status in _PROBLEMS if may_answer.get(status, True)]
    responses: dict[int, dict[str, Any]] = {
        status: {"model": Problem, "description": _PROBLEMS[status]} for status in statuses
    }
    extra: dict[str, Any] = {"x-required-role": "none" if role is None else role.value, "x-limited": limited}
    if tagged:
        responses[304] = {"description": "the caller has it already, as `If-None-Match` says"}
        extra["parameters"] = [_IF_NONE_MATCH]
    return {"response_model": model, "responses": responses, "openapi_extra": extra}
