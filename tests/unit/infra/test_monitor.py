"""Somebody is told: an alert for every objective, a page that shows it, and queries that are saved."""

import ast
import json
import re
from typing import Any

import pytest

from tests.tools.kql.engine import LogAnalytics
from tests.tools.kql.parser import Script, ask
from tests.tools.kql.workspace import WORKSPACE
from tests.unit.infra.templates import INFRA, dig, properties, template, text_of
from tests.unit.infra.test_alert_rules import AT, METRICS, RULES, called, measured, query_of, raised, traced

ROOT = INFRA.parent
ALERTS: dict[str, list[dict[str, Any]]] = json.loads((INFRA / "alerts.json").read_text(encoding="utf-8"))
MAIN = template(INFRA / "main.bicep")
METRIC = r"promptledger\.[a-z_.]+[a-z]"
EVERY = [alert for group in ALERTS.values() for alert in group]


def objectives() -> set[tuple[str, str]]:
    """Return the metrics of docs/operations.md that have an objective, each with the name of its alert."""
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    section = page.split("\n## Objectives\n")[1].split("\n## ")[0]
    return set(re.findall(rf"^\| `({METRIC})` \| [^|]+ \| `([\w-]+)` \|", section, re.MULTILINE))


def test_every_objective_has_an_alert_and_every_alert_of_the_app_an_objective() -> None:
    assert objectives() == {(alert["metric"], alert["name"]) for alert in ALERTS["app"]}


def test_every_metric_that_the_app_holds_itself_to_has_an_alert() -> None:
    registry = ROOT / "shared" / "telemetry.py"
    source = registry.read_text(encoding="utf-8") if registry.exists() else ""
    calls = [call for call in ast.walk(ast.parse(source)) if isinstance(call, ast.Call)]
    metrics = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Metric"]
    held = {
        ast.literal_eval(call.args[0])
        for call in metrics
        if (len(call.args) > 5 and ast.literal_eval(call.args[5]))
        or any(word.arg == "objective" for word in call.keywords)
    }

    assert held - {metric for metric, _ in objectives()} == set()


def test_the_failures_that_lose_time_or_calls_have_an_objective() -> None:
    assert {metric for metric, _ in objectives()} >= {
        "promptledger.completeness.findings",
        "promptledger.ingest.failures",
        "promptledger.ingest.lag",
        "promptledger.pending.age",
        "promptledger.quarantine.depth",
    }


def test_throttling_of_every_store_and_of_the_gateway_has_an_alert() -> None:
    names = {alert["name"] for alert in EVERY}

    assert names >= {"backend-429", "gateway-429", "cosmos-429", "sql-cpu", "sql-workers", "event-hubs-throttled"}


def test_no_two_alerts_have_one_name() -> None:
    names = [alert["name"] for alert in EVERY]

    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("alert", EVERY, ids=lambda alert: alert["name"])
def test_an_alert_says_what_to_do_and_how_urgent_it_is(alert: dict[str, Any]) -> None:
    assert re.fullmatch(r"[a-z0-9-]{3,40}", alert["name"])
    assert len(alert["description"].split()) >= 5
    assert alert["severity"] in range(5)
    for condition in alert.get("criteria", [alert]):
        assert condition["operator"] in ("GreaterThan", "GreaterThanOrEqual", "LessThan", "LessThanOrEqual")


@pytest.mark.parametrize("alert", [*ALERTS["app"], *ALERTS["logs"]], ids=lambda alert: alert["name"])
def test_a_rule_that_asks_logs_names_a_window_that_the_platform_has(alert: dict[str, Any]) -> None:
    minutes = {"PT5M": 5, "PT10M": 10, "PT15M": 15, "PT30M": 30, "PT45M": 45, "PT1H": 60}

    assert minutes[alert["frequency"]] <= minutes[alert["window"]]
    assert "value" in alert.get("query", "value")


def test_a_rule_on_a_platform_metric_has_a_target_that_the_estate_gives() -> None:
    call = next(one for one in MAIN.all("module") if one.name == "alerts")
    targets = dig(call.body, "params.targets")

    assert targets is not None
    assert {alert["target"] for alert in ALERTS["platform"]} == set(properties(targets))


def test_rules_that_stay_off_exist() -> None:
    call = next(one for one in MAIN.all("module") if one.name == "alerts")
    disabled = dig(call.body, "params.disabledRules")

    assert disabled is not None
    assert set(re.findall(r"'([\w-]+)'", text_of(disabled))) <= {alert["name"] for alert in EVERY}


# What people open


def workbook() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((INFRA / "workbooks" / "promptledger.json").read_text(encoding="utf-8"))
    return content


def pages() -> dict[str, list[dict[str, Any]]]:
    return {
        item["conditionalVisibility"]["value"]: item["content"]["items"]
        for item in workbook()["items"]
        if item.get("conditionalVisibility")
    }


def test_the_workbook_has_a_page_of_usage_and_one_of_the_pipeline() -> None:
    tabs = next(item["content"]["links"] for item in workbook()["items"] if item["name"] == "pages")

    assert {tab["subTarget"] for tab in tabs} == set(pages()) == {"usage", "pipeline"}


def test_the_pipeline_page_shows_every_metric_that_has_an_objective() -> None:
    queries = " ".join(item["content"].get("query", "") for item in pages()["pipeline"])

    assert {metric for metric, _ in objectives()} - set(re.findall(rf'"({METRIC})"', queries)) == set()


@pytest.mark.parametrize("page", ["usage", "pipeline"])
def test_every_tile_asks_something_and_says_what(page: str) -> None:
    tiles = [item for item in pages()[page] if item["type"] == 3]

    assert tiles
    assert [tile["name"] for tile in tiles if not (tile["content"]["query"] and tile["content"]["title"])] == []


def rows_of_everything() -> LogAnalytics:
    """Return a workspace with what every tile asks for: each metric as the exporter sends it, calls, errors."""
    workspace = LogAnalytics()
    for name, metric in METRICS.items():
        table, row = measured(name, 3, **dict.fromkeys(metric.attributes, "x"))
        workspace.has(table, TimeGenerated=AT, **row)
    for code in (200, 429, 500):
        table, row = called(code, backend=429)
        workspace.has(table, TimeGenerated=AT, ApimSubscriptionId="team-a", TotalTime=9, BackendTime=7, **row)
    workspace.has("AppTraces", TimeGenerated=AT, **traced(2)[1])
    workspace.has("AppExceptions", TimeGenerated=AT, OuterMessage="raised", **raised(2)[1])
    return workspace


TILES = [item for page in ("usage", "pipeline") for item in pages()[page] if item["type"] == 3]


@pytest.mark.parametrize("tile", TILES, ids=lambda tile: tile["name"])
def test_a_tile_shows_a_value_in_every_column(tile: dict[str, Any]) -> None:
    rows = rows_of_everything().run(tile["content"]["query"])

    assert rows
    assert [row for row in rows if any(value is None or value == "" for value in row.values())] == []


def test_every_rule_and_tile_is_sound_against_the_workspace_by_microsoft_s_parser() -> None:
    texts = {f"tile {tile['name']}": tile["content"]["query"] for tile in TILES}
    texts |= {f"rule {name}": query_of(rule) for name, rule in RULES.items()}

    answer = ask([Script(name, text) for name, text in texts.items()], WORKSPACE)

    assert [(one.script, one.faults) for one in answer.commands if one.faults] == []
    assert len(answer.commands) == len(texts)


def test_every_question_of_calls_means_the_apis_that_are_captured() -> None:
    texts = [tile["content"]["query"] for tile in TILES] + [alert.get("query", "") for alert in EVERY]
    lists = {found for text in texts for found in re.findall(r"ApiId (?:in|==) [^|\n]+?(?=\)| \||\n| and)", text)}

    assert len(lists) == 1


def test_the_article_s_two_questions_are_saved_as_the_queries_that_are_tested() -> None:
    saved = INFRA / "modules" / "insights-content.bicep"
    loaded = re.findall(r"query: loadTextContent\('([^']+)'\)", saved.read_text(encoding="utf-8"))

    assert [(saved.parent / path).resolve() for path in loaded] == [
        ROOT / "sql" / "kql" / "log-analytics" / f"{name}.kql" for name in ("usage_by_caller_and_model", "prompts")
    ]
