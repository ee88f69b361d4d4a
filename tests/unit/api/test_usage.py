"""`/usage`: rollups added up into groups."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic.alias_generators import to_camel

from shared.api.models import Page, Usage
from shared.api.parameters import DIMENSIONS, UsageParameters
from shared.questions import FILTERS, Filter
from shared.stores.sql import tables
from tests.unit.api.rows import Client, Ledger, a_usage_row

_PARAMETERS = {field.alias or to_camel(name) for name, field in UsageParameters.model_fields.items()}
_NINE, _TEN = "2026-03-02T09:00:00.000Z", "2026-03-02T10:00:00.000Z"


def items(client: Client, query: str) -> list[dict[str, Any]]:
    response = client.get(f"/api/v1/usage?{query}")
    assert response.status_code == 200, response.text
    page = response.json()
    Page[Usage].model_validate(page)
    assert page["nextCursor"] is None
    found: list[dict[str, Any]] = page["items"]
    return found


def test_the_dimensions_are_those_of_the_rollups() -> None:
    assert tuple(DIMENSIONS.values()) == tuple(tables.DIMENSIONS)


def test_every_measure_of_the_rollups_is_answered() -> None:
    # What an average is over is no answer by itself.
    measures = set(tables.MEASURES) - {"token_requests"}

    assert measures <= set(Usage.model_fields)


def test_the_articles_table_is_one_row_per_caller_and_model(ledger: Ledger, client: Client) -> None:
    acted = {"filtered_requests": 3, "prompt_filtered": 2, "completion_filtered": 1, "jailbreaks": 1}
    ledger.used(a_usage_row(caller_ip="10.0.0.1", model="gpt-4o", user_id="u1", filtered_requests=None))
    ledger.used(
        a_usage_row(
            _TEN,
            caller_ip="10.0.0.1",
            model="gpt-4o",
            user_id="u2",
            requests=2,
            token_requests=2,
            total_tokens=30,
            **acted,
        )
    )
    ledger.used(a_usage_row(caller_ip="10.0.0.2", model=None, unmetered_requests=1, token_requests=0, total_tokens=0))

    first, second = items(client, "groupBy=callerIp,model")

    assert first == {
        "callerIp": "10.0.0.1",
        "model": "gpt-4o",
        "intervalStart": None,
        "requests": 3,
        "errors": 0,
        "inputTokens": 20,
        "cachedInputTokens": 0,
        "outputTokens": 10,
        "reasoningTokens": 0,
        "totalTokens": 45,
        "averageTotalTokens": 15.0,
        "unmeteredRequests": 0,
        "cachedRequests": 0,
        "filteredRequests": 3,
        "promptFiltered": 2,
        "completionFiltered": 1,
        "jailbreaks": 1,
        "indirectAttacks": 0,
        "protectedMaterial": 0,
        "blocklisted": 0,
        "filterFailures": 0,
        "unpricedRequests": 0,
        "throttledRequests": 0,
        "amount": None,
        "currency": None,
    }
    assert (second["model"], second["averageTotalTokens"]) == (None, None)


def test_the_average_is_over_requests_whose_tokens_are_known_to_two_places(ledger: Ledger, client: Client) -> None:
    ledger.used(a_usage_row(requests=5, unmetered_requests=1, token_requests=3, total_tokens=20))

    assert items(client, "")[0]["averageTotalTokens"] == 6.67


def test_without_groups_there_are_totals_even_of_nothing(ledger: Ledger, client: Client) -> None:
    assert [(item["requests"], item["totalTokens"]) for item in items(client, "")] == [(0, 0)]

    ledger.used(a_usage_row(), a_usage_row(_TEN))

    assert [(item["requests"], item["totalTokens"]) for item in items(client, "")] == [(2, 30)]


def test_an_interval_adds_up_what_lies_in_it(ledger: Ledger, client: Client) -> None:
    ledger.used(*(a_usage_row(time) for time in (_NINE, _NINE, _TEN, "2026-03-03T00:00:00.000Z")))
    ledger.used(a_usage_row("2026-04-01T00:00:00.000Z", requests=7))

    for interval, numbers in (("hour", [2, 1, 1, 7]), ("day", [3, 1, 7]), ("month", [4, 7])):
        assert [item["requests"] for item in items(client, f"interval={interval}")] == numbers


def test_a_range_is_widened_to_whole_intervals(ledger: Ledger, client: Client) -> None:
    ledger.used(*(a_usage_row(f"2026-03-02T{hour:02}:00:00.000Z") for hour in range(8, 13)))
    query = "from=2026-03-02T09:30:00Z&to=2026-03-02T11:30:00Z"

    starts = [item["intervalStart"] for item in items(client, f"{query}&interval=hour")]
    whole = items(client, query)

    assert starts == [_NINE, _TEN, "2026-03-02T11:00:00.000Z"]
    assert [(item["intervalStart"], item["requests"]) for item in whole] == [(_NINE, 3)]


def test_operations_nobody_named_are_counted_as_other(ledger: Ledger, client: Client) -> None:
    ledger.used(a_usage_row(operation=None), a_usage_row(operation="other"), a_usage_row(operation="embeddings"))

    found = {item["operation"]: item["requests"] for item in items(client, "groupBy=operation")}

    assert found == {"other": 2, "embeddings": 1}


@pytest.mark.parametrize("query", ["groupBy=model,userId&interval=hour", "groupBy=userId,model", "interval=hour"])
def test_pages_add_up_to_the_list(ledger: Ledger, client: Client, query: str) -> None:
    for hour in (_NINE, _TEN):
        for model in ("a", "b", None):
            ledger.used(*(a_usage_row(hour, model=model, user_id=user) for user in ("x", None)))

    pages: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        page = client.get(f"/api/v1/usage?{query}&limit=2" + (f"&cursor={cursor}" if cursor else "")).json()
        pages += page["items"]
        cursor = page["nextCursor"]

    assert pages == items(client, query)


def test_a_cursor_of_other_groups_is_refused(ledger: Ledger, client: Client) -> None:
    ledger.used(a_usage_row(model="a"), a_usage_row(model="b"))
    cursor = client.get("/api/v1/usage?groupBy=model&limit=1").json()["nextCursor"]

    longer = client.get(f"/api/v1/usage?groupBy=model,userId&cursor={cursor}")
    as_long = client.get(f"/api/v1/usage?groupBy=userId&cursor={cursor}")

    assert (longer.status_code, longer.json()["parameter"]) == (400, "cursor")
    assert (as_long.status_code, as_long.json()["parameter"]) == (400, "cursor")


def test_amounts_are_added_up_to_the_last_digit(ledger: Ledger, client: Client) -> None:
    ledger.used(*(a_usage_row(currency="USD", amount=Decimal("0.1")) for _ in range(3)))
    ledger.used(a_usage_row(currency=None, amount=Decimal(0)), a_usage_row(currency=None, amount=None))

    text = client.get("/api/v1/usage").text

    assert '"amount":0.3,"currency":"USD"' in text
    assert '"requests":5' in text


def test_amounts_of_several_currencies_make_no_sum_and_are_told_apart_by_grouping(
    ledger: Ledger, client: Client
) -> None:
    ledger.used(a_usage_row(currency="USD", amount=Decimal(1)), a_usage_row(currency="EUR", amount=Decimal(2)))
    ledger.used(a_usage_row(unpriced_requests=1))

    (total,) = items(client, "")
    groups = items(client, "groupBy=currency")

    assert (total["amount"], total["currency"], total["unpricedRequests"]) == (None, None, 1)
    assert [(one["currency"], one["amount"], one["requests"]) for one in groups] == [
        (None, None, 1),
        ("EUR", 2, 1),
        ("USD", 1, 1),
    ]


_NARROWING = [one for one in FILTERS.values() if one.column in DIMENSIONS.values()]


def test_usage_is_narrowed_by_every_filter_of_interactions_that_is_a_dimension() -> None:
    filters = {one.column for one in FILTERS.values()}

    assert {one.column for one in _NARROWING} == filters & set(tables.DIMENSIONS)
    assert {to_camel(one.name) for one in _NARROWING} == _PARAMETERS - {"from", "to", "limit", "cursor"} - {
        "groupBy",
        "interval",
    }


@pytest.mark.parametrize("interval", tables.SUMS)
@pytest.mark.parametrize("one", _NARROWING, ids=lambda one: one.name)
def test_a_filter_keeps_the_usage_that_it_names(one: Filter, interval: str, ledger: Ledger, client: Client) -> None:
    wanted, other = one.values[:2] if isinstance(one.values, tuple) else ("wanted", "WANTED")
    ledger.used(*(a_usage_row(_NINE, **{one.column: value}) for value in (wanted, wanted, other, None)))

    found = items(client, f"{to_camel(one.name)}={wanted}&interval={interval}")

    assert [item["requests"] for item in found] == [2]


def test_filters_hold_together_and_go_with_groups_and_a_range(ledger: Ledger, client: Client) -> None:
    ledger.used(a_usage_row(model="a", user_id="x"), a_usage_row(model="a", user_id="y"), a_usage_row(user_id="x"))
    ledger.used(a_usage_row(_TEN, model="a", user_id="x", app_id="late"))

    both = items(client, "model=a&userId=x&groupBy=appId")
    early = items(client, f"model=a&to={_TEN}&groupBy=userId")

    assert [(item["appId"], item["requests"]) for item in both] == [(None, 1), ("late", 1)]
    assert [(item["userId"], item["requests"]) for item in early] == [("x", 1), ("y", 1)]


def test_the_filter_for_other_operations_finds_those_nobody_named(ledger: Ledger, client: Client) -> None:
    ledger.used(a_usage_row(operation=None), a_usage_row(operation="other"), a_usage_row(operation="embeddings"))

    assert items(client, "operation=other")[0]["requests"] == 2


def test_a_filter_of_interactions_that_is_no_dimension_is_refused_by_name(client: Client) -> None:
    response = client.get("/api/v1/usage?streamed=true")

    assert (response.status_code, response.json()["parameter"]) == (400, "streamed")


def test_a_cursor_of_other_filters_is_refused(ledger: Ledger, client: Client) -> None:
    ledger.used(a_usage_row(model="a", user_id="x"), a_usage_row(model="b", user_id="x"))
    cursor = client.get("/api/v1/usage?groupBy=model&userId=x&limit=1").json()["nextCursor"]

    response = client.get(f"/api/v1/usage?groupBy=model&limit=1&cursor={cursor}")

    assert (response.status_code, response.json()["parameter"]) == (400, "cursor")
