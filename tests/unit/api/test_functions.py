"""The registered HTTP functions, called with real requests as the worker calls them."""

import asyncio
import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest

from blueprints import audit, health
from blueprints.asgi import PEER
from localhost.functions import _http
from localhost.http_app import LocalContext, Routes
from shared import bootstrap
from shared.problem import ANSWER_HEADERS
from tests.tools.contract import document
from tests.unit.api.rows import Ledger, an_interaction

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    builder._function.get_user_function().__name__: builder._function.get_user_function()
    for blueprint in (audit.bp, health.bp)
    for builder in blueprint._function_builders
}


def call(name: str, url: str, headers: dict[str, str] | None = None, body: bytes | None = None) -> func.HttpResponse:
    method = "GET" if body is None else "POST"
    request = func.HttpRequest(method, f"http://localhost:7071{url}", headers=headers, body=body or b"")
    function = _FUNCTIONS[name]
    PEER.set(("127.0.0.1", 50_000))
    context = LocalContext(name)
    answer = function(request, context) if "context" in inspect.signature(function).parameters else function(request)
    response = asyncio.run(answer) if inspect.iscoroutine(answer) else answer
    assert isinstance(response, func.HttpResponse)
    return response


@pytest.fixture
def configured(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    monkeypatch.setenv("PROMPTLEDGER_DATABASE", str(ledger.engine.url))
    monkeypatch.setenv("PROMPTLEDGER_AUTH", "local")
    return ledger


def test_these_are_the_functions() -> None:
    assert set(_FUNCTIONS) == {
        "read_interactions",
        "search_interactions",
        "read_usage",
        "read_statistics",
        "read_top",
        "read_exports",
        "manage_exports",
        "read_prompts",
        "read_access_log",
        "read_grants",
        "manage_grants",
        "read_reaches",
        "manage_reaches",
        "read_balance",
        "read_quarantine",
        "manage_quarantine",
        "read_completeness",
        "read_costs",
        "manage_costs",
        "read_prices",
        "manage_prices",
        "read_deployments",
        "manage_deployments",
        "read_cost_centres",
        "manage_cost_centres",
        "read_budgets",
        "manage_budgets",
        "read_alerts",
        "read_own_usage",
        "read_reservations",
        "manage_reservations",
        "show_dashboard",
        "yield_problem",
        "read_openapi",
        "read_docs",
        "check_liveness",
        "check_readiness",
    }


def test_every_route_of_the_api_has_a_function_by_which_keys_and_metrics_know_it() -> None:
    functions = [builder._function for blueprint in (audit.bp, health.bp) for builder in blueprint._function_builders]
    triggers = [(one, one.get_trigger()) for one in functions]
    routes = Routes([_http(one, trigger.get_dict_repr()) for one, trigger in triggers if trigger is not None], "api")

    found = {
        f"{method.upper()} {path}": routes.match(method.upper(), path)
        for path, methods in document()["paths"].items()
        for method in [*methods, *(["head"] if "get" in methods else [])]
    }

    assert [name for name, one in found.items() if one is None or one[0].name == "yield_problem"] == []


@pytest.mark.parametrize(
    ("method", "url", "status"),
    [
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/api", 404),
        ("DELETE", "/api/v1/usage", 405),
        ("POST", "/api/docs", 405),
    ],
)
@pytest.mark.usefixtures("configured")
def test_what_no_function_takes_is_a_problem_too(method: str, url: str, status: int) -> None:
    request = func.HttpRequest(method, f"http://localhost:7071{url}", body=b"")
    PEER.set(("127.0.0.1", 50_000))

    answer = asyncio.run(_FUNCTIONS["yield_problem"](request, LocalContext("yield_problem")))

    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert set(ANSWER_HEADERS.items()) <= {(name.title(), value) for name, value in answer.headers.items()}


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("read_interactions", "/api/v1/interactions"),
        ("read_interactions", "/api/v1/interactions/call-1"),
        ("read_interactions", "/api/v1/interactions/call-1/content"),
        ("read_usage", "/api/v1/usage"),
        ("read_prompts", "/api/v1/prompts"),
        ("read_balance", "/api/v1/balance"),
        ("read_completeness", "/api/v1/completeness"),
        ("read_quarantine", "/api/v1/quarantine"),
        ("read_costs", "/api/v1/costs/statement?month=2026-03"),
        ("read_costs", "/api/v1/costs/months"),
        ("read_prices", "/api/v1/prices"),
        ("read_prices", "/api/v1/prices/versions"),
        ("read_prices", "/api/v1/prices/restatements"),
        ("read_deployments", "/api/v1/deployments"),
        ("read_cost_centres", "/api/v1/cost-centres"),
        ("read_budgets", "/api/v1/budgets"),
        ("read_budgets", "/api/v1/budgets/decision?subscriptionId=sub-1"),
        ("read_alerts", "/api/v1/alerts"),
        ("read_own_usage", "/api/v1/me/usage"),
        ("read_reservations", "/api/v1/reservations"),
        ("read_reservations", "/api/v1/reservations/hours"),
        ("read_openapi", "/api/openapi.json"),
    ],
)
def test_each_resource_answers_through_its_function(configured: Ledger, name: str, url: str) -> None:
    configured.has(an_interaction())

    response = call(name, url)

    assert response.status_code == 200
    assert response.mimetype == "application/json"
    assert json.loads(response.get_body())


@pytest.mark.usefixtures("configured")
def test_what_is_posted_reaches_the_api() -> None:
    json_type = {"Content-Type": "application/json"}

    replayed = call("manage_quarantine", "/api/v1/quarantine/replay", json_type, b'{"ids":["ab"]}')
    refused = call("manage_quarantine", "/api/v1/quarantine/replay", json_type, b"{")

    assert (replayed.status_code, json.loads(replayed.get_body())["unknown"]) == (200, ["ab"])
    assert (refused.status_code, json.loads(refused.get_body())["parameter"]) == (400, "body")


@pytest.mark.usefixtures("configured")
def test_the_page_of_documentation_is_html() -> None:
    response = call("read_docs", "/api/docs")

    assert response.get_body().startswith(b"<!doctype html>")
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_query_strings_and_headers_reach_the_api_as_they_were_sent(configured: Ledger) -> None:
    configured.has(an_interaction("plus", model="a+b/ä"), an_interaction("other"))

    found = call("read_interactions", "/api/v1/interactions?model=a%2Bb/%C3%A4&limit=1")
    repeated = call("read_interactions", "/api/v1/interactions?model=a&model=b")
    refused = call("read_interactions", "/api/v1/interactions", {"X-Local-Roles": "Usage.Read"})

    assert [item["id"] for item in json.loads(found.get_body())["items"]] == ["plus"]
    assert (repeated.status_code, json.loads(repeated.get_body())["parameter"]) == (400, "model")
    assert (refused.status_code, json.loads(refused.get_body())["role"]) == (403, "Audit.Read")
    assert refused.mimetype == "application/problem+json"


@pytest.mark.usefixtures("configured")
def test_a_path_that_is_no_text_is_a_problem_and_no_failure() -> None:
    response = call("read_interactions", "/api/v1/interactions/%ff")

    assert (response.status_code, response.mimetype) == (400, "application/problem+json")
    assert json.loads(response.get_body())["parameter"] == "path"


@pytest.mark.usefixtures("configured")
def test_a_call_by_another_name_than_this_machines_is_refused() -> None:
    response = call("read_balance", "/api/v1/balance", {"Host": "ledger.example.org"})

    assert response.status_code == 403


def test_new_services_have_a_new_application(
    configured: Ledger, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    configured.has(an_interaction())
    assert call("read_interactions", "/api/v1/interactions/call-1").status_code == 200

    monkeypatch.setenv("PROMPTLEDGER_DATABASE", f"sqlite:///{tmp_path}/without-tables.db")
    bootstrap.reset()

    assert call("read_interactions", "/api/v1/interactions/call-1").status_code == 503


@pytest.mark.usefixtures("configured")
def test_local_roles_in_azure_are_a_problem_that_names_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBSITE_SITE_NAME", "ledger")

    response = call("read_balance", "/api/v1/balance")

    assert (response.status_code, response.mimetype) == (503, "application/problem+json")
    assert json.loads(response.get_body())["settings"] == ["PROMPTLEDGER_AUTH"]


@pytest.mark.parametrize("name", ["check_liveness", "check_readiness"])
@pytest.mark.parametrize("settings", ["", "sqlite:///{folder}/without-tables.db"])
def test_answers_about_health_have_the_headers_of_every_answer(
    name: str, settings: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PROMPTLEDGER_DATABASE", settings.format(folder=tmp_path))

    response = call(name, "/api/health/x")

    assert set(ANSWER_HEADERS.items()) <= set(response.headers.items())


def test_health_is_asked_by_get_and_by_head() -> None:
    for builder in health.bp._function_builders:
        trigger = builder._function.get_trigger()
        assert trigger is not None
        assert [str(method) for method in trigger.get_dict_repr()["methods"]] == ["GET", "HEAD"]


def test_liveness_needs_neither_settings_nor_stores() -> None:
    response = call("check_liveness", "/api/health/live")

    assert (response.status_code, response.get_body()) == (200, b'{"status":"live"}')


@pytest.mark.usefixtures("configured")
def test_readiness_is_settings_and_a_migrated_database() -> None:
    assert call("check_readiness", "/api/health/ready").status_code == 200


@pytest.mark.parametrize(
    ("url", "part"),
    [
        pytest.param("", "settings", id="no database is named"),
        pytest.param("oracle://scott:tiger@db", "settings", id="a database of another kind"),
        pytest.param("sqlite:///{folder}/without-tables.db", "database", id="not migrated"),
        pytest.param("sqlite:///{folder}/no/such/folder.db", "database", id="cannot be opened"),
    ],
)
def test_readiness_names_what_is_not_fit_and_no_secret(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str, part: str
) -> None:
    monkeypatch.setenv("PROMPTLEDGER_DATABASE", url.format(folder=tmp_path))
    monkeypatch.setenv("PROMPTLEDGER_AUTH", "local")

    response = call("check_readiness", "/api/health/ready")

    assert response.status_code == 503
    assert response.mimetype == "application/problem+json"
    assert json.loads(response.get_body())["unreachable"] == [part]
    assert b"tiger" not in response.get_body()


@pytest.mark.usefixtures("configured")
@pytest.mark.parametrize("setting", ["WEBSITE_SITE_NAME=ledger", "PROMPTLEDGER_AUTH=entra"])
def test_who_cannot_tell_callers_is_not_ready(setting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(*setting.split("="))
    bootstrap.reset()

    response = call("check_readiness", "/api/health/ready")

    assert (response.status_code, json.loads(response.get_body())["unreachable"]) == (503, ["settings"])


@pytest.mark.usefixtures("configured")
def test_readiness_names_the_content_store_when_it_is_that_which_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nobody = {"CONTENT": "cosmos", "COSMOS_ENDPOINT": "https://127.0.0.1:9", "COSMOS_KEY": "a2V5"}
    for name, value in (nobody | {"COSMOS_DATABASE": "d", "COSMOS_CONTAINER": "c"}).items():
        monkeypatch.setenv(f"PROMPTLEDGER_{name}", value)

    response = call("check_readiness", "/api/health/ready")

    assert json.loads(response.get_body())["unreachable"] == ["content"]
