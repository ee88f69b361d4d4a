"""Gemini's API: running totals that are never added, thoughts beside the visible counts, refusals with status 200."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import operations
from shared.operations.targets import target_of

USAGE = {
    "promptTokenCount": 32,
    "toolUsePromptTokenCount": 4610,
    "cachedContentTokenCount": 12,
    "candidatesTokenCount": 5,
    "thoughtsTokenCount": 42,
    "totalTokenCount": 4689,
}
TOKENS = {
    "input_tokens": 4642,
    "cached_input_tokens": 12,
    "output_tokens": 47,
    "reasoning_tokens": 42,
    "total_tokens": 4689,
}


def a_candidate(*parts: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"content": {"role": "model", "parts": list(parts)}, "finishReason": "STOP", "index": 0} | changes


def an_answer(*candidates: dict[str, Any], **changes: Any) -> dict[str, Any]:
    made = list(candidates) or [a_candidate({"text": "rivers…", "thought": True}, {"text": "The "}, {"text": "Elbe."})]
    return {
        "candidates": made,
        "usageMetadata": USAGE,
        "modelVersion": "models/gemini-3.6-flash",
        "responseId": "r-1",
    } | changes


CHUNKS = [
    an_answer(
        a_candidate({"text": "The "}, finishReason=None), usageMetadata={"promptTokenCount": 46, "totalTokenCount": 97}
    ),
    an_answer(a_candidate({"text": "Elbe."}, finishReason=None), usageMetadata={"promptTokenCount": 46}),
    an_answer(a_candidate({"text": "", "thoughtSignature": "x"})),
]


def tokens_of(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if name.endswith("_tokens")}


@pytest.mark.parametrize(
    ("url", "operation", "model", "streamed"),
    [
        ("/v1beta/models/gemini-2.5-pro:generateContent", "generateContent", "gemini-2.5-pro", False),
        (
            "/gw/gemini/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse",
            "generateContent",
            "gemini-2.5-pro",
            True,
        ),
        (
            "/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-pro:generateContent?%24alt=json",
            "generateContent",
            "gemini-2.5-pro",
            False,
        ),
        ("/v1beta/models/gemini-2.5-pro:countTokens", "generateContent", "gemini-2.5-pro", None),
        ("/v1beta/models/gemini-embedding-001:batchEmbedContents", "embeddings", "gemini-embedding-001", None),
        (
            "/v1/projects/p/locations/l/publishers/google/models/text-embedding-004:predict",
            "embeddings",
            "text-embedding-004",
            None,
        ),
        (
            "/v1/projects/p/locations/l/publishers/google/models/imagen-4:predict",
            "images.generations",
            "imagen-4",
            None,
        ),
        ("/v1beta/models/veo-3:predictLongRunning", "videos", "veo-3", None),
        ("/v1beta/interactions", "generateContent", None, None),
        ("/v1beta/cachedContents/c", "other", None, None),
        ("/v1beta/batches/b", "batches", None, None),
        (
            "/v1/projects/p/locations/l/publishers/anthropic/models/claude-x:streamRawPredict",
            "messages",
            "claude-x",
            True,
        ),
        ("/models/chat/completions", "chat.completions", None, None),
        ("/v1beta/openai/chat/completions", "chat.completions", None, None),
    ],
)
def test_operation_model_and_stream_come_from_the_path(
    url: str, operation: str, model: str | None, *, streamed: bool | None
) -> None:
    target = target_of(url)

    assert (target.operation, target.model, target.streamed, target.deployment) == (operation, model, streamed, None)


def test_tool_use_stands_beside_the_prompt_and_thoughts_beside_the_answer() -> None:
    summary = operations.read_response(an_answer(), operation="generateContent")

    assert tokens_of(summary.facts) == TOKENS
    assert summary.text == "The Elbe."
    assert summary.facts["model"] == "gemini-3.6-flash"


def test_a_total_without_candidates_means_none_and_absent_thoughts_are_unknown() -> None:
    usage = {"promptTokenCount": 14, "totalTokenCount": 14}

    facts = operations.read_response(an_answer(usageMetadata=usage), operation="generateContent").facts

    assert tokens_of(facts) == {"input_tokens": 14, "output_tokens": 0, "total_tokens": 14}


def test_the_prompt_is_read_in_either_spelling_without_thoughts_tools_and_instructions() -> None:
    body = {
        "system_instruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {"parts": [{"text": "Name a river."}, {"inline_data": {"data": "AAAA"}}]},
            {"role": "model", "parts": [{"text": "hm", "thought": True}, {"functionCall": {"name": "f"}}]},
            {"role": "user", "parts": [{"function_response": {"name": "f", "response": {"text": "tool"}}}]},
        ],
    }

    assert operations.read_request(body, "generateContent").text == "Name a river."


@pytest.mark.parametrize("framing", ["sse", "array", "pretty array"])
def test_a_stream_says_what_its_last_totals_say(framing: str) -> None:
    body: Any = CHUNKS
    if framing == "sse":
        body = "".join(f"data: {json.dumps(chunk)}\r\n\r\n" for chunk in CHUNKS)
    elif framing == "pretty array":
        body = "[" + "\n,\r\n".join(json.dumps(chunk, indent=2) for chunk in CHUNKS) + "\n]\n"

    summary = operations.read_response(body, operation="generateContent")

    assert tokens_of(summary.facts) == TOKENS
    assert summary.text == "The Elbe."
    assert summary.facts["streamed"] is True
    assert "truncated" not in summary.facts


@given(st.integers(min_value=60, max_value=2000))
def test_an_array_cut_anywhere_tells_no_output_that_was_still_running(end: int) -> None:
    text = "[" + "\n,\n".join(map(json.dumps, CHUNKS)) + "]"

    summary = operations.read_response(text[:end], operation="generateContent")

    assert summary.text in {None, "The ", "The Elbe."}
    assert tokens_of(summary.facts) in ({}, {"input_tokens": 46}, TOKENS)


def test_a_blocked_prompt_is_filtered_and_its_tokens_are_unknown() -> None:
    body = {"promptFeedback": {"blockReason": "MODEL_ARMOR"}, "usageMetadata": {}, "modelVersion": "gemini-2.5-pro"}

    facts = operations.read_response(body, operation="generateContent", status=200).facts

    assert facts["prompt_filtered"] is True
    assert tokens_of(facts) == {}


@pytest.mark.parametrize("reason", ["SAFETY", "RECITATION", "PROHIBITED_CONTENT", "IMAGE_SAFETY", 3, 4])
def test_a_blocked_answer_is_filtered(reason: str | int) -> None:
    facts = operations.read_response(an_answer(a_candidate(finishReason=reason))).facts

    assert facts["completion_filtered"] is True


@pytest.mark.parametrize("reason", ["STOP", "MAX_TOKENS", "OTHER", "IMAGE_OTHER", 1])
def test_an_answer_that_ended_otherwise_is_not_filtered(reason: str | int) -> None:
    assert "completion_filtered" not in operations.read_response(an_answer(a_candidate(finishReason=reason))).facts


def test_calls_of_the_clients_functions_are_counted_and_googles_own_tools_are_not() -> None:
    parts: list[dict[str, Any]] = [
        {"functionCall": {"name": "f", "args": {}}},
        {"executableCode": {}},
        {"toolCall": {}},
        {"functionCall": {}},
    ]

    assert operations.read_response(an_answer(a_candidate(*parts))).facts["tool_calls"] == 2


def test_a_count_of_tokens_uses_nothing() -> None:
    assert tokens_of(operations.read_response({"totalTokens": 7}, operation="generateContent").facts) == {}


@pytest.mark.parametrize("form", ["object", "array"])
def test_the_code_of_an_error_is_its_word(form: str) -> None:
    error = {"error": {"code": 429, "message": "Slow down", "status": "RESOURCE_EXHAUSTED"}}

    facts = operations.read_response(
        [error] if form == "array" else error, operation="generateContent", status=429
    ).facts

    assert (facts["error_code"], facts["error_message"]) == ("RESOURCE_EXHAUSTED", "Slow down")


def test_vectors_and_pictures_are_never_kept() -> None:
    answer = an_answer(a_candidate({"inlineData": {"mimeType": "image/png", "data": "pixels"}}))
    vectors = {"embeddings": [{"values": [0.25, 0.5]}], "usageMetadata": {"promptTokenCount": 3}}

    assert operations.withhold_from_response(answer)
    assert operations.withhold_from_response(vectors)

    assert "pixels" not in json.dumps(answer)
    assert "0.25" not in json.dumps(vectors)
    assert operations.read_response(vectors, operation="embeddings").facts["total_tokens"] == 3


def test_a_finished_batch_tells_its_usage_under_its_name() -> None:
    body = {
        "name": "batches/b-1",
        "metadata": {"state": "BATCH_STATE_SUCCEEDED"},
        "done": True,
        "response": {"inlinedResponses": {"inlinedResponses": [{"response": an_answer()}, {"response": an_answer()}]}},
    }

    facts = operations.read_response(body, operation="batches").facts

    assert (facts["usage_key"], facts["total_tokens"]) == ("batches/b-1", 2 * 4689)


def test_an_interaction_tells_the_same_arithmetic_under_its_id() -> None:
    body = {
        "id": "i-1",
        "status": "completed",
        "model": "gemini-3-pro",
        "steps": [{"type": "thought"}, {"type": "model_output", "content": [{"type": "text", "text": "The Elbe."}]}],
        "usage": {"total_input_tokens": 10, "total_output_tokens": 3, "total_thought_tokens": 4, "total_tokens": 17},
    }

    summary = operations.read_response(body, operation="generateContent")

    assert (summary.text, summary.facts["usage_key"]) == ("The Elbe.", "i-1")
    assert (summary.facts["input_tokens"], summary.facts["output_tokens"], summary.facts["total_tokens"]) == (10, 7, 17)


def test_the_openai_form_counts_thoughts_as_output() -> None:
    usage = {"prompt_tokens": 35, "completion_tokens": 12, "total_tokens": 109}
    body = {"object": "chat.completion", "choices": [], "model": "gemini-2.5-pro", "usage": usage}

    assert operations.read_response(body).facts["output_tokens"] == 74
