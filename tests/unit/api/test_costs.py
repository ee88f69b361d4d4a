"""`/costs`: statements of months, and closing them."""

import base64
import csv
import io
from decimal import Decimal
from typing import Any

import pytest

from shared.api.cost_models import ClosedMonth, CostStatement, Reconciliation, VerifiedMonth
from shared.api.models import Page
from shared.stores.sql import tables
from shared.stores.sql.conditions import BYPASSES
from shared.stores.sql.cost_tables import COST_KEYS
from tests.unit.api.rows import Client, Ledger, an_interaction

MARCH = "2026-03-01T00:00:00.000Z"
DAY = "2026-03-02T00:00:00.000Z"


def a_line(amount: str | None = "1.5", **changes: Any) -> dict[str, Any]:
    """Return a day's line of 1,000 input tokens, and `changes`."""
    usual = dict.fromkeys(COST_KEYS, "") | {"kind": "charge", "confidence": "exact", "currency": "USD", "unit": "input"}
    numbers = {"price": Decimal("2.5"), "quantity": Decimal(1000), "amount": amount and Decimal(amount)}
    return {"interval_start": DAY} | usual | numbers | changes


def calls(number: int, **changes: Any) -> dict[str, Any]:
    return a_line(None, unit="call", quantity=Decimal(number), **changes)


def statement(client: Client, query: str = "") -> dict[str, Any]:
    response = client.get(f"/api/v1/costs/statement?month=2026-03{query}")
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    CostStatement.model_validate(answer)
    return answer


def test_a_statement_has_lines_that_add_up_to_its_totals(ledger: Ledger, client: Client) -> None:
    ledger.insert(tables.cost_day, a_line(team="red"), a_line("0.25", team="red", unit="output"), calls(2, team="red"))
    ledger.insert(tables.cost_day, a_line("3", kind="idle"), a_line("7", currency="EUR"), calls(1, currency="EUR"))
    ledger.insert(tables.cost_day, calls(4, confidence="no-price", currency="", model="new"))
    booked = {"booked_in": MARCH, "booked_at": DAY, "month": "2026-02-01T00:00:00.000Z"}
    ledger.insert(tables.adjustment, a_line("-0.5", team="red") | booked, calls(-1, team="red") | booked)

    found = statement(client)

    lines = [
        (one["kind"], one["month"], one["team"], one["currency"], one["calls"], one["amount"]) for one in found["items"]
    ]
    assert lines == [
        ("adjustment", "2026-02", "red", "USD", -1, -0.5),
        ("charge", "2026-03", None, "EUR", 1, 7),
        ("charge", "2026-03", "red", "USD", 2, 1.75),
        ("idle", "2026-03", None, "USD", 0, 3),
        ("unpriced", "2026-03", None, None, 4, None),
    ]
    assert found["totals"] == [
        {"currency": "EUR", "charges": 7, "idle": 0, "adjustments": 0, "amount": 7},
        {"currency": "USD", "charges": 1.75, "idle": 3, "adjustments": -0.5, "amount": 4.25},
    ]
    assert (found["calls"], found["unpricedCalls"], found["closed"], found["nextCursor"]) == (7, 4, False, None)


def test_a_statement_is_narrowed_to_a_team_or_a_cost_centre(ledger: Ledger, client: Client) -> None:
    ledger.insert(tables.cost_day, a_line(team="red", cost_centre="1"), a_line("2", team="blue", cost_centre="1"))

    assert [one["team"] for one in statement(client, "&team=red")["items"]] == ["red"]
    assert statement(client, "&team=red")["totals"][0]["amount"] == 1.5
    assert [one["team"] for one in statement(client, "&costCentre=1")["items"]] == ["blue", "red"]


def test_pages_of_a_statement_add_up_to_it_and_all_have_its_totals(ledger: Ledger, client: Client) -> None:
    ledger.insert(tables.cost_day, *(a_line(team=f"team {number}") for number in range(5)))
    pages, cursor = [], ""
    while cursor is not None:
        page = statement(client, f"&limit=2{cursor and f'&cursor={cursor}'}")
        pages.append([one["team"] for one in page["items"]])
        assert page["totals"][0]["amount"] == 7.5
        cursor = page["nextCursor"]

    assert pages == [["team 0", "team 1"], ["team 2", "team 3"], ["team 4"]]


def test_amounts_have_all_their_digits(ledger: Ledger, client: Client) -> None:
    ledger.insert(tables.cost_day, a_line("1234567.000000000001"))

    text = client.get("/api/v1/costs/statement?month=2026-03").text

    assert text.count("1234567.000000000001") == 3


@pytest.mark.parametrize("query", ["", "month=2026", "month=2026-13", "month=2026-03&team=", "month=2026-03&user=x"])
def test_a_month_is_asked_for_as_such(client: Client, query: str) -> None:
    assert client.get(f"/api/v1/costs/statement?{query}").status_code == 400


def test_a_month_is_closed_once_and_can_be_verified(ledger: Ledger, client: Client) -> None:
    ledger.insert(tables.cost_day, a_line(), calls(1), calls(2, confidence="unmetered", currency=""))

    closed = client.post("/api/v1/costs/months", json={"month": "2026-03"})
    again = client.post("/api/v1/costs/months", json={"month": "2026-03"}, headers={"X-Local-User": "bob"})
    listed = client.get("/api/v1/costs/months").json()
    verified = client.get("/api/v1/costs/months/2026-03").json()

    assert (closed.status_code, again.json()) == (200, closed.json())
    month = ClosedMonth.model_validate(closed.json())
    assert (month.month, month.unmetered_calls, month.line_count) == ("2026-03", 2, 3)
    Page[ClosedMonth].model_validate(listed)
    assert listed["items"] == [closed.json()]
    VerifiedMonth.model_validate(verified)
    assert verified == closed.json() | {"intact": True}
    assert statement(client)["closed"] is True


def test_closed_months_are_listed_page_by_page(ledger: Ledger, client: Client) -> None:
    for month in ("2026-01", "2026-02", "2026-03"):
        ledger.insert(tables.cost_day, a_line(interval_start=f"{month}-02T00:00:00.000Z"))
        assert client.post("/api/v1/costs/months", json={"month": month}).status_code == 200

    first = client.get("/api/v1/costs/months?limit=2").json()
    second = client.get(f"/api/v1/costs/months?limit=2&cursor={first['nextCursor']}").json()

    assert [one["month"] for one in first["items"] + second["items"]] == ["2026-03", "2026-02", "2026-01"]
    assert second["nextCursor"] is None


def test_what_must_be_done_first_is_said(ledger: Ledger, client: Client) -> None:
    ledger.insert(tables.dirty_hour, {"hour": DAY})

    refused = client.post("/api/v1/costs/months", json={"month": "2026-03"})

    assert (refused.status_code, refused.json()["type"]) == (409, "urn:promptledger:problem:not-possible")
    assert "1 hours" in refused.json()["detail"]


def test_a_month_that_is_not_closed_is_not_found(client: Client) -> None:
    assert client.get("/api/v1/costs/months/2026-03").status_code == 404


def test_only_an_administrator_closes_months(client: Client) -> None:
    roles = {"X-Local-User": "ada", "X-Local-Roles": "Usage.Read,Audit.Read"}

    refused = client.post("/api/v1/costs/months", json={"month": "2026-03"}, headers=roles)

    assert (refused.status_code, refused.json()["role"]) == (403, "Audit.Admin")


def test_a_month_is_exported_in_the_columns_of_focus_part_by_part(ledger: Ledger, client: Client) -> None:
    ledger.insert(tables.cost_day, *(a_line(team=f"team {number}") for number in range(3)), calls(3))
    parts, cursor = [], ""
    while cursor is not None:
        part = client.get(f"/api/v1/costs/export?month=2026-03&limit=2{cursor and f'&cursor={cursor}'}")
        assert part.headers["content-type"].startswith("text/csv")
        parts.append([row["SubAccountName"] for row in csv.DictReader(io.StringIO(part.text))])
        cursor = part.headers.get("X-Next-Cursor")

    assert parts == [["team 0"], ["team 1", "team 2"]]


def test_an_export_is_narrowed_to_a_team(ledger: Ledger, client: Client) -> None:
    ledger.insert(tables.cost_day, a_line(team="red"), a_line(team="blue"))

    rows = list(csv.DictReader(io.StringIO(client.get("/api/v1/costs/export?month=2026-03&team=red").text)))

    assert [(row["SubAccountName"], row["BilledCost"]) for row in rows] == [("red", "1.500000000000")]


@pytest.mark.parametrize("place", ["x", "2026-03-02T00:00:00.000Z"])
def test_a_cursor_that_names_no_line_is_refused(place: str, client: Client) -> None:
    cursor = base64.urlsafe_b64encode(f'["q","{place}"]'.encode()).decode().rstrip("=")

    response = client.get(f"/api/v1/costs/export?month=2026-03&cursor={cursor}")

    assert (response.status_code, response.json()["parameter"]) == (400, "cursor")


EXPORT = (
    "Date,MeterCategory,MeterName,Quantity,UnitOfMeasure,CostInBillingCurrency,BillingCurrencyCode,ResourceId\n"
    "03/02/2026,Azure OpenAI,gpt 4o 1120 Inp glbl,1200,1K,3,USD,/subscriptions/1/x/accounts/AOAI\n"
)


def test_an_export_of_what_was_billed_is_compared_to_the_charges(ledger: Ledger, client: Client) -> None:
    tokens = {"meter": "gpt-4o global standard input", "deployment": "chat", "host": "aoai.openai.azure.com"}
    ledger.insert(tables.cost_day, a_line("2.4", quantity=Decimal(1_200_000), **tokens), calls(7, **tokens))
    for number, sources in enumerate((BYPASSES[0], BYPASSES[0], '["native"]')):
        told = {"sources": sources, "backend_host": "aoai.openai.azure.com"}
        ledger.has(an_interaction(f"call-{number}", occurred_at="2026-03-02T09:00:00.000Z", **told))

    answer = client.post("/api/v1/costs/reconciliation", json={"export": EXPORT}).json()

    Reconciliation.model_validate(answer)
    (one,) = answer["items"]
    assert (one["day"], one["account"], one["model"], one["kind"]) == ("2026-03-02", "aoai", "gpt-4o", "input")
    assert (one["billedAmount"], one["chargedAmount"], one["variance"], one["cause"]) == (3, 2.4, -0.6, "price")
    assert (one["deployments"], one["withinTolerance"]) == (["chat"], False)
    assert one["bypassCalls"] == 2


def test_a_wider_tolerance_takes_it_for_rounding(ledger: Ledger, client: Client) -> None:
    tokens = {"meter": "gpt-4o global standard input", "host": "aoai.openai.azure.com"}
    ledger.insert(tables.cost_day, a_line("2.4", quantity=Decimal(1_200_000), **tokens))

    answer = client.post("/api/v1/costs/reconciliation", json={"export": EXPORT, "tolerance": "0.25"}).json()

    assert [one["cause"] for one in answer["items"]] == ["rounding"]


def test_what_is_no_export_is_refused(client: Client) -> None:
    response = client.post("/api/v1/costs/reconciliation", json={"export": "a,b\n1,2\n"})

    assert (response.status_code, response.json()["parameter"]) == (400, "export")


def test_a_limited_role_sees_the_lines_and_the_totals_that_it_extends_to(ledger: Ledger, client: Client) -> None:
    ledger.insert(tables.cost_day, a_line(team="red"), a_line("2", team="blue"), a_line("3", kind="idle"))
    booked = {"booked_in": MARCH, "booked_at": DAY, "month": "2026-02-01T00:00:00.000Z"}
    ledger.insert(tables.adjustment, a_line("0.5", team="red") | booked, a_line("9", team="blue") | booked)
    entry = {"role": "Usage.Read", "holder": "ada", "matched": "team", "value": "red"}
    assert client.post("/api/v1/reaches", json=entry).status_code == 200
    ada = {"X-Local-User": "ada", "X-Local-Roles": "Usage.Read"}

    found = client.get("/api/v1/costs/statement?month=2026-03", headers=ada).json()
    rows = csv.DictReader(io.StringIO(client.get("/api/v1/costs/export?month=2026-03", headers=ada).text))
    months = client.get("/api/v1/costs/months", headers=ada)

    assert [(one["kind"], one["team"], one["amount"]) for one in found["items"]] == [
        ("adjustment", "red", 0.5),
        ("charge", "red", 1.5),
    ]
    assert [one["amount"] for one in found["totals"]] == [2]
    assert [row["SubAccountName"] for row in rows] == ["red", "red"]
    assert months.status_code == 403
