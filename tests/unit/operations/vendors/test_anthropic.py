"""Anthropic's Messages: whoever sends them, the ledger's own meaning of each number and text."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import operations
from shared.domain.secrets import REMOVED
from shared.domain.values import Json
from shared.operations.targets import target_of

USAGE = {"input_tokens": 21, "cache_read_input_tokens": 5000, "cache_creation_input_tokens": 300, "output_tokens": 6}


def a_message(**changes: Any) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5-20250929",
        "content": [{"type": "text", "text": "The "}, {"type": "text", "text": "Elbe.", "citations": []}],
        "stop_reason": "end_turn",
        "usage": USAGE,
    } | changes


def a_stream(*events: dict[str, Any]) -> str:
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)


START: dict[str, Any] = {
    "type": "message_start",
    "message": a_message(content=[], stop_reason=None, usage=USAGE | {"output_tokens": 1}),
}
BLOCK: dict[str, Any] = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
DELTAS: list[dict[str, Any]] = [
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}
    for text in ("The ", "Elbe.")
]
END: dict[str, Any] = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 6}}
STOP: dict[str, Any] = {"type": "message_stop"}
WHOLE = (START, BLOCK, *DELTAS, {"type": "content_block_stop", "index": 0}, END, STOP)


@pytest.mark.parametrize(
    ("path", "operation"),
    [
        ("/anthropic/v1/messages", "messages"),
        ("/any/prefix/claude/v1/messages?beta=true", "messages"),
        ("/v1/messages/count_tokens", "messages"),
        ("/v1/messages/batches/msgbatch_1/results", "messages"),
        ("/openai/threads/thread_1/messages", "threads.messages"),
        ("/openai/threads/thread_1/messages/msg_1", "threads.messages"),
    ],
)
def test_the_operation_comes_from_the_path(path: str, operation: str) -> None:
    assert target_of(path).operation == operation


def test_input_is_all_input_caches_included() -> None:
    summary = operations.read_response(a_message())

    tokens = {name: value for name, value in summary.facts.items() if name.endswith("_tokens")}
    assert tokens == {
        "input_tokens": 5321,
        "cached_input_tokens": 5000,
        "cache_write_tokens": 300,
        "output_tokens": 6,
        "total_tokens": 5327,
    }


def test_the_completion_is_the_text_blocks_as_one_text() -> None:
    thought = {"type": "thinking", "thinking": "Rivers…", "signature": "x"}

    summary = operations.read_response(a_message(content=[thought, *a_message()["content"]]))

    assert summary.text == "The Elbe."
    assert summary.facts["tool_calls"] == 0


def test_the_prompt_is_what_people_and_model_said_without_instructions_and_tools() -> None:
    summary = operations.read_request(
        {
            "model": "claude",
            "system": "Be brief.",
            "metadata": {"user_id": "user-1"},
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "Name a river."}]},
                {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm"}, {"type": "tool_use"}]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "tool output"}]},
                {"role": "user", "content": "Please."},
            ],
        },
        "messages",
    )

    assert summary.text == "Name a river.\nPlease."
    assert summary.facts["end_user_id"] == "user-1"
    assert summary.facts["streamed"] is False


def test_tool_calls_are_those_that_the_client_is_to_make() -> None:
    blocks = [{"type": kind} for kind in ("tool_use", "server_tool_use", "mcp_tool_use", "tool_use")]

    assert operations.read_response(a_message(content=blocks, stop_reason="tool_use")).facts["tool_calls"] == 2


def test_a_refusal_is_told_as_the_filters_is() -> None:
    assert operations.read_response(a_message(stop_reason="refusal")).facts["completion_filtered"] is True


def test_a_stream_says_what_the_message_in_one_piece_says() -> None:
    streamed = operations.read_response(a_stream(*WHOLE), operation="messages")

    plain = operations.read_response(a_message(), operation="messages")
    assert streamed.facts == plain.facts | {"streamed": True}
    assert streamed.text == plain.text


@given(st.integers(min_value=40, max_value=len(a_stream(*WHOLE)) - 1))
def test_a_stream_cut_anywhere_never_invents_output_tokens(end: int) -> None:
    summary = operations.read_response(a_stream(*WHOLE)[:end], operation="messages")

    assert summary.facts.get("output_tokens") in {None, 6}
    assert (summary.text or "") in {"", "The ", "The Elbe."}
    assert summary.facts.get("truncated", False) is ("output_tokens" not in summary.facts)


def test_what_the_end_tells_replaces_what_the_start_told_and_is_never_added() -> None:
    end = END | {"usage": {"input_tokens": 404_500, "output_tokens": 943, "cache_read_input_tokens": 0}}

    facts = operations.read_response(a_stream(START, BLOCK, *DELTAS, end, STOP)).facts

    assert (facts["input_tokens"], facts["cached_input_tokens"], facts["output_tokens"]) == (404_800, 0, 943)


def test_a_start_that_is_sent_twice_counts_once_and_another_start_begins_anew() -> None:
    other = START | {"message": START["message"] | {"id": "msg_2"}}

    assert operations.read_response(a_stream(START, *WHOLE)).text == "The Elbe."
    assert operations.read_response(a_stream(START, BLOCK, DELTAS[0], other, *WHOLE[1:])).text == "The Elbe."


def test_an_error_in_a_stream_fails_the_call_and_keeps_what_was_said() -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}

    summary = operations.read_response(a_stream(START, BLOCK, DELTAS[0], error), operation="messages", status=200)

    assert (summary.facts["error_code"], summary.facts["error_message"]) == ("overloaded_error", "Overloaded")
    assert summary.text == "The "
    assert "output_tokens" not in summary.facts
    assert "truncated" not in summary.facts


def test_arguments_that_come_in_pieces_are_one_object() -> None:
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "name": "f", "input": {}}}
    pieces = [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": text}}
        for text in ("", '{"port":', '"Cuxhaven"}')
    ]

    summary = operations.read_response(a_stream(START, block, *pieces, END, STOP))

    assert summary.body["content"] == [{"type": "tool_use", "name": "f", "input": {"port": "Cuxhaven"}}]


def test_a_count_of_tokens_and_the_state_of_a_batch_use_nothing() -> None:
    for body in ({"input_tokens": 14}, {"id": "msgbatch_1", "type": "message_batch", "processing_status": "ended"}):
        facts = operations.read_response(body, operation="messages").facts

        assert not any(name.endswith("_tokens") for name in facts)


def test_the_results_of_a_batch_tell_its_usage_under_one_key_whatever_their_order() -> None:
    lines = [
        json.dumps({"custom_id": str(n), "result": {"type": "succeeded", "message": a_message(id=f"msg_{n}")}})
        for n in (2, 1)
    ]

    first, again = (
        operations.read_response("\n".join(ordered), operation="messages").facts for ordered in (lines, lines[::-1])
    )

    assert first["total_tokens"] == again["total_tokens"] == 2 * 5327
    assert first["usage_key"] == again["usage_key"] == "msg_1"


def test_the_code_of_an_error_is_its_type() -> None:
    body = {"type": "error", "error": {"type": "rate_limit_error", "message": "Slow down"}, "request_id": "req_1"}

    facts = operations.read_response(body, operation="messages", status=429).facts

    assert (facts["error_code"], facts["error_message"]) == ("rate_limit_error", "Slow down")


@pytest.mark.parametrize("token", [["secret"], {"value": "secret"}, 42])
def test_a_token_for_remote_tools_that_is_no_text_is_not_kept_either(token: Json) -> None:
    body: Any = {"mcp_servers": [{"url": "https://tools.example", "authorization_token": token}]}

    assert operations.withhold_from_request(body) is True
    assert body["mcp_servers"][0]["authorization_token"] == REMOVED


def test_tokens_for_remote_tools_are_never_kept() -> None:
    body = {"mcp_servers": [{"url": "https://tools.example", "authorization_token": "secret"}]}

    assert operations.withhold_from_request(body) is True
    assert "secret" not in json.dumps(body)
    assert operations.withhold_from_request(body) is False


def test_cache_writes_for_an_hour_and_the_tier_are_facts() -> None:
    kept = {"ephemeral_5m_input_tokens": 200, "ephemeral_1h_input_tokens": 100}
    body = a_message(usage=USAGE | {"cache_creation": kept, "service_tier": "priority"})

    facts = operations.read_response(body, operation="messages", status=200).facts

    assert (facts["cache_write_tokens"], facts["cache_write_1h_tokens"], facts["service_tier"]) == (
        300,
        100,
        "priority",
    )
