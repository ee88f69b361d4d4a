"""What goes wrong is said in a problem document that names it."""

import logging
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.api.cursors import list_cursor
from shared.api.parameters import InteractionParameters
from shared.errors import StoreUnavailableError
from shared.questions import ListKey
from shared.services.audit import AuditService, PartitionBalance
from tests.unit.api.rows import Client, Ledger, an_interaction, client_of

_LIST = "/api/v1/interactions"
_TOO_LONG = list_cursor(ListKey("2026-03-02T09:30:00.000Z", "x" * 257), InteractionParameters().question())


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("colour=red", "colour"),
        ("from=yesterday", "from"),
        ("to=2026-13-01", "to"),
        ("from=2026-03-02T12:00:00Z&to=2026-03-02T12:30:00%2B01:00", "to"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=many", "limit"),
        ("model=", "model"),
        ("model=a&model=b", "model"),
        ("operation=singing", "operation"),
        ("state=lost", "state"),
        ("streamed=perhaps", "streamed"),
        ("httpStatus=ok", "httpStatus"),
        ("minTotalTokens=-1", "minTotalTokens"),
        ("minTotalTokens=99999999999999999999", "minTotalTokens"),
        ("source=rumour", "source"),
        ("source=", "source"),
        ("q=", "q"),
        ("q=%20", "q"),
        ("cursor=", "cursor"),
        ("cursor=nonsense", "cursor"),
        ("cursor=WzEsMl0", "cursor"),
        (f"cursor={_TOO_LONG}", "cursor"),
        ("from_=2026-01-01", "from_"),
        ("subscription_id=x", "subscription_id"),
    ],
)
def test_a_wrong_parameter_is_named(client: Client, query: str, parameter: str) -> None:
    response = client.get(f"{_LIST}?{query}")

    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert (problem["status"], problem["title"], problem["parameter"]) == (400, "Bad Request", parameter)
    assert parameter in problem["detail"]


def test_every_wrong_parameter_is_listed(client: Client) -> None:
    problem = client.get(f"{_LIST}?colour=red&limit=0&shape=round").json()

    assert {error["parameter"] for error in problem["errors"]} == {"colour", "limit", "shape"}


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/api/v1/usage?groupBy=shoeSize", "groupBy"),
        ("/api/v1/usage?groupBy=model,model", "groupBy"),
        ("/api/v1/usage?interval=week", "interval"),
        ("/api/v1/usage?from=2026-03-03&to=2026-03-02", "to"),
        ("/api/v1/prompts?from=2026-03-03&to=2026-03-02", "to"),
        ("/api/v1/completeness?from=2026-03-03&to=2026-03-02", "to"),
        ("/api/v1/quarantine/" + "x" * 65 + "/body", "id"),
        ("/api/v1/usage?httpStatus=429", "httpStatus"),
        ("/api/v1/prompts?userId=x", "userId"),
        ("/api/v1/balance?limit=1", "limit"),
        ("/api/v1/quarantine?cursor=x", "cursor"),
        ("/api/v1/interactions/x?colour=red", "colour"),
        ("/api/v1/interactions/x/content?colour=red", "colour"),
    ],
)
def test_other_routes_name_wrong_parameters_too(client: Client, path: str, parameter: str) -> None:
    response = client.get(path)

    assert (response.status_code, response.json()["parameter"]) == (400, parameter)


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cursor=st.text(min_size=1) | st.binary(min_size=1).map(lambda raw: raw.hex()))
def test_any_text_is_a_cursor_or_is_refused_as_one(client: Client, cursor: str) -> None:
    for path in (_LIST, "/api/v1/usage?groupBy=model&interval=day"):
        response = client.get(path, params={"cursor": cursor, **dict([("groupBy", "model")] * ("usage" in path))})

        assert (response.status_code, response.json()["parameter"]) == (400, "cursor")


def test_a_range_may_be_empty(client: Client) -> None:
    response = client.get(f"{_LIST}?from=2026-03-02T12:00:00Z&to=2026-03-02T13:00:00%2B01:00")

    assert (response.status_code, response.json()["items"]) == (200, [])


@pytest.mark.parametrize(
    "other",
    [
        "/api/v1/prompts",
        "/api/v1/completeness",
        "/api/v1/quarantine",
        "/api/v1/interactions?state=failed",
        "/api/v1/interactions?from=2026-03-01",
        "/api/v1/interactions?q=aurora",
    ],
)
def test_a_cursor_of_another_question_is_refused(ledger: Ledger, client: Client, other: str) -> None:
    ledger.has(an_interaction("c1"), an_interaction("c2"))
    cursor = client.get(f"{_LIST}?limit=1").json()["nextCursor"]

    response = client.get(f"{other}{'&' if '?' in other else '?'}cursor={cursor}")

    assert (response.status_code, response.json()["parameter"]) == (400, "cursor")


def test_a_cursor_serves_the_same_question_in_other_words_and_pages(ledger: Ledger, client: Client) -> None:
    ledger.has(an_interaction("c1"), an_interaction("c2"))
    cursor = client.get(f"{_LIST}?limit=1&from=2026-03-01").json()["nextCursor"]

    page = client.get(f"{_LIST}?cursor={cursor}&from=2026-03-01T01:00%2B01:00&limit=9").json()

    assert [item["id"] for item in page["items"]] == ["c1"]


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v1/interactions/", "/nowhere"])
def test_an_unknown_path_is_a_problem_too(client: Client, path: str) -> None:
    response = client.get(path)

    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"


def test_another_method_is_refused(client: Client) -> None:
    response = client.send("POST", "/api/v1/usage")

    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD")
    assert response.json()["type"] == "urn:promptledger:problem:method-not-allowed"


class BrokenAudit(AuditService):
    """An audit service whose store does `fault`."""

    def __init__(self, fault: Exception, ledger: Ledger) -> None:
        self.fault = fault
        self.reaches = ledger.audit().reaches

    def balance(self) -> list[PartitionBalance]:
        raise self.fault


def test_a_store_that_does_not_answer_is_worth_another_try(ledger: Ledger) -> None:
    audit = BrokenAudit(StoreUnavailableError("the database did not do it"), ledger)

    response = client_of(audit).get("/api/v1/balance")

    assert (response.status_code, response.headers["retry-after"]) == (503, "5")
    assert response.json()["type"] == "urn:promptledger:problem:unavailable"


def test_a_database_that_is_gone_is_a_store_that_does_not_answer(ledger: Ledger) -> None:
    with ledger.engine.begin() as connection:
        connection.exec_driver_sql("alter table interaction rename to gone")

    assert client_of(ledger.audit()).get(_LIST).status_code == 503


def test_an_unexpected_error_tells_the_caller_and_the_log_no_secret(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    client = client_of(BrokenAudit(ValueError("prompt of somebody"), ledger))

    with caplog.at_level(logging.ERROR):
        response = client.get("/api/v1/balance")

    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert "somebody" not in response.text + caplog.text
    assert "audit.unexpected ValueError" in caplog.text


@pytest.mark.parametrize("path", [_LIST, "/api/v1/nothing", "/api/docs", "/api/v1/usage?limit=0"])
def test_every_answer_forbids_a_browser_what_it_does_not_need(client: Client, path: str) -> None:
    headers: Any = client.get(path).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["content-security-policy"].startswith("default-src 'none'")
