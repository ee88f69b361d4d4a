"""Azure's retail prices -> entries of the price book: the meters that are known, at the prices of now. Pure.

A meter's name tells model, unit and place in words of its own, which change: only meters that the price book names as
a source are followed, and others are counted, never guessed at.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal, localcontext
from typing import Any, Final, NamedTuple

from shared.domain.values import utc
from shared.pricing.entries import PriceEntry

__all__ = ["SOURCE", "Refreshed", "refreshed"]

SOURCE: Final = "Azure Retail Prices: "
"""How the source of an entry begins that names a meter."""

_MEASURE: Final = re.compile(r"(?P<number>[0-9]+)(?P<scale>[KM]?)(?: (?P<time>Second|Minute|Hour)s?)?(?: .*)?")
_SCALE: Final = {"": 1, "K": 1_000, "M": 1_000_000}
_TIME: Final = {None: 1, "Second": 1, "Minute": 60, "Hour": 3_600}
_MILLION: Final = Decimal(1_000_000)
_PLACES: Final = Decimal("1e-12")
_DIGITS: Final = 60
_MOST: Final = 10
"""Times that a price may rise or fall at once; what is beyond is looked at by somebody."""


class Refreshed(NamedTuple):
    """What a list of retail prices says."""

    entries: list[PriceEntry]
    """Prices that are not in the price book, or have changed."""
    unknown_meters: list[str]
    """Meters that no entry names; sorted."""
    refused_meters: list[str]
    """Known meters whose price cannot be read, or has changed too much to be believed; sorted."""


def refreshed(items: Iterable[Mapping[str, Any]], known: Iterable[PriceEntry], *, at: str) -> Refreshed:
    """Return what to add to the price book.

    Args:
        items: `Items` of the answers, their numbers as decimals.
        known: all entries of the shipped list and of earlier refreshes.
        at: when the items were read, canonical UTC.
    """
    templates: dict[str, list[PriceEntry]] = {}
    for one in known:
        if one.source.startswith(SOURCE) and not one.is_own:
            templates.setdefault(one.source.removeprefix(SOURCE), []).append(one)
    by_meter: dict[str, list[Mapping[str, Any]]] = {}
    for item in items:
        if item.get("type") == "Consumption" and not item.get("tierMinimumUnits"):
            by_meter.setdefault(str(item.get("meterName")), []).append(item)
    entries: list[PriceEntry] = []
    refused: set[str] = set()
    for meter, priced in by_meter.items():
        if meter in templates:
            found = _of_meter(priced, templates[meter], at)
            entries += found or []
            refused |= {meter} if found is None else set()
    return Refreshed(entries, sorted(by_meter.keys() - templates.keys()), sorted(refused))


def _of_meter(items: list[Mapping[str, Any]], templates: list[PriceEntry], at: str) -> list[PriceEntry] | None:
    """Return the new entries of a meter; None where its prices cannot be believed."""
    prices: dict[str, tuple[Decimal, str]] = {}
    for item in items:
        if item.get("currencyCode") != templates[0].currency:
            continue
        amount, since = _amount(item), utc(item.get("effectiveStartDate"))
        if amount is None or since is None:
            return None
        # Of two prices of a region the later one holds.
        region = str(item.get("armRegionName") or "")
        prices[region] = max(prices.get(region, (amount, since)), (amount, since), key=lambda one: one[1])
    if not prices:
        return []
    usual = Counter(amount for amount, _ in prices.values()).most_common(1)[0][0]
    since = max(day for amount, day in prices.values() if amount == usual)
    own = {one.region for one in templates if one.region}
    wanted = {"": (usual, since)} | {name: one for name, one in prices.items() if one[0] != usual or name in own}
    read_on = f"{at[:10]}T00:00:00.000Z"
    entries: list[PriceEntry] = []
    for kind in dict.fromkeys(map(_kind, templates)):
        same = [one for one in templates if _kind(one) == kind]
        for region, (amount, day) in sorted(wanted.items()):
            begins = f"{day[:10]}T00:00:00.000Z"
            present = _present(same, region)
            if present is not None and not 1 / Decimal(_MOST) <= amount / present.amount <= _MOST:
                return None
            if present is None or (present.amount != amount and begins > present.valid_from):
                entries.append(replace(kind, region=region, amount=amount, valid_from=begins, dated=read_on))
    return entries


def _kind(one: PriceEntry) -> PriceEntry:
    """Return what an entry is of, wherever and whenever it holds."""
    return replace(
        one, region="", amount=Decimal(0), valid_from="", valid_to=None, dated="", book_version=0, ended_version=None
    )


def _present(same: list[PriceEntry], region: str) -> PriceEntry | None:
    """Return the newest entry for a region: its own, else that of most regions."""
    found = [one for one in same if one.region == region] or [one for one in same if not one.region]
    return max(found, key=lambda one: one.valid_from, default=None)


def _amount(item: Mapping[str, Any]) -> Decimal | None:
    """Return the price of 1,000,000 units; None where it is not told."""
    measure = _MEASURE.fullmatch(str(item.get("unitOfMeasure")))
    price = item.get("retailPrice")
    if measure is None or isinstance(price, bool) or not isinstance(price, int | Decimal) or price <= 0:
        return None
    units = int(measure["number"]) * _SCALE[measure["scale"]] * _TIME[measure["time"]]
    with localcontext(prec=_DIGITS):
        return (Decimal(price) * _MILLION / units).quantize(_PLACES).normalize() if units else None
