"""Prices and deployments as their files state them: read line by line, and refused whole for one wrong line.

The shipped list is `prices.csv` beside this module. Organisations write files of the same forms (docs/cost.md), or send
the same entries to the API.
"""

import csv
import hashlib
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from importlib.resources import files
from typing import Final, NamedTuple, Protocol, TypeVar

from shared.domain.values import NO_TIME, hour_of, utc
from shared.errors import InvalidFileError
from shared.pricing.capacity import CapacityKind, Per, Reservation
from shared.pricing.entries import SKUS, Deployment, PriceEntry, Scope, Tier, Unit

__all__ = [
    "Line",
    "Origin",
    "PriceFile",
    "digest_of",
    "entries_of",
    "lines_in",
    "read_entries",
    "read_file",
    "shipped_text",
]


class Origin(StrEnum):
    """What a file holds."""

    LIST = "list"
    """The shipped list of prices."""
    RETAIL = "retail"
    """Microsoft's own list, as it is now: what has changed of the shipped one."""
    OWN = "own"
    """Prices of the organisation."""
    DEPLOYMENTS = "deployments"
    RESERVATIONS = "reservations"
    """Capacity that is paid by the hour."""


class PriceFile(NamedTuple):
    """A file that was read."""

    origin: Origin
    digest: str
    """Of its text."""
    entries: "Sequence[PriceEntry] | Sequence[Deployment] | Sequence[Reservation]"


class Dated(Protocol):
    """What a line states, from a day on."""

    @property
    def key(self) -> tuple[object, ...]:
        """Return what tells one entry from another."""

    @property
    def valid_from(self) -> str:
        """Return the first moment, canonical UTC."""

    @property
    def valid_to(self) -> str | None:
        """Return the moment of the end; None while there is none."""


_Entry = TypeVar("_Entry", bound=Dated)
_PRICE_COLUMNS: Final = (
    "model", "version", "scope", "tier", "region", "unit", "variant", "above_tokens", "amount", "currency",
    "valid_from", "valid_to", "source", "dated",
)  # fmt: skip
_DEPLOYMENT_COLUMNS: Final = ("name", "host", "model", "version", "sku", "region", "valid_from", "valid_to")
_RESERVATION_COLUMNS: Final = (
    "deployment", "host", "kind", "model", "version", "units", "amount", "per", "currency", "valid_from", "valid_to",
    "source",
)  # fmt: skip
_COLUMNS: Final = {
    Origin.LIST: _PRICE_COLUMNS,
    Origin.RETAIL: _PRICE_COLUMNS,
    Origin.OWN: _PRICE_COLUMNS,
    Origin.DEPLOYMENTS: _DEPLOYMENT_COLUMNS,
    Origin.RESERVATIONS: _RESERVATION_COLUMNS,
}
_AMOUNT: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_NAME: Final = re.compile(r"[^\x00-\x20\x7f](?:[^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?")
_MOST: Final = {
    "deployment": 128,
    "model": 128,
    "name": 128,
    "host": 256,
    "source": 256,
    "value": 128,
    "team": 128,
    "cost_centre": 64,
}
_USUAL_MOST: Final = 32
_EARLIEST: Final = "2020-01-01T00:00:00.000Z"
"""Of capacity: every hour since is a row."""


def shipped_text() -> str:
    """Return the text of the shipped list."""
    return (files("shared.pricing") / "prices.csv").read_text(encoding="utf-8")


def digest_of(text: str) -> str:
    """Return what tells one text of a file from another."""
    return hashlib.sha256(text.encode()).hexdigest()


def read_file(origin: Origin, text: str) -> PriceFile:
    """Return what a CSV file states.

    Raises:
        InvalidFileError: a line is wrong; the message names it and says how.
    """
    return PriceFile(origin, digest_of(text), _of(origin, lines_in(text, _COLUMNS[origin])))


def read_entries(origin: Origin, entries: Iterable[Mapping[str, str]]) -> PriceFile:
    """Return entries that came otherwise than in a file, each as the texts of a line; what is left out is empty.

    Raises:
        InvalidFileError: an entry is wrong; the message names it by its place, from 1 on, and says how.
    """
    blank = dict.fromkeys(_COLUMNS[origin], "")
    complete = [blank | dict(values) for values in entries]
    lines = (Line(f"entry {place}", values) for place, values in enumerate(complete, 1))
    return PriceFile(origin, digest_of(json.dumps(complete, sort_keys=True)), _of(origin, lines))


def _of(origin: Origin, lines: Iterable["Line"]) -> list[PriceEntry] | list[Deployment] | list[Reservation]:
    if origin is Origin.DEPLOYMENTS:
        return entries_of(lines, _deployment)
    if origin is Origin.RESERVATIONS:
        return entries_of(lines, _reservation)
    return entries_of(lines, lambda line: replace(_price(line), is_own=origin is Origin.OWN))


def entries_of(lines: Iterable["Line"], read: Callable[["Line"], _Entry]) -> list[_Entry]:
    """Return what lines state, each read by `read`.

    Raises:
        InvalidFileError: a line is wrong, or says what another says; the message names it.
    """
    entries: dict[tuple[object, ...], _Entry] = {}
    for line in lines:
        entry = read(line)
        if entry.valid_to is not None and entry.valid_to <= entry.valid_from:
            raise line.error("valid_to", "must be later than valid_from")
        if entry.key in entries:
            raise line.error(line.first, "the same entry stands there twice")
        entries[entry.key] = entry
    return list(entries.values())


class Line:
    """A line of a file, or what is like one; each method raises InvalidFileError, naming the line and the column."""

    def __init__(self, place: str, values: Mapping[str, str]) -> None:
        """Hold the values of a line by their columns; `place` is such as `line 7`."""
        self._place = place
        self._values = values
        self.first = next(iter(values))

    def error(self, column: str, what: str) -> InvalidFileError:
        """Return the error of a value, to raise."""
        return InvalidFileError(f"{self._place}, {column}: {what}")

    def text(self, column: str, *, required: bool = False) -> str:
        """Return a text; empty where there is none."""
        value = self._values[column]
        if not value:
            if required:
                raise self.error(column, "must not be empty")
            return ""
        most = _MOST.get(column, _USUAL_MOST)
        if len(value) > most or _NAME.fullmatch(value) is None:
            raise self.error(column, f"must have {most} characters at most, and no blank at its ends")
        return value

    def one_of(self, column: str, words: type[StrEnum] | Mapping[str, object]) -> str:
        """Return one of some words."""
        known = list(map(str, words))
        value = self._values[column]
        if value not in known:
            raise self.error(column, f"must be one of {', '.join(known)}")
        return value

    def day(self, column: str) -> str:
        """Return a day as the canonical time of its beginning; empty where there is none."""
        value = self._values[column]
        try:
            return f"{date.fromisoformat(value)}T00:00:00.000Z" if value else ""
        except ValueError:
            raise self.error(column, "must be a day such as 2026-01-31") from None

    def hour(self, column: str) -> str:
        """Return an hour, or the first of a day; empty where there is none."""
        value = self._values[column]
        moment = utc(value) if value else ""
        if moment is None or (moment and hour_of(moment) != moment):
            raise self.error(column, "must be a day or a whole hour such as 2026-01-31T09:00Z")
        return moment

    def matching(self, column: str, pattern: re.Pattern[str], what: str) -> str:
        """Return a text of a pattern, which `what` says in words."""
        value = self._values[column]
        if pattern.fullmatch(value) is None:
            raise self.error(column, f"must be {what}")
        return value

    def count(self, column: str) -> int:
        """Return a whole number; 0 where there is none."""
        value = self._values[column]
        if value and not (value.isascii() and value.isdigit() and len(value) < 16):
            raise self.error(column, "must be a whole number")
        return int(value or 0)


def lines_in(text: str, columns: tuple[str, ...]) -> Iterator[Line]:
    """Yield the lines of a CSV file, whose first one names its columns.

    Raises:
        InvalidFileError: it has other columns, or is no CSV.
    """
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        header = next(reader, [])
        if tuple(header) != columns:
            raise InvalidFileError(f"line 1: the columns must be {','.join(columns)}")
        for values in reader:
            if not values:
                continue
            if len(values) != len(columns):
                raise InvalidFileError(f"line {reader.line_num}: {len(columns)} values are needed")
            yield Line(f"line {reader.line_num}", dict(zip(columns, values, strict=True)))
    except csv.Error as error:
        raise InvalidFileError(f"line {reader.line_num}: {error}") from error


def _price(line: Line) -> PriceEntry:
    dated = line.day("dated")
    if not dated:
        raise line.error("dated", "must not be empty")
    return PriceEntry(
        model=line.text("model", required=True),
        version=line.text("version"),
        scope=Scope(line.one_of("scope", Scope)),
        tier=Tier(line.one_of("tier", Tier)),
        region=line.text("region"),
        unit=Unit(line.one_of("unit", Unit)),
        variant=line.text("variant"),
        above_tokens=line.count("above_tokens"),
        amount=_amount(line),
        currency=line.matching("currency", _CURRENCY, "three capital letters"),
        valid_from=line.day("valid_from") or NO_TIME,
        valid_to=line.day("valid_to") or None,
        source=line.text("source", required=True),
        dated=dated,
    )


def _amount(line: Line) -> Decimal:
    return Decimal(line.matching("amount", _AMOUNT, "a decimal number, 12 digits before and behind the point at most"))


def _reservation(line: Line) -> Reservation:
    units, begins = line.count("units"), line.hour("valid_from")
    if not units:
        raise line.error("units", "must be 1 or more")
    if begins < _EARLIEST:
        raise line.error("valid_from", "must be 2020 or later")
    return Reservation(
        deployment=line.text("deployment", required=True).lower(),
        host=line.text("host").lower(),
        kind=CapacityKind(line.one_of("kind", CapacityKind)),
        model=line.text("model"),
        version=line.text("version"),
        units=units,
        amount=_amount(line),
        per=Per(line.one_of("per", Per)),
        currency=line.matching("currency", _CURRENCY, "three capital letters"),
        valid_from=begins,
        valid_to=line.hour("valid_to") or None,
        source=line.text("source", required=True),
    )


def _deployment(line: Line) -> Deployment:
    return Deployment(
        name=line.text("name", required=True),
        host=line.text("host").lower(),
        model=line.text("model"),
        version=line.text("version"),
        sku=line.one_of("sku", SKUS),
        region=line.text("region"),
        valid_from=line.day("valid_from") or NO_TIME,
        valid_to=line.day("valid_to") or None,
    )
