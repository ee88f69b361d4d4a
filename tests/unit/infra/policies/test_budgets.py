"""What the gateway does with calls whose budget is used up."""

import json
from typing import Any

import pytest

from tests.gateway.calls import a_call, a_gateway
from tests.gateway.policies import Answer, Call, Gateway
from tests.unit.infra.policies.record import parts

_MESSAGE = 'used up: Team "Red" & Co (until 2026-04-01T00:00:00.000Z)'
ALLOWED = Answer(200, b'{"allowed":true,"budgets":[],"message":null}')
REFUSED = Answer(
    200, json.dumps({"allowed": False, "budgets": [], "message": _MESSAGE}, separators=(",", ":")).encode()
)


def a_guarded(setting: str, *decisions: Answer | None, **changes: Any) -> Gateway:
    return a_gateway(named={"budgets": setting}, decisions=decisions or (None,), **changes)


def error(call: Call) -> dict[str, Any]:
    (part,) = [one for one in parts(call) if one["part"] == "error"]
    told: dict[str, Any] = part["lastError"] | {"status": part["status"]}
    return told


def test_where_it_is_off_nobody_is_asked() -> None:
    call = a_guarded("off", REFUSED).run(a_call())

    assert (call.questions, call.status) == ([], 200)


def test_a_call_whose_budget_is_used_up_is_refused_with_429_and_the_reason() -> None:
    call = a_guarded("refuse", REFUSED).run(a_call())

    assert (call.status, call.ended_in, call.forwarded) == (429, "on-error", [])
    told = error(call)
    assert (told["status"], told["reason"]) == (429, "BudgetUsedUp")
    assert told["message"] == f"The budget for this call is {_MESSAGE}. Ask whoever agreed it."


def test_the_audit_api_is_asked_as_the_gateway_for_who_calls() -> None:
    call = a_guarded("refuse", ALLOWED).run(a_call())

    ((url, identity),) = call.questions
    address, _, query = url.partition("?")
    assert address == "https://promptledger.example/api/v1/budgets/decision"
    assert {"userId=oid-1", "appId=app-1"} <= set(query.split("&"))
    assert query.startswith("subscriptionId=")
    assert identity == "Bearer gateway-1 for api://promptledger"
    assert (call.status, len(call.forwarded)) == (200, 1)


@pytest.mark.parametrize("decision", [ALLOWED, REFUSED, None])
def test_an_answer_holds_for_a_minute(decision: Answer | None) -> None:
    gateway = a_guarded("refuse", decision)
    first = gateway.run(a_call())
    second = gateway.run(a_call())

    assert (len(first.questions), len(second.questions)) == (1, 0)
    assert first.status == second.status == (429 if decision is REFUSED else 200)
    assert [life for name, life in gateway.lives.items() if name.startswith("budget/")] == [60]


def test_the_deployment_that_is_called_is_asked_for_and_one_answer_is_not_anothers() -> None:
    gateway = a_guarded("refuse", ALLOWED, REFUSED, ALLOWED)
    paths = [f"/openai/deployments/{name}/chat/completions" for name in ("gpt-4o", "o3")]
    first, second = (gateway.run(a_call(url=path)) for path in paths)
    plain = gateway.run(a_call(url="/openai/v1/responses"))

    assert [call.status for call in (first, second, plain)] == [200, 429, 200]
    asked = [call.questions[0][0].partition("?")[2].split("&") for call in (first, second, plain)]
    assert ["deployment=gpt-4o" in asked[0], "deployment=o3" in asked[1]] == [True, True]
    assert not any(part.startswith("deployment=") for part in asked[2])


def test_another_caller_is_asked_for_apart() -> None:
    gateway = a_guarded("refuse", ALLOWED, REFUSED)
    first = gateway.run(a_call())
    gateway.token = {"oid": ["oid-2"], "appid": ["app-1"]}
    second = gateway.run(a_call())

    assert (first.status, second.status) == (200, 429)


_NOTHING = [None, Answer(503, b"{}"), Answer(401, b'{"allowed":false}'), Answer(200, b"<html>"), Answer(200, b"")]


@pytest.mark.parametrize("decision", [*_NOTHING, Answer(200, b'{"allowed":"false"}'), Answer(200, None)])
@pytest.mark.parametrize(("setting", "status"), [("refuse", 200), ("mark", 200), ("refuse-unknown", 503)])
def test_where_no_answer_is_to_be_had_calls_go_on_unless_the_setting_says_otherwise(
    decision: Answer | None, setting: str, status: int
) -> None:
    call = a_guarded(setting, decision).run(a_call())

    assert call.status == status
    if status == 503:
        assert error(call)["reason"] == "BudgetUnknown"


@pytest.mark.parametrize(("decision", "tags"), [(REFUSED, {"budget": "used-up"}), (ALLOWED, None), (None, None)])
def test_where_calls_are_only_marked_they_go_on_with_a_tag_that_nobody_else_can_set(
    decision: Answer | None, tags: dict[str, str] | None
) -> None:
    call = a_guarded("mark", decision).run(a_call(headers={"x-tag-budget": "plenty"}))

    request = next(one for one in parts(call) if one["part"] == "request")
    assert (call.status, request.get("tags")) == (200, tags)


def test_ids_with_odd_letters_cannot_ask_for_somebody_else() -> None:
    gateway = a_guarded("refuse", ALLOWED)
    gateway.token = {"oid": ["x&subscriptionId=other#"], "appid": ["app-1"]}

    ((url, _),) = gateway.run(a_call()).questions

    assert url.count("subscriptionId=") == 1
    assert "userId=x%26subscriptionId%3Dother%23" in url


@pytest.mark.parametrize("document", ["api", "vendor-api"])
def test_both_apis_refuse(document: str) -> None:
    assert a_guarded("refuse", REFUSED, document=document).run(a_call()).status == 429


def run_every_branch_of_budgets() -> None:
    """Run calls that come past every expression of the fragment."""
    for setting in ("off", "mark", "refuse", "refuse-unknown"):
        for decision in (ALLOWED, REFUSED, *_NOTHING, Answer(200, None)):
            a_guarded(setting, decision).run(a_call())
    a_guarded("refuse", ALLOWED, token={"azp": ["app-1"]}).run(a_call(subscription=None))
    a_guarded("refuse", ALLOWED, validates=False).run(a_call(product=None))
    a_guarded("refuse", ALLOWED).run(a_call(url="/openai/v1/responses"))
