"""`/prices`: the price book, and changes of the organisation's own prices."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from shared.api.bodies import GuardedRoute
from shared.api.callers import Role
from shared.api.cursors import price_key, usage_cursor, version_key
from shared.api.models import Page
from shared.api.parameters import ListParameters, NoParameters
from shared.api.price_models import (
    BookChange,
    BookVersion,
    End,
    Price,
    PriceParameters,
    PricesToAdd,
    Restated,
    Restatement,
    RestatementRequest,
)
from shared.api.price_views import change_view, price_view, restated_view, restatement_view, version_view
from shared.api.responses import json_response
from shared.api.routes.common import AdminCaller, Prices, Restatements, UsageCaller, described
from shared.api.views import page_view
from shared.pricing.files import Origin

__all__ = ["router"]

router = APIRouter(prefix="/prices", tags=["prices"], route_class=GuardedRoute)

_Id = Annotated[str, Path(alias="id", description="the entry's id", max_length=64)]
_Nothing = Annotated[NoParameters, Query()]


@router.get("", **described(Role.USAGE_READ, model=Page[Price]))
def list_prices(query: Annotated[PriceParameters, Query()], _caller: UsageCaller, prices: Prices) -> Response:
    """List prices by model, unit and where they hold: those that ended too, unless `at` says when they are to hold."""
    page = prices.prices(query.narrow(), after=price_key(query.cursor, query.question()), limit=query.limit)
    return json_response(page_view(map(price_view, page.items), usage_cursor(page.next, query.question())))


@router.get("/versions", **described(Role.USAGE_READ, model=Page[BookVersion]))
def list_price_versions(query: Annotated[ListParameters, Query()], _caller: UsageCaller, prices: Prices) -> Response:
    """List the changes of prices and deployments, newest first: when, by whom, of what."""
    page = prices.versions(before=version_key(query.cursor, query.question()), limit=query.limit)
    return json_response(page_view(map(version_view, page.items), usage_cursor(page.next, query.question())))


@router.get("/restatements", **described(Role.USAGE_READ, model=Page[Restatement]))
def list_restatements(
    query: Annotated[ListParameters, Query()], _caller: UsageCaller, restatements: Restatements
) -> Response:
    """List the periods that are charged by another version of the price book, the newest restatement first."""
    page = restatements.restatements(before=version_key(query.cursor, query.question()), limit=query.limit)
    return json_response(page_view(map(restatement_view, page.items), usage_cursor(page.next, query.question())))


@router.post("/restatements", **described(Role.AUDIT_ADMIN, model=Restated))
def restate(request: RestatementRequest, _query: _Nothing, caller: AdminCaller, restatements: Restatements) -> Response:
    """Have the calls of some hours charged by a version of the price book, by the next runs of the timer; recorded.

    It holds for late facts and changed prices too, until the hours are restated again.
    """
    version = restatements.restate(request.period(), reason=request.reason, actor=caller.label)
    return json_response(restated_view(version))


@router.post("", **described(Role.AUDIT_ADMIN, model=BookChange))
def add_prices(request: PricesToAdd, _query: _Nothing, caller: AdminCaller, prices: Prices) -> Response:
    """Add prices of the organisation's own, all or none. This is recorded; the hours since are charged anew.

    A price that holds is followed by another with a later `validFrom`. Asking twice has the effect of asking once; an
    entry that says something else than it did before is refused.
    """
    return json_response(
        change_view(prices.add(Origin.OWN, [one.texts() for one in request.entries], actor=caller.label))
    )


@router.post("/{id}/end", **described(Role.AUDIT_ADMIN, model=BookChange, missing=True))  # noqa: FAST003  # by its alias
def end_price(entry: _Id, request: End, _query: _Nothing, caller: AdminCaller, prices: Prices) -> Response:
    """Let a price of the organisation's own hold no longer. This is recorded; the hours since are charged anew."""
    return json_response(change_view(prices.end(Origin.OWN, entry, request.valid_to, actor=caller.label)))
