"""The price book as a transaction reads it."""

from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared.pricing.book import Book
from shared.pricing.capacity import CapacityKind, Per, Reservation
from shared.pricing.entries import Deployment, PriceEntry, Restatement, Scope, Tier, Unit
from shared.stores.sql import tables

__all__ = ["BOOK_LEASE", "Books", "book_version", "deployments_in", "prices_in", "reservations_in"]

BOOK_LEASE: Final = "price book"
"""Of whoever changes it."""


class Books:
    """The price book as a transaction sees it; kept until there is another version."""

    def __init__(self) -> None:
        """Hold none yet."""
        self._book = Book((), (), version=-1)

    def current(self, connection: Connection) -> Book:
        """Return the price book."""
        version = book_version(connection)
        if self._book.version != version:
            self._book = Book(
                prices_in(connection),
                deployments_in(connection),
                version,
                _restatements(connection),
                reservations_in(connection),
            )
        return self._book


def book_version(connection: Connection) -> int:
    """Return the number of the last change of the price book; 0 before the first."""
    return connection.scalar(sa.select(sa.func.max(tables.price_book.c.version))) or 0


def prices_in(connection: Connection, statement: sa.Select[Any] | None = None) -> list[PriceEntry]:
    """Return prices: all of them, or those of a statement."""
    chosen = sa.select(tables.price) if statement is None else statement
    return [
        PriceEntry(
            **row
            | {
                "scope": Scope(row["scope"]),
                "tier": Tier(row["tier"]),
                "unit": Unit(row["unit"]),
                "amount": Decimal(row["amount"]),
            }
        )
        for row in map(dict, connection.execute(chosen).mappings())
    ]


def deployments_in(connection: Connection, statement: sa.Select[Any] | None = None) -> list[Deployment]:
    """Return deployments: all of them, or those of a statement."""
    chosen = sa.select(tables.model_deployment) if statement is None else statement
    return [Deployment(**row) for row in connection.execute(chosen).mappings()]


def reservations_in(connection: Connection, statement: sa.Select[Any] | None = None) -> list[Reservation]:
    """Return reservations: all of them, or those of a statement."""
    chosen = sa.select(tables.reservation) if statement is None else statement
    return [
        Reservation(
            **row | {"kind": CapacityKind(row["kind"]), "per": Per(row["per"]), "amount": Decimal(row["amount"])}
        )
        for row in map(dict, connection.execute(chosen).mappings())
    ]


def _restatements(connection: Connection) -> list[Restatement]:
    c = tables.restatement.c
    query = sa.select(c.starts_from, c.starts_before, c.price_version).order_by(c.version)
    return [Restatement(*row) for row in connection.execute(query)]
