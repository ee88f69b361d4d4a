"""Prices and deployments as their files state them: read line by line, and refused whole for one wrong line.

The shipped list is `prices.csv` beside this module. Organisations write files of the same forms (docs/cost.md).
"""

import csv
import hashlib
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from importlib.resources import files
from typing import Final, NamedTuple, TypeVar

from shared.domain.values import NO_TIME
from shared.errors import InvalidFileError

__all__ = [
    "SKUS",
    "Deployment",
    "Origin",
    "PriceEntry",
    "PriceFile",
    "Scope",
    "Tier",
    "Unit",
    "digest_of",
    "read_file",
    "shipped_text",
]


class Scope(StrEnum):
    """Where a deployment may process a call."""

    GLOBAL = "global"
    DATA_ZONE = "data-zone"
    REGIONAL = "regional"
    PROVISIONED = "provisioned"
    """Capacity by the hour, wherever: its calls have no price of their own."""


class Tier(StrEnum):
    """How a call was processed."""

    STANDARD = "standard"
    BATCH = "batch"
    PRIORITY = "priority"
    FLEX = "flex"


class Unit(StrEnum):
    """What is priced, by the million."""

    INPUT = "input"
    CACHED_INPUT = "cached-input"
    CACHE_WRITE = "cache-write"
    """Kept for minutes."""
    CACHE_WRITE_1H = "cache-write-1h"
    OUTPUT = "output"
    AUDIO_INPUT = "audio-input"
    AUDIO_OUTPUT = "audio-output"
    IMAGE_INPUT = "image-input"
    IMAGE_OUTPUT = "image-output"
    IMAGE = "image"
    AUDIO_SECOND = "audio-second"
    VIDEO_SECOND = "video-second"
    CHARACTER = "character"
    SEARCH = "search"


SKUS: Final = {
    "GlobalStandard": (Scope.GLOBAL, Tier.STANDARD),
    "DataZoneStandard": (Scope.DATA_ZONE, Tier.STANDARD),
    "Standard": (Scope.REGIONAL, Tier.STANDARD),
    "DeveloperTier": (Scope.GLOBAL, Tier.STANDARD),
    "GlobalBatch": (Scope.GLOBAL, Tier.BATCH),
    "DataZoneBatch": (Scope.DATA_ZONE, Tier.BATCH),
    "GlobalProvisionedManaged": (Scope.PROVISIONED, Tier.STANDARD),
    "DataZoneProvisionedManaged": (Scope.PROVISIONED, Tier.STANDARD),
    "ProvisionedManaged": (Scope.PROVISIONED, Tier.STANDARD),
}
"""Deployment type, as Azure's `sku.name` has it -> where and how its calls are processed.

Source: https://learn.microsoft.com/azure/foundry/foundry-models/concepts/deployment-types
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceEntry:
    """One price, from a day on. It never changes: it may be ended, and another one follows."""

    model: str
    version: str
    """Empty: of every version that has no entry of its own."""
    scope: Scope
    tier: Tier
    region: str
    """As Azure names it; empty: every region that has no entry of its own."""
    unit: Unit
    variant: str
    """Of images quality and size, of videos the size; else empty."""
    above_tokens: int
    """The price holds for calls with more input tokens than this."""
    amount: Decimal
    """Of 1,000,000 units."""
    currency: str
    valid_from: str
    """Canonical UTC, inclusive."""
    valid_to: str | None
    """Canonical UTC, exclusive; None: until another entry follows."""
    source: str
    dated: str
    """When the source was read."""
    is_own: bool = False
    """The organisation's: it goes before the shipped list's."""
    book_version: int = 0
    """Of the price book that it came with; 0 until it is loaded."""

    @property
    def key(self) -> tuple[object, ...]:
        """Return what tells one entry from another."""
        return (
            self.is_own, self.model, self.version, self.scope, self.tier, self.region, self.unit, self.variant,
            self.above_tokens, self.valid_from,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What a deployment is, from a day on."""

    name: str
    host: str
    """Of the resource, as `backend_host` of interactions; empty: of any."""
    model: str
    """Empty: the one that answers name."""
    version: str
    sku: str
    region: str
    valid_from: str
    valid_to: str | None
    book_version: int = 0

    @property
    def key(self) -> tuple[object, ...]:
        """Return what tells one entry from another."""
        return (self.host, self.name, self.valid_from)


class Origin(StrEnum):
    """What a file holds."""

    LIST = "list"
    """The shipped list of prices."""
    OWN = "own"
    """Prices of the organisation."""
    DEPLOYMENTS = "deployments"


class PriceFile(NamedTuple):
    """A file that was read."""

    origin: Origin
    digest: str
    entries: Sequence[PriceEntry] | Sequence[Deployment]


_Entry = TypeVar("_Entry", PriceEntry, Deployment)
_PRICE_COLUMNS: Final = (
    "model", "version", "scope", "tier", "region", "unit", "variant", "above_tokens", "amount", "currency",
    "valid_from", "valid_to", "source", "dated",
)  # fmt: skip
_DEPLOYMENT_COLUMNS: Final = ("name", "host", "model", "version", "sku", "region", "valid_from", "valid_to")
_AMOUNT: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_NAME: Final = re.compile(r"[^\x00-\x20\x7f](?:[^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?")
_MOST: Final = {"model": 128, "name": 128, "host": 256, "source": 256}
_USUAL_MOST: Final = 32


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
    if origin is Origin.DEPLOYMENTS:
        return PriceFile(origin, digest_of(text), _entries(text, _DEPLOYMENT_COLUMNS, _deployment))
    is_own = origin is Origin.OWN
    entries = _entries(text, _PRICE_COLUMNS, lambda line: replace(_price(line), is_own=is_own))
    return PriceFile(origin, digest_of(text), entries)


def _entries(text: str, columns: tuple[str, ...], read: Callable[["_Line"], _Entry]) -> list[_Entry]:
    entries: dict[tuple[object, ...], _Entry] = {}
    for line in _lines(text, columns):
        entry = read(line)
        if entry.valid_to is not None and entry.valid_to <= entry.valid_from:
            raise line.error("valid_to", "must be later than valid_from")
        if entry.key in entries:
            raise line.error(columns[0], "the same entry stands in the file twice")
        entries[entry.key] = entry
    return list(entries.values())


class _Line:
    """A line of a file, whose values are read one by one."""

    def __init__(self, number: int, values: Mapping[str, str]) -> None:
        self._number = number
        self._values = values

    def error(self, column: str, what: str) -> InvalidFileError:
        return InvalidFileError(f"line {self._number}, {column}: {what}")

    def text(self, column: str, *, required: bool = False) -> str:
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

    def matching(self, column: str, pattern: re.Pattern[str], what: str) -> str:
        value = self._values[column]
        if pattern.fullmatch(value) is None:
            raise self.error(column, f"must be {what}")
        return value

    def count(self, column: str) -> int:
        value = self._values[column]
        if value and not (value.isascii() and value.isdigit() and len(value) < 16):
            raise self.error(column, "must be a whole number")
        return int(value or 0)


def _lines(text: str, columns: tuple[str, ...]) -> Iterator[_Line]:
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
            yield _Line(reader.line_num, dict(zip(columns, values, strict=True)))
    except csv.Error as error:
        raise InvalidFileError(f"line {reader.line_num}: {error}") from error


def _price(line: _Line) -> PriceEntry:
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
        amount=Decimal(
            line.matching("amount", _AMOUNT, "a decimal number, 12 digits before and behind the point at most")
        ),
        currency=line.matching("currency", _CURRENCY, "three capital letters"),
        valid_from=line.day("valid_from") or NO_TIME,
        valid_to=line.day("valid_to") or None,
        source=line.text("source", required=True),
        dated=dated,
    )


def _deployment(line: _Line) -> Deployment:
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
