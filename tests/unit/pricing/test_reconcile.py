"""What Azure billed beside what was charged, from an export in Azure's own columns."""

from decimal import Decimal
from typing import Any

import pytest

from shared.errors import InvalidFileError
from shared.pricing.bills import Billed, kind_of, read_export
from shared.pricing.reconcile import CAUSES, Variance, reconcile

DAY = "2026-03-02T00:00:00.000Z"
_FIRST = ("Date", "MeterCategory", "MeterName", "Quantity", "UnitOfMeasure", "CostInBillingCurrency")
HEADER = ",".join((*_FIRST, "BillingCurrencyCode", "ResourceId", "ChargeType"))
ACCOUNT = "/subscriptions/1/resourceGroups/ai/providers/Microsoft.CognitiveServices/accounts/AOAI-east"


def a_row(meter: str = "gpt 4o 1120 Inp glbl Tokens", quantity: str = "1200", cost: str = "3", **changes: str) -> str:
    """Return a line of an export: so many thousand tokens, and `changes`."""
    usual = {"date": "03/02/2026", "category": "Azure OpenAI", "unit": "1K", "currency": "USD"}
    cells = usual | {"resource": ACCOUNT, "type": "Usage"} | changes
    first = (cells["date"], cells["category"], meter, quantity, cells["unit"], cost)
    return ",".join((*first, cells["currency"], cells["resource"], cells["type"]))


def export(*rows: str) -> list[Billed]:
    return read_export("\n".join((HEADER, *rows)))


def a_line(number: int = 1_200_000, amount: str | None = "3", **changes: Any) -> dict[str, Any]:
    """Return a day's cost line of input tokens, and `changes`."""
    return {
        "day": DAY,
        "host": "aoai-east.openai.azure.com",
        "deployment": "chat",
        "unit": "input",
        "meter": "gpt-4o 2024-11-20 global standard input",
        "currency": "USD",
        "confidence": "exact",
        "quantity": Decimal(number),
        "amount": amount and Decimal(amount),
    } | changes


def the(billed: list[Billed], *charged: dict[str, Any]) -> Variance:
    (one,) = reconcile(billed, charged, tolerance=Decimal("0.01")).variances
    return one


def test_what_is_the_same_has_no_cause_whatever_its_spelling() -> None:
    one = the(export(a_row()), a_line(1_000_000, "2.5"), a_line(200_000, "0.5", deployment="other"))

    assert (one.cause, one.within_tolerance, one.model, one.deployments) == (None, True, "gpt-4o", ["chat", "other"])
    assert {one.billed_quantity, one.charged_quantity} == {Decimal(1_200_000)}
    assert one.meters == ["gpt 4o 1120 Inp glbl Tokens"]


CASES: list[tuple[str, list[str], list[dict[str, Any]]]] = [
    ("rounding", [a_row(cost="3.02")], [a_line()]),
    ("price", [a_row(cost="2.4")], [a_line()]),
    ("missing", [a_row(quantity="2400", cost="6")], [a_line()]),
    (
        "not-metered",
        [a_row(quantity="2400", cost="6")],
        [a_line(), a_line(1, None, confidence="unmetered", unit="call")],
    ),
    ("bypass", [a_row()], []),
    ("not-billed", [], [a_line()]),
    ("more-charged", [a_row(quantity="600", cost="1.5")], [a_line()]),
    ("currency", [a_row(currency="EUR")], [a_line()]),
]


@pytest.mark.parametrize(("cause", "rows", "charged"), CASES, ids=[case[0] for case in CASES])
def test_a_variance_has_a_cause(cause: str, rows: list[str], charged: list[dict[str, Any]]) -> None:
    one = next(one for one in reconcile(export(*rows), charged, tolerance=Decimal("0.01")).variances)

    assert one.cause == cause
    assert one.within_tolerance is (cause == "rounding")


def test_every_cause_is_tried() -> None:
    assert {cause for cause, _, _ in CASES} == set(CAUSES)


def test_the_longest_model_that_fits_a_meter_is_its_model() -> None:
    mini = a_line(meter="gpt-4o-mini 2024-07-18 global standard input")
    found = reconcile(export(a_row("gpt 4o mini 0718 Inp glbl"), a_row()), [mini, a_line()], tolerance=Decimal(0))

    assert [(one.model, one.cause) for one in found.variances] == [("gpt-4o", None), ("gpt-4o-mini", None)]


def test_days_and_accounts_are_apart() -> None:
    elsewhere = ACCOUNT.replace("AOAI-east", "west")
    rows = export(a_row(), a_row(date="2026-03-03"), a_row(resource=elsewhere))

    found = reconcile(rows, [a_line()], tolerance=Decimal(0)).variances

    assert [(one.day[:10], one.account, one.cause) for one in found] == [
        ("2026-03-02", "aoai-east", None),
        ("2026-03-02", "west", "bypass"),
        ("2026-03-03", "aoai-east", "bypass"),
    ]


def test_an_hour_of_provisioned_throughput_is_its_calls_parts_and_its_rest() -> None:
    billed = export(a_row("Provisioned Managed Global Unit", quantity="15", cost="15", unit="1 Hour"))
    part = a_line(2, "0.04", unit="call", meter="", deployment="reserved")
    rest = a_line(15, "14.96", unit="unit-hour", meter="provisioned idle", deployment="reserved")

    one = the(billed, part, rest)

    assert (one.kind, one.model, one.cause) == ("provisioned", "provisioned", None)
    assert one.charged_amount == one.billed_amount == Decimal(15)


def test_a_reservation_that_was_bought_is_no_usage() -> None:
    bought = a_row("Provisioned Managed Global Unit", "1", "1000", type="Purchase", unit="1 Hour")

    found = reconcile(export(bought), [], tolerance=Decimal(0))

    assert (found.variances, found.purchases) == ([], Decimal(1000))


@pytest.mark.parametrize(
    ("meter", "kind"),
    [
        ("gpt 4o 1120 Inp glbl Tokens", "input"),
        ("gpt-4o-0806-Outp-regnl Tokens", "output"),
        ("GPT 5 mini cchd Inp Glbl 1M Tokens", "cached-input"),
        ("gpt 4.1 cached Inp Data Zone", "cached-input"),
        ("o3 0416 Opt glbl", "output"),
        ("text-embedding-3-small-glbl Tokens", "input"),
        ("gpt rt aud 1217 Inp glbl", "audio-input"),
        ("gpt image 1 img outp glbl", "image-output"),
        ("Provisioned Managed Global Unit", "provisioned"),
        ("Dall-E 3 Images", "other"),
    ],
)
def test_a_meter_says_what_it_counts(meter: str, kind: str) -> None:
    assert kind_of(meter) == kind


def test_both_schemas_and_other_services_are_read() -> None:
    columns = "date,meterCategory,meterName,quantity,unitOfMeasure,cost,billingCurrency,resourceId"
    text = (
        f"\N{ZERO WIDTH NO-BREAK SPACE}{columns}\n"
        f"2026-03-02,Cognitive Services,gpt 4o Outp,2,1M,20,USD,{ACCOUNT}\n"
        f"2026-03-02,Storage,Writes,2,10K,20,USD,{ACCOUNT}\n"
    )

    (one,) = read_export(text)

    assert (one.quantity, one.amount, one.kind, one.account) == (
        Decimal(2_000_000),
        Decimal(20),
        "output",
        "aoai-east",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "no column date"),
        (f"{HEADER}\n{a_row(quantity='much')}\n", "line 2"),
        (f"{HEADER}\n{a_row(date='yesterday')}\n", "line 2"),
        (f"{HEADER}\n{a_row(unit='some')}\n", "line 2"),
    ],
)
def test_a_file_that_is_no_export_is_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidFileError, match=message):
        read_export(text)
