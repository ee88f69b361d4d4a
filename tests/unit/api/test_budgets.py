"""`/cost-centres`, `/budgets`, `/alerts` and `/me/usage` as callers meet them."""

from decimal import Decimal
from typing import Any

import pytest

from shared.api.budget_models import Alert, Assignment, AssignmentChange, Budget, Decision, OwnUsage, Removed
from shared.api.models import Page
from shared.domain.values import utc_now, utc_of
from shared.pricing.budgets import Period, span_of
from shared.stores.budget_ports import Alert as Raised
from shared.stores.budget_ports import Block, BudgetState
from shared.stores.sql.alerts import SqlAlerts
from tests.unit.api.rows import Client, Ledger, a_usage_row

_CENTRES = "/api/v1/cost-centres"
_BUDGETS = "/api/v1/budgets"
_ALERTS = "/api/v1/alerts"
_ME = "/api/v1/me/usage"
_ADMIN = {"X-Local-User": "ada", "X-Local-Roles": "Audit.Admin"}
_READER = {"X-Local-User": "bob", "X-Local-Roles": "Usage.Read"}
_NOBODY = {"X-Local-User": "carl", "X-Local-Roles": ""}
_ASSIGNMENT = {"kind": "subscription", "value": "sub-1", "team": "red", "costCentre": "4711", "validFrom": "2026-01-01"}
_BUDGET = {
    "id": "red", "name": "Team Red", "target": "team", "value": "red", "period": "month", "measure": "money",
    "amount": "100.50", "currency": "USD",
}  # fmt: skip


def assign(client: Client, *entries: dict[str, Any]) -> Any:
    return client.post(_CENTRES, json={"entries": entries}, headers=_ADMIN)


def agree(client: Client, **changes: Any) -> Any:
    return client.post(_BUDGETS, json=_BUDGET | changes, headers=_ADMIN)


def measured(ledger: Ledger, *, used: str = "101", blocked: str = "sub-1") -> None:
    """Put the state, an alert and a block where the timer would."""
    span = span_of(Period.MONTH, utc_now())
    state = BudgetState(
        budget_id="red", period_start=span.start, period_end=span.end, used=Decimal(used), forecast=Decimal("300.125"),
        forecast_method="last-7-days", unpriced_requests=3, has_other_currencies=False, is_exhausted=True,
        measured_at=span.start, examined_hour=None,
    )  # fmt: skip
    alert = Raised(
        id="red 1", raised_at=span.start, budget_id="red", kind="threshold", threshold=100, period_start=span.start,
        used=Decimal(used), detail='{"budget":{"name":"Team Red"}}',
    )  # fmt: skip
    blocks = [Block("team", "red", "red", span.end), Block("subscription", blocked, "red", span.end)]
    SqlAlerts(ledger.engine).record([state], [alert], blocks, ["teams here"])


def test_who_pays_is_said_listed_and_ended(client: Client) -> None:
    tag = {"kind": "tag", "name": "X-Unit", "value": "r&d", "costCentre": "1"}
    added = assign(client, _ASSIGNMENT, tag).json()
    again = assign(client, _ASSIGNMENT, tag).json()
    ended = assign(client, _ASSIGNMENT | {"validTo": "2026-06-01"}).json()
    first = client.get(f"{_CENTRES}?limit=1").json()
    second = client.get(f"{_CENTRES}?limit=1&cursor={first['nextCursor']}").json()

    AssignmentChange.model_validate(added)
    Page[Assignment].model_validate(first)
    assert (added, again, ended) == ({"changed": 2}, {"changed": 0}, {"changed": 1})
    assert first["items"] == [
        {
            "kind": "subscription", "name": None, "value": "sub-1", "team": "red", "costCentre": "4711",
            "validFrom": "2026-01-01T00:00:00.000Z", "validTo": "2026-06-01T00:00:00.000Z",
        }
    ]  # fmt: skip
    assert [(one["kind"], one["name"], one["team"]) for one in second["items"]] == [("tag", "x-unit", None)]
    assert second["nextCursor"] is None


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"team": "blue"}, "is there, and says something else"),
        ({"kind": "group"}, "tag"),
        ({"name": "n"}, "entry 1, name: is of tags alone"),
        ({"validTo": "2025-01-01"}, "entry 1, valid_to: must be later"),
        ({"team": None, "costCentre": None}, "must not be empty"),
    ],
)
def test_an_assignment_that_does_not_fit_is_refused_and_says_why(
    client: Client, change: dict[str, Any], detail: str
) -> None:
    assign(client, _ASSIGNMENT)

    response = assign(client, _ASSIGNMENT | change, {"kind": "user", "value": "u", "team": "x"})

    assert response.status_code == 400
    assert detail in response.json()["detail"]
    assert len(client.get(_CENTRES).json()["items"]) == 1


def test_a_budget_is_agreed_changed_and_taken_away(client: Client) -> None:
    agreed = agree(client).json()
    changed = agree(client, amount="200", thresholds=[90, 50, 50], enforced=True).json()
    agree(client, id="all", target="everything", value=None, measure="tokens", amount="1000", currency=None)
    listed = client.get(f"{_BUDGETS}?limit=1", headers=_READER).json()
    rest = client.get(f"{_BUDGETS}?limit=1&cursor={listed['nextCursor']}").json()
    removed = client.post(f"{_BUDGETS}/red/remove", headers=_ADMIN)

    Budget.model_validate(agreed)
    Page[Budget].model_validate(listed)
    Removed.model_validate(removed.json())
    assert (agreed["amount"], agreed["thresholds"], agreed["state"]) == (100.5, [80, 100], None)
    assert (agreed["forecastAlert"], agreed["anomalyAlert"], agreed["enforced"]) == (True, True, False)
    assert (changed["amount"], changed["thresholds"], changed["enforced"]) == (200, [50, 90], True)
    assert [one["id"] for one in [*listed["items"], *rest["items"]]] == ["all", "red"]
    assert client.get(f"{_BUDGETS}/red").status_code == client.post(f"{_BUDGETS}/red/remove").status_code == 404


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "Red"},
        {"id": "../x"},
        {"target": "everything"},
        {"value": None},
        {"currency": None},
        {"measure": "tokens"},
        {"measure": "tokens", "currency": None, "amount": "1.5"},
        {"amount": "0"},
        {"amount": "-1"},
        {"amount": "1e9"},
        {"amount": 5},
        {"thresholds": [0]},
        {"thresholds": [1] * 11},
        {"period": "year"},
        {"colour": "red"},
    ],
)
def test_a_budget_that_makes_no_sense_is_refused(client: Client, changes: dict[str, Any]) -> None:
    response = agree(client, **changes)

    assert response.status_code == 400
    assert client.get(_BUDGETS).json()["items"] == []


def test_a_budget_shows_how_it_stands_and_what_it_raised(ledger: Ledger, client: Client) -> None:
    agree(client)
    measured(ledger)

    state = client.get(f"{_BUDGETS}/red").json()["state"]
    alerts = client.get(_ALERTS, headers=_READER).json()

    Page[Alert].model_validate(alerts)
    assert (state["used"], state["percent"], state["forecast"], state["forecastMethod"]) == (
        *(101, 100.5, 300.125, "last-7-days"),
    )
    assert (state["exhausted"], state["unpricedRequests"], state["otherCurrencies"]) == (True, 3, False)
    (alert,) = alerts["items"]
    assert (alert["budgetId"], alert["kind"], alert["threshold"], alert["used"]) == ("red", "threshold", 100, 101)
    assert alert["detail"] == {"budget": {"name": "Team Red"}}
    assert [(one["webhook"], one["attempts"]) for one in alert["deliveries"]] == [("teams here", 0)]
    assert [
        len(client.get(f"{_ALERTS}?{query}").json()["items"])
        for query in ("budgetId=red", "budgetId=blue", "kind=forecast", "to=2020-01-01", "from=2020-01-01")
    ] == [1, 0, 0, 0, 1]


def test_a_decision_names_the_budgets_that_are_used_up(ledger: Ledger, client: Client) -> None:
    agree(client, enforced=True)
    measured(ledger)

    refused = client.get(f"{_BUDGETS}/decision?subscriptionId=sub-1", headers=_READER).json()
    allowed = client.get(f"{_BUDGETS}/decision?subscriptionId=sub-2&productId=sub-1&userId=red").json()
    missing = client.get(f"{_BUDGETS}/decision?productId=p").json()

    Decision.model_validate(refused)
    until = span_of(Period.MONTH, utc_now()).end
    assert refused == {
        "allowed": False,
        "budgets": [{"id": "red", "name": "Team Red", "until": until}],
        "message": f"used up: Team Red (until {until})",
    }
    assert allowed == {"allowed": True, "budgets": [], "message": None}
    assert missing["parameter"] == "subscriptionId"


def test_a_caller_without_any_role_sees_his_own_usage_and_budgets_and_nobody_elses(
    ledger: Ledger, client: Client
) -> None:
    ledger.used(
        a_usage_row(user_id="carl", model="gpt-4o"),
        a_usage_row(user_id="carl"),
        a_usage_row(user_id="ada"),
        a_usage_row(),
    )
    agree(client, id="carl", target="user", value="carl")
    agree(client, id="ada", target="user", value="ada")

    def mine(query: str = "", headers: dict[str, str] = _NOBODY) -> Any:
        return client.get(f"{_ME}?{query}", headers=headers).json()

    OwnUsage.model_validate(mine())
    assert mine()["userId"] == "carl"
    assert [one["requests"] for one in mine()["items"]] == [2]
    assert [one["id"] for one in mine()["budgets"]] == ["carl"]
    assert mine("groupBy=userId")["items"][0]["userId"] == "carl"
    assert [one["requests"] for one in mine("model=gpt-4o")["items"]] == [1]
    assert len(mine("groupBy=userId,model")["items"]) == 2
    assert mine("userId=ada")["parameter"] == "userId"
    assert mine(headers={"X-Local-User": "dora", "X-Local-Roles": ""})["budgets"] == []


def test_a_cursor_of_ones_own_usage_is_nobody_elses(ledger: Ledger, client: Client) -> None:
    ledger.used(a_usage_row(user_id="carl", model="a"), a_usage_row(user_id="carl", model="b"))
    first = client.get(f"{_ME}?groupBy=model&limit=1", headers=_NOBODY).json()
    following = f"{_ME}?groupBy=model&limit=1&cursor={first['nextCursor']}"

    own = client.get(following, headers=_NOBODY)
    other = client.get(following, headers={"X-Local-User": "dora", "X-Local-Roles": ""})

    assert [one["model"] for one in own.json()["items"]] == ["b"]
    assert (other.status_code, other.json()["parameter"]) == (400, "cursor")


@pytest.mark.parametrize(
    ("method", "url", "role"),
    [
        ("GET", _CENTRES, "Audit.Read"),
        ("POST", _CENTRES, "Audit.Admin"),
        ("GET", _BUDGETS, "Usage.Read"),
        ("GET", f"{_BUDGETS}/red", "Usage.Read"),
        ("GET", f"{_BUDGETS}/decision?subscriptionId=x", "Usage.Read"),
        ("POST", _BUDGETS, "Audit.Admin"),
        ("POST", f"{_BUDGETS}/red/remove", "Audit.Admin"),
        ("GET", _ALERTS, "Usage.Read"),
    ],
)
def test_each_route_needs_its_role(client: Client, method: str, url: str, role: str) -> None:
    others = {"Usage.Read", "Audit.Read", "Content.Read", "Audit.Admin"} - {role}

    response = client.send(
        method, url, headers={"X-Local-Roles": ",".join(others)}, json={} if method == "POST" else None
    )

    assert (response.status_code, response.json()["role"]) == (403, role)


def test_times_of_alerts_are_canonical(ledger: Ledger, client: Client) -> None:
    agree(client)
    measured(ledger)

    (alert,) = client.get(_ALERTS).json()["items"]

    assert alert["raisedAt"] == utc_of(utc_now())[:8] + "01T00:00:00.000Z"
