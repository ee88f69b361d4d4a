"""Formats C and D: Azure Monitor's envelopes, whatever their casing and mixture."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.domain.fragment import Content, Fragment
from shared.domain.interaction import Provenance
from shared.domain.reassembly.keys import Chunk, LogRow, Side
from shared.errors import EventError
from shared.sources import Reading, read_event
from shared.sources import parse_event as read
from tests.builders.azure_monitor import (
    CALL,
    SERVICE_CALL,
    a_gateway_log,
    a_model_log,
    a_request_response,
    a_request_usage,
    an_envelope,
)
from tests.builders.events import ENQUEUED, a_metric


def reading_of(*records: dict[str, Any]) -> Reading:
    return read_event(an_envelope(*records), ENQUEUED)


def fragment_of(record: dict[str, Any]) -> Fragment:
    (fragment,) = reading_of(record).fragments
    return fragment


def spelled(record: Any, change: Any) -> Any:
    """Return a record with every name changed, those of its properties too."""
    if not isinstance(record, dict):
        return record
    return {
        change(name): spelled(value, change) if name.lower() == "properties" else value
        for name, value in record.items()
    }


# Envelopes


@pytest.mark.parametrize("change", [str.upper, str.lower, str.swapcase])
@pytest.mark.parametrize(
    "record",
    [a_gateway_log(), a_model_log(), a_request_response(as_text=False), a_request_usage()],
    ids=lambda record: str(record["category"]),
)
def test_names_are_read_in_any_case(record: dict[str, Any], change: Any) -> None:
    assert fragment_of(spelled(record, change)).facts == fragment_of(record).facts


def test_properties_may_be_an_object_or_its_text() -> None:
    record = a_gateway_log()

    as_text = fragment_of(record | {"properties": json.dumps(record["properties"])})

    assert as_text.facts == fragment_of(record).facts
    assert as_text.content == fragment_of(record).content


def test_an_envelope_mixes_categories_and_each_record_is_kept_by_itself() -> None:
    reading = reading_of(a_gateway_log(), a_model_log(), a_request_response(), a_request_usage())

    assert [fragment.record_type.letter for fragment in reading.fragments] == ["G", "L", "D", "n"]
    assert [fragment.interaction_id for fragment in reading.fragments] == [CALL, CALL, SERVICE_CALL, SERVICE_CALL]
    for fragment in reading.fragments:
        (again,) = read_event(fragment.document, ENQUEUED).fragments
        assert again == fragment


@pytest.mark.parametrize("held", [["x"], [], [{"category": "GatewayLogs"}], [{"EventTime": "now"}]])
def test_what_a_record_holds_in_records_is_no_record(held: list[Any]) -> None:
    fragment = fragment_of(a_request_response() | {"records": held})

    assert read_event(fragment.document, ENQUEUED).fragments == (fragment,)


def test_an_array_of_envelopes_and_an_unwrapped_record_are_read_alike() -> None:
    record = a_gateway_log()

    unwrapped = read_event(json.dumps(record).encode(), ENQUEUED)
    array = read_event(b"[" + an_envelope(record) + b"," + json.dumps(a_model_log()).encode() + b"]", ENQUEUED)

    assert unwrapped.fragments[0].facts == fragment_of(record).facts
    assert [fragment.record_type.letter for fragment in array.fragments] == ["G", "L"]


def test_a_category_may_have_anything_before_its_name() -> None:
    assert fragment_of(a_model_log() | {"category": "Microsoft.ApiManagement/GatewayLlmLogs"}).record_type.letter == "L"


def test_numbers_may_be_strings_of_digits() -> None:
    facts = fragment_of(a_gateway_log(durationMs="16", properties={"responseCode": "200"})).facts

    assert (facts["latency_ms"], facts["http_status"]) == (16, 200)


@pytest.mark.parametrize("category", ["Audit", "Trace", "WebSocketConnectionLogs", "SomethingNew"])
def test_a_category_that_speaks_of_no_call_is_skipped_and_kept_aside(category: str) -> None:
    record = {"category": category, "time": "2026-03-02T09:29:58.1234567Z", "operationName": "ListKey"}

    reading = reading_of(record)

    (aside,) = reading.asides
    assert (reading.fragments, reading.skipped) == ((), f"category {category}")
    assert aside.shelf == f"category:{category.lower()}:2026-03-02"
    assert reading.unknown_words == (("category:SomethingNew",) if category == "SomethingNew" else ())
    assert json.loads(aside.document) == record


def test_platform_metrics_are_skipped_and_not_kept() -> None:
    reading = read_event(a_metric(), ENQUEUED)

    assert (reading.skipped, reading.asides) == ("platform metrics", ())


def test_a_record_that_cannot_be_read_does_not_hold_up_the_others() -> None:
    reading = reading_of(a_gateway_log(correlationId=None), a_gateway_log())

    assert [fragment.interaction_id for fragment in reading.fragments] == [CALL]
    assert len(reading.asides) == 1


def test_an_event_of_nothing_but_unreadable_records_is_refused() -> None:
    with pytest.raises(EventError, match="correlationId is missing"):
        reading_of(a_gateway_log(correlationId=None))


# GatewayLogs


def test_a_gateway_log_tells_all_about_its_call() -> None:
    fragment = fragment_of(a_gateway_log())

    expected = {
        "occurred_at": "2026-03-02T09:29:58.250Z",
        "operation": "chat.completions",
        "method": "POST",
        "path": "/openai/deployments/chat/chat/completions",
        "api_version": "2024-10-21",
        "deployment": "chat",
        "model": "gpt-4o-2024-11-20",
        "http_status": 200,
        "caller_ip": "203.0.113.7",
        "subscription_id": "team-a",
        "product_id": "standard",
        "api_id": "azure-openai",
        "gateway_name": "apim-example",
        "gateway_region": "Sweden Central",
        "backend_id": "openai-1",
        "backend_host": "aoai-example.openai.azure.com",
        "latency_ms": 750,
        "backend_ms": 700,
        "request_bytes": 120,
        "response_bytes": 300,
        "total_tokens": 12,
        "prompt_preview": "What is two and two?",
        "completion_preview": "Four.",
    }
    assert {name: fragment.facts[name] for name in expected} == expected
    assert (fragment.content.prompt, fragment.content.completion) == ("What is two and two?", "Four.")
    assert fragment.record_type.provenance is Provenance.REPORTED


def test_the_clients_body_stands_in_for_a_backends_body_that_was_not_logged() -> None:
    body = json.dumps({"messages": [{"role": "user", "content": "From the client."}]})

    fragment = fragment_of(a_gateway_log(properties={"backendRequestBody": None, "requestBody": body}))

    assert fragment.content.prompt == "From the client."


def test_the_backends_body_is_preferred() -> None:
    body = json.dumps({"messages": [{"role": "user", "content": "From the client."}]})

    assert fragment_of(a_gateway_log(properties={"requestBody": body})).content.prompt == "What is two and two?"


def test_a_body_cut_at_the_limit_says_what_of_it_is_whole() -> None:
    body = json.dumps({"messages": [{"role": "user", "content": "Long. " * 3000}]})[:8192]

    fragment = fragment_of(a_gateway_log(properties={"backendRequestBody": body}))

    assert fragment.record_type.letter == "g"
    assert fragment.facts["truncated"] is True
    assert fragment.facts["prompt_preview"].startswith("Long. Long.")
    assert "streamed" not in fragment.facts or fragment.facts["streamed"] is False
    assert len(fragment.content.prompt or "") > 8000


def test_a_body_that_is_an_event_stream_is_read_as_a_stream() -> None:
    chunks = [
        {"id": "c", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "Fo"}}]},
        {"id": "c", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "ur."}}]},
    ]
    body = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"

    fragment = fragment_of(a_gateway_log(properties={"backendResponseBody": body}))

    assert fragment.content.completion == "Four."
    assert fragment.facts["streamed"] is True


@pytest.mark.parametrize(
    ("told", "streamed"),
    [
        pytest.param({"backendRequestBody": None, "backendResponseBody": '{"object": "list"}'}, False, id="an object"),
        pytest.param({"backendRequestBody": None, "backendResponseBody": None}, None, id="no body"),
        pytest.param({"backendRequestBody": None, "backendResponseBody": "a text"}, None, id="a text"),
    ],
)
def test_an_answer_that_is_an_object_is_no_stream(told: dict[str, Any], *, streamed: bool | None) -> None:
    fragment = fragment_of(a_gateway_log(properties=told))

    assert fragment.facts.get("streamed") is streamed


def test_a_body_that_is_a_form_is_read_as_its_fields_and_no_byte_of_its_files_is_kept() -> None:
    form = (
        '--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n'
        '--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp3"\r\n\r\nSOUND\r\n--b--\r\n'
    )
    url = "https://gw.example.org/openai/deployments/w/audio/transcriptions?api-version=2024-10-21"
    told = {"url": url, "backendUrl": url, "backendRequestBody": form, "backendResponseBody": '{"text": "Hi"}'}

    fragment = fragment_of(a_gateway_log(properties=told))

    assert fragment.facts["requested_model"] == "whisper-1"
    assert fragment.facts["operation"] == "audio.transcriptions"
    assert "truncated" not in fragment.facts
    assert fragment.content.request == {"model": "whisper-1", "file": {"filename": "a.mp3", "size": 5}}
    assert b"SOUND" not in fragment.document
    (again,) = read_event(fragment.document, ENQUEUED).fragments
    assert again == fragment


@pytest.mark.parametrize("body", ["[multipart form data omitted]", '{"custom_id": "0"}\n{"custom_id": "1"}\n'])
def test_a_text_that_begins_like_json_is_not_cut(body: str) -> None:
    fragment = fragment_of(a_gateway_log(properties={"backendRequestBody": body}))

    assert "truncated" not in fragment.facts
    assert fragment.content.request == body


def test_a_body_may_begin_with_a_byte_order_mark() -> None:
    body = '\ufeff{"messages": [{"role": "user", "content": "Hi"}]}'

    fragment = fragment_of(a_gateway_log(properties={"backendRequestBody": body}))

    assert fragment.content.prompt == "Hi"


def test_lines_of_json_up_to_the_limit_are_cut() -> None:
    lines = ('{"custom_id": "0"}\n' * 500)[:8192]

    fragment = fragment_of(a_gateway_log(properties={"backendRequestBody": lines}))

    assert fragment.facts["truncated"] is True
    assert fragment.content.request == lines


def test_neither_secrets_nor_vectors_nor_other_headers_are_kept() -> None:
    record = a_gateway_log(
        properties={
            "url": "https://gw.example.org/openai/v1/embeddings?api-key=SECRET-1&subscription-key=SECRET-2",
            "backendUrl": "https://a.openai.azure.com/openai/v1/embeddings?api-key=SECRET-3",
            "requestHeaders": {"Authorization": "Bearer SECRET-4", "x-ms-region": "here"},
            "backendRequestHeaders": {"api-key": "SECRET-5"},
            "responseHeaders": {"Set-Cookie": "SECRET-6", "apim-request-id": SERVICE_CALL},
            "backendResponseBody": json.dumps({"data": [{"object": "embedding", "embedding": [0.125, 0.25]}]}),
        }
    )

    fragment = fragment_of(record)

    assert b"SECRET" not in fragment.document
    assert b"0.125" not in fragment.document
    assert json.loads(fragment.facts["response_headers"]) == {"apim-request-id": SERVICE_CALL}


def test_vectors_of_an_answer_that_was_cut_do_not_stay_and_the_cut_is_remembered() -> None:
    body = json.dumps({"object": "list", "data": [{"object": "embedding", "embedding": [0.125] * 2000}]})[:8192]

    fragment = fragment_of(a_gateway_log(properties={"backendResponseBody": body}))

    assert b"0.125" not in fragment.document
    (again,) = read_event(fragment.document, ENQUEUED).fragments
    assert (again.record_type.letter, again.facts["truncated"]) == ("g", True)


@pytest.mark.parametrize(
    ("status", "backend", "last", "verdict"),
    [
        (429, None, {"source": "rate-limit-by-key", "reason": "RateLimitExceeded", "message": "Slow down."}, "refused"),
        (401, None, {"source": "validate-jwt", "reason": "TokenExpired", "message": "JWT expired."}, "refused"),
        (500, None, {"source": "set-body", "reason": "ExpressionValueEvaluationFailure", "message": "x"}, "failed"),
        (400, None, {"source": "request-forwarder", "reason": "BackendConnectionFailure", "message": "x"}, "failed"),
        (429, 429, {"source": "retry", "reason": "Other", "message": "x"}, "failed"),
    ],
)
def test_the_last_error_tells_who_said_no(status: int, backend: int | None, last: dict[str, str], verdict: str) -> None:
    properties = {
        "responseCode": status,
        "backendResponseCode": backend,
        "backendResponseBody": None,
        "backendRequestBody": None,
        "lastError": last,
    }

    facts = fragment_of(a_gateway_log(properties=properties)).facts

    assert facts["error_code"] in (last["reason"], str(status))
    assert facts["error_message"] == last["message"]
    assert bool(facts.get("gateway_refused")) is (verdict == "refused")


# GatewayLlmLogs


def test_the_row_of_figures_states_logged_tokens() -> None:
    record = a_model_log()
    record["properties"]["promptCachedTokens"] = "64"

    fragment = fragment_of(record)

    assert {name: fragment.facts[name] for name in ("input_tokens", "output_tokens", "total_tokens")} == {
        "input_tokens": 120, "output_tokens": 30, "total_tokens": 150,
    }  # fmt: skip
    assert fragment.facts["cached_input_tokens"] == 64
    assert fragment.facts["streamed"] is True
    assert fragment.facts["model"] == "gpt-4o-2024-11-20"
    assert fragment.record_type.provenance is Provenance.LOGGED


def test_figures_of_nothing_but_noughts_are_no_usage() -> None:
    record = a_model_log(sequenceNumber=0, modelName="gpt-4o", promptTokens=0, completionTokens=0, totalTokens=0)

    assert "total_tokens" not in fragment_of(record).facts


def test_a_probe_is_skipped() -> None:
    probe = a_model_log(sequenceNumber=0, requestId="", modelName="", promptTokens=0, totalTokens=0)

    reading = reading_of(probe)

    assert (reading.fragments, reading.skipped) == ((), "probe of category GatewayLlmLogs")


@pytest.mark.parametrize("messages", [[{"role": "user", "content": "Hi"}], '[{"role":"user","content":"Hi"}]'])
def test_messages_that_nothing_numbers_are_whole(messages: Any) -> None:
    fragment = fragment_of(a_model_log(requestMessages=messages))

    assert (fragment.record_type.letter, fragment.chunk, fragment.content.prompt) == ("M", None, "Hi")


def test_messages_of_a_responses_call_are_its_input() -> None:
    items = [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}]

    fragment = fragment_of(a_model_log(requestMessages=items))

    assert fragment.facts["operation"] == "responses"


def test_a_numbered_row_that_is_a_list_of_messages_is_read_and_fills_its_place() -> None:
    fragment = fragment_of(a_model_log(sequenceNumber="2", responseMessages='[{"role":"assistant","content":"Ho"}]'))

    assert fragment.chunk == Chunk("L", 2, None, LogRow(Side.ANSWER, is_read=True))
    assert fragment.content.completion == "Ho"


def test_messages_do_not_say_why_they_ended() -> None:
    fragment = fragment_of(a_model_log(responseMessages=[{"role": "assistant", "content": "Ho"}]))

    assert "finish_reasons" not in fragment.facts


@pytest.mark.parametrize("text", ['[{"type":"text","text":"Ho"}]', '{"role":"user","content":"Ho"}', "{}", "[]", "[1]"])
def test_a_numbered_row_that_may_stand_in_the_middle_of_more_is_a_chunk(text: str) -> None:
    fragment = fragment_of(a_model_log(sequenceNumber=2, requestMessages=text))

    assert fragment.chunk == Chunk("L", 2, None, LogRow(Side.REQUEST, may_end=True))
    assert fragment.content == Content()


def test_a_record_with_messages_of_both_sides_says_so_of_both() -> None:
    record = a_model_log(sequenceNumber=2, requestMessages="[{", responseMessages='[{"role":"assistant"}]')

    fragments = read_event(an_envelope(record), ENQUEUED).fragments

    assert [fragment.chunk for fragment in fragments] == [
        Chunk("L", 2, None, LogRow(Side.REQUEST, is_shared=True)),
        Chunk("L", 2, None, LogRow(Side.ANSWER, is_read=True, is_shared=True)),
    ]


# Azure OpenAI's own logs


def test_a_request_response_record_tells_of_the_call_as_azure_openai_saw_it() -> None:
    fragment = fragment_of(a_request_response(promptTokens=11, completionTokens=1, callerObjectId="oid-9"))

    expected = {
        "occurred_at": "2026-03-02T09:29:58.500Z",
        "operation": "chat.completions",
        "http_status": 200,
        "latency_ms": 600,
        "caller_ip": "198.51.100.***",
        "deployment": "chat",
        "model": "gpt-4o",
        "api_version": "2024-10-21",
        "streamed": False,
        "request_bytes": 118,
        "response_bytes": 290,
        "gateway_region": "swedencentral",
        "backend_id": "aoai-example",
        "user_id": "oid-9",
        "input_tokens": 11,
        "output_tokens": 1,
        "total_tokens": 12,
    }
    assert {name: fragment.facts[name] for name in expected} == expected
    assert (fragment.record_type.source, fragment.record_type.part) == ("azure-openai", "call")
    assert fragment.record_type.provenance is Provenance.LOGGED


def test_ticks_are_exact_and_may_be_text() -> None:
    facts = fragment_of(a_request_response(requestTime="638481757794854611")).facts

    assert facts["occurred_at"] == "2024-04-08T12:22:59.485Z"


def test_a_nearly_empty_second_record_yields_to_the_one_that_knows_the_model() -> None:
    empty = a_request_response(modelDeploymentName="", modelName="", modelVersion="")

    assert fragment_of(empty).record_type.letter == "d"


def test_usage_stands_in_arrays_of_one() -> None:
    facts = fragment_of(a_request_usage()).facts

    assert (facts["input_tokens"], facts["cached_input_tokens"], facts["output_tokens"]) == (11, 4, 2)


# Anything at all

_texts = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        ["", "7", "{", "[", '{"a":', "null", "https://[", "a?key=b", "data: {", "\ud800", "2026-03-02T09:29:58Z"]
    ),
)  # fmt: skip
_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), _texts, st.just(10**30)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_texts, inner, max_size=3)),
    max_leaves=6,
)
_names = sorted(
    {name for record in (a_gateway_log(), a_model_log(), a_request_response(as_text=False)) for name in record}
    | {name for record in (a_gateway_log(), a_request_response(as_text=False)) for name in record["properties"]}
    | set(
        "sequenceNumber requestMessages responseMessages lastError responseHeaders requestBody generatedTokens".split()
    )
)
_records = st.builds(
    lambda category, told, properties: {**told, "category": category, "properties": properties},
    st.sampled_from(["GatewayLogs", "GatewayLlmLogs", "RequestResponse", "AzureOpenAIRequestUsage", "Other"]),
    st.dictionaries(st.sampled_from(_names), _values, max_size=6),
    st.one_of(_values, st.dictionaries(st.sampled_from(_names), _values, max_size=8)),
)


@pytest.mark.slow
@settings(max_examples=300)
@given(_records)
@example({"responseMessages": [], "sequenceNumber": 0, "category": "GatewayLlmLogs", "properties": {}})
@example({"requestMessages": [], "responseMessages": {}, "sequenceNumber": 3, "category": "GatewayLlmLogs"})
@example({"requestMessages": "[", "responseMessages": [], "sequenceNumber": 3, "category": "GatewayLlmLogs"})
def test_any_record_is_read_kept_aside_or_refused_and_its_document_says_the_same(record: dict[str, Any]) -> None:
    try:
        reading = read(an_envelope({"correlationId": CALL, **record}), ENQUEUED)
    except EventError:
        return

    assert len(reading.fragments) + len(reading.asides) + (reading.skipped is not None) >= 1
    for fragment in reading.fragments:
        (again,) = (
            one
            for one in read(fragment.document, ENQUEUED).fragments
            if one.record_type is fragment.record_type and (one.chunk is None) == (fragment.chunk is None)
        )
        assert (again.facts, again.content, again.chunk) == (fragment.facts, fragment.content, fragment.chunk)


ROUTED = {"backendRequestBody": json.dumps({"model": "model-router", "messages": []})}


def test_of_a_gateway_log_the_model_is_the_answers_and_the_name_asked_for_is_kept_beside_it() -> None:
    answer = json.dumps({"object": "chat.completion", "model": "gpt-5-mini", "choices": []})

    facts = fragment_of(a_gateway_log(properties=ROUTED | {"backendResponseBody": answer})).facts

    assert (facts["model"], facts["requested_model"]) == ("gpt-5-mini", "model-router")


def test_an_answer_that_repeats_the_name_asked_for_leaves_it_to_others_who_served() -> None:
    answer = json.dumps({"object": "chat.completion", "model": "model-router", "choices": []})

    facts = fragment_of(a_gateway_log(properties=ROUTED | {"backendResponseBody": answer})).facts

    assert facts["requested_model"] == "model-router"
    assert "model" not in facts


def test_a_page_in_a_gateway_log_is_kept_and_is_no_transcript() -> None:
    url = "https://gw.example.org/openai/deployments/w/audio/transcriptions?api-version=2024-10-21"
    page = "<!DOCTYPE html><html><body>Blocked</body></html>"

    fragment = fragment_of(a_gateway_log(properties={"url": url, "backendUrl": url, "backendResponseBody": page}))

    assert fragment.content.completion is None
    assert fragment.content.response == page
    assert fragment.facts["unreadable"] == "page"


_UNASKED = dict.fromkeys(("backendId", "backendMethod", "backendUrl", "backendResponseCode", "backendTime"))


@pytest.mark.parametrize(
    ("properties", "cached"),
    [
        ({"cache": "none"}, False),
        ({"cache": "miss"}, False),
        ({"cache": "hit"}, True),
        ({"cache": "Hit", **_UNASKED}, True),
        ({"cache": "none", **_UNASKED}, True),
        ({"cache": None, **_UNASKED}, True),
        ({"cache": "none", **_UNASKED, "backendTime": 3}, False),
        ({"cache": "none", **_UNASKED, "responseCode": 429}, False),
        ({"cache": "none", **_UNASKED, "responseCode": 0}, False),
        ({**_UNASKED, "responseCode": None}, None),
    ],
)
def test_an_answer_from_a_cache_or_without_a_backend_is_told(properties: dict[str, Any], cached: object) -> None:
    assert fragment_of(a_gateway_log(properties=properties)).facts.get("cached") is cached
