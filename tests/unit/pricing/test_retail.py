"""Which entries the Azure Retail Prices API makes."""

from decimal import Decimal
from typing import Any

from shared.pricing.entries import PriceEntry, Unit
from shared.pricing.retail import refreshed
from tests.builders.prices import a_price

AT = "2026-12-01T06:00:00.000Z"
METER = "gpt 4o 1120 Inp glbl Tokens"
KNOWN = a_price(source=f"Azure Retail Prices: {METER}", valid_from="2026-01-01T00:00:00.000Z")


def an_item(**changes: Any) -> dict[str, Any]:
    """Return an item as the API documents it: 0.0025 USD for 1,000 tokens."""
    return {
        "currencyCode": "USD",
        "tierMinimumUnits": 0,
        "retailPrice": Decimal("0.0025"),
        "unitPrice": Decimal("0.0025"),
        "armRegionName": "swedencentral",
        "location": "SE Central",
        "effectiveStartDate": "2026-11-01T00:00:00Z",
        "meterName": METER,
        "productName": "Azure OpenAI",
        "skuName": "gpt 4o 1120 Inp glbl",
        "serviceName": "Foundry Models",
        "unitOfMeasure": "1K",
        "type": "Consumption",
    } | changes


def new(*items: dict[str, Any], known: PriceEntry = KNOWN) -> list[tuple[str, Decimal, str]]:
    found = refreshed(items, [known], at=AT)
    return [(one.region, one.amount, one.valid_from[:10]) for one in found.entries]


def test_a_price_that_is_the_same_makes_no_entry() -> None:
    assert new(an_item()) == []


def test_a_price_that_changed_follows_the_one_before() -> None:
    (entry,) = refreshed([an_item(retailPrice=Decimal("0.002"))], [KNOWN], at=AT).entries

    assert (entry.amount, entry.valid_from, entry.valid_to) == (Decimal(2), "2026-11-01T00:00:00.000Z", None)
    assert (entry.model, entry.unit, entry.source) == (KNOWN.model, KNOWN.unit, KNOWN.source)
    assert entry.dated == "2026-12-01T00:00:00.000Z"
    assert refreshed([an_item(retailPrice=Decimal("0.002"))], [KNOWN, entry], at=AT).entries == []


def test_the_price_of_most_regions_has_no_region_and_the_others_have_their_own() -> None:
    usual = [an_item(retailPrice=Decimal("0.002"), armRegionName=name) for name in ("eastus", "westus")]
    dearer = an_item(
        retailPrice=Decimal("0.003"), armRegionName="norwayeast", effectiveStartDate="2026-11-05T00:00:00Z"
    )

    assert new(*usual, dearer) == [("", Decimal(2), "2026-11-01"), ("norwayeast", Decimal(3), "2026-11-05")]


def test_a_region_that_pays_as_most_do_again_says_so() -> None:
    own = a_price(amount="3", source=KNOWN.source, region="norwayeast", valid_from="2026-01-01T00:00:00.000Z")
    items = [an_item(armRegionName=name) for name in ("eastus", "westus", "norwayeast")]

    found = refreshed(items, [KNOWN, own], at=AT)

    assert [(one.region, one.amount) for one in found.entries] == [("norwayeast", Decimal("2.5"))]


def test_units_of_measure_are_turned_into_a_million_of_ours() -> None:
    sound = a_price(Unit.AUDIO_SECOND, "100", source=KNOWN.source, model="whisper")

    assert new(an_item(unitOfMeasure="1M", retailPrice=Decimal(2)))[0][1] == 2
    # 0.72 USD an hour are 200 millionths a second
    assert new(an_item(unitOfMeasure="1 Hour", retailPrice=Decimal("0.72")), known=sound)[0][1] == 200


def test_what_is_not_known_is_counted_and_what_cannot_be_believed_is_refused() -> None:
    items = [an_item(meterName="gpt 9 Inp glbl Tokens"), an_item(retailPrice=Decimal("0.25"))]

    found = refreshed(items, [KNOWN], at=AT)

    assert found == ([], ["gpt 9 Inp glbl Tokens"], [METER])
    for broken in ({"unitOfMeasure": "a few"}, {"retailPrice": None}, {"effectiveStartDate": "soon"}):
        assert refreshed([an_item(**broken)], [KNOWN], at=AT) == ([], [], [METER])


def test_own_prices_other_currencies_and_reservations_are_passed_over() -> None:
    own = a_price(source=KNOWN.source, is_own=True)

    assert refreshed([an_item(retailPrice=Decimal(1))], [own], at=AT).entries == []
    assert new(an_item(currencyCode="EUR", retailPrice=Decimal("0.002"))) == []
    assert new(an_item(type="Reservation", retailPrice=Decimal("0.002"))) == []
