"""The price book in SQL: rows are added and ended, never changed."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from shared.errors import InvalidFileError
from shared.pricing.book import Book
from shared.pricing.entries import Deployment, PriceEntry, Scope, Tier, Unit
from shared.pricing.files import Origin, PriceFile
from shared.retry import retried
from shared.stores.sql import bulk, tables
from shared.stores.sql.engine import reading, writing
from shared.stores.sql.lease import take_lease
from shared.stores.sql.marks import mark_hours

__all__ = ["Books", "SqlPrices"]

_LEASE: Final = "price book"
_Entry = PriceEntry | Deployment


class Books:
    """The price book as a transaction sees it; kept until there is another version."""

    def __init__(self) -> None:
        """Hold none yet."""
        self._book = Book((), (), version=-1)

    def current(self, connection: Connection) -> Book:
        """Return the price book."""
        version = _version(connection)
        if self._book.version != version:
            self._book = Book(_prices(connection), _deployments(connection), version)
        return self._book


class SqlPrices:
    """`shared.stores.price_ports.Prices` on either database."""

    def __init__(self, engine: Engine) -> None:
        """Use `engine`, whose database is migrated to the newest revision."""
        self._engine = engine

    def digest(self, origin: Origin) -> str | None:
        """Return the digest of the file that was loaded last; see the port."""

        def read() -> str | None:
            with reading(self._engine) as connection:
                return _digest(connection, origin)

        return retried(read)

    def load(self, file: PriceFile, *, at: str) -> int:
        """Add and end entries; see the port."""
        return retried(lambda: self._load(file, at))

    def _load(self, file: PriceFile, at: str) -> int:
        with writing(self._engine) as connection:
            take_lease(connection, _LEASE)
            if _digest(connection, file.origin) == file.digest:
                return 0
            version = _version(connection) + 1
            table = tables.model_deployment if file.origin is Origin.DEPLOYMENTS else tables.price
            known = _deployments(connection) if file.origin is Origin.DEPLOYMENTS else _prices(connection)
            added, ended = _changes({one.key: one for one in known}, file.entries)
            writes = bulk.Writes(connection)
            writes.insert(tables.price_book, [(version, at, file.origin.value, file.digest)])
            writes.insert(table, bulk.values_of(table, [_row(one, version) for one in added]))
            # Of a row that is there, all that may change.
            ends = bulk.values_of(table, [_row(one, version) for one in ended])
            writes.combine(table, ends, {"valid_to": "incoming.valid_to"})
            writes.run()
            moments = [*(one.valid_from for one in added), *(one.valid_to for one in ended if one.valid_to)]
            if moments:
                mark_hours(connection, min(moments))
            return len(added) + len(ended)


def _changes(
    known: Mapping[tuple[object, ...], _Entry], entries: Iterable[_Entry]
) -> tuple[list[_Entry], list[_Entry]]:
    """Return the entries to add and those to end.

    Raises:
        InvalidFileError: one says something else than what was loaded before.
    """
    added, ended = [], []
    for one in entries:
        before = known.get(one.key)
        if before is None:
            added.append(one)
        elif _what(one) != _what(before) or (before.valid_to is not None and one.valid_to != before.valid_to):
            raise InvalidFileError(f"{_name(one)} is in the price book, and says something else: end it, add another")
        elif one.valid_to != before.valid_to:
            ended.append(one)
    return added, ended


def _what(one: _Entry) -> tuple[object, ...]:
    return (one.amount, one.currency) if isinstance(one, PriceEntry) else (one.model, one.version, one.sku, one.region)


def _name(one: _Entry) -> str:
    """Return how an operator finds an entry in the file."""
    return " ".join(part for part in one.key if isinstance(part, str) and part)


def _digest(connection: Connection, origin: Origin) -> str | None:
    table = tables.price_book.c
    newest = sa.select(table.digest).where(table.origin == origin.value).order_by(table.version.desc()).limit(1)
    return connection.scalar(newest)


def _version(connection: Connection) -> int:
    return connection.scalar(sa.select(sa.func.max(tables.price_book.c.version))) or 0


def _row(one: _Entry, version: int) -> dict[str, Any]:
    row = asdict(one) | {"book_version": version}
    if isinstance(one, PriceEntry):
        row["amount"] = str(one.amount)
    return row


def _prices(connection: Connection) -> list[PriceEntry]:
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
        for row in map(dict, connection.execute(sa.select(tables.price)).mappings())
    ]


def _deployments(connection: Connection) -> list[Deployment]:
    return [Deployment(**row) for row in connection.execute(sa.select(tables.model_deployment)).mappings()]
