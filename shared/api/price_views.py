"""The price book -> JSON of the audit API, in the shapes that `price_models.py` states."""

from dataclasses import asdict
from typing import Any

from shared.api import price_models
from shared.api.views import Answer, amount_view, view_of
from shared.domain.values import NO_TIME
from shared.pricing.entries import Deployment, PriceEntry
from shared.services.prices import entry_id
from shared.stores.price_ports import BookVersion, Loaded

__all__ = ["change_view", "deployment_view", "price_view", "version_view"]


def price_view(entry: PriceEntry) -> Answer:
    """Return a price."""
    return view_of(price_models.Price, _row(entry), amount=amount_view(entry.amount))


def deployment_view(entry: Deployment) -> Answer:
    """Return what a deployment is."""
    return view_of(price_models.DeploymentEntry, _row(entry))


def version_view(version: BookVersion) -> Answer:
    """Return a change of the price book."""
    return view_of(price_models.BookVersion, version._asdict() | {"version": str(version.version)})


def change_view(loaded: Loaded) -> Answer:
    """Return what a change came to."""
    return view_of(price_models.BookChange, loaded._asdict() | {"version": str(loaded.version)})


def _row(entry: PriceEntry | Deployment) -> dict[str, Any]:
    """Return an entry's values: what is empty is null, and versions are texts, as everywhere in the API."""
    row = {name: None if value == "" else value for name, value in asdict(entry).items()}
    ended = entry.ended_version
    return row | {
        "id": entry_id(entry),
        "valid_from": None if entry.valid_from == NO_TIME else entry.valid_from,
        "book_version": str(entry.book_version),
        "ended_version": None if ended is None else str(ended),
    }
