"""The export in the columns of FOCUS: what stands in a row, and in the files."""

import csv
import json
import os
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from localhost.parquet import write_parquet
from shared.services.focus import COLUMNS, VERSION, focus_rows
from shared.services.focus_csv import csv_parts

MARCH, DAY = "2026-03-01T00:00:00.000Z", "2026-03-02T00:00:00.000Z"
VALIDATOR = "PROMPTLEDGER_FOCUS_VALIDATOR"
"""Names the folder of an environment with focus-validator: it needs an older numpy, and Python below 3.13."""


def a_line(**changes: Any) -> dict[str, Any]:
    """Return a line of 1,200 input tokens, and `changes`."""
    return {
        "day": DAY,
        "kind": "charge",
        "team": "red",
        "cost_centre": "4711",
        "subscription_id": "s1",
        "product_id": "p1",
        "model": "gpt-4o-2024-11-20",
        "deployment": "chat",
        "host": "aoai.openai.azure.com",
        "confidence": "exact",
        "currency": "USD",
        "unit": "input",
        "meter": "gpt-4o global standard input",
        "price": Decimal("2.5"),
        "quantity": Decimal(1200),
        "amount": Decimal("0.003"),
    } | changes


NOBODY = a_line(
    team="", cost_centre="", deployment="", host="", unit="character", meter="tts global standard character"
)
CALL = a_line(unit="call", meter="", price=Decimal(0), quantity=Decimal(1), amount=None)
LATE = a_line(kind="adjustment", day="2026-02-02T00:00:00.000Z", quantity=Decimal(-1200), amount=Decimal("-0.003"))


def rows(*lines: dict[str, Any]) -> list[dict[str, Any]]:
    return list(focus_rows(MARCH, lines))


def test_a_row_says_who_pays_for_what_when_and_at_which_price() -> None:
    (row,) = rows(a_line())

    assert tuple(row) == COLUMNS
    told = {name: value for name, value in row.items() if value is not None and "x_" not in name}
    assert {told[name] for name in ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost")} == {Decimal("0.003")}
    assert (told["BillingPeriodStart"], told["BillingPeriodEnd"]) == ("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z")
    assert (told["ChargePeriodStart"], told["ChargePeriodEnd"]) == ("2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z")
    assert (told["PricingQuantity"], told["PricingUnit"], told["ListUnitPrice"]) == (
        Decimal("0.0012"),
        "1000000 Tokens",
        Decimal("2.5"),
    )
    assert (told["SubAccountId"], told["SubAccountName"]) == ("cost-centre:4711/team:red", "red")
    assert json.loads(told["Tags"])["subscriptionId"] == "s1"


def test_price_times_quantity_is_the_cost() -> None:
    (row,) = rows(a_line())

    assert row["ListUnitPrice"] * row["PricingQuantity"] == row["ListCost"]


def test_calls_and_what_has_no_price_are_in_no_row() -> None:
    assert rows(CALL, a_line(confidence="no-price", amount=None), a_line(currency="", amount=Decimal(0))) == []


def test_parts_of_an_hour_of_capacity_and_its_rest_are_rows_that_add_up_to_its_cost() -> None:
    shared = CALL | {"quantity": Decimal(2), "amount": Decimal("0.04")}
    idle = a_line(
        kind="idle", unit="unit-hour", meter="provisioned idle", price=Decimal(0), quantity=Decimal(15),
        amount=Decimal("14.96"), team="", cost_centre="",
    )  # fmt: skip

    parts = rows(shared, idle)

    assert sum(row["BilledCost"] for row in parts) == Decimal(15)
    assert [row["ConsumedUnit"] for row in parts] == ["Calls", "Unit Hours"]
    assert all(abs(row["ListUnitPrice"] * row["PricingQuantity"] - row["ListCost"]) < Decimal("1e-12") for row in parts)


def test_an_adjustment_is_a_correction_of_a_period_that_was_closed() -> None:
    (row,) = rows(LATE)

    assert (row["ChargeClass"], row["BilledCost"], row["BillingPeriodStart"]) == (
        "Correction",
        Decimal("-0.003"),
        "2026-03-01T00:00:00Z",
    )
    assert row["ChargePeriodStart"] == "2026-02-02T00:00:00Z"


def test_what_is_not_known_is_null() -> None:
    (row,) = rows(NOBODY)

    names = ("ResourceId", "ResourceName", "ResourceType", "SubAccountId", "SubAccountName", "InvoiceId", "ChargeClass")
    assert [row[name] for name in names] == [None] * 7


def written(folder: Path, *lines: dict[str, Any]) -> Path:
    path = folder / "costs.csv"
    path.write_text("".join(csv_parts(rows(*lines))), encoding="utf-8", newline="")
    return path


def test_a_csv_file_has_all_digits_and_no_formula(tmp_path: Path) -> None:
    path = written(tmp_path, a_line(amount=Decimal("1234567.000000000001"), model="=1+1"), LATE)
    with path.open(encoding="utf-8", newline="") as file:
        first, second = csv.DictReader(file)

    assert (first["BilledCost"], first["x_Model"], second["BilledCost"]) == ("1234567.000000000001", "'=1+1", "-0.003")
    assert (first["ConsumedQuantity"], first["ChargeClass"]) == ("1200.0", "")


def test_a_parquet_file_has_decimals_and_times(tmp_path: Path) -> None:
    path = tmp_path / "costs.parquet"
    write_parquet(rows(a_line(amount=Decimal("1234567.000000000001")), NOBODY), path)

    found = duckdb.execute("select BilledCost, ChargePeriodStart, SubAccountId from read_parquet(?)", [str(path)])
    types = [column[1] for column in found.description]
    amounts = found.fetchall()

    assert [str(kind) for kind in types][:2] == ["DECIMAL(38,12)", "TIMESTAMP WITH TIME ZONE"]
    assert [(row[0], row[2]) for row in amounts] == [
        (Decimal("1234567.000000000001"), "cost-centre:4711/team:red"),
        (Decimal("0.003000000000"), None),
    ]


CRITERIA = (
    "PUBLIC_PRICE_LIST_SUPPORTED", "UNIT_PRICING_SUPPORTED", "NEGOTIATED_PRICING_SUPPORTED",
    "USAGE_MEASUREMENT_SUPPORTED", "SUB_ACCOUNT_SUPPORTED", "TAGGING_SUPPORTED", "RESOURCE_TYPE_ASSIGNMENT_SUPPORTED",
    "BILLING_BASED_ON_PROVISIONED_RESOURCES_SUPPORTED", "PRICING_BILLING_CURRENCY_DIFFERENCES_SUPPORTED",
)  # fmt: skip
CONTRADICTION = {"InvoiceId-C-004-C", "InvoiceId-C-005-C"}
"""Must be null where there is no invoice, must not be where there is: the validator looks for both in every row."""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_the_validator_of_focus_finds_no_fault(kind: str, tmp_path: Path) -> None:
    environment = Path(os.environ.get(VALIDATOR, "")).resolve()
    tool = environment / "bin" / "focus-validator"
    if not tool.is_file():
        pytest.skip(f"{VALIDATOR} names no environment with focus-validator")
    lines = [a_line(), a_line(unit="output", meter="gpt-4o global standard output"), NOBODY, CALL, LATE]
    path = written(tmp_path, *lines)
    if kind == "parquet":
        path = tmp_path / "costs.parquet"
        write_parquet(rows(*lines), path)
    # It finds its own list of currencies from the folder that it is installed in.
    (packages,) = environment.glob("lib/python*/site-packages")
    command = [
        *(str(tool), "--data-file", str(path), "--validate-version", VERSION, "--block-download"),
        *("--applicability-criteria", ",".join(CRITERIA)),
    ]

    done = subprocess.run(command, cwd=packages, capture_output=True, text=True, check=True, timeout=120)

    verdicts = [line.split() for line in done.stdout.splitlines() if ": PASS" in line or ": FAIL" in line]
    failed = {words[1].rstrip(":") for words in verdicts if words[2] == "FAIL"}
    assert len(verdicts) > 200
    assert failed <= CONTRADICTION
