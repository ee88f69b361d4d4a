"""Cost lines -> the columns of FOCUS 1.2, https://focus.finops.org: what finance tools read. Pure."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Final

import orjson

from shared.domain.values import interval_end
from shared.pricing.costs import CALL
from shared.stores.ports import Row

__all__ = ["COLUMNS", "VERSION", "focus_rows"]

VERSION: Final = "1.2"
"""The newest whose rules focus-validator holds."""
_ISSUER: Final = "PromptLedger"
_MILLION: Final = Decimal(1_000_000)
_PLACES: Final = Decimal("1e-12")
_NAMES: Final = {
    "image": "Images",
    "search": "Searches",
    "file-search": "Searches",
    "code-session": "Sessions",
    "character": "Characters",
    "unit-hour": "Unit Hours",
    CALL: "Calls",
}
"""What units are called; those of time are seconds, all others tokens."""

COLUMNS: Final = (
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd", "BillingPeriodStart",
    "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargeFrequency", "ChargePeriodEnd", "ChargePeriodStart",
    "CommitmentDiscountStatus",
    "ConsumedQuantity", "ConsumedUnit", "ContractedCost", "ContractedUnitPrice", "EffectiveCost", "InvoiceId",
    "InvoiceIssuerName", "ListCost", "ListUnitPrice", "PricingCategory", "PricingCurrency",
    "PricingCurrencyContractedUnitPrice", "PricingCurrencyEffectiveCost", "PricingCurrencyListUnitPrice",
    "PricingQuantity", "PricingUnit",
    "ProviderName", "PublisherName", "ResourceId", "ResourceName", "ResourceType", "ServiceCategory", "ServiceName",
    "ServiceSubcategory", "SkuId", "SkuMeter", "SkuPriceDetails", "SkuPriceId", "SubAccountId", "SubAccountName",
    "Tags", "x_Confidence", "x_Model", "x_Kind",
)  # fmt: skip

_COSTS: Final = ("BilledCost", "EffectiveCost", "ContractedCost", "ListCost", "PricingCurrencyEffectiveCost")
_PRICES: Final = (
    "ContractedUnitPrice",
    "ListUnitPrice",
    "PricingCurrencyContractedUnitPrice",
    "PricingCurrencyListUnitPrice",
)


def focus_rows(month: str, lines: Iterable[Row]) -> Iterator[dict[str, Any]]:
    """Yield a row of `COLUMNS` for each line of a month that bears an amount in a currency.

    Calls without a price have no cost that FOCUS could state: they are in no row. An adjustment is a correction of a
    billing period that was closed. Amounts are decimals, and None is null.

    Args:
        month: its start, canonical UTC.
        lines: as `shared.stores.cost_ports.CostStore.lines` returns them.
    """
    period = {"BillingPeriodStart": _moment(month), "BillingPeriodEnd": _moment(interval_end(month, "month") or month)}
    for line in lines:
        # Lines of calls bear an amount where calls share an hour of capacity; else the units' lines do.
        if line["amount"] is not None and line["currency"] and (line["unit"] != CALL or line["amount"]):
            yield dict.fromkeys(COLUMNS) | period | _fixed(line) | _costs(line) | _names(line)


def _fixed(line: Row) -> dict[str, Any]:
    return {
        "BillingAccountId": "promptledger",
        "BillingAccountName": _ISSUER,
        **dict.fromkeys(("BillingCurrency", "PricingCurrency"), line["currency"]),
        "ChargeCategory": "Usage",
        "ChargeClass": "Correction" if line["kind"] == "adjustment" else None,
        "ChargeFrequency": "Usage-Based",
        "ChargePeriodStart": _moment(line["day"]),
        "ChargePeriodEnd": _moment(interval_end(line["day"], "day") or line["day"]),
        # Who charges the teams is this ledger's organisation, whoever made the model.
        "InvoiceIssuerName": _ISSUER,
        "ProviderName": _ISSUER,
        "PublisherName": _ISSUER,
        "PricingCategory": "Standard",
        "ServiceCategory": "AI and Machine Learning",
        "ServiceName": "Model calls",
        "ServiceSubcategory": "Generative AI",
    }


def _costs(line: Row) -> dict[str, Any]:
    """Return costs and prices. The price that was charged is the list's or the organisation's own: there is one."""
    amount, price = line["amount"], line["price"] or _price_of(line)
    unit = _unit(line["unit"])
    return {
        **dict.fromkeys(_COSTS, amount),
        **dict.fromkeys(_PRICES, price),
        "ConsumedQuantity": line["quantity"],
        "ConsumedUnit": unit,
        "PricingQuantity": line["quantity"] / _MILLION,
        "PricingUnit": f"1000000 {unit}",
    }


def _price_of(line: Row) -> Decimal:
    """Return what a unit came to where none has a price: of capacity that is paid by the hour."""
    price: Decimal = line["price"]
    return (line["amount"] * _MILLION / line["quantity"]).quantize(_PLACES) if line["quantity"] else price


def _names(line: Row) -> dict[str, Any]:
    deployment, host = line["deployment"], line["host"]
    model = line["meter"].partition(" ")[0] or line["model"]
    tags = {
        "team": line["team"],
        "costCentre": line["cost_centre"],
        "subscriptionId": line["subscription_id"],
        "productId": line["product_id"],
    }
    # With words: readers of CSV take a cost centre such as 4711 for a number.
    named = {"cost-centre": line["cost_centre"], "team": line["team"]}
    payer = [f"{word}:{name}" for word, name in named.items() if name]
    return {
        "ChargeDescription": f"{line['unit']} of {line['model'] or model}",
        "ResourceId": "/".join(filter(None, (host, deployment))) or None,
        "ResourceName": deployment or None,
        "ResourceType": "Model deployment" if host or deployment else None,
        "SkuId": f"{model} {line['unit']}",
        "SkuMeter": line["unit"],
        "SkuPriceId": line["meter"] or f"{model} {line['unit']}",
        "SubAccountId": "/".join(payer) or None,
        "SubAccountName": line["team"] or line["cost_centre"] or None,
        "Tags": orjson.dumps({name: value for name, value in tags.items() if value}).decode(),
        "x_Confidence": line["confidence"] or None,
        "x_Model": line["model"] or None,
        "x_Kind": line["kind"],
    }


def _unit(unit: str) -> str:
    return "Seconds" if unit.endswith("second") else _NAMES.get(unit, "Tokens")


def _moment(time: str) -> str:
    """Return a canonical time as FOCUS writes it: without parts of seconds."""
    return f"{time[:19]}Z"
