import json
from typing import Any

import pytest

from shared.domain.fragment import Fragment
from shared.errors import EventError
from shared.sources import read_event
from tests.builders.events import ENQUEUED, a_request, a_response, an_enterprise_request, an_enterprise_response
from tests.builders.other_events import (
    GUID,
    SECRET,
    a_howto_event,
    a_pii_record,
    a_toolkit_record,
    an_azureai_record,
    an_http_request,
    an_http_response,
)


def fragments_of(body: bytes) -> tuple[Fragment, ...]:
    fragments = read_event(body, ENQUEUED).fragments
    for fragment in fragments:
        # What was kept says what the event said.
        assert read_event(fragment.document, ENQUEUED).fragments == (fragment,)
    return fragments


def fragment_of(body: bytes) -> Fragment:
    (fragment,) = fragments_of(body)
    return fragment


def as_event(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode()


def test_the_toolkit_tells_who_called_and_the_total() -> None:
    fragment = fragment_of(a_toolkit_record())

    assert (fragment.interaction_id, fragment.record_type.source) == (GUID, "toolkit")
    assert fragment.facts == {
        "has_request": True,
        "has_response": True,
        "http_status": 200,
        "streamed": False,
        "occurred_at": "2026-03-02T09:28:07.000Z",
        "gateway_name": "apim-example",
        "caller_ip": "203.0.113.9",
        "operation": "chat.completions",
        "operation_id": "Creates a completion for the chat message",
        "subscription_id": "team-a-sub",
        "total_tokens": 150,
    }


def test_the_key_of_enterprise_azureai_is_never_kept() -> None:
    fragment = fragment_of(an_azureai_record())

    assert SECRET.encode() not in fragment.document
    assert fragment.facts == {
        "has_request": True,
        "has_response": True,
        "streamed": False,
        "app_id": "app-7",
        "occurred_at": "2026-03-02T09:28:07.000Z",
    }


def test_a_record_without_an_id_is_known_by_what_it_says() -> None:
    one = fragment_of(an_azureai_record())
    other_key = fragment_of(an_azureai_record(appSubscriptionKey="f" * 32))
    later = fragment_of(an_azureai_record(timestamp="3/2/2026 9:28:08 AM", promptTokens="7", totalTokens=9))

    assert one.interaction_id == other_key.interaction_id != later.interaction_id
    assert (later.facts["input_tokens"], later.facts["total_tokens"]) == (7, 9)


def test_the_how_to_tells_who_called() -> None:
    fragment = fragment_of(as_event(a_howto_event()))

    assert (fragment.interaction_id, fragment.record_type.source) == (GUID, "apim-docs")
    assert fragment.facts == {
        "has_request": True,
        "has_response": True,
        "occurred_at": "2026-03-02T09:28:07.000Z",
        "gateway_name": "apim-example",
        "caller_ip": "203.0.113.9",
        "operation": "chat.completions",
        "operation_id": "Creates a completion for the chat message",
    }


def test_how_to_events_in_records_are_as_many_and_tell_the_answer() -> None:
    answer = json.loads(a_response())["body"]
    with_answer = a_howto_event(response=json.dumps(answer))

    first, second = fragments_of(as_event({"records": [with_answer, a_howto_event("call-2")]}))

    assert (first.facts["total_tokens"], first.content.completion) == (12, "Four.")
    assert second.interaction_id == "call-2"


def test_an_answer_that_was_cut_is_read_as_far_as_it_goes() -> None:
    answer = json.dumps(json.loads(a_response())["body"])

    facts = fragment_of(as_event(a_howto_event(response=answer[: answer.index('"usage"')]))).facts

    assert (facts["truncated"], facts["completion_preview"]) == (True, "Four.")
    assert "total_tokens" not in facts


def test_vectors_in_an_answer_that_was_cut_are_not_kept() -> None:
    answer = '{"object": "list", "data": [{"embedding": [0.12345, 0.6789'

    fragment = fragment_of(as_event(a_howto_event(response=answer)))

    assert b"0.12345" not in fragment.document
    assert fragment.facts["truncated"]


def test_records_of_several_kinds_are_read_each_as_what_it_is() -> None:
    records = [a_howto_event(), json.loads(an_azureai_record()), json.loads(a_request("call-2"))]

    fragments = fragments_of(as_event({"records": records}))

    assert [one.record_type.source for one in fragments] == ["apim-docs", "enterprise-azureai", "native"]


def test_a_record_that_could_be_of_two_sources_is_kept_as_what_it_is_read_as() -> None:
    both = json.loads(an_azureai_record()) | a_howto_event()

    (fragment,) = fragments_of(as_event({"records": [both]}))

    assert fragments_of(fragment.document) == (fragment,)
    assert both["appSubscriptionKey"].encode() not in fragment.document


def test_a_pii_record_tells_the_call_in_facts_and_the_person_in_content_only() -> None:
    fragment = fragment_of(a_pii_record())

    assert fragment.facts == {
        "has_request": True,
        "has_response": True,
        "occurred_at": "2026-03-02T09:28:07.123Z",
        "operation": "chat.completions",
        "operation_id": "ChatCompletions_Create",
        "method": "POST",
        "path": "/deployments/{deployment-id}/chat/completions",
        "deployment": "chat",
        "api_id": "azure-openai",
        "product_id": "oai-team-a",
    }
    assert fragment.content.prompt == "Who is Ada Lovelace?"
    assert fragment.content.completion == "Ada Lovelace."


def test_a_pii_record_whose_steps_did_not_run_shows_what_there_is() -> None:
    content = {"originalRequest": None, "anonymizedRequest": '{"messages": [{"content": "<Person_0>"}]}'}

    fragment = fragment_of(a_pii_record(content=content))

    assert fragment.content.prompt == "<Person_0>"
    assert fragment.content.completion is None


def test_an_http_request_is_read_and_its_credentials_are_not_kept() -> None:
    headers = f"Authorization: Bearer {SECRET}\r\nx-functions-key: {SECRET}\r\n"

    fragment = fragment_of(an_http_request(headers=headers))

    assert SECRET.encode() not in fragment.document
    assert (fragment.interaction_id, fragment.record_type.source) == (GUID, "raw-http")
    assert fragment.facts == {
        "has_request": True,
        "occurred_at": ENQUEUED,
        "time_replaced": True,
        "method": "POST",
        "path": "/openai/deployments/chat/chat/completions",
        "deployment": "chat",
        "api_version": "2024-10-21",
        "operation": "chat.completions",
        "streamed": False,
        "parameters": fragment.facts["parameters"],
        "prompt_preview": "2+2?",
        "request_bytes": 71,
    }


def test_an_http_response_is_read() -> None:
    fragment = fragment_of(an_http_response())

    assert (fragment.facts["http_status"], fragment.facts["total_tokens"]) == (200, 12)
    assert fragment.content.completion == "4"


def test_an_http_body_of_json_lines_is_a_text_and_whole() -> None:
    lines = '{"id": "batch_req_1", "response": {}}\n{"id": "batch_req_2", "response": {}}\n'

    fragment = fragment_of(an_http_response(body=lines))

    assert not {"truncated", "response_id"} & fragment.facts.keys()
    assert fragment.content.response == lines


def test_an_http_body_may_begin_with_a_byte_order_mark() -> None:
    fragment = fragment_of(an_http_response(body='\ufeff{"object": "chat.completion", "usage": {"total_tokens": 3}}'))

    assert fragment.facts["total_tokens"] == 3
    assert "truncated" not in fragment.facts


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"object": "chat.completion", "choices": [{"message": {"content": "' + "x" * 957, id="JSON"),
        pytest.param("x" * 1024, id="text"),
    ],
)
def test_an_http_body_of_1024_characters_was_cut(text: str) -> None:
    fragment = fragment_of(an_http_response(body=text))

    assert fragment.facts["truncated"]
    assert "x" * 900 in str(fragment.content.response)


@pytest.mark.parametrize("told", [{}, {"stream": True}])
def test_what_may_stand_behind_the_cut_of_an_http_request_is_not_denied(told: dict[str, Any]) -> None:
    asked = json.dumps({**told, "messages": [{"role": "user", "content": "x" * 2000}]})[:1024]

    facts = fragment_of(an_http_request(body=asked)).facts

    assert facts["truncated"]
    assert facts.get("streamed") is told.get("stream")


@pytest.mark.parametrize(
    ("asked", "characters"),
    [
        pytest.param({"voice": "alloy", "input": "x" * 2000}, None, id="cut inside the text"),
        pytest.param({"input": "x" * 900, "voice": "alloy", "instructions": "y" * 900}, 900, id="cut behind it"),
    ],
)
def test_the_characters_of_a_text_that_was_cut_are_not_counted(asked: dict[str, Any], characters: int | None) -> None:
    body = json.dumps(asked)[:1024]

    facts = fragment_of(an_http_request(body=body, path="/openai/deployments/tts/audio/speech")).facts

    assert facts.get("characters") == characters


def test_a_native_request_that_was_cut_does_not_deny_that_it_streams() -> None:
    whole = a_request(body={"messages": [{"role": "user", "content": LONG}], "stream": True})

    assert "streamed" not in fragment_of(whole[:200_000]).facts


def test_an_http_message_may_have_no_body_and_no_headers() -> None:
    fragment = fragment_of(f"request:{GUID}\r\nGET /openai/models HTTP/1.1\r\n\r\n".encode())

    assert fragment.facts["operation"] == "models"
    assert fragment.content.request is None


LONG = "All work and no play. " * 12_000


@pytest.mark.parametrize(
    ("whole", "marker", "slot"),
    [
        pytest.param(
            a_request(body={"messages": [{"role": "user", "content": LONG}]}), "prompt", "prompt", id="native"
        ),
        pytest.param(
            a_response(body=json.dumps({"choices": [{"message": {"content": LONG}}]})),
            "body",
            "completion",
            id="string",
        ),
        pytest.param(
            an_enterprise_request(messages=json.dumps([{"role": "user", "content": LONG}], indent=2)),
            "messages",
            "prompt",
            id="format A request",
        ),
        pytest.param(
            an_enterprise_response(choices=json.dumps([{"index": 0, "message": {"content": LONG}}], indent=2)),
            "choices",
            "completion",
            id="format A response",
        ),
        pytest.param(
            a_pii_record(content={"originalRequest": json.dumps({"messages": [{"content": LONG}]})}),
            "pii",
            "prompt",
            id="PII record",
        ),
    ],
)
@pytest.mark.parametrize("size", [200_000, 204_800])
def test_an_event_cut_at_200_kb_tells_what_is_whole(whole: bytes, marker: str, slot: str, size: int) -> None:
    fragment = fragment_of(whole[:size])

    assert fragment.facts["truncated"], marker
    text = getattr(fragment.content, slot)
    assert LONG.startswith(text)
    assert len(text) > 195_000


def test_half_an_id_at_the_end_of_a_cut_event_is_no_id() -> None:
    cut = json.dumps(
        {"schema": "promptledger/1", "part": "request", "body": LONG[:199_900], "interactionId": "call-17"}
    )

    with pytest.raises(EventError, match="interactionId is missing"):
        read_event(cut.encode()[:-3], ENQUEUED)


def test_a_short_event_that_breaks_off_is_just_broken() -> None:
    with pytest.raises(EventError, match=r"^not JSON$"):
        read_event(a_request()[:-20], ENQUEUED)
