"""`/statistics` and `/top`: what the rollups say besides usage, and the largest groups."""

from decimal import Decimal

from shared.api.models import Page, Usage
from shared.api.statistics_models import Statistics
from shared.services.rollup import rebuild_usage_rollups
from shared.stores.sql import tables
from shared.stores.sql.rollups import SqlUsageRollups
from tests.unit.api.rows import Client, Ledger, a_usage_row, an_interaction

_HOUR = "2026-03-02T09:00:00.000Z"


def test_statistics_tell_how_long_calls_took_and_how_they_failed(ledger: Ledger, client: Client) -> None:
    ledger.has(
        an_interaction(model="gpt-4o", latency_ms=1_000, http_status=200),
        an_interaction("call-2", model="gpt-4o", http_status=429, error_code="429"),
    )
    ledger.insert(tables.dirty_hour, {"hour": _HOUR})
    rebuild_usage_rollups(SqlUsageRollups(ledger.engine))

    response = client.get("/api/v1/statistics?groupBy=model")

    page = response.json()
    Page[Statistics].model_validate(page)
    (item,) = page["items"]
    assert (item["model"], item["requests"], item["timeToFirstByteMs"]) == ("gpt-4o", 2, None)
    assert item["latencyMs"]["calls"] == 1
    assert abs(item["latencyMs"]["p95"] - 1_000) <= 50
    assert item["errorsByCode"] == [{"httpStatus": 429, "code": "(other)", "requests": 1}]


def test_the_largest_by_money_are_told_apart_by_currency(ledger: Ledger, client: Client) -> None:
    ledger.used(
        a_usage_row(user_id="bo", amount=Decimal(2), currency="EUR"),
        a_usage_row(user_id="bo", amount=Decimal(1), currency="USD"),
        a_usage_row(user_id=None, amount=Decimal("1.5"), currency="USD"),
        a_usage_row(user_id="eve"),
    )

    page = client.get("/api/v1/top?by=userId&measure=amount&limit=3").json()

    Page[Usage].model_validate(page)
    assert [(one["userId"], one["amount"], one["currency"]) for one in page["items"]] == [
        ("bo", 2, "EUR"),
        (None, 1.5, "USD"),
        ("bo", 1, "USD"),
    ]
    assert page["nextCursor"] is None


def test_what_is_wrong_with_a_question_is_named(client: Client) -> None:
    for query, parameter in (
        ("by=vendor", "by"),
        ("by=userId&limit=101", "limit"),
        ("by=userId&cursor=x", "cursor"),
        ("", "by"),
    ):
        response = client.get(f"/api/v1/top?{query}")

        assert (response.status_code, response.json()["parameter"]) == (400, parameter)
