import base64
import json
from typing import Any

import pytest

from shared.domain.fragment import Fragment
from shared.errors import EventError
from shared.sources import read_event
from tests.builders.events import ENQUEUED, a_request, a_response

CREDENTIAL = "not-a-real-one"


def fragment_of(body: bytes) -> Fragment:
    (fragment,) = read_event(body, ENQUEUED).fragments
    return fragment


def an_error(**changes: Any) -> bytes:
    return a_request(part="error", **changes)


def test_a_request_states_who_asked_for_what() -> None:
    body = {
        "messages": [{"role": "user", "content": "Which invoices are late?"}],
        "temperature": 0.5,
        "user": "u-77",
        "model": "chat",
    }

    fragment = fragment_of(
        a_request(
            "6F9619FF-8B86-D011-B42D-00C04FC964FF",
            body=body,
            url="/openai/deployments/chat/chat/completions?api-version=2024-10-21",
            sessionId="s-1",
            clientRequestId="c-1",
            tags={"cost-centre": 42, "nested": {"a": 1}},
            gateway={"name": "apim-example", "region": "West Europe"},
        )
    )

    assert fragment.interaction_id == "6f9619ff-8b86-d011-b42d-00c04fc964ff"
    assert fragment.record_type.letter == "Q"
    assert fragment.facts == {
        "has_request": True,
        "occurred_at": "2026-03-02T09:29:58.250Z",
        "operation": "chat.completions",
        "operation_id": "ChatCompletions_Create",
        "method": "POST",
        "path": "/openai/deployments/chat/chat/completions",
        "api_version": "2024-10-21",
        "deployment": "chat",
        "requested_model": "chat",
        "streamed": False,
        "parameters": '{"messages":1,"temperature":0.5}',
        "request_bytes": 120,
        "prompt_preview": "Which invoices are late?",
        "caller_ip": "203.0.113.7",
        "subscription_id": "team-a",
        "product_id": "standard",
        "api_id": "azure-openai",
        "user_id": "oid-1",
        "app_id": "app-1",
        "identity": '{"appId":"app-1","oid":"oid-1","tenantId":"contoso","upn":"ada@example.org"}',
        "session_id": "s-1",
        "client_request_id": "c-1",
        "end_user_id": "u-77",
        "tags": '{"cost-centre":"42"}',
        "gateway_name": "apim-example",
        "gateway_region": "West Europe",
    }
    assert fragment.content.prompt == "Which invoices are late?"
    assert fragment.content.request == body


@pytest.mark.parametrize("build", [a_request, a_response])
def test_a_body_that_the_policy_left_out_is_seen(build: Any) -> None:
    fragment = fragment_of(build(body=None, bodyOmitted="too large"))

    assert fragment.facts["truncated"] is True
    assert "truncated" not in fragment_of(build(bodyOmitted=None)).facts


def test_a_call_without_an_answer_keeps_its_attempts() -> None:
    fragment = fragment_of(an_error(attempts=[{"backendId": "pool", "status": 503, "ms": 5}, {"backendId": "pool"}]))

    assert json.loads(fragment.facts["attempts"]) == [
        {"backendId": "pool", "status": 503, "ms": 5},
        {"backendId": "pool"},
    ]


def test_a_response_states_what_came_back() -> None:
    fragment = fragment_of(a_response(headers={"X-MS-Region": "East US", "set-cookie": "a=b"}))

    assert fragment.record_type.letter == "R"
    assert fragment.facts == {
        "has_response": True,
        "occurred_at": "2026-03-02T09:29:58.250Z",
        "operation": "chat.completions",
        "http_status": 200,
        "cached": False,
        "backend_id": "openai-1",
        "backend_host": "aoai-example.openai.azure.com",
        "attempts": '[{"backendId":"openai-1","ms":700.0,"status":200}]',
        "response_headers": '{"x-ms-region":"East US"}',
        "response_id": "chatcmpl-example",
        "response_bytes": 300,
        "latency_ms": 750.0,
        "backend_ms": 700.0,
        "streamed": False,
        "model": "gpt-4o-2024-11-20",
        "finish_reasons": '["stop"]',
        "tool_calls": 0,
        "completion_preview": "Four.",
        "input_tokens": 11,
        "output_tokens": 1,
        "total_tokens": 12,
    }
    assert fragment.content.completion == "Four."


def test_what_the_envelope_says_of_the_user_beats_what_the_body_says() -> None:
    facts = fragment_of(a_request(userId="u-1", endUserId="e-1", body={"messages": [], "user": "u-2"})).facts

    assert (facts["user_id"], facts["end_user_id"]) == ("u-1", "e-1")


@pytest.mark.parametrize(
    ("url", "operation_id", "operation"),
    [
        pytest.param("/x", "ChatCompletions_Create", "chat.completions", id="the id where the path says nothing"),
        pytest.param("/x", "Ping", "other", id="neither says anything"),
        pytest.param("/openai/v1/files", "ChatCompletions_Create", "files", id="the path before the id"),
        pytest.param(None, None, None, id="neither is there"),
        pytest.param(5, ["a"], "other", id="neither is a text"),
    ],
)
def test_a_request_states_the_operation(url: Any, operation_id: Any, operation: str | None) -> None:
    facts = fragment_of(a_request(url=url, operationId=operation_id, body={"messages": []})).facts

    assert facts.get("operation") == operation


def test_a_request_of_an_unknown_path_is_known_by_its_shape() -> None:
    facts = fragment_of(
        a_request(url="/facade", operationId="ask", body={"model": "m", "messages": [{"content": "Hi"}]})
    ).facts

    assert (facts["operation"], facts["prompt_preview"]) == ("chat.completions", "Hi")


@pytest.mark.parametrize("body", [{"bodyPart": {"index": 0, "count": 2, "data": "{"}}, {"bodyRef": {"blob": "b"}}])
def test_a_body_that_is_elsewhere_leaves_the_rest_of_the_request(body: dict[str, Any]) -> None:
    fragment = fragment_of(a_request(**body, size=250_000))

    assert fragment.facts["has_request"] is True
    assert fragment.facts["request_bytes"] == 250_000
    assert "prompt_preview" not in fragment.facts
    assert fragment.content.request is None


@pytest.mark.parametrize("before", ["", " ", "\ufeff", "\ufeff\n"])
def test_a_body_in_base64_or_in_a_string_is_the_same_body(before: str) -> None:
    text = before + '{"messages": [{"content": "Hi"}]}'

    encoded = fragment_of(a_request(body=None, bodyBase64=base64.b64encode(text.encode()).decode()))
    quoted = fragment_of(a_request(body=text))

    assert encoded.facts["prompt_preview"] == quoted.facts["prompt_preview"] == "Hi"
    assert encoded.content == quoted.content


def test_a_body_that_is_no_text_stays_in_base64() -> None:
    encoded = base64.b64encode(b"\xff\xfbID3").decode()

    fragment = fragment_of(a_response(body=None, bodyBase64=encoded))

    assert fragment.content.response == {"bodyBase64": encoded}
    assert "input_tokens" not in fragment.facts


def test_a_body_that_is_not_json_is_shown_as_text() -> None:
    assert fragment_of(a_response(body="WEBVTT\n\nHello")).content.response == "WEBVTT\n\nHello"


@pytest.mark.parametrize("name", ["api-key", "subscription-key", "Subscription-Key", "sig", "code"])
def test_secrets_in_a_url_are_not_kept(name: str) -> None:
    url = f"/openai/deployments/chat/chat/completions?{name}={CREDENTIAL}&api-version=2024-10-21"

    fragment = fragment_of(a_request(url=url))

    assert fragment.facts["api_version"] == "2024-10-21"
    assert CREDENTIAL.encode() not in fragment.document
    assert b"api-version=2024-10-21" in fragment.document
    assert CREDENTIAL not in json.dumps(fragment.facts)


def test_keys_to_a_clients_own_data_are_not_kept() -> None:
    sources = [
        {
            "type": "azure_search",
            "parameters": {
                "endpoint": "https://search.example.net",
                "authentication": {"type": "api_key", "key": CREDENTIAL},
            },
        }
    ]

    fragment = fragment_of(a_request(body={"messages": [{"content": "Hi"}], "data_sources": sources}))

    assert CREDENTIAL.encode() not in fragment.document
    assert b"search.example.net" in fragment.document
    assert fragment.content.request["data_sources"][0]["parameters"]["authentication"]["key"] == "[removed]"


def test_embedding_vectors_are_not_kept_and_all_else_is() -> None:
    body = {
        "object": "list",
        "data": [{"object": "embedding", "index": 0, "embedding": [0.125, 0.25]}],
        "model": "text-embedding-3-small",
        "usage": {"prompt_tokens": 5, "total_tokens": 5},
        "unheard_of": 1,
    }
    kept = {**body, "data": [{"object": "embedding", "index": 0}]}

    whole, encoded = (
        fragment_of(a_response(body=body)),
        fragment_of(a_response(body=None, bodyBase64=base64.b64encode(json.dumps(body).encode()).decode())),
    )

    for fragment in (whole, encoded):
        assert fragment.content.response == kept
        assert json.loads(fragment.document)["body"] == kept
        assert "bodyBase64" not in json.loads(fragment.document) or fragment is whole
        assert (fragment.facts["operation"], fragment.facts["input_tokens"]) == ("embeddings", 5)
        assert "output_tokens" not in fragment.facts


def test_an_event_with_nothing_to_withhold_is_kept_as_it_came() -> None:
    body = a_request(unheard_of={"z": 1, "a": [1.50]}).replace(b": ", b" :\n ")

    assert fragment_of(body).document == body


@pytest.mark.parametrize(
    ("status", "last_error", "refused"),
    [
        pytest.param(401, {"source": "validate-jwt", "reason": "TokenNotPresent"}, True, id="no token"),
        pytest.param(429, {"source": "rate-limit", "reason": "RateLimitExceeded"}, True, id="too many calls"),
        pytest.param(403, None, True, id="no last error"),
        pytest.param("403", {"source": 5}, True, id="a status in digits"),
        pytest.param(500, {"source": "set-body", "reason": "ExpressionValueEvaluationFailure"}, False, id="crash"),
        pytest.param(504, {"source": "forward-request", "reason": "Timeout"}, False, id="backend too slow"),
        pytest.param(429, {"source": "forward-request", "reason": "BackendError"}, False, id="the backend's no"),
        pytest.param(499, {"reason": "ClientConnectionFailure"}, False, id="the client went away"),
    ],
)
def test_api_management_refuses_what_it_answers_itself_with_4xx(status: Any, last_error: Any, *, refused: bool) -> None:
    facts = fragment_of(an_error(status=status, lastError=last_error)).facts

    assert facts["gateway_refused"] is refused
    assert facts["has_request"] is facts["has_response"] is True


def test_an_error_says_what_was_asked_and_why_there_is_no_answer() -> None:
    fragment = fragment_of(
        an_error(
            status=429,
            reason="Too Many Requests",
            lastError={"source": "rate-limit", "reason": "RateLimitExceeded", "message": "Try again in 9 seconds"},
        )
    )

    assert fragment.record_type.letter == "E"
    assert fragment.facts["error_code"] == "RateLimitExceeded"
    assert fragment.facts["error_message"] == "Try again in 9 seconds"
    assert fragment.facts["http_status"] == 429
    assert fragment.facts["prompt_preview"] == "What is two and two?"


def test_an_error_without_details_is_its_status() -> None:
    facts = fragment_of(an_error(status=403, reason="Forbidden")).facts

    assert (facts["error_code"], facts["error_message"]) == ("403", "Forbidden")


def test_a_call_began_before_its_response_by_as_long_as_it_took() -> None:
    assert fragment_of(a_response(timings={"totalMs": 4000})).facts["occurred_at"] == "2026-03-02T09:29:55.000Z"


@pytest.mark.parametrize("time", [None, "yesterday", "0001-01-01T00:00:00Z", 5])
def test_an_event_without_a_time_is_as_old_as_its_delivery(time: Any) -> None:
    assert fragment_of(a_request(time=time)).facts["occurred_at"] == ENQUEUED


def test_no_time_is_invented_when_the_delivery_has_none_either() -> None:
    (fragment,) = read_event(a_request(time=None), "0001-01-01T00:00:00.000Z").fragments

    assert "occurred_at" not in fragment.facts


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"schema": "promptledger/2"}, "unknown version of the native envelope"),
        ({"part": "trailer"}, "part is none of request, response, error"),
        ({"part": ["request"]}, "part is none of request, response, error"),
        ({"interactionId": None}, "interactionId is missing"),
        ({"interactionId": "  "}, "interactionId is missing"),
        ({"interactionId": True}, "interactionId is missing"),
        ({"interactionId": "\N{GRINNING FACE}" * 65}, "interactionId is longer than 128 characters"),
        ({"interactionId": "a\x00b"}, "interactionId holds a NUL"),
    ],
)
def test_an_envelope_that_names_no_part_of_a_call_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(EventError, match=reason):
        read_event(a_request(**changes), ENQUEUED)


def test_an_id_may_have_128_units() -> None:
    assert fragment_of(a_request("\N{GRINNING FACE}" * 64)).interaction_id == "\N{GRINNING FACE}" * 64


@pytest.mark.parametrize(
    ("changes", "cached"),
    [
        ({}, False),
        ({"attempts": None}, False),
        ({"backendUrl": None, "backendId": None}, False),
        ({"backendUrl": None, "backendId": None, "attempts": None}, True),
        ({"backendUrl": "", "backendId": "", "attempts": []}, True),
        ({"backendUrl": None, "backendId": None, "attempts": None, "status": 429}, False),
        ({"backendUrl": None, "backendId": None, "attempts": None, "status": None}, None),
    ],
)
def test_an_answer_for_which_no_backend_was_asked_is_from_a_cache(changes: dict[str, Any], cached: object) -> None:
    assert fragment_of(a_response(**changes)).facts.get("cached") is cached
