import time
from typing import Any

import pytest

from shared.domain.fragment import Content
from shared.operations.estimate import estimated_usage

HELLO = {"role": "user", "content": "hello world"}
CHAT = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "hello world"}}]}


def tokens(request: Any, response: Any = CHAT, *, operation: str = "chat.completions", model: str = "gpt-4o") -> Any:
    facts = estimated_usage(operation, model, Content(request=request, response=response))
    return tuple(facts.get(name) for name in ("input_tokens", "output_tokens", "total_tokens"))


def test_a_chat_is_counted_as_the_cookbook_does() -> None:
    # Three for the message, one for its role, two for its text, three for priming.
    assert tokens({"messages": [HELLO]}) == (9, 2, 11)


def test_the_cookbooks_own_example_has_the_counts_that_it_prints() -> None:
    # "How to count tokens with tiktoken", num_tokens_for_tools: 101 for gpt-4o, 105 for gpt-4 and gpt-3.5-turbo.
    tool = {
        "type": "function",
        "function": {
            "name": "get_current_weather",
            "description": "Get the current weather in a given location",
            "parameters": {
                "type": "object",
                "properties": {
                    "location": {"type": "string", "description": "The city and state, e.g. San Francisco, CA"},
                    "unit": {
                        "type": "string",
                        "description": "The unit of temperature to return",
                        "enum": ["celsius", "fahrenheit"],
                    },
                },
                "required": ["location"],
            },
        },
    }
    request = {
        "messages": [
            {
                "role": "system",
                "content": "You are a helpful assistant that can answer to questions about the weather.",
            },
            {"role": "user", "content": "What's the weather like in San Francisco?"},
        ],
        "tools": [tool],
    }

    assert [tokens(request, model=model)[0] for model in ("gpt-4o", "gpt-4o-mini", "gpt-4", "gpt-3.5-turbo")] == [
        101, 101, 105, 105,
    ]  # fmt: skip


@pytest.mark.parametrize("model", ["claude-sonnet-4-5", "grok-3", "mistral-large", "unheard-of"])
def test_models_whose_tokenizer_is_not_here_get_no_estimate(model: str) -> None:
    assert tokens({"input": "The Elbe."}, operation="embeddings", model=model) == (None, None, None)


@pytest.mark.parametrize(
    ("model", "counted"),
    [("gpt-4o", 21), ("gpt-4-32k", 20), ("gpt-35-turbo-16k", 20), ("gpt-4.1", 21)],
)
def test_the_model_tells_the_encoding(model: str, counted: int) -> None:
    text = "Don't panic: 3.14159 — naïve café, 日本語, and 🎉!"
    o200k, cl100k = (tokens({"input": text}, operation="embeddings", model=name)[0] for name in ("gpt-4o", "gpt-4"))

    assert tokens({"input": text}, operation="embeddings", model=model)[0] == (o200k if counted == 21 else cl100k)


@pytest.mark.parametrize(
    ("part", "model", "known"),
    [
        pytest.param({"type": "text", "text": "hello world"}, "gpt-4o", 9, id="text"),
        pytest.param({"type": "image_url", "image_url": {"url": "x", "detail": "low"}}, "gpt-4o", 92, id="low detail"),
        pytest.param({"type": "image_url", "image_url": {"url": "x", "detail": "low"}}, "gpt-4o-mini", 2840, id="mini"),
        pytest.param({"type": "image_url", "image_url": {"url": "x", "detail": "high"}}, "gpt-4o", None, id="high"),
        pytest.param({"type": "image_url", "image_url": "x"}, "gpt-4o", None, id="unknown detail"),
        pytest.param({"type": "image_url", "image_url": {"detail": "low"}}, "gpt-unheard", None, id="unknown model"),
        pytest.param({"type": "input_audio", "input_audio": {"data": ""}}, "gpt-4o", None, id="sound"),
    ],
)
def test_what_has_no_formula_leaves_the_prompt_unknown(part: Any, model: str, known: int | None) -> None:
    asked, written, total = tokens({"messages": [{"role": "user", "content": [part]}]}, model=model)

    assert (asked, written) == (known, 2)
    assert total == (None if known is None else known + 2)


@pytest.mark.parametrize(
    ("operation", "request_body", "response", "known"),
    [
        pytest.param("completions", {"prompt": "hello world"}, {"choices": [{"text": "hello"}]}, (2, 1, 3), id="text"),
        pytest.param("completions", {"prompt": [[1, 2], [3]]}, {"choices": [{"text": "hello"}]}, (3, 1, 4), id="ids"),
        pytest.param("embeddings", {"input": ["hello world", "hello"]}, None, (3, None, 3), id="embeddings"),
        pytest.param("embeddings", {}, None, (None, None, None), id="nothing"),
        pytest.param(
            "responses",
            {"input": "hello world", "instructions": "hello"},
            {"output": [{"type": "message", "content": [{"type": "output_text", "text": "hello world"}]}]},
            (14, 2, 16),
            id="responses",
        ),
        pytest.param(
            "responses",
            {"input": "hello", "previous_response_id": "resp_0"},
            {"output": [{"type": "function_call", "name": "hello", "arguments": "{}"}]},
            (None, 2, None),
            id="what is stored with the service is not known",
        ),
        pytest.param("responses", {"input": "hello", "background": True}, {"output": []}, (None,) * 3, id="background"),
        pytest.param("chat.completions", None, CHAT, (None,) * 3, id="a poll"),
        pytest.param("chat.completions", {"messages": [HELLO]}, {"choices": []}, (None,) * 3, id="no answer"),
    ],
)
def test_other_operations(operation: str, request_body: Any, response: Any, known: tuple[Any, ...]) -> None:
    assert tokens(request_body, response, operation=operation) == known


def test_calls_are_counted_by_their_names_and_arguments() -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "hello", "arguments": "hello world"}}
    answer = {"choices": [{"message": {"content": None, "tool_calls": [call]}}, {"message": {"refusal": "hello"}}]}

    assert tokens({"messages": [HELLO]}, answer)[1] == 4


def test_five_megabytes_of_text_take_a_second_at_most() -> None:
    text = 'The quick brown fox: {"jumps": [1, 2, 3]}, über den "faulen" Hund, 日本語. ' * 12_000
    tokens({"input": ""}, operation="embeddings")
    began = time.process_time()

    tokens({"input": text}, operation="embeddings")

    assert time.process_time() - began < len(text.encode()) / 5e6


def test_strange_bodies_do_no_harm() -> None:
    for strange in (None, 7, "x", [], {}, [None], {"function": 7}, [[["x"]]]):
        for operation in ("chat.completions", "completions", "embeddings", "responses"):
            body = dict.fromkeys(("messages", "prompt", "input", "tools", "choices", "output"), strange)
            estimated_usage(operation, None, Content(request=body, response=body, completion="x"))
            nested = {name: [body] for name in body}
            estimated_usage(operation, None, Content(request=nested, response=nested))
