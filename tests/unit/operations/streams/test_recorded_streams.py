"""Every recorded stream, sent as a native response; what is expected is worked out here, not by the product."""

import base64
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.domain.fragment import Fragment
from shared.operations import read_response
from shared.sources import read_event
from tests.builders.events import ENQUEUED, a_response
from tests.builders.recordings import texts_of
from tests.builders.streams import RecordedStream, a_chunk, recorded_streams, stream_of

pytestmark = pytest.mark.slow

STREAMS = recorded_streams()
if not STREAMS:
    pytest.skip("the corpus of recordings is not beside the checkout", allow_module_level=True)

LAST_RESPONSES = ("response.completed", "response.incomplete", "response.failed")
# One's last event forgot its output, one holds the answers of two calls, one is of a session and no HTTP stream.
ODD = ("parallel-tool-call-wrapper", "reasoning-encrypted-content", "realtime")
READABLE = [one for one in STREAMS if not any(name in one.name for name in ODD)]
# Examples that leave out most of their deltas.
SHORTENED = ("post_threads_thread_id_runs", "openai-shell-container")
WITH_ALL_DELTAS = [one for one in READABLE if not any(name in one.name for name in SHORTENED)]
any_stream = pytest.mark.parametrize("stream", READABLE, ids=lambda one: one.name)


def of_family(*beginnings: str) -> list[RecordedStream]:
    return [one for one in READABLE if any(label.startswith(beginnings) for label in one.labels)]


CHATS = of_family("chat.completion")
COMPLETIONS = of_family("text_completion")
RESPONSES = of_family("response.")
RUNS = of_family("thread.run")
OTHERS = of_family("transcript.", "speech.", "image_edit.", "image_generation.")
# What they say is read in tests/integration/test_recordings_vendors.py.
OTHER_VENDORS = [one for one in READABLE if "message_start" in one.labels or "usageMetadata" in one.events[-1]]


def fragment_of(text: str) -> Fragment:
    event = a_response(body=text, streamed=True, contentType="text/event-stream", backendUrl=None)
    (fragment,) = read_event(event, ENQUEUED).fragments
    return fragment


def tokens_of(usage: dict[str, Any] | None) -> dict[str, int]:
    told = usage or {}
    inner = (
        told.get("prompt_tokens_details") or told.get("input_tokens_details") or told.get("prompt_token_details") or {}
    )
    outer = told.get("completion_tokens_details") or told.get("output_tokens_details") or {}
    tokens = {
        "input_tokens": told.get("prompt_tokens", told.get("input_tokens")),
        "output_tokens": told.get("completion_tokens", told.get("output_tokens")),
        "total_tokens": told.get("total_tokens"),
        "cached_input_tokens": inner.get("cached_tokens"),
        "reasoning_tokens": outer.get("reasoning_tokens"),
    }
    return {name: count for name, count in tokens.items() if count is not None}


def stated_tokens(facts: dict[str, Any]) -> dict[str, int]:
    names = ("input_tokens", "output_tokens", "total_tokens", "cached_input_tokens", "reasoning_tokens")
    return {name: facts[name] for name in names if name in facts}


def choices_of(stream: RecordedStream) -> dict[int, list[dict[str, Any]]]:
    """Return the pieces of each choice, in the order of the choices."""
    pieces: dict[int, list[dict[str, Any]]] = {}
    for event in stream.events:
        for choice in event.get("choices", []):
            pieces.setdefault(choice["index"], []).append(choice)
    return dict(sorted(pieces.items()))


def last(values: list[Any]) -> Any:
    return ([value for value in values if value] or [None])[-1]


def said_in(choice: dict[str, Any]) -> str:
    deltas = [choice.get("delta") or {}, *[message["delta"] for message in choice.get("messages", [])]]
    return choice.get("text") or "".join(text for delta in deltas for text in texts_of(delta.get("content")))


@pytest.mark.parametrize("stream", CHATS + COMPLETIONS, ids=lambda one: one.name)
def test_a_recorded_stream_of_choices_equals_its_chunks(stream: RecordedStream) -> None:
    fragment = fragment_of(stream.text)

    choices = choices_of(stream)
    facts = fragment.facts
    assert facts["operation"] == ("completions" if stream in COMPLETIONS else "chat.completions")
    assert facts["streamed"] is True
    assert facts.get("model") == (next(filter(None, (event.get("model") for event in stream.events)), None))
    assert stated_tokens(facts) == tokens_of(last([event.get("usage") for event in stream.events]))
    assert json.loads(facts["finish_reasons"]) == [
        last([choice.get("finish_reason") for choice in pieces]) for pieces in choices.values()
    ]
    calls = {
        (index, call["index"])
        for index, pieces in choices.items()
        for choice in pieces
        for call in (choice.get("delta") or {}).get("tool_calls") or []
    }
    assert facts["tool_calls"] == len(calls)
    assert (fragment.content.completion or "") == "".join(map(said_in, choices[0]))
    assert facts.get("truncated", False) == ("[DONE]" not in stream.text)
    if "prompt_filter_results" in stream.text:
        assert facts["prompt_filtered"] is ('"filtered":true' in stream.text)


@pytest.mark.parametrize("stream", RESPONSES, ids=lambda one: one.name)
def test_a_recorded_response_stream_equals_the_response_in_its_last_event(stream: RecordedStream) -> None:
    fragment = fragment_of(stream.text)

    (final,) = stream.told(*LAST_RESPONSES)
    response = final["response"]
    texts = [
        "".join(part.get("text", "") for part in item["content"] if part["type"] == "output_text")
        for item in response["output"]
        if item["type"] == "message"
    ]
    assert fragment.facts["operation"] == "responses"
    assert fragment.facts["model"] == response["model"]
    assert stated_tokens(fragment.facts) == tokens_of(response["usage"])
    assert fragment.facts["response_id"] == response["id"]
    assert (fragment.content.completion or "") == "\n".join(filter(None, texts))
    assert "truncated" not in fragment.facts
    for call in response["output"]:
        if call["type"] == "image_generation_call":
            assert call["result"].encode() not in fragment.document
            del call["result"]
            next(item for item in fragment.content.response["output"] if item["id"] == call["id"]).pop("result")
    assert fragment.content.response == response


@pytest.mark.parametrize("stream", RESPONSES, ids=lambda one: one.name)
def test_without_its_last_event_a_recorded_response_has_the_same_output(stream: RecordedStream) -> None:
    beginning = stream.text[: max(stream.text.rfind(f'"{name}"') for name in LAST_RESPONSES)]

    cut, whole = read_response(beginning), read_response(stream.text)

    assert cut.text == whole.text
    assert cut.facts["truncated"] is True
    if "response.created" in stream.text:
        assert cut.facts["model"] == whole.facts["model"]
        assert cut.facts["tool_calls"] == whole.facts["tool_calls"]


@pytest.mark.parametrize("stream", RUNS, ids=lambda one: one.name)
def test_a_recorded_run_equals_its_last_event(stream: RecordedStream) -> None:
    fragment = fragment_of(stream.text)

    run = stream.told("thread.run")[-1]
    messages = [one for one in stream.told("thread.message") if one["status"] == "completed"]
    texts = [part["text"]["value"] for message in messages for part in message["content"] if part["type"] == "text"]
    assert fragment.facts["operation"] == "threads.runs"
    assert fragment.facts["model"] == run["model"]
    assert stated_tokens(fragment.facts) == tokens_of(run["usage"])
    assert (fragment.content.completion or "") == "\n".join(texts)
    assert "truncated" not in fragment.facts


@pytest.mark.parametrize("stream", OTHERS, ids=lambda one: one.name)
def test_a_recorded_media_stream_equals_its_last_event(stream: RecordedStream) -> None:
    fragment = fragment_of(stream.text)

    final = stream.events[-1]
    assert stated_tokens(fragment.facts) == tokens_of(final.get("usage"))
    assert fragment.content.completion == final.get("text")
    assert fragment.facts.get("images") == (1 if "b64_json" in final else None)
    assert "truncated" not in fragment.facts
    payloads = [event["audio"] for event in stream.told("speech.audio.delta")]
    assert not [payload for payload in payloads if payload.encode() in fragment.document]


@any_stream
def test_a_recorded_stream_says_the_same_with_other_line_ends(stream: RecordedStream) -> None:
    plain = stream.text.replace("\r\n", "\n")

    assert (
        read_response(plain.replace("\n", "\r\n")) == read_response(plain) == read_response(plain.replace("\n", "\r"))
    )


@any_stream
def test_a_recorded_stream_says_the_same_read_again_from_what_was_kept(stream: RecordedStream) -> None:
    first = fragment_of(stream.text)

    (again,) = read_event(first.document, ENQUEUED).fragments

    assert again == first


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.data_too_large])
@given(st.sampled_from(WITH_ALL_DELTAS), st.data())
def test_of_any_recorded_stream_cut_anywhere_a_beginning_of_the_text_is_read(
    stream: RecordedStream, data: st.DataObject
) -> None:
    encoded = stream.text.encode()
    cut = encoded[: data.draw(st.integers(0, len(encoded)))].decode(errors="replace")

    said = read_response(cut, status=200, content_type="text/event-stream")

    whole = read_response(stream.text).text or ""
    assert whole.startswith(said.text or "")
    assert said.facts["streamed"] is True


def test_a_stream_logged_up_to_the_middle_of_a_character_is_read_so_far() -> None:
    encoded = stream_of(a_chunk({"content": "Hi"})).encode() + 'data: {"choices":[{"delta":{"content":"é'.encode()[:-1]

    event = a_response(body=None, bodyBase64=base64.b64encode(encoded).decode(), contentType="text/event-stream")
    (fragment,) = read_event(event, ENQUEUED).fragments

    assert fragment.content.completion == "Hi"


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(READABLE), st.data())
def test_of_any_recorded_stream_with_any_piece_missing_something_is_read(
    stream: RecordedStream, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(stream.text)))
    end = data.draw(st.integers(start, min(start + 3000, len(stream.text))))
    noise = data.draw(st.sampled_from(["", "\n", '"', "}", "{", "\\", "\x00", "data:", "null", "[]", "-1"]))

    fragment_of(stream.text[:start] + noise + stream.text[end:])


def test_the_corpus_holds_what_these_tests_are_about() -> None:
    families = {
        "chats": CHATS,
        "completions": COMPLETIONS,
        "responses": RESPONSES,
        "runs": RUNS,
        "others": OTHERS,
        "other vendors": OTHER_VENDORS,
    }

    assert {name: len(streams) >= 5 for name, streams in families.items()} == dict.fromkeys(families, True)
    assert sum(map(len, families.values())) == len(READABLE)
