"""Bills of provisioned throughput worked out by hand, and what an hour of it costs."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import InvalidFileError
from shared.pricing.book import Book
from shared.pricing.capacity import CapacityKind, Per, hours_between, part_of, throughput_of
from shared.pricing.charge import Charge, charge_of
from shared.pricing.entries import Scope, Unit
from shared.pricing.files import Origin, read_file
from tests.builders.prices import a_deployment, a_price, a_reservation

AT = "2026-03-02T09:30:00.000Z"
HOUR = "2026-03-02T09:00:00.000Z"
PRICES = [
    a_price(),
    a_price(Unit.OUTPUT, "10"),
    a_price(Unit.INPUT, "3", scope=Scope.REGIONAL),
    a_price(model="gpt-4o.ft-0123"),
    a_price(Unit.OUTPUT, "10", model="gpt-4o.ft-0123"),
]
RESERVATIONS = [
    # 15 units of gpt-4o, which serve 2,500 tokens a minute each: 15 x 2,500 x 60 = 2,250,000 an hour, for 15 USD
    a_reservation(),
    # a model of which nothing is published: 100 units for 200 USD an hour
    a_reservation("unheard", model="gpt-9", units=100, amount=Decimal(2)),
    # two reservations at the same time: 15 at 1 USD and 5 at 3 USD: 20 units, 30 USD, 3,000,000 tokens
    a_reservation("grown"),
    a_reservation("grown", units=5, amount=Decimal(3), valid_from="2026-03-01T00:00:00.000Z"),
    # the same in two currencies
    a_reservation("mixed"),
    a_reservation("mixed", currency="EUR", valid_from="2026-03-01T00:00:00.000Z"),
    # the model follows from the table of deployments: gpt-5-mini, 8 x output, 23,750 tokens a minute
    a_reservation("mini", model=""),
    # hosting of a fine-tuned model: 1.7 USD an hour
    a_reservation("tuned", model="", kind=CapacityKind.HOSTING, units=1, amount=Decimal("1.7")),
]
BOOK = Book(
    PRICES,
    [
        a_deployment("chat"),
        a_deployment("reserved", sku="GlobalProvisionedManaged"),
        a_deployment("mini", model="gpt-5-mini", sku="GlobalProvisionedManaged"),
        a_deployment("lonely", sku="GlobalProvisionedManaged"),
        a_deployment("tuned", model="gpt-4o.ft-0123"),
    ],
    version=3,
    reservations=RESERVATIONS,
)


def charge(deployment: str, given: int | None, made: int | None, used: int | None = None, **changes: Any) -> Charge:
    call = {
        "occurred_at": AT, "usage_provenance": "reported", "http_status": 200, "model": "gpt-4o",
        "deployment": deployment, "input_tokens": given, "output_tokens": made,
    }  # fmt: skip
    known = {} if used is None else {(f"/{deployment}", HOUR): used}
    return charge_of(call | changes, BOOK, counts=True, used=known)


@pytest.mark.parametrize(
    ("charged", "amount", "confidence", "reason"),
    [
        # 1,000 + 4 x 500 = 3,000 of 2,250,000 tokens: 15 x 3,000 / 2,250,000
        (charge("reserved", 1000, 500), "0.02", "exact", "capacity-shared"),
        # cached input is deducted: 200 + 4 x 500 = 2,200 of 2,250,000: 15 x 2,200 / 2,250,000, rounded down
        (charge("reserved", 1000, 500, cached_input_tokens=800), "0.014666666666", "exact", "capacity-shared"),
        # all of it cached, and no output: nothing of the hour
        (charge("reserved", 1000, 0, cached_input_tokens=1000), "0", "exact", "capacity-shared"),
        # others used some of the capacity: that changes nothing
        (charge("reserved", 1000, 500, used=2_000_000), "0.02", "exact", "capacity-shared"),
        # all calls together used twice of what it can serve: 15 x 3,000 / 4,500,000
        (charge("reserved", 1000, 500, used=4_500_000), "0.01", "estimated", "hour-shared"),
        # nothing is published for gpt-9: the calls of the hour used 40,000; 200 x (1,000 + 1,000) / 40,000
        (charge("unheard", 1000, 1000, used=40_000), "10", "estimated", "hour-shared"),
        # ... and how many share the hour is not known yet
        (charge("unheard", 1000, 1000), None, "no-price", "hour-open"),
        # 30 x 3,000 / 3,000,000
        (charge("grown", 1000, 500), "0.03", "exact", "capacity-shared"),
        (charge("mixed", 1000, 500), None, "no-price", "several-currencies"),
        # gpt-5-mini: 1,000 + 8 x 500 = 5,000 of 15 x 23,750 x 60 = 21,375,000: 15 x 5,000 / 21,375,000
        (charge("mini", 1000, 500), "0.003508771929", "exact", "capacity-shared"),
        # provisioned, and nobody said what it costs
        (charge("lonely", 1000, 500), None, "no-price", "provisioned"),
        # before the reservation began
        (charge("reserved", 10, 5, occurred_at="2026-03-02T08:59:59.999Z"), None, "no-price", "provisioned"),
        # spill-over went to `chat`: 1,000 x 2.5 + 500 x 10
        (charge("reserved", 1000, 500, served_deployment="chat"), "0.0075", "exact", None),
        (
            charge("reserved", 1000, 500, served_deployment="chat", spillover='{"from":"reserved","spilled":true}'),
            "0.0075", "exact", None,
        ),
        # it went somewhere: gpt-4o at its widest scope
        (charge("reserved", 1000, 500, spillover='{"spilled":true}'), "0.0075", "estimated", "spill-over"),
        # it was to go somewhere, and did not
        (charge("reserved", 1000, 500, spillover='{"error":"429"}'), "0.02", "exact", "capacity-shared"),
        # a fine-tuned model is charged by its tokens; hosting is a line of the hour
        (charge("tuned", 1000, 500, model="gpt-4o.ft-0123"), "0.0075", "exact", None),
        # tools are billed beside the throughput
        (charge("reserved", 1000, 500, file_searches=2), "0.02", "estimated", "tools-extra"),
        (charge("reserved", 1000, 500, code_sessions=1), "0.02", "estimated", "tools-extra"),
        (charge("reserved", 1000, 500, web_searches=1), "0.02", "estimated", "searches-extra"),
        # tokens were estimated
        (
            charge("reserved", 1000, 500, usage_provenance="estimated"),
            "0.02", "estimated", "usage-estimated",
        ),
        (charge("reserved", None, None, images=1), None, "no-price", "no-tokens"),
        (charge("reserved", None, None), None, "unmetered", "no-usage"),
        (charge("reserved", None, None, http_status=429), "0", "free", "refused"),
    ],
)  # fmt: skip
def test_a_bill_of_provisioned_throughput_is_what_it_comes_to_by_hand(
    charged: Charge, amount: str | None, confidence: str, reason: str | None
) -> None:
    expected = (None if amount is None else Decimal(amount), confidence, reason)
    assert (charged.amount, charged.confidence.value, charged.reason) == expected


def test_a_call_on_provisioned_throughput_names_it_with_its_weight() -> None:
    assert (charge("reserved", 1000, 500).capacity, charge("reserved", 1000, 500).weight) == ("/reserved", 3000)
    assert (charge("reserved", None, None).capacity, charge("reserved", None, None).weight) == ("/reserved", None)
    assert charge("reserved", 1000, 500, served_deployment="chat").capacity is None
    assert charge("tuned", 1000, 500).capacity is None


def test_the_reservation_of_its_own_resource_goes_before_the_one_of_any() -> None:
    own = a_reservation(host="aoai.example.org", amount=Decimal(2))
    book = Book([], reservations=[a_reservation(), own])

    held = book.throughput("Reserved", "AOAI.example.org", AT)

    assert (held and held.cost, held and held.name) == (Decimal(30), "aoai.example.org/reserved")


@given(st.integers(1, 12), st.integers(1, 10_000), st.decimals(0, 10_000, places=6))
def test_the_hours_of_any_month_add_up_to_the_month_to_the_last_digit(month: int, units: int, amount: Decimal) -> None:
    one = a_reservation(units=units, amount=amount, per=Per.MONTH)
    after = f"2026-{month + 1:02}-01" if month < 12 else "2027-01-01"

    hours = hours_between(f"2026-{month:02}-01T00:00:00.000Z", f"{after}T00:00:00.000Z")

    costs = [one.cost_of(hour) for hour in hours]
    assert sum(costs) == units * amount
    assert max(costs) - min(costs) <= Decimal("1e-12")


@given(st.decimals(0, 1_000_000, places=12), st.lists(st.integers(0, 10**9), max_size=50), st.integers(0, 10**9))
def test_any_parts_of_an_hour_are_no_more_than_its_cost(cost: Decimal, weights: list[int], capacity: int) -> None:
    among = max(capacity, sum(weights))

    rest = cost - sum((part_of(cost, weight, among) for weight in weights), Decimal(0))

    assert rest >= 0
    if among == sum(weights) and among:
        # What remains of an hour that is shared by all of it are last digits.
        assert rest < len(weights) * Decimal("1e-12")


def test_what_is_published_is_found_by_version_first() -> None:
    assert throughput_of("GPT-4o", "2024-11-20") == (2500, 4)
    assert throughput_of("deepseek-v3", "0324") == (4000, 4)
    assert throughput_of("deepseek-v3", "") is None
    assert throughput_of("gpt-9", "") is None


RESERVATION = (
    "deployment,host,kind,model,version,units,amount,per,currency,valid_from,valid_to,source\n"
    "Chat,AOAI.example.org,provisioned,gpt-4o,,50,260,month,USD,2026-01-01,2026-03-02T09:00Z,order 7\n"
)


def test_a_reservation_is_read_as_it_stands() -> None:
    (one,) = read_file(Origin.RESERVATIONS, RESERVATION).entries

    assert one.key == ("aoai.example.org", "chat", "provisioned", "2026-01-01T00:00:00.000Z")
    assert one.valid_to == "2026-03-02T09:00:00.000Z"


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        (",50,", ",0,", "units: must be 1 or more"),
        (",50,", ",many,", "units: must be a whole number"),
        ("provisioned", "reserved", "kind: must be one of provisioned, hosting"),
        ("month", "year", "per: must be one of hour, month"),
        ("T09:00Z", "T09:30Z", "valid_to: must be a day or a whole hour"),
        ("2026-01-01", "", "valid_from: must be 2020 or later"),
        ("2026-01-01", "1999-01-01", "valid_from: must be 2020 or later"),
        ("260", "-1", "amount: must be a decimal number"),
    ],
)
def test_a_wrong_reservation_is_refused_by_line_and_column(before: str, after: str, what: str) -> None:
    with pytest.raises(InvalidFileError, match=f"^line 2, {what}"):
        read_file(Origin.RESERVATIONS, RESERVATION.replace(before, after))
