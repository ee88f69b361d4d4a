"""`/deployments`: what the organisation's deployments are."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from shared.api.bodies import GuardedRoute
from shared.api.callers import Role
from shared.api.cursors import deployment_key, usage_cursor
from shared.api.models import Page
from shared.api.parameters import NoParameters
from shared.api.price_models import BookChange, DeploymentEntry, DeploymentParameters, DeploymentsToAdd, End
from shared.api.price_views import change_view, deployment_view
from shared.api.responses import json_response
from shared.api.routes.common import AdminCaller, Prices, UsageCaller, described
from shared.api.views import page_view
from shared.pricing.files import Origin

__all__ = ["router"]

router = APIRouter(prefix="/deployments", tags=["deployments"], route_class=GuardedRoute)

_Id = Annotated[str, Path(alias="id", description="the entry's id", max_length=64)]
_Nothing = Annotated[NoParameters, Query()]


@router.get("", **described(Role.USAGE_READ, model=Page[DeploymentEntry]))
def list_deployments(query: Annotated[DeploymentParameters, Query()], _caller: UsageCaller, prices: Prices) -> Response:
    """List what deployments are and were, by their names."""
    page = prices.deployments(query.narrow(), after=deployment_key(query.cursor, query.question()), limit=query.limit)
    return json_response(page_view(map(deployment_view, page.items), usage_cursor(page.next, query.question())))


@router.post("", **described(Role.AUDIT_ADMIN, model=BookChange))
def add_deployments(request: DeploymentsToAdd, _query: _Nothing, caller: AdminCaller, prices: Prices) -> Response:
    """Say what deployments are, all entries or none. This is recorded; the hours since are charged anew."""
    entries = [one.texts() for one in request.entries]
    return json_response(change_view(prices.add(Origin.DEPLOYMENTS, entries, actor=caller.label)))


@router.post("/{id}/end", **described(Role.AUDIT_ADMIN, model=BookChange, missing=True))  # noqa: FAST003  # by its alias
def end_deployment(entry: _Id, request: End, _query: _Nothing, caller: AdminCaller, prices: Prices) -> Response:
    """Let an entry hold no longer. This is recorded; the hours since are charged anew."""
    return json_response(change_view(prices.end(Origin.DEPLOYMENTS, entry, request.valid_to, actor=caller.label)))
