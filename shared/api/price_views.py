"""The price book -> JSON of the audit API, in the shapes that `price_models.py` states."""

from dataclasses import asdict
from typing import Any

from shared.api import price_models
from shared.api.views import Answer, amount_view, view_of
from shared.domain.values import NO_TIME
from shared.pricing.entries import Deployment, PriceEntry
from shared.services.prices import entry_id
from shared.stores.price_ports import BookVersion, Loaded, Restated, RestatedAmount

__all__ = ["change_view", "deployment_view", "price_view", "restated_view", "restatement_view", "version_view"]


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


def restated_view(version: int) -> Answer:
    """Return the number of a restatement."""
    return view_of(price_models.Restated, {}, restatement=str(version))


def restatement_view(one: Restated) -> Answer:
    """Return a restatement with what it came to."""
    fixed = one.period.price_version
    row = one._asdict() | one.period._asdict() | {"version": str(one.version)}
    return view_of(
        price_models.Restatement,
        row,
        price_version=None if fixed is None else str(fixed),
        before=list(map(_amount_row, one.before)),
        after=list(map(_amount_row, one.after)),
    )


def _amount_row(one: RestatedAmount) -> Answer:
    return view_of(price_models.RestatedAmount, one._asdict(), amount=amount_view(one.amount))


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
