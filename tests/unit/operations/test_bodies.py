"""Chat completions, completions, embeddings, and operations without a reader of their own."""

import json
from typing import Any

import pytest

from shared.operations import read_request, read_response

IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


def a_choice(index: Any, content: Any, **changes: Any) -> dict[str, Any]:
    return {"index": index, "finish_reason": "stop", "message": {"role": "assistant", "content": content}} | changes


def test_a_chat_prompt_is_the_text_of_every_message() -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "What is"}, IMAGE, {"type": "text", "text": "this?"}]},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "call_1"}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "A cat."},
        {"role": "user", "content": ""},
    ]

    said = read_request({"messages": messages}, "chat.completions")

    assert said.text == "Be brief.\nWhat is\nthis?\nA cat."
    assert said.facts["prompt_preview"] == said.text
    assert said.facts["parameters"] == '{"messages":5}'


def test_a_preview_is_the_first_hundred_characters() -> None:
    said = read_request({"messages": [{"content": "\N{GRINNING FACE}\x00" * 80}]}, "chat.completions")

    assert said.facts["prompt_preview"] == "\N{GRINNING FACE}\N{REPLACEMENT CHARACTER}" * 50


def test_the_first_choice_is_the_one_with_the_lowest_index() -> None:
    said = read_response(
        {"object": "chat.completion", "choices": [a_choice(1, "b", finish_reason="length"), a_choice(0, "a")]}
    )

    assert said.text == "a"
    assert said.facts["finish_reasons"] == '["stop","length"]'


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"content": "Hi"}, "Hi"),
        ({"content": [{"type": "text", "text": "Hi"}, {"type": "text", "text": "Ho"}]}, "Hi\nHo"),
        ({"content": None, "refusal": "I can't."}, "I can't."),
        ({"content": None, "audio": {"transcript": "Hi there", "data": "AAAA"}}, "Hi there"),
        ({"content": None}, None),
        ({}, None),
        (None, None),
        ("Hi", None),
    ],
)
def test_a_completion_is_what_the_model_wrote_or_said(message: Any, text: str | None) -> None:
    assert read_response({"choices": [{"index": 0, "message": message}]}).text == text


@pytest.mark.parametrize(
    ("messages", "calls"),
    [
        ([{"tool_calls": [{"type": "function"}, {"type": "custom"}]}, {"tool_calls": [{}]}], 3),
        ([{"function_call": {"name": "f", "arguments": "{"}}], 1),
        ([{"content": "Hi", "tool_calls": None}], 0),
        ([{"content": "Hi", "tool_calls": "two"}], 0),
    ],
)
def test_tool_calls_of_all_choices_are_counted(messages: list[Any], calls: int) -> None:
    choices = [{"index": index, "message": message} for index, message in enumerate(messages)]

    assert read_response({"choices": choices}).facts["tool_calls"] == calls


def test_a_choice_without_a_message_is_a_choice() -> None:
    said = read_response(
        {"object": "chat.completion", "choices": [{"index": 0, "finish_reason": "content_filter"}, None]}
    )

    assert (said.text, said.facts["finish_reasons"]) == (None, '["content_filter"]')


def test_a_stored_completion_read_back_counts_no_tokens_again() -> None:
    facts = read_response(
        {"object": "chat.completion", "choices": [a_choice(0, "a")], "usage": {"prompt_tokens": 4}, "input_user": None}
    ).facts

    assert "input_tokens" not in facts
    assert facts["completion_preview"] == "a"


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("Once", "Once"),
        (["Once", "", "Twice"], "Once\nTwice"),
        ([1, 2], None),
        ([[1], [2]], None),
        (None, None),
        (7, None),
    ],
)
def test_a_completions_prompt_is_its_texts(prompt: Any, text: str | None) -> None:
    assert read_request({"prompt": prompt}, "completions").text == text


def test_a_completions_answer_is_the_first_choices_text() -> None:
    said = read_response(
        {"object": "text_completion", "choices": [{"index": 1, "text": "b"}, {"index": 0, "text": "a"}]}
    )

    assert (said.text, said.facts["operation"], said.facts["finish_reasons"]) == ("a", "completions", "[null,null]")


@pytest.mark.parametrize(
    ("texts", "text"), [("One", "One"), (["One", "Two"], "One\nTwo"), ([1, 2], None), ([[1], [2]], None)]
)
def test_an_embeddings_prompt_is_its_inputs(texts: Any, text: str | None) -> None:
    assert read_request({"input": texts}, "embeddings").text == text


@pytest.mark.parametrize(
    "body",
    [
        {"input": [{"image": "data:image/png;base64,AAAA", "text": "A red kite"}, {"text": "A blue one"}]},
        {"input": ["A red kite", {"type": "text", "text": "A blue one"}, IMAGE]},
        {
            "inputs": [
                {"content": [{"type": "text", "text": "A red kite"}, IMAGE, {"type": "text", "text": "A blue one"}]}
            ]
        },
        {"texts": ["A red kite", "A blue one"], "input_type": "document"},
        {
            "messages": [
                {"role": "user", "content": [{"text": "A red kite"}]},
                {"role": "user", "content": "A blue one"},
            ]
        },
    ],
)
def test_texts_that_are_embedded_beside_images_are_the_prompt(body: dict[str, Any]) -> None:
    assert read_request(body, "embeddings").text == "A red kite\nA blue one"


def test_an_operation_without_a_reader_still_names_model_and_parameters() -> None:
    said = read_request({"model": "dall-e-3", "prompt": "A red kite", "size": "1024x1024"}, "other")

    assert said.text == "A red kite"
    assert said.facts == {
        "requested_model": "dall-e-3",
        "parameters": '{"size":"1024x1024"}',
        "prompt_preview": "A red kite",
    }


@pytest.mark.parametrize(("stream", "streamed"), [(True, True), (False, False), (None, False), ("true", True)])
def test_a_chat_request_streams_on_demand_only(stream: Any, *, streamed: bool) -> None:
    assert read_request({"messages": [], "stream": stream}, "chat.completions").facts["streamed"] is streamed


@pytest.mark.parametrize("body", [None, "text", 5, []])
def test_a_body_that_is_no_object_says_nothing(body: Any) -> None:
    assert read_request(body, "chat.completions").facts == {}
    assert read_response(body, status=200).facts == {}


@pytest.mark.parametrize(
    ("body", "operation"),
    [
        ({"object": "chat.completion"}, "chat.completions"),
        ({"choices": [{"message": {}}]}, "chat.completions"),
        ({"choices": [{"text": ""}]}, "completions"),
        ({"object": "list", "data": [{"embedding": "AAAA"}]}, "embeddings"),
        ({"object": "list", "data": [{"object": "vector_store.file"}]}, "vector_stores"),
        ({"object": "thread.run.step"}, "threads.runs.steps"),
        ({"object": "thread.message.deleted"}, "threads.messages"),
        ({"object": "thread.deleted"}, "threads"),
        ({"object": "response"}, "responses"),
        ({"object": "fine_tuning.job.checkpoint"}, "fine_tuning.jobs"),
        ({"object": "list", "data": []}, None),
        ({"object": "search.results"}, None),
        ({"created": 1, "data": [{"url": "https://x"}]}, "images.generations"),
    ],
)
def test_the_shape_of_a_response_names_its_operation(body: dict[str, Any], operation: str | None) -> None:
    assert read_response(body).facts.get("operation") == operation


def test_parameters_hold_no_text_no_schema_and_no_credential() -> None:
    body = {
        "messages": [{"content": "secret plan"}],
        "temperature": 0,
        "top_p": 0.9,
        "n": 2,
        "stop": ["\n", "END"],
        "seed": 7,
        "max_completion_tokens": 50,
        "stream_options": {"include_usage": True},
        "response_format": {"type": "json_schema", "json_schema": {"name": "secret plan"}},
        "tools": [{"type": "function", "function": {"name": "secret plan"}}],
        "tool_choice": {"type": "function", "function": {"name": "lookup"}},
        "reasoning_effort": "low",
        "data_sources": [{"parameters": {"authentication": {"key": "secret plan"}}}],
        "metadata": {"a": "secret plan"},
        "prediction": {"type": "content", "content": "secret plan"},
        "logit_bias": None,
        "voice": "secret plan " * 9,
    }

    assert json.loads(read_request(body, "chat.completions").facts["parameters"]) == {
        "messages": 1,
        "temperature": 0,
        "top_p": 0.9,
        "n": 2,
        "seed": 7,
        "max_completion_tokens": 50,
        "stream_options": {"include_usage": True},
        "response_format": "json_schema",
        "tools": 1,
        "tool_choice": "lookup",
        "reasoning_effort": "low",
        "data_sources": 1,
    }
