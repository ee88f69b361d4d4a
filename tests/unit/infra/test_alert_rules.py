"""Each alert rule, run on rows that must raise it and on rows that must not.

`python -m tests.unit.infra.test_alert_rules` prints the table of rules, rows and verdicts.
"""

import json
import operator
import re
import statistics
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from azure.monitor.opentelemetry.exporter.export.metrics._exporter import (
    APPLICATION_INSIGHTS_METRIC_TEMPORALITIES,
    _convert_point_to_envelope,
)
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from shared import telemetry
from shared.telemetry_export import OpenTelemetryRecorder
from tests.tools.kql.engine import LogAnalytics
from tests.unit.infra.templates import INFRA

ALERTS: dict[str, list[dict[str, Any]]] = json.loads((INFRA / "alerts.json").read_text(encoding="utf-8"))
RULES = {alert["name"]: alert for kind in ("app", "logs") for alert in ALERTS[kind]}
PLATFORM = {alert["name"]: alert for alert in ALERTS["platform"]}
METRICS = {one.name: one for one in vars(telemetry).values() if isinstance(one, telemetry.Metric)}
MODULE = (INFRA / "modules" / "alerts.bicep").read_text(encoding="utf-8")
AT = datetime(2026, 3, 2, 9, 31)  # noqa: DTZ001  # the engine's times are UTC and say so nowhere
APP, GATEWAY = "func-promptledger-prod-x1", "apim-promptledger-prod-x1 westeurope"
HOLDS = {"GreaterThan": operator.gt, "GreaterThanOrEqual": operator.ge, "LessThanOrEqual": operator.le}

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


def later(minutes: int, row: Row) -> Row:
    """Return a row of another minute of the same window."""
    return row[0], row[1] | {"TimeGenerated": AT + timedelta(minutes=minutes)}


STORED = measured("promptledger.ingest.events", 1, **{"class": "stored"})
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
        [later(place, measured("promptledger.ingest.failures", 2, kind="unavailable")) for place in (0, 6, 12)],
        [measured("promptledger.ingest.failures", 5, kind="unavailable"),
         measured("promptledger.ingest.failures", 9, kind="refused")],
    ),
    "budget-alerts": (
        [measured("promptledger.budget.alerts", 1, kind="threshold")],
        [measured("promptledger.budget.alerts", 0, kind="threshold")],
    ),
    "failing-items": ([measured("promptledger.job.failures", 1)], [measured("promptledger.job.failures", 0)]),
    "quarantined-share": (
        events_of(3, 997),
        # One of ten in a quiet five minutes, of thousands in the hour.
        [*events_of(1, 9), *(later(20, row) for row in events_of(0, 1990))],
    ),
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
    "store-retries": (
        [later(place, measured("promptledger.store.retries", 40)) for place in (0, 6, 12)],
        [measured("promptledger.store.retries", 100)],
    ),
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
    "silence": (
        [called(api="gemini"), measured("promptledger.ingest.events", 9, **{"class": "quarantined"})],
        [called(), STORED, called(api="audit")],
    ),
    "backend-429": ([called(429, backend=429)] * 51, [called(429, backend=429)] * 50 + [called(429, backend=None)]),
    "gateway-429": ([called(429, backend=None)] * 101, [called(429, backend=0)] * 100 + [called(429, backend=429)]),
    "gateway-5xx": ([called(503)] * 11, [called(503)] * 10 + [called(404)]),
    "cosmos-429": (
        [("CDBDataPlaneRequests", {"StatusCode": 429})] * 51,
        [("CDBDataPlaneRequests", {"StatusCode": 429})] * 50 + [("CDBDataPlaneRequests", {"StatusCode": 200})],
    ),
}  # fmt: skip
"""Rows that must raise a rule, and rows that must not."""

Series = dict[str, list[float]]
"""Metric of the platform -> its values within the window, a minute each; what is not emitted is no value."""
SERIES: dict[str, tuple[Series, Series]] = {
    "sql-cpu": ({"cpu_percent": [80, 100]}, {"cpu_percent": [100, 50]}),
    "sql-log-writes": ({"log_write_percent": [86]}, {"log_write_percent": [85]}),
    "sql-workers": ({"workers_percent": [1, 81]}, {"workers_percent": [80]}),
    "sql-space": ({"storage_percent": [81]}, {"storage_percent": [80]}),
    "unread-hubs": (
        {"IncomingMessages": [0, 5], "OutgoingMessages": [0, 0]},
        {"IncomingMessages": [5, 0], "OutgoingMessages": [0, 5]},
    ),
    "event-hubs-throttled": ({"ThrottledRequests": [0, 1]}, {"ThrottledRequests": [0]}),
    "event-hubs-errors": ({"ServerErrors": [1]}, {"ServerErrors": [0]}),
    "cosmos-load": ({"NormalizedRUConsumption": [10, 96]}, {"NormalizedRUConsumption": [95]}),
    "gateway-capacity": ({"Capacity": [81]}, {"Capacity": [80]}),
    "gateway-cpu": ({"CpuPercent_Gateway": [81]}, {"CpuPercent_Gateway": [80]}),
    "gateway-dropped-events": ({"EventHubDroppedEvents": [1]}, {"EventHubDroppedEvents": [0]}),
    "gateway-failed-events": ({"EventHubTotalFailedEvents": [1]}, {"EventHubTotalFailedEvents": [0]}),
}
"""Values that must raise a rule on the platform's own metrics, and values that must not."""
AGGREGATIONS: dict[str, Callable[[list[float]], float]] = {"Average": statistics.fmean, "Maximum": max, "Total": sum}


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
        workspace.has(table, **({"TimeGenerated": AT} | row))
    values = [row["value"] for row in workspace.run(query_of(rule)) if row["value"] is not None]
    if not values:
        return False
    told = max(values) if "metric" in rule else sum(values)
    return bool(HOLDS[rule["operator"]](told, rule["threshold"]))


def is_raised_by(rule: dict[str, Any], series: Series) -> bool:
    """Return whether a rule on the platform's metrics is raised: all its criteria hold for values that were emitted."""
    return all(
        bool(values := series.get(one["metric"], []))
        and HOLDS[one["operator"]](AGGREGATIONS[one["aggregation"]](values), one["threshold"])
        for one in rule["criteria"]
    )


def verdicts() -> Iterator[tuple[str, str, bool]]:
    """Yield each rule's name, the rows it was run on, and whether they raised it."""
    for name, cases in CASES.items():
        for rows in (*cases, []):
            yield name, in_short(rows), is_raised(RULES[name], rows)
    for name, both in SERIES.items():
        for series in (*both, {}):
            yield (
                name,
                ", ".join(f"{metric} {values}" for metric, values in series.items()),
                is_raised_by(PLATFORM[name], series),
            )


def in_short(rows: list[Row]) -> str:
    """Return rows in words, equal ones once with their number."""
    told: dict[str, int] = {}
    for table, row in rows:
        columns = ", ".join(
            f"{name} {value:%H:%M}" if isinstance(value, datetime) else f"{name} {value}"
            for name, value in row.items()
            if value not in ({}, None, "")
        )
        line = f"{table}({columns})"
        told[line] = told.get(line, 0) + 1
    return "; ".join(f"{number} x {line}" if number > 1 else line for line, number in told.items())


def test_every_rule_has_its_rows() -> None:
    assert set(CASES) == set(RULES)
    assert set(SERIES) == set(PLATFORM)
    assert re.findall(r"timeAggregation: '(\w+)'", MODULE) == ["Maximum", "Total"]


@pytest.mark.parametrize("name", CASES)
def test_a_rule_is_raised_by_the_rows_that_it_is_for(name: str) -> None:
    assert is_raised(RULES[name], CASES[name][0])


@pytest.mark.parametrize("name", CASES)
def test_a_rule_is_not_raised_by_others(name: str) -> None:
    assert not is_raised(RULES[name], CASES[name][1])
    assert not is_raised(RULES[name], [])


@pytest.mark.parametrize("name", SERIES)
def test_a_rule_on_the_platform_s_metrics_is_raised_by_the_values_that_it_is_for_alone(name: str) -> None:
    raising, others = SERIES[name]

    assert is_raised_by(PLATFORM[name], raising)
    assert not is_raised_by(PLATFORM[name], others)
    assert not is_raised_by(PLATFORM[name], {})


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_has_the_columns_that_the_exporter_sends(name: str) -> None:
    """What is no histogram has a value and a count of one: its smallest and largest are empty."""
    temporalities: Any = APPLICATION_INSIGHTS_METRIC_TEMPORALITIES
    reader = InMemoryMetricReader(temporalities)
    recorder = OpenTelemetryRecorder(reader, APP)
    recorder.record(METRICS[name], 2.0)
    recorder.record(METRICS[name], 3.0)

    data = reader.get_metrics_data()
    assert data is not None
    (metric,) = data.resource_metrics[0].scope_metrics[0].metrics
    (point,) = metric.data.data_points
    envelope: Any = _convert_point_to_envelope(point, name)
    (sent,) = envelope.data.base_data.metrics
    recorder.close()
    values = (2.0, 3.0) if METRICS[name].kind == "histogram" else (sent.value,)
    row = measured(name, *values)[1]
    assert (sent.value, sent.count) == (row["Sum"], row["ItemCount"])
    assert (sent.max, sent.min) == (row.get("Max"), row.get("Min"))


@pytest.mark.parametrize("name", CASES)
def test_no_rule_holds_what_the_platform_refuses_in_rules(name: str) -> None:
    assert not re.search(r"\b(union|search|externaldata)\b", query_of(RULES[name]))


def test_the_app_s_rules_know_it_by_the_name_that_it_gets() -> None:
    module = (INFRA / "modules" / "function-app.bicep").read_text(encoding="utf-8")

    assert "var name = 'func-promptledger-${estate.suffix}'" in module


if __name__ == "__main__":
    sys.stdout.write("| rule | rows | raised |\n|---|---|---|\n")
    for rule, rows, raises in verdicts():
        sys.stdout.write(f"| `{rule}` | {rows or 'none'} | {'yes' if raises else 'no'} |\n")
