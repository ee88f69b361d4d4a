"""The price book in SQL: rows are added and ended, never changed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from shared.errors import InvalidFileError
from shared.pricing.capacity import Reservation
from shared.pricing.entries import Deployment, PriceEntry
from shared.pricing.files import Origin, PriceFile
from shared.questions import DeploymentFilter, PriceFilter
from shared.retry import RETRY_SECONDS, retried
from shared.stores.price_ports import BookVersion, DeploymentKey, Loaded, PriceKey, ReservationKey
from shared.stores.sql import bulk, tables
from shared.stores.sql.books import BOOK_LEASE, book_version, deployments_in, prices_in, reservations_in
from shared.stores.sql.capacity import mark_period
from shared.stores.sql.conditions import is_behind, is_equal
from shared.stores.sql.engine import reading, writing
from shared.stores.sql.lease import take_lease
from shared.stores.sql.marks import mark_hours

__all__ = ["SqlPrices"]

_ORDER: Final = (
    "model", "unit", "variant", "scope", "tier", "version", "region", "above_tokens", "valid_from", "is_own",
)  # fmt: skip
_Entry = PriceEntry | Deployment | Reservation
_KINDS: Final[Mapping[Origin, tuple[sa.Table, Callable[[Connection], Sequence[_Entry]]]]] = {
    Origin.LIST: (tables.price, prices_in),
    Origin.RETAIL: (tables.price, prices_in),
    Origin.OWN: (tables.price, prices_in),
    Origin.DEPLOYMENTS: (tables.model_deployment, deployments_in),
    Origin.RESERVATIONS: (tables.reservation, reservations_in),
}
_Result = TypeVar("_Result")


class SqlPrices:
    """`shared.stores.price_ports.Prices` on either database."""

    def __init__(self, engine: Engine, *, retry_seconds: float = RETRY_SECONDS) -> None:
        """Use `engine`, whose database is migrated to the newest revision; try again for `retry_seconds`."""
        self._engine = engine
        self._seconds = retry_seconds

    def digest(self, origin: Origin) -> str | None:
        """Return the digest of the last change; see the port."""
        return self._read(lambda connection: _digest(connection, origin))

    def load(self, file: PriceFile, *, at: str, actor: str) -> Loaded:
        """Add and end entries; see the port."""
        return retried(lambda: self._load(file, at, actor), seconds=self._seconds)

    def prices(self, narrow: PriceFilter, *, after: PriceKey | None, limit: int) -> list[PriceEntry]:
        """List prices; see the port."""
        return self._read(lambda connection: prices_in(connection, prices_statement(narrow, after=after, limit=limit)))

    def deployments(self, narrow: DeploymentFilter, *, after: DeploymentKey | None, limit: int) -> list[Deployment]:
        """List deployments; see the port."""
        statement = deployments_statement(narrow, after=after, limit=limit)
        return self._read(lambda connection: deployments_in(connection, statement))

    def reservations(self, *, after: ReservationKey | None, limit: int) -> list[Reservation]:
        """List reservations; see the port."""
        c = tables.reservation.c
        statement = _page(tables.reservation, [c.deployment, c.host, c.kind, c.valid_from], [], None, after)
        return self._read(lambda connection: reservations_in(connection, statement.limit(limit)))

    def listed(self) -> list[PriceEntry]:
        """Return what is not the organisation's own; see the port."""
        shared = sa.select(tables.price).where(tables.price.c.is_own == sa.false())
        return self._read(lambda connection: prices_in(connection, shared))

    def changeable(self, origin: Origin) -> Sequence[PriceEntry] | Sequence[Deployment] | Sequence[Reservation]:
        """Return what may be ended; see the port."""
        if origin is Origin.DEPLOYMENTS:
            return self._read(deployments_in)
        if origin is Origin.RESERVATIONS:
            return self._read(reservations_in)
        own = sa.select(tables.price).where(tables.price.c.is_own == sa.true())
        return self._read(lambda connection: prices_in(connection, own))

    def versions(self, *, before: int | None, limit: int) -> list[BookVersion]:
        """List versions; see the port."""
        c = tables.price_book.c
        query = sa.select(c.version, c.loaded_at, c.origin, c.actor).order_by(c.version.desc()).limit(limit)
        statement = query if before is None else query.where(c.version < before)
        return self._read(lambda connection: [BookVersion(*row) for row in connection.execute(statement)])

    def _read(self, read: Callable[[Connection], _Result]) -> _Result:
        def once() -> _Result:
            with reading(self._engine) as connection:
                return read(connection)

        return retried(once, seconds=self._seconds)

    def _load(self, file: PriceFile, at: str, actor: str) -> Loaded:
        with writing(self._engine) as connection:
            take_lease(connection, BOOK_LEASE)
            version = book_version(connection)
            if _digest(connection, file.origin) == file.digest:
                return Loaded(version, 0, 0)
            table, entries_in = _KINDS[file.origin]
            known: Sequence[_Entry] = entries_in(connection)
            added, ended = _changes({one.key: one for one in known}, file.entries, yields=file.origin is Origin.LIST)
            if not added and not ended and file.origin is not Origin.LIST:
                return Loaded(version, 0, 0)
            version += 1
            writes = bulk.Writes(connection)
            writes.insert(tables.price_book, [(version, at, file.origin.value, file.digest, actor)])
            writes.insert(table, bulk.values_of(table, [_row(one, version) for one in added]))
            # Of a row that is there, all that may change.
            ends = bulk.values_of(table, [_row(one, version) | {"ended_version": version} for one in ended])
            writes.combine(table, ends, {"valid_to": "incoming.valid_to", "ended_version": "incoming.ended_version"})
            writes.run()
            moments = [*(one.valid_from for one in added), *(one.valid_to for one in ended if one.valid_to)]
            if moments:
                mark_hours(connection, min(moments))
            if moments and file.origin is Origin.RESERVATIONS:
                mark_period(connection, min(moments))
            return Loaded(version, len(added), len(ended))


def _changes(
    known: Mapping[tuple[object, ...], _Entry], entries: Iterable[_Entry], *, yields: bool
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
        elif yields and isinstance(before, PriceEntry) and isinstance(one, PriceEntry) and before.dated > one.dated:
            # A refresh knows better than a release that was made before it.
            continue
        elif _what(one) != _what(before) or (before.valid_to is not None and one.valid_to != before.valid_to):
            raise InvalidFileError(f"{_name(one)} is in the price book, and says something else: end it, add another")
        elif one.valid_to != before.valid_to:
            ended.append(one)
    return added, ended


def _what(one: _Entry) -> tuple[object, ...]:
    if isinstance(one, PriceEntry):
        return (one.amount, one.currency)
    if isinstance(one, Reservation):
        return (one.model, one.version, one.units, one.amount, one.per, one.currency)
    return (one.model, one.version, one.sku, one.region)


def _name(one: _Entry) -> str:
    """Return how an operator finds an entry in the file."""
    return " ".join(part for part in one.key if isinstance(part, str) and part)


def _digest(connection: Connection, origin: Origin) -> str | None:
    table = tables.price_book.c
    newest = sa.select(table.digest).where(table.origin == origin.value).order_by(table.version.desc()).limit(1)
    return connection.scalar(newest)


def _row(one: _Entry, version: int) -> dict[str, Any]:
    row = asdict(one) | {"book_version": version}
    if not isinstance(one, Deployment):
        row["amount"] = str(one.amount)
    return row


def prices_statement(narrow: PriceFilter, *, after: PriceKey | None, limit: int) -> sa.Select[Any]:
    """Return the statement of `Prices.prices`."""
    c = tables.price.c
    keys = [c[name] for name in _ORDER]
    equal = {name: getattr(narrow, name) for name in ("model", "scope", "tier", "region", "unit")}
    conditions = [is_equal(c[name], value) for name, value in equal.items() if value is not None]
    if narrow.is_own is not None:
        conditions.append(c.is_own == narrow.is_own)
    # SQLAlchemy orders no bare flags.
    behind = None if after is None else (*after[:-1], sa.literal(after[-1], c.is_own.type))
    return _page(tables.price, keys, conditions, narrow.holds_at, behind).limit(limit)


def deployments_statement(narrow: DeploymentFilter, *, after: DeploymentKey | None, limit: int) -> sa.Select[Any]:
    """Return the statement of `Prices.deployments`."""
    c = tables.model_deployment.c
    equal = {name: getattr(narrow, name) for name in ("name", "host", "model")}
    conditions = [is_equal(c[name], value) for name, value in equal.items() if value is not None]
    keys = [c.name, c.host, c.valid_from]
    return _page(tables.model_deployment, keys, conditions, narrow.holds_at, after).limit(limit)


def _page(
    table: sa.Table,
    keys: Sequence[sa.Column[Any]],
    conditions: list[sa.ColumnElement[bool]],
    holds_at: str | None,
    after: tuple[Any, ...] | None,
) -> sa.Select[Any]:
    if holds_at is not None:
        c = table.c
        conditions += [c.valid_from <= holds_at, sa.or_(c.valid_to.is_(None), c.valid_to > holds_at)]
    if after is not None:
        conditions.append(is_behind(keys, after))
    return sa.select(table).where(*conditions).order_by(*keys)
