"""`/reservations`: capacity that is paid by the hour, and what became of each hour."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from shared.api.bodies import GuardedRoute
from shared.api.callers import Role
from shared.api.cursors import capacity_key, reservation_key, usage_cursor
from shared.api.models import Page
from shared.api.parameters import ListParameters, NoParameters
from shared.api.price_models import BookChange, End
from shared.api.price_views import change_view
from shared.api.reservation_models import CapacityHour, CapacityParameters, Reservation, ReservationsToAdd
from shared.api.reservation_views import capacity_view, reservation_view
from shared.api.responses import json_response
from shared.api.routes.common import AdminCaller, Capacity, Prices, UsageCaller, described
from shared.api.views import page_view
from shared.pricing.files import Origin

__all__ = ["router"]

router = APIRouter(prefix="/reservations", tags=["reservations"], route_class=GuardedRoute)

_Id = Annotated[str, Path(alias="id", description="the entry's id", max_length=64)]
_Nothing = Annotated[NoParameters, Query()]


@router.get("", **described(Role.USAGE_READ, model=Page[Reservation]))
def list_reservations(query: Annotated[ListParameters, Query()], _caller: UsageCaller, prices: Prices) -> Response:
    """List capacity that is or was paid by the hour, by its deployments."""
    page = prices.reservations(after=reservation_key(query.cursor, query.question()), limit=query.limit)
    return json_response(page_view(map(reservation_view, page.items), usage_cursor(page.next, query.question())))


@router.get("/hours", **described(Role.USAGE_READ, model=Page[CapacityHour]))
def list_hours(query: Annotated[CapacityParameters, Query()], _caller: UsageCaller, capacity: Capacity) -> Response:
    """List what each hour cost, how much of it its calls bear, and the rest, which nobody does; the earliest first."""
    after = capacity_key(query.cursor, query.question())
    page = capacity.hours(query.from_, query.to, after=after, limit=query.limit)
    return json_response(page_view(map(capacity_view, page.items), usage_cursor(page.next, query.question())))


@router.post("", **described(Role.AUDIT_ADMIN, model=BookChange))
def add_reservations(request: ReservationsToAdd, _query: _Nothing, caller: AdminCaller, prices: Prices) -> Response:
    """Say what capacity is paid for, all entries or none. This is recorded; the hours since are charged anew."""
    entries = [one.texts() for one in request.entries]
    return json_response(change_view(prices.add(Origin.RESERVATIONS, entries, actor=caller.label)))


@router.post("/{id}/end", **described(Role.AUDIT_ADMIN, model=BookChange, missing=True))  # noqa: FAST003  # by its alias
def end_reservation(entry: _Id, request: End, _query: _Nothing, caller: AdminCaller, prices: Prices) -> Response:
    """Let capacity be paid for no longer. This is recorded; the hours since are charged anew."""
    return json_response(change_view(prices.end(Origin.RESERVATIONS, entry, request.valid_to, actor=caller.label)))
