"""Capacity that is paid by the hour -> JSON of the audit API, in the shapes that `reservation_models.py` states."""

from dataclasses import asdict

from shared.api import reservation_models
from shared.api.views import Answer, amount_view, view_of
from shared.pricing.capacity import Reservation
from shared.services.prices import entry_id
from shared.stores.capacity_ports import CapacityHour

__all__ = ["capacity_view", "reservation_view"]


def reservation_view(entry: Reservation) -> Answer:
    """Return a reservation: what is empty is null."""
    ended = entry.ended_version
    row = {name: None if value == "" else value for name, value in asdict(entry).items()}
    return view_of(
        reservation_models.Reservation,
        row | {"id": entry_id(entry), "book_version": str(entry.book_version)},
        amount=amount_view(entry.amount),
        ended_version=None if ended is None else str(ended),
    )


def capacity_view(one: CapacityHour) -> Answer:
    """Return an hour of capacity."""
    return view_of(
        reservation_models.CapacityHour,
        one._asdict() | {"host": one.host or None},
        amount=amount_view(one.amount),
        cost=amount_view(one.cost),
        price_version=str(one.price_version),
    )
