"""`/interactions` and `/interactions/{id}`: the facts."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.api.models import Interaction, Page
from shared.domain.reach import Reach
from shared.questions import FILTERS, Count, Filter, InteractionFilter
from shared.stores.sql import tables
from tests.unit.api.rows import Client, Ledger, an_interaction

_LIST = "/api/v1/interactions"

FULL: dict[str, Any] = {
    "operation": "chat.completions",
    "operation_id": "ChatCompletions_Create",
    "method": "POST",
    "path": "/openai/deployments/chat/chat/completions",
    "api_version": "2024-10-21",
    "deployment": "chat",
    "model": "gpt-4o",
    "streamed": False,
    "http_status": 400,
    "caller_ip": "203.0.113.7",
    "subscription_id": "team-a",
    "identity": '{"oid":"oid-1"}',
    "tags": '{"team":"a"}',
    "attempts": '[{"backendId":"openai-1","ms":700,"status":200}]',
    "latency_ms": 750.5,
    "parameters": '{"temperature":0}',
    "finish_reasons": '["stop"]',
    "tool_calls": 0,
    "prompt_filtered": True,
    "completion_filtered": False,
    "filter_categories": '{"hate":{"filtered":true}}',
    "error_code": "content_filter",
    "error_message": "filtered",
    "truncated": True,
    "prompt_preview": "What is",
    "completion_preview": "Four",
    "input_tokens": 11,
    "total_tokens": 12,
    "seconds": 1.5,
    "usage_provenance": "reported",
}


def ids(client: Client, query: str) -> list[str]:
    response = client.get(f"{_LIST}?{query}")
    assert response.status_code == 200, response.text
    return [item["id"] for item in response.json()["items"]]


def test_an_interaction_shows_every_field_in_its_own_form(ledger: Ledger, client: Client) -> None:
    ledger.has(an_interaction(**FULL))

    found = client.get(f"{_LIST}/call-1").json()

    Interaction.model_validate(found)
    assert set(found) == {field.alias for field in Interaction.model_fields.values()} - {"snippet"}
    assert found["occurredAt"] == "2026-03-02T09:30:00.123Z"
    assert found["attempts"] == [{"backendId": "openai-1", "status": 200, "ms": 700}]
    assert found["identity"] == {"oid": "oid-1"}
    assert found["contentFilter"] == {
        "promptFiltered": True,
        "completionFiltered": False,
        "failed": False,
        "categories": {"hate": {"filtered": True}},
    }
    assert found["error"] == {"code": "content_filter", "message": "filtered"}
    assert found["usage"]["inputTokens"] == 11
    assert found["usage"]["seconds"] == 1.5
    assert found["usage"]["provenance"] == "reported"
    assert (found["promptPreview"], found["completionPreview"]) == ("What is", "Four")
    assert (found["streamed"], found["truncated"], found["latencyMs"]) == (False, True, 750.5)


def test_what_is_unknown_is_null_and_never_zero(ledger: Ledger, client: Client) -> None:
    ledger.has(an_interaction())

    found = client.get(f"{_LIST}/call-1").json()

    Interaction.model_validate(found)
    assert found["operation"] == "other"
    assert found["usage"].pop("provenance") == "missing"
    assert set(found["usage"].values()) == {None}
    assert (found["error"], found["streamed"], found["tags"]) == (None, None, None)
    assert (found["attempts"], found["finishReasons"], found["sources"]) == ([], [], ["native"])
    assert found["truncated"] is False


def test_an_unknown_id_is_not_found(client: Client) -> None:
    response = client.get(f"{_LIST}/nobody")

    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["type"] == "urn:promptledger:problem:not-found"


def test_an_id_may_hold_a_slash_and_a_guid_may_be_in_upper_case(ledger: Ledger, client: Client) -> None:
    guid = "0f0e0d0c-0b0a-4908-8706-050403020100"
    ledger.has(an_interaction("a/b c"), an_interaction(guid))

    assert client.get(f"{_LIST}/a%2Fb%20c").json()["id"] == "a/b c"
    assert client.get(f"{_LIST}/{guid.upper()}").json()["id"] == guid


@pytest.mark.parametrize(
    ("query", "facts"),
    [
        ("operation=embeddings", {"operation": "embeddings"}),
        ("model=gpt-4o", {"model": "gpt-4o"}),
        ("deployment=chat", {"deployment": "chat"}),
        ("subscriptionId=team-a", {"subscription_id": "team-a"}),
        ("productId=gold", {"product_id": "gold"}),
        ("userId=u1", {"user_id": "u1"}),
        ("appId=a1", {"app_id": "a1"}),
        ("callerIp=2001:db8::7", {"caller_ip": "2001:db8::7"}),
        ("httpStatus=429", {"http_status": 429}),
        ("state=refused", {"state": "refused"}),
        ("streamed=true", {"streamed": True}),
        ("streamed=false", {"streamed": False}),
        ("filtered=true", {"completion_filtered": True}),
        ("filtered=true", {"prompt_filtered": True, "completion_filtered": False}),
        ("filterCategory=hate", {"filter_prompt_hate": "low"}),
        ("filterCategory=hate", {"filter_completion_hate": "high filtered"}),
        ("filterCategory=self_harm&filterSeverity=medium", {"filter_prompt_self_harm": "medium filtered"}),
        ("filterCategory=jailbreak", {"filter_jailbreak": "detected"}),
        ("filterCategory=indirect_attack&filterSide=prompt", {"filter_indirect_attack": "detected filtered"}),
        ("filterCategory=protected_material_code", {"filter_protected_code": "detected"}),
        ("filterCategory=blocklist&filterSide=completion", {"filter_completion_blocklist": "filtered"}),
        ("filterCategory=profanity", {"filter_prompt_profanity": "detected"}),
        ("filterSeverity=low", {"filter_completion_violence": "high"}),
        ("filterSeverity=high&filterSide=prompt", {"filter_prompt_sexual": "high"}),
        ("filterSide=completion", {"completion_filtered": True}),
        ("filterSide=completion", {"filter_protected_text": "detected"}),
        ("filterSide=prompt&filtered=true", {"filter_jailbreak": "detected filtered", "prompt_filtered": True}),
        ("minTotalTokens=100", {"total_tokens": 100}),
        ("source=ai-hub-gateway", {"sources": '["ai-hub-gateway","native"]'}),
        ("from=2026-03-02T09:31:00Z", {"occurred_at": "2026-03-02T09:31:00.000Z"}),
        ("to=2026-03-02T10:30:00%2B01:00", {"occurred_at": "2026-03-02T09:29:59.999Z"}),
        ("model=gpt-4o&httpStatus=200", {"model": "gpt-4o", "http_status": 200}),
        ("bypass=true", {"sources": '["azure-openai"]'}),
        ("error=true", {"http_status": 200, "error_code": "server_error", "state": "failed"}),
        ("error=true", {"http_status": 0, "state": "pending"}),
        ("error=true", {"gateway_refused": True, "state": "pending"}),
        ("cached=true", {"cached": True}),
        ("cached=false", {"cached": False}),
        ("requestedModel=router", {"requested_model": "router"}),
        ("vendor=anthropic", {"vendor": "anthropic"}),
        ("truncated=true", {"truncated": True}),
        ("unreadable=true", {"unreadable": "html"}),
        ("filterFailed=true", {"filter_failed": True}),
        ("possibleRefusal=true", {"possible_refusal": True}),
        ("callersDiffer=true", {"callers_differ": True}),
        ("sessionId=s-1", {"session_id": "s-1"}),
        ("endUserId=e-1", {"end_user_id": "e-1"}),
        ("apiId=openai", {"api_id": "openai"}),
        ("backendId=pool/one", {"backend_id": "pool/one"}),
        ("gatewayRegion=North%20Europe", {"gateway_region": "North Europe"}),
        ("errorCode=rate_limit", {"error_code": "rate_limit"}),
        ("finishReason=length", {"finish_reasons": '["stop","length"]'}),
        ("minLatencyMs=700", {"latency_ms": 700}),
        ("hasToolCalls=true", {"tool_calls": 2}),
        ("estimated=true", {"usage_provenance": "estimated"}),
    ],
)
def test_a_filter_keeps_what_it_names(ledger: Ledger, client: Client, query: str, facts: dict[str, Any]) -> None:
    ledger.has(an_interaction("other"), an_interaction("wanted", **facts))

    assert ids(client, query) == ["wanted"]


def a_value(one: Filter) -> Any:
    """Return a value that the filter takes, and that no interaction has unless a test says so."""
    if isinstance(one.values, Count):
        return 7
    if one.values is Decimal:
        return Decimal(7)
    if one.values in {str, bool}:
        return "2026-03-02T09:30:00.124Z" if one.column == "occurred_at" else one.values("sought")
    return tuple(one.values)[-1]


@pytest.mark.parametrize("one", FILTERS.values(), ids=lambda one: one.name)
def test_every_filter_narrows(one: Filter, ledger: Ledger) -> None:
    ledger.has(an_interaction(), an_interaction("late", occurred_at="2026-03-02T09:31:00.000Z", **FULL))
    found = [
        ledger.audit().interactions(InteractionFilter(**told), after=None, limit=9, reader=None).rows
        for told in ({}, {one.name: a_value(one)})
    ]

    assert len(found[0]) == 2
    assert len(found[1]) < 2


def test_a_finish_reason_is_compared_by_its_letters_and_as_a_whole(ledger: Ledger, client: Client) -> None:
    ledger.has(
        an_interaction("capitals", finish_reasons='["STOP"]'), an_interaction("longer", finish_reasons='["stops"]')
    )

    assert ids(client, "finishReason=stop") == []
    assert ids(client, "finishReason=STOP") == ["capitals"]


def test_what_calls_cost_at_least_is_told_with_all_places(client: Client) -> None:
    assert ids(client, "minAmount=0.000000000001") == []
    for wrong in ("-1", "1e99", "NaN", "0.0000000000001", "much"):
        assert client.get(f"{_LIST}?minAmount={wrong}").json()["parameter"] == "minAmount"


def test_a_list_tells_how_many_calls_there_are_on_all_its_pages(ledger: Ledger, client: Client) -> None:
    ledger.has(*(an_interaction(f"call-{number}", model="gpt-4o") for number in range(3)), an_interaction("other"))

    first = client.get(f"{_LIST}?model=gpt-4o&total=true&limit=2").json()
    second = client.get(f"{_LIST}?model=gpt-4o&limit=2&cursor={first['nextCursor']}").json()

    assert first["total"] == {"count": 3, "atLeast": False}
    assert len(second["items"]) == 1
    assert "total" not in second


def test_what_a_search_finds_is_not_counted(client: Client) -> None:
    assert client.get(f"{_LIST}?q=word&total=true").json()["parameter"] == "total"


def test_a_count_holds_nothing_beyond_the_role(ledger: Ledger) -> None:
    ledger.has(an_interaction("mine", subscription_id="sub-1"), an_interaction("theirs", subscription_id="sub-2"))

    for told in ({}, {"state": "complete"}, {"subscription_id": "sub-2"}):
        narrow = InteractionFilter(**told).within([Reach(("sub-1",))])
        listed = ledger.audit().interactions(narrow, after=None, limit=9, reader=None).rows
        assert ledger.audit().count(narrow).count == len(listed)


def test_a_filter_that_does_not_exist_is_no_filter() -> None:
    with pytest.raises(TypeError, match="nothing"):
        InteractionFilter(nothing="gpt-4o")


@pytest.mark.parametrize(
    "name", ["truncated", "unreadable", "filterFailed", "possibleRefusal", "callersDiffer", "error"]
)
def test_what_is_not_known_is_found_by_false(name: str, ledger: Ledger, client: Client) -> None:
    ledger.has(an_interaction())

    assert ids(client, f"{name}=false") == ["call-1"]
    assert ids(client, f"{name}=true") == []


def test_what_a_cache_answered_used_nothing_itself(ledger: Ledger, client: Client) -> None:
    ledger.has(an_interaction(cached=True, total_tokens=1200, input_tokens=1000, usage_provenance="reported"))

    usage = client.get(f"{_LIST}/call-1").json()["usage"]

    assert usage.pop("provenance") == "missing"
    assert set(usage.values()) == {None}
    assert ids(client, "minTotalTokens=1") == []


@pytest.mark.parametrize(
    ("query", "facts"),
    [
        ("filterSeverity=medium", {"filter_prompt_hate": "low filtered"}),
        ("filterSeverity=low", {"filter_jailbreak": "detected filtered"}),
        ("filterSide=completion", {"filter_prompt_hate": "high", "prompt_filtered": True}),
        ("filterSide=prompt&filterCategory=protected_material_text", {"filter_protected_text": "detected"}),
        ("filterCategory=jailbreak&filterSeverity=low", {"filter_jailbreak": "detected"}),
        ("filterCategory=violence", {"filter_prompt_hate": "high", "prompt_filtered": True}),
    ],
)
def test_what_the_content_filter_did_not_find_is_not_found(
    ledger: Ledger, client: Client, query: str, facts: dict[str, Any]
) -> None:
    ledger.has(an_interaction(**facts))

    assert ids(client, query) == []


@pytest.mark.parametrize(
    ("parameter", "value"), [("filterCategory", "rude"), ("filterSeverity", "safe"), ("filterSide", "both")]
)
def test_a_finding_that_does_not_exist_is_refused_by_name(client: Client, parameter: str, value: str) -> None:
    response = client.get(f"{_LIST}?{parameter}={value}")

    assert response.status_code == 400
    assert response.json()["parameter"] == parameter
    assert "give one of" in response.json()["detail"]


def test_not_filtered_means_not_known_to_be(ledger: Ledger, client: Client) -> None:
    ledger.has(an_interaction("unknown"), an_interaction("no", prompt_filtered=False))
    ledger.has(an_interaction("yes", prompt_filtered=True))

    assert ids(client, "filtered=false") == ["unknown", "no"]


def test_the_operation_other_is_found_by_the_name_it_is_shown_with(ledger: Ledger, client: Client) -> None:
    ledger.has(an_interaction("null"), an_interaction("named", operation="other"))
    ledger.has(an_interaction("chat", operation="chat.completions"))

    assert ids(client, "operation=other") == ["null", "named"]


def test_from_is_inclusive_and_to_is_exclusive(ledger: Ledger, client: Client) -> None:
    ledger.has(an_interaction("first", occurred_at="2026-03-02T09:00:00.000Z"))
    ledger.has(an_interaction("last", occurred_at="2026-03-02T10:00:00.000Z"))

    assert ids(client, "from=2026-03-02T09:00:00Z&to=2026-03-02T10:00:00Z") == ["first"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(limit=st.integers(1, 9))
def test_pages_of_any_size_add_up_to_the_list(ledger: Ledger, client: Client, limit: int) -> None:
    if not ids(client, ""):
        # Several at one instant: there the id decides.
        ledger.has(*(an_interaction(f"c{n}", occurred_at=f"2026-03-02T09:0{n // 3}:00.000Z") for n in range(8)))

    pages, cursor = [], ""
    while True:
        page = client.get(_LIST, params={"limit": limit} | ({"cursor": cursor} if cursor else {})).json()
        Page[Interaction].model_validate(page)
        pages.append([item["id"] for item in page["items"]])
        cursor = page["nextCursor"]
        if cursor is None:
            break

    assert [identifier for page in pages for identifier in page] == ["c7", "c6", "c5", "c4", "c3", "c2", "c1", "c0"]
    assert all(len(page) == limit for page in pages[:-1])
    assert pages[-1]


def test_rows_that_arrive_while_one_turns_pages_move_nothing(ledger: Ledger, client: Client) -> None:
    ledger.has(*(an_interaction(f"c{n}", occurred_at=f"2026-03-02T09:0{n}:00.000Z") for n in range(4)))
    first = client.get(f"{_LIST}?limit=2").json()
    ledger.has(an_interaction("newer", occurred_at="2026-03-02T10:00:00.000Z"))

    assert ids(client, f"limit=2&cursor={first['nextCursor']}") == ["c1", "c0"]


_CHARGES: list[tuple[dict[str, Any], str]] = [
    (
        {"amount": Decimal("0.000000000001"), "currency": "USD", "price_version": 7, "confidence": "exact"},
        '{"amount":0.000000000001,"currency":"USD","priceVersion":"7","confidence":"exact","reason":null}',
    ),
    (
        {"amount": Decimal("123456.01"), "currency": "EUR", "price_version": 1, "confidence": "estimated"},
        '{"amount":123456.01,"currency":"EUR","priceVersion":"1","confidence":"estimated","reason":null}',
    ),
    (
        {"amount": Decimal(0), "confidence": "free", "reason": "refused"},
        '{"amount":0,"currency":null,"priceVersion":null,"confidence":"free","reason":"refused"}',
    ),
    (
        {"confidence": "no-price", "reason": "unknown-model"},
        '{"amount":null,"currency":null,"priceVersion":null,"confidence":"no-price","reason":"unknown-model"}',
    ),
]


@pytest.mark.parametrize(("charge", "expected"), _CHARGES)
def test_a_charge_is_shown_digit_by_digit_in_the_list_and_alone(
    charge: dict[str, Any], expected: str, ledger: Ledger, client: Client
) -> None:
    call = an_interaction("call-1")
    ledger.has(call)
    ledger.insert(tables.charge, {"occurred_at": call["occurred_at"], "interaction_id": "call-1"} | charge)

    for path in (_LIST, f"{_LIST}/call-1"):
        assert f'"charge":{expected}' in client.get(path).text


def test_a_call_has_no_charge_until_its_hour_is_summed_and_none_of_an_hour_that_it_left(
    ledger: Ledger, client: Client
) -> None:
    ledger.has(an_interaction("call-1"))
    left = {"occurred_at": "2026-01-01T00:00:00.000Z", "interaction_id": "call-1", "confidence": "unmetered"}
    ledger.insert(tables.charge, left)

    assert client.get(f"{_LIST}/call-1").json()["charge"] is None
    assert len(client.get(_LIST).json()["items"]) == 1


def test_two_filters_of_lists_narrow_together(ledger: Ledger, client: Client) -> None:
    lists = {"sources": '["native"]', "finish_reasons": '["stop"]'}
    ledger.has(an_interaction("call-1", **lists), an_interaction("call-2", **lists | {"finish_reasons": '["length"]'}))

    found = client.get("/api/v1/interactions?source=native&finishReason=stop")

    assert found.status_code == 200, found.text
    assert [one["id"] for one in found.json()["items"]] == ["call-1"]
