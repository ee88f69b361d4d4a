"""Each rule that asks logs, run on rows that must raise it and on rows that must not."""

import json
import operator
import re
from datetime import datetime
from typing import Any

import pytest

from shared import telemetry
from tests.tools.kql.engine import LogAnalytics
from tests.unit.infra.templates import INFRA

ALERTS: dict[str, list[dict[str, Any]]] = json.loads((INFRA / "alerts.json").read_text(encoding="utf-8"))
RULES = {alert["name"]: alert for kind in ("app", "logs") for alert in ALERTS[kind]}
METRICS = {one.name: one for one in vars(telemetry).values() if isinstance(one, telemetry.Metric)}
MODULE = (INFRA / "modules" / "alerts.bicep").read_text(encoding="utf-8")
AT = datetime(2026, 3, 2, 9, 31)  # noqa: DTZ001  # the engine's times are UTC and say so nowhere
APP, GATEWAY = "func-promptledger-prod-x1", "apim-promptledger-prod-x1 westeurope"
HOLDS = {"GreaterThan": operator.gt, "GreaterThanOrEqual": operator.ge, "LessThan": operator.lt}

Row = tuple[str, dict[str, Any]]
Case = tuple[list[Row], list[Row]]


def measured(name: str, *values: float, **properties: str) -> Row:
    """Return a row as the exporter sends it: what is no histogram has a sum alone."""
    whole = {"Name": name, "Sum": sum(values), "ItemCount": len(values), "Properties": properties}
    spread = METRICS[name].kind == "histogram"
    return "AppMetrics", whole | ({"Max": max(values), "Min": min(values)} if spread else {})


def traced(count: int = 1, *, role: str = APP, level: int = 3, message: str = "failed") -> Row:
    return "AppTraces", {"AppRoleName": role, "SeverityLevel": level, "ItemCount": count, "Message": message}


def raised(count: int = 1, *, role: str = APP) -> Row:
    return "AppExceptions", {"AppRoleName": role, "ItemCount": count}


def called(code: int = 200, *, backend: int | None = 200, api: str = "azure-openai") -> Row:
    return "ApiManagementGatewayLogs", {"ApiId": api, "ResponseCode": code, "BackendResponseCode": backend}


def events_of(quarantined: int, stored: int) -> list[Row]:
    name = "promptledger.ingest.events"
    return [measured(name, quarantined, **{"class": "quarantined"}), measured(name, stored, **{"class": "stored"})]


def came(hub: str, events: int) -> Row:
    return measured("promptledger.ingest.events", events, **{"class": "stored", "hub": hub})


STORED = traced(level=1, message="ingest.batch hub=gateway")
CASES: dict[str, Case] = {
    "lag": ([measured("promptledger.ingest.lag", 1, 301)], [measured("promptledger.ingest.lag", 299, 300)]),
    "slow-batches": (
        [measured("promptledger.ingest.duration", 9, 2)],
        [measured("promptledger.ingest.duration", 9, 1)],
    ),
    "refused-batches": (
        [measured("promptledger.ingest.failures", 1, kind="refused")],
        [measured("promptledger.ingest.failures", 9, kind="unavailable")],
    ),
    "failed-batches": (
        [measured("promptledger.ingest.failures", 6, kind="unavailable")],
        [measured("promptledger.ingest.failures", 5, kind="unavailable"),
         measured("promptledger.ingest.failures", 9, kind="refused")],
    ),
    "failing-items": ([measured("promptledger.job.failures", 1)], [measured("promptledger.job.failures", 0)]),
    "quarantined-share": (events_of(3, 997), events_of(1, 999)),
    "quarantine": ([measured("promptledger.quarantine.depth", 1)], [measured("promptledger.quarantine.depth", 0)]),
    "completeness": (
        [measured("promptledger.completeness.findings", 1, kind="gap")],
        [measured("promptledger.completeness.findings", 0, kind="gap"),
         measured("promptledger.completeness.findings", 9, kind="bypass")],
    ),
    "pending-age": ([measured("promptledger.pending.age", 4201)], [measured("promptledger.pending.age", 4200)]),
    "partition-age": ([measured("promptledger.partition.age", 60481)], [measured("promptledger.partition.age", 60480)]),
    "unknown-words": (
        [measured("promptledger.ingest.unknown_words", 1, kind="header")],
        [measured("promptledger.ingest.unknown_words", 0, kind="header")],
    ),
    "store-retries": ([measured("promptledger.store.retries", 101)], [measured("promptledger.store.retries", 100)]),
    "errors": (
        [traced(6), traced(5, level=4)],
        [traced(10), traced(99, level=2), traced(99, role=GATEWAY), traced(99, role=""), raised(99)],
    ),
    "exceptions": ([raised(11)], [raised(10), raised(99, role=GATEWAY), raised(99, role=""), traced(99)]),
    "gateway-hub-silent": (
        [called()] * 6 + [came("monitor", 3)],
        [called()] * 6 + [came("gateway", 1), came("monitor", 3)],
    ),
    "monitor-hub-silent": (
        [called(api="bedrock")] * 6 + [came("gateway", 12)],
        [called()] * 5 + [came("gateway", 12)],
    ),
    "silence": ([called(api="gemini")], [called(), STORED]),
    "backend-429": ([called(429, backend=429)] * 51, [called(429, backend=429)] * 50 + [called(429, backend=None)]),
    "gateway-429": ([called(429, backend=0)] * 101, [called(429, backend=0)] * 100 + [called(429, backend=429)]),
    "gateway-5xx": ([called(503)] * 11, [called(503)] * 10 + [called(404)]),
    "cosmos-429": (
        [("CDBDataPlaneRequests", {"StatusCode": 429})] * 51,
        [("CDBDataPlaneRequests", {"StatusCode": 429})] * 50 + [("CDBDataPlaneRequests", {"StatusCode": 200})],
    ),
}  # fmt: skip
"""Rows that must raise a rule, and rows that must not."""


def query_of(rule: dict[str, Any]) -> str:
    """Return the query as the module writes it."""
    (form,) = re.findall(r"query: '(AppMetrics[^']*)'", MODULE)
    written = (
        re.sub(r"\$\{alert\.(\w+)\}", lambda found: str(rule[found[1]]), form) if "metric" in rule else rule["query"]
    )
    return str(written)


def is_raised(rule: dict[str, Any], rows: list[Row]) -> bool:
    """Return whether a rule of one evaluation is raised: the largest of a metric's values, or the sum of counts."""
    workspace = LogAnalytics()
    for table, row in rows:
        workspace.has(table, TimeGenerated=AT, **row)
    values = [row["value"] for row in workspace.run(query_of(rule)) if row["value"] is not None]
    if not values:
        return False
    told = max(values) if "metric" in rule else sum(values)
    return bool(HOLDS[rule["operator"]](told, rule["threshold"]))


def test_every_rule_that_asks_logs_has_its_rows() -> None:
    assert set(CASES) == set(RULES)
    assert re.findall(r"timeAggregation: '(\w+)'", MODULE) == ["Maximum", "Total"]


@pytest.mark.parametrize("name", CASES)
def test_a_rule_is_raised_by_the_rows_that_it_is_for(name: str) -> None:
    assert is_raised(RULES[name], CASES[name][0])


@pytest.mark.parametrize("name", CASES)
def test_a_rule_is_not_raised_by_others(name: str) -> None:
    assert not is_raised(RULES[name], CASES[name][1])
    assert not is_raised(RULES[name], [])


@pytest.mark.parametrize("name", CASES)
def test_no_rule_holds_what_the_platform_refuses_in_rules(name: str) -> None:
    assert not re.search(r"\b(union|search|externaldata)\b", query_of(RULES[name]))


def test_the_app_s_rules_know_it_by_the_name_that_it_gets() -> None:
    module = (INFRA / "modules" / "function-app.bicep").read_text(encoding="utf-8")

    assert "var name = 'func-promptledger-${estate.suffix}'" in module
