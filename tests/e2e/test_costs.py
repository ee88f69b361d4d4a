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


def test_cost_centres_of_a_file_name_who_pays_and_a_recount_finds_nothing_wrong(tmp_path: Path) -> None:
    head = "kind,name,value,team,cost_centre,valid_from,valid_to\n"
    (tmp_path / "payers.csv").write_text(f"{head}subscription,,sub-nobody,Platform,4100,,\n", encoding="utf-8")
    (tmp_path / "wrong.csv").write_text(f"{head}nothing,,x,Platform,4100,,\n", encoding="utf-8")
    for arguments in (
        ["traffic", "--count", "60", "--seed", "2", "--out", "events.ndjson"],
        ["replay", "events.ndjson"],
        ["timer", "rebuild_usage_rollups"],
    ):
        assert run(tmp_path, *arguments).returncode == 0

    loaded, again, wrong = (run(tmp_path, "cost-centres", name) for name in ("payers.csv", "payers.csv", "wrong.csv"))
    assert run(tmp_path, "timer", "rebuild_usage_rollups").returncode == 0
    recounted = run(tmp_path, "recount")

    assert [json.loads(done.stdout) for done in (loaded, again)] == [{"changed": 1}, {"changed": 0}]
    assert (wrong.returncode, "line 2" in wrong.stderr) == (2, True)
    assert recounted.returncode == 0, recounted.stderr
    found = json.loads(recounted.stdout)
    assert not any(found.values()), found
