import json
from typing import Any

import pytest

from shared.domain.fragment import Fragment
from shared.errors import EventError
from shared.sources import read_event
from tests.builders.events import ENQUEUED, an_enterprise_request, an_enterprise_response


def fragment_of(body: bytes) -> Fragment:
    (fragment,) = read_event(body, ENQUEUED).fragments
    return fragment


def test_a_request_holds_the_messages_twice_encoded() -> None:
    fragment = fragment_of(an_enterprise_request())

    assert fragment.record_type.letter == "b"
    assert fragment.facts == {
        "has_request": True,
        "occurred_at": "2026-03-02T09:29:58.000Z",
        "operation": "chat.completions",
        "operation_id": "ChatCompletions_Create",
        "prompt_preview": "2+2?",
    }
    assert fragment.content.prompt == "2+2?"
    assert fragment.content.request == {"messages": [{"role": "user", "content": "2+2?"}]}


def test_a_response_holds_tokens_as_digits() -> None:
    fragment = fragment_of(an_enterprise_response(modeltime="312"))

    assert fragment.record_type.letter == "a"
    assert fragment.facts == {
        "has_response": True,
        "occurred_at": "2026-03-02T09:29:59.000Z",
        "operation": "chat.completions",
        "operation_id": "ChatCompletions_Create",
        "api_id": "azure-openai",
        "product_id": "team-a",
        "backend_host": "aoai-example.openai.azure.com",
        "model": "gpt-4o-mini-2024-07-18",
        "response_headers": '{"openai-processing-ms":"312"}',
        "finish_reasons": '["stop"]',
        "tool_calls": 0,
        "streamed": False,
        "completion_preview": "4",
        "input_tokens": 11,
        "output_tokens": 1,
        "total_tokens": 12,
    }
    assert fragment.content.response == {
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "4"}}],
        "model": "gpt-4o-mini-2024-07-18",
        "usage": {"prompt_tokens": 11, "completion_tokens": 1, "total_tokens": 12},
    }


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        pytest.param("Once upon", "Once upon", id="plain text"),
        pytest.param('["Once","Twice"]', "Once\nTwice", id="an array of texts"),
        pytest.param("[15496, 995]", None, id="token ids"),
        pytest.param("[[15496], [995]]", None, id="arrays of token ids"),
        pytest.param("[sic] he wrote", "[sic] he wrote", id="text that begins like an array"),
        pytest.param('[{"a": 1}]', '[{"a": 1}]', id="JSON that is no prompt's"),
        pytest.param("[]", "[]", id="empty brackets"),
        pytest.param('{"a": 1}', '{"a": 1}', id="a text that is an object"),
        pytest.param("", None, id="null, as the policy writes it"),
        pytest.param(None, None, id="absent"),
    ],
)
def test_a_completions_prompt_is_text_unless_it_is_an_array(prompt: str | None, text: str | None) -> None:
    fragment = fragment_of(an_enterprise_request(operation="Completions_Create", messages=None, prompt=prompt))

    assert fragment.content.prompt == text


def test_an_embeddings_response_has_no_output() -> None:
    response = {
        name: value
        for name, value in json.loads(an_enterprise_response(operation="embeddings_create")).items()
        if name not in {"choices", "completion_tokens"}
    }

    facts = fragment_of(json.dumps(response).encode()).facts

    assert (facts["operation"], facts["input_tokens"], facts["total_tokens"]) == ("embeddings", 11, 12)
    assert "output_tokens" not in facts


def test_a_response_of_another_operation_only_says_that_there_was_one() -> None:
    fragment = fragment_of(
        json.dumps(
            {
                "event-type": "Response",
                "event-time": "3/2/2026 9:29:59 AM",
                "backend": "aoai-example.openai.azure.com",
                "message-id": "0F0E0D0C-0B0A-4908-8706-050403020100",
                "operation": "ImageGenerations_Create",
                "apiId": "azure-openai",
                "productId": "team-a",
                "modeltime": "",
            }
        ).encode()
    )

    assert fragment.interaction_id == "0f0e0d0c-0b0a-4908-8706-050403020100"
    assert (fragment.facts["operation"], fragment.facts["has_response"]) == ("images.generations", True)
    assert fragment.content.response is None


def test_an_image_prompt_is_a_prompt() -> None:
    fragment = fragment_of(
        an_enterprise_request(operation="ImageGenerations_Create", messages="", prompt="A red kite", model="")
    )

    assert fragment.content.prompt == "A red kite"
    assert fragment.content.request == {"prompt": "A red kite"}


@pytest.mark.parametrize("messages", ["not JSON", "[{", 5, {"role": "user"}, [], [None, 5, {"content": 5}]])
def test_messages_of_another_form_have_no_text(messages: Any) -> None:
    assert fragment_of(an_enterprise_request(messages=messages)).content.prompt is None


def test_an_event_without_an_id_is_refused() -> None:
    with pytest.raises(EventError, match="message-id is missing"):
        read_event(an_enterprise_request(""), ENQUEUED)
