"""The commands about costs by month, on a ledger of sample traffic."""

import csv
import json
from pathlib import Path

import pytest

from tests.e2e.commands import run

pytestmark = pytest.mark.slow


def test_a_month_of_traffic_is_exported_and_compared_to_what_was_billed(tmp_path: Path) -> None:
    for arguments in (
        ["traffic", "--count", "300", "--seed", "1", "--start", "2026-11-27T09:00Z", "--out", "events.ndjson"],
        ["replay", "events.ndjson"],
        ["timer", "rebuild_usage_rollups"],
        ["export", "2026-11", "--out", "costs.csv"],
    ):
        assert run(tmp_path, *arguments).returncode == 0
    with (tmp_path / "costs.csv").open(encoding="utf-8", newline="") as file:
        row = next(
            row for row in csv.DictReader(file) if row["SkuMeter"] == "input" and "azure.com/" in row["ResourceId"]
        )
    account, _, rest = row["ResourceId"].partition(".")
    assert rest
    header = "Date,MeterCategory,MeterName,Quantity,UnitOfMeasure,CostInBillingCurrency,BillingCurrency,ResourceId\n"
    resource = f"/x/accounts/{account}"
    billed = f"11/27/2026,Azure OpenAI,{row['SkuId']} glbl,{row['PricingQuantity']},1M,0,USD,{resource}\n"
    (tmp_path / "billed.csv").write_text(header + billed, encoding="utf-8")

    done = run(tmp_path, "reconcile", "billed.csv")

    assert done.returncode == 0, done.stderr
    *variances, summary = map(json.loads, done.stdout.splitlines())
    assert summary["compared"] >= 1
    mine = next(one for one in variances if one["meters"] and one["account"] == account)
    assert (mine["kind"], mine["billed_amount"]) == ("input", "0")
