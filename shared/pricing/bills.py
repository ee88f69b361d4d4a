"""A CSV export of Azure Cost Management -> what Azure billed for models, by day, account, kind of unit and meter. Pure.

Source of the columns: https://learn.microsoft.com/azure/cost-management-billing/dataset-schema/cost-usage-details-ea
and its like for -mca: they spell some differently. Exports of amortised costs have the columns of those of actual ones.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Final

from shared.errors import InvalidFileError

__all__ = ["Billed", "account_of", "kind_of", "read_export"]

_COLUMNS: Final = {
    "date": ("date", "usagedate"),
    "meter": ("metername",),
    "category": ("metercategory",),
    "quantity": ("quantity",),
    "unit": ("unitofmeasure",),
    "amount": ("costinbillingcurrency", "cost", "pretaxcost"),
    "currency": ("billingcurrency", "billingcurrencycode", "currency"),
    "resource": ("resourceid", "instanceid", "instancename"),
    "charge_type": ("chargetype",),
}
"""What we read -> the names that the two schemas give it, in lower case; the first that is there counts."""
_CATEGORIES: Final = ("cognitive services", "azure openai", "foundry", "azure ai")
_UNIT: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([KM]?)", re.IGNORECASE)
_TIMES: Final = {"": Decimal(1), "K": Decimal(1_000), "M": Decimal(1_000_000)}
_FORMATS: Final = ("%Y-%m-%d", "%m/%d/%Y")
_ACCOUNT: Final = re.compile(r"/accounts/([^/]+)", re.IGNORECASE)
_KINDS: Final = (
    ("provisioned", re.compile(r"provisioned|\bptu", re.IGNORECASE)),
    ("cache-write", re.compile(r"cache\s*(?:d\s*)?wr", re.IGNORECASE)),
    ("cached-input", re.compile(r"cchd|cached|\bcd\b", re.IGNORECASE)),
    ("audio-input", re.compile(r"\baud(?:io)?\b.*\binp", re.IGNORECASE)),
    ("audio-output", re.compile(r"\baud(?:io)?\b.*\b(?:out|opt)", re.IGNORECASE)),
    ("image-input", re.compile(r"\bim(?:g|age)\b.*\binp", re.IGNORECASE)),
    ("image-output", re.compile(r"\bim(?:g|age)\b.*\b(?:out|opt)", re.IGNORECASE)),
    ("output", re.compile(r"\b(?:out(?:p|t|pt|put)?|opt|completion)\b", re.IGNORECASE)),
    ("input", re.compile(r"\b(?:inp(?:t|ut)?|prompt)\b|embedding|\bada\b", re.IGNORECASE)),
)
"""How meters name what they count, the more special ones first."""
_OTHER: Final = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Billed:
    """One row of an export."""

    day: str
    """Its start, canonical UTC."""
    account: str
    """Of the resource, in lower case; empty where the row names none."""
    meter: str
    kind: str
    """What is counted: a unit of the price book, `provisioned`, or `other`."""
    quantity: Decimal
    """In single units: Azure's own are thousands or millions."""
    amount: Decimal
    currency: str
    purchase: bool
    """A reservation was bought: in amortised exports its cost stands in the usage instead."""


def read_export(text: str) -> list[Billed]:
    """Return what a file says of models; rows of other services are left out.

    Raises:
        InvalidFileError: it is no such export; the message names the line or the column.
    """
    reader = csv.DictReader(io.StringIO(text.lstrip("\N{ZERO WIDTH NO-BREAK SPACE}")))
    names = {name.strip().lower(): name for name in reader.fieldnames or ()}
    found = {ours: next((names[one] for one in theirs if one in names), "") for ours, theirs in _COLUMNS.items()}
    missing = [ours for ours, name in found.items() if not name and ours != "charge_type"]
    if missing:
        raise InvalidFileError(f"this is no export of usage: it has no column {_COLUMNS[missing[0]][0]}")
    return list(_rows(reader, found))


def _rows(reader: "csv.DictReader[str]", names: Mapping[str, str]) -> Iterator[Billed]:
    for row in reader:
        cells = {ours: (row.get(name) or "").strip() if name else "" for ours, name in names.items()}
        if not any(word in cells["category"].lower() for word in _CATEGORIES):
            continue
        try:
            yield _billed(cells)
        except (ValueError, InvalidOperation) as error:
            raise InvalidFileError(f"line {reader.line_num} cannot be read: date, quantity, unit or cost") from error


def _billed(cells: Mapping[str, str]) -> Billed:
    account = _ACCOUNT.search(cells["resource"])
    return Billed(
        day=_day(cells["date"]),
        account=account[1].lower() if account else "",
        meter=cells["meter"],
        kind=kind_of(cells["meter"]),
        quantity=Decimal(cells["quantity"]) * _size(cells["unit"]),
        amount=Decimal(cells["amount"]),
        currency=cells["currency"].upper(),
        purchase=cells["charge_type"].lower() == "purchase",
    )


def _day(text: str) -> str:
    for form in _FORMATS:
        try:
            return f"{datetime.strptime(text[:10], form):%Y-%m-%d}T00:00:00.000Z"  # noqa: DTZ007  # a day
        except ValueError:
            continue
    raise ValueError(text)


def _size(unit: str) -> Decimal:
    found = _UNIT.match(unit)
    if found is None:
        raise ValueError(unit)
    return Decimal(found[1]) * _TIMES[found[2].upper()]


def kind_of(meter: str) -> str:
    """Return what a meter of Azure counts, as its name says it."""
    words = re.sub(r"[^A-Za-z0-9]+", " ", meter)
    return next((kind for kind, form in _KINDS if form.search(words)), _OTHER)


def account_of(host: str) -> str:
    """Return the account that a host is of: its first label."""
    return host.partition(".")[0].lower()
