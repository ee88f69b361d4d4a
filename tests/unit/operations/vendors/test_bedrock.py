"""Bedrock's Converse and InvokeModel: each vendor's bodies, the order of trust between body, metrics and headers."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import operations
from shared.operations.streams import text_of_bytes
from shared.operations.targets import target_of
from tests.builders.event_stream import a_message, an_event_stream, chunks_of

CONVERSE = {
    "output": {"message": {"role": "assistant", "content": [{"text": "The "}, {"text": "Elbe."}]}},
    "stopReason": "end_turn",
    "usage": {
        "inputTokens": 3,
        "outputTokens": 61,
        "totalTokens": 2435,
        "cacheReadInputTokens": 2074,
        "cacheReadInputTokenCount": 2074,
        "cacheWriteInputTokens": 297,
    },
}
EVENTS: list[tuple[str, Any]] = [
    ("messageStart", {"role": "assistant"}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "The "}}),
    ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"text": "Elbe."}}),
    ("messageStop", {"stopReason": "end_turn"}),
    ("metadata", {"usage": CONVERSE["usage"]}),
]
METRICS = {"inputTokenCount": 10, "outputTokenCount": 97}
HEADERS = {
    "x-amzn-requestid": "6b1f0c3e",
    "x-amzn-bedrock-input-token-count": "5",
    "x-amzn-bedrock-output-token-count": "10",
}


def tokens_of(facts: dict[str, Any]) -> tuple[Any, Any, Any]:
    return facts.get("input_tokens"), facts.get("output_tokens"), facts.get("total_tokens")


@pytest.mark.parametrize(
    ("path", "operation", "model", "streamed"),
    [
        (
            "/model/us.anthropic.claude-3-7-sonnet-20250219-v1%3A0/converse-stream",
            "converse",
            "us.anthropic.claude-3-7-sonnet-20250219-v1:0",
            True,
        ),
        ("/unified-ai/bedrock/model/amazon.nova-lite-v1:0/converse", "converse", "amazon.nova-lite-v1:0", False),
        ("/model/meta.llama3/invoke", "invoke", "meta.llama3", False),
        ("/model/meta.llama3/invoke-with-response-stream", "invoke", "meta.llama3", True),
        (
            "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Aapplication-inference-profile%2Fotnfa2ysixqd/converse",
            "converse",
            "otnfa2ysixqd",
            False,
        ),
        (
            "/model/arn:aws:bedrock:us-east-1:1:inference-profile/us.amazon.nova/converse",
            "converse",
            "us.amazon.nova",
            False,
        ),
        ("/model/cohere.embed-english-v3/invoke", "embeddings", "cohere.embed-english-v3", False),
        (
            "/model/amazon.titan-image-generator-v2/invoke",
            "images.generations",
            "amazon.titan-image-generator-v2",
            False,
        ),
        ("/model/anthropic.claude/count-tokens", "converse", "anthropic.claude", None),
        ("/guardrail/g/version/1/apply", "other", None, None),
        ("/async-invoke", "videos", None, None),
    ],
)
def test_the_operation_is_the_last_segment_and_the_model_all_before_it(
    path: str, operation: str, model: str | None, *, streamed: bool | None
) -> None:
    target = target_of(path)

    assert (target.operation, target.model, target.streamed, target.deployment) == (operation, model, streamed, None)


def test_input_is_all_input_caches_included() -> None:
    summary = operations.read_response(CONVERSE, operation="converse")

    assert tokens_of(summary.facts) == (2374, 61, 2435)
    assert (summary.facts["cached_input_tokens"], summary.facts["cache_write_tokens"]) == (2074, 297)
    assert summary.text == "The Elbe."


def test_texts_with_citations_are_completion_and_thoughts_and_server_tools_are_not() -> None:
    blocks = [
        {"reasoningContent": {"reasoningText": {"text": "hm"}}},
        {"toolUse": {"name": "nova_grounding", "type": "server_tool_use"}},
        {"toolUse": {"name": "f", "input": {}}},
        {"citationsContent": {"content": [{"text": "The Elbe."}], "citations": []}},
    ]
    body = CONVERSE | {"output": {"message": {"content": blocks}}}

    summary = operations.read_response(body, operation="converse")

    assert (summary.text, summary.facts["tool_calls"]) == ("The Elbe.", 1)


def test_the_prompt_holds_guarded_texts_and_no_tool_results() -> None:
    body = {
        "system": [{"text": "Be brief."}],
        "messages": [
            {"role": "user", "content": [{"guardContent": {"text": {"text": "Name a river."}}}]},
            {"role": "user", "content": [{"toolResult": {"content": [{"text": "tool"}]}}, {"cachePoint": {}}]},
        ],
    }

    assert operations.read_request(body, "converse").text == "Name a river."


@pytest.mark.parametrize("form", ["bytes", "logged"])
def test_a_stream_says_what_the_answer_in_one_piece_says(form: str) -> None:
    data = an_event_stream(EVENTS)
    body: Any = text_of_bytes(data) if form == "bytes" else data.decode(errors="replace")
    if form == "logged":
        body = operations.withheld.withhold_from_stream(body)

    streamed = operations.read_response(body, operation="converse")

    plain = operations.read_response(CONVERSE, operation="converse")
    assert (streamed.text, streamed.facts) == (plain.text, plain.facts | {"streamed": True})


@given(st.integers(min_value=0, max_value=len(an_event_stream(EVENTS)) - 1))
def test_a_stream_without_its_metadata_tells_no_tokens(end: int) -> None:
    text = text_of_bytes(an_event_stream(EVENTS)[:end])

    facts = operations.read_response(text, operation="converse").facts

    assert tokens_of(facts) == (None, None, None)
    assert text is None or facts["truncated"] is True


@pytest.mark.parametrize(
    ("body", "text", "tokens", "reason"),
    [
        pytest.param(
            {
                "results": [{"outputText": "Elbe", "completionReason": "FINISH", "tokenCount": 28.0}],
                "inputTextTokenCount": 5.0,
            },
            "Elbe",
            (5, 28, 33),
            "FINISH",
            id="Titan",
        ),
        pytest.param(
            {"generation": "Elbe", "stop_reason": "length", "prompt_token_count": 5, "generation_token_count": 10},
            "Elbe",
            (5, 10, 15),
            "length",
            id="Llama",
        ),
        pytest.param({"outputs": [{"text": "Elbe", "stop_reason": "stop"}]}, "Elbe", (5, 10, 15), "stop", id="Mistral"),
        pytest.param(
            {"generations": [{"text": "Elbe", "finish_reason": "COMPLETE"}]},
            "Elbe",
            (5, 10, 15),
            "COMPLETE",
            id="Cohere",
        ),
        pytest.param(
            {"text": "Elbe", "finish_reason": "MAX_TOKENS", "chat_history": []},
            "Elbe",
            (5, 10, 15),
            "MAX_TOKENS",
            id="Cohere R",
        ),
        pytest.param(
            {"completions": [{"data": {"text": "Elbe"}, "finishReason": {"reason": "endoftext"}}]},
            "Elbe",
            (5, 10, 15),
            "endoftext",
            id="AI21",
        ),
        pytest.param(
            {"completion": "Elbe", "stop_reason": "stop_sequence"}, "Elbe", (5, 10, 15), "stop_sequence", id="Claude 2"
        ),
        pytest.param(
            {
                "choices": [{"message": {"content": "Elbe"}, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9},
            },
            "Elbe",
            (7, 2, 9),
            "stop",
            id="an imported model",
        ),
        pytest.param(
            {
                "type": "message",
                "content": [{"type": "text", "text": "Elbe"}],
                "stop_reason": "end_turn",
                "model": "claude",
                "usage": {"input_tokens": 1, "output_tokens": 2, "cache_read_input_tokens": 3},
            },
            "Elbe",
            (4, 2, 6),
            "end_turn",
            id="Claude",
        ),
    ],
)
def test_an_answer_in_any_vendors_form_is_read(body: dict[str, Any], text: str, tokens: Any, reason: str) -> None:
    summary = operations.read_response(body, operation="invoke", headers=HEADERS)

    assert (summary.text, tokens_of(summary.facts)) == (text, tokens)
    assert json.loads(summary.facts["finish_reasons"]) == [reason]
    assert "model" not in summary.facts


def test_the_vendors_usage_stands_above_metrics_and_these_above_headers() -> None:
    metered = {"outputs": [{"text": "Elbe", "stop_reason": "stop"}], "amazon-bedrock-invocationMetrics": METRICS}

    by_metrics = operations.read_response(metered, operation="invoke", headers=HEADERS).facts
    by_body = operations.read_response(CONVERSE | metered, operation="invoke", headers=HEADERS).facts

    assert tokens_of(by_metrics) == (10, 97, 107)
    assert tokens_of(by_body) == (2374, 61, 2435)


@pytest.mark.parametrize(
    ("chunks", "tokens"),
    [
        pytest.param(
            [{"outputText": "The "}, {"outputText": "Elbe.", "completionReason": "FINISH"}], (10, 97, 107), id="Titan"
        ),
        pytest.param(
            [
                {"generation": "The ", "prompt_token_count": 4},
                {"generation": "Elbe.", "generation_token_count": 9, "stop_reason": "stop"},
            ],
            (4, 9, 13),
            id="Llama",
        ),
        pytest.param(
            [{"outputs": [{"text": "The "}]}, {"outputs": [{"text": "Elbe.", "stop_reason": "stop"}]}],
            (10, 97, 107),
            id="Mistral",
        ),
        pytest.param(
            [
                {"text": "The ", "index": 0},
                {"text": "Elbe.", "index": 0, "is_finished": True, "finish_reason": "COMPLETE"},
            ],
            (10, 97, 107),
            id="Cohere",
        ),
        pytest.param([{name: payload} for name, payload in EVENTS], (2374, 61, 2435), id="Nova"),
        pytest.param(
            [
                {
                    "type": "message_start",
                    "message": {
                        "type": "message",
                        "id": "msg_bdrk_1",
                        "usage": {"input_tokens": 7, "output_tokens": 1},
                    },
                },
                {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
                {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "The Elbe."}},
                {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 133}},
                {"type": "message_stop"},
            ],
            (7, 133, 140),
            id="Claude, whose metrics count less",
        ),
    ],
)
def test_a_stream_of_any_vendors_chunks_is_read(chunks: list[dict[str, Any]], tokens: Any) -> None:
    chunks[-1] = chunks[-1] | {"amazon-bedrock-invocationMetrics": METRICS}

    summary = operations.read_response(text_of_bytes(an_event_stream(chunks_of(*chunks))), operation="invoke")

    assert (summary.text, tokens_of(summary.facts)) == ("The Elbe.", tokens)
    assert "truncated" not in summary.facts


@pytest.mark.parametrize("reason", ["guardrail_intervened", "content_filtered"])
def test_what_a_guardrail_or_the_model_held_back_is_filtered(reason: str) -> None:
    facts = operations.read_response(CONVERSE | {"stopReason": reason}, operation="converse").facts

    assert facts["completion_filtered"] is True


def test_what_a_guardrail_masked_is_never_kept() -> None:
    body = CONVERSE | {"trace": {"guardrail": {"modelOutput": ["Jane Doe"]}}}
    invoked = {
        "outputText": "x",
        "amazon-bedrock-guardrailAction": "INTERVENED",
        "amazon-bedrock-trace": {"a": "Jane Doe"},
    }

    assert operations.withhold_from_response(body)
    assert operations.withhold_from_response(invoked)

    assert "Jane Doe" not in json.dumps([body, invoked])
    assert operations.read_response(invoked, operation="invoke").facts["completion_filtered"] is True


@pytest.mark.parametrize(
    ("request_body", "answer"),
    [
        ({"inputText": "Hello", "normalize": True}, {"embedding": [0.25], "inputTextTokenCount": 5}),
        ({"texts": ["Hello"], "input_type": "search_query"}, {"embeddings": [[0.25]]}),
        ({"singleEmbeddingParams": {"text": {"value": "Hello"}}}, {"embeddingsByType": {"float": [0.25]}}),
    ],
)
def test_embeddings_have_a_prompt_and_tokens_and_no_vectors(
    request_body: dict[str, Any], answer: dict[str, Any]
) -> None:
    asked = operations.read_request(request_body, "embeddings")
    operations.withhold_from_response(answer)

    answered = operations.read_response(answer, operation="embeddings", headers=HEADERS)

    assert asked.text == "Hello"
    assert tokens_of(answered.facts)[0] == 5
    assert "0.25" not in json.dumps(answer)


def test_a_count_of_tokens_reads_the_request_inside_and_uses_nothing() -> None:
    inner = json.dumps({"anthropic_version": "x", "messages": [{"role": "user", "content": "Hello"}]}).encode()
    body = {"input": {"invokeModel": {"body": base64.b64encode(inner).decode()}}}

    assert operations.read_request(body, "converse").text == "Hello"
    assert tokens_of(operations.read_response({"inputTokens": 18}, operation="converse").facts) == (None, None, None)


def test_the_code_of_an_error_is_the_first_part_of_its_header() -> None:
    headers = {"x-amzn-errortype": "ValidationException:http://internal.example/"}

    facts = operations.read_response({"message": "Too long"}, operation="converse", status=400, headers=headers).facts

    assert (facts["error_code"], facts["error_message"]) == ("ValidationException", "Too long")


def test_an_exception_in_a_stream_fails_the_call_and_keeps_its_text() -> None:
    data = an_event_stream(EVENTS[:2]) + a_message(
        b'{"message":"Slow down"}', message_type="exception", exception_type="throttlingException"
    )

    summary = operations.read_response(text_of_bytes(data), operation="converse", status=200)

    assert (summary.text, summary.facts["error_code"]) == ("The ", "throttlingException")
    assert tokens_of(summary.facts) == (None, None, None)
