"""The article's profiles, and what the page says that they cost."""

from decimal import Decimal
from pathlib import Path

import orjson
import pytest

from localhost.traffic.profiles import HOURS, MONTHLY, a_profile_hour
from shared.pricing.book import Book
from shared.pricing.charge import Confidence, charge_of
from shared.pricing.files import Origin, read_file, shipped_text
from tests.builders.prices import a_deployment

PAGE = Path(__file__).parents[3] / "docs" / "cost.md"


@pytest.mark.parametrize("profile", ["small", "medium"])
def test_an_hour_of_a_profile_has_its_share_of_a_months_conversations_of_a_thousand_tokens(profile: str) -> None:
    events = list(a_profile_hour(profile, 7))

    bodies = [orjson.loads(one.event.body) for one in events]
    usages = [body["body"]["usage"] for body in bodies if body["part"] == "response"]
    assert len(usages) == len(events) / 2 == round(MONTHLY[profile] / HOURS)
    assert {usage["total_tokens"] for usage in usages} == {1000}
    assert events == list(a_profile_hour(profile, 7))
    assert events != list(a_profile_hour(profile, 8))


def test_the_page_says_what_the_profiles_cost_by_the_price_book() -> None:
    book = Book(
        read_file(Origin.LIST, shipped_text()).entries,  # type: ignore[arg-type]  # of prices
        [a_deployment("any", model=""), a_deployment("zone", model="", sku="DataZoneStandard", region="swedencentral")],
    )
    section = PAGE.read_text(encoding="utf-8").split("### Models")[1].split("\n### ")[0]
    lines = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in section.splitlines() if line.startswith("| gpt")
    ]

    assert len(lines) == 4
    for model, deployment, one, *months in lines:
        call = {
            "occurred_at": "2026-10-02T09:30:00.000Z", "usage_provenance": "reported", "http_status": 200,
            "model": model, "deployment": deployment, "input_tokens": 700, "output_tokens": 300, "total_tokens": 1000,
        }  # fmt: skip
        charge = charge_of(call, book, counts=True)
        assert charge.confidence is Confidence.EXACT
        assert charge.amount == Decimal(one)
        assert [Decimal(month.replace(",", "")) for month in months] == [
            number * charge.amount for number in (*MONTHLY.values(), 1_000_000)
        ]
