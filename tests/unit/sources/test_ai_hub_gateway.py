from typing import Any

import pytest

from shared.domain.fragment import Fragment
from shared.domain.interaction import Provenance
from shared.errors import EventError
from shared.sources import read_event
from tests.builders.events import ENQUEUED, a_usage_record

GUID = "1f0e0d0c-0b0a-4908-8706-050403020100"


def fragment_of(body: bytes) -> Fragment:
    (fragment,) = read_event(body, ENQUEUED).fragments
    return fragment


def tokens_of(**changes: Any) -> tuple[Any, ...]:
    facts = fragment_of(a_usage_record(**changes)).facts
    return tuple(facts.get(name) for name in ("input_tokens", "output_tokens", "total_tokens"))


def test_a_record_says_who_called_and_how_many_tokens() -> None:
    fragment = fragment_of(a_usage_record())

    assert fragment.interaction_id == "chatcmpl-Example0001"
    assert fragment.record_type.provenance is Provenance.LOGGED
    assert fragment.facts == {
        "has_request": True,
        "has_response": True,
        "http_status": 200,
        "streamed": False,
        "occurred_at": "2026-03-02T09:28:07.000Z",
        "operation": "chat.completions",
        "operation_id": "Creates a completion for the chat message",
        "app_id": "app-7",
        "subscription_id": "team-a-sub",
        "product_id": "OAI-Team-A",
        "model": "gpt-4o-2024-11-20",
        "deployment": "chat",
        "gateway_name": "apim-example",
        "gateway_region": "Sweden Central",
        "caller_ip": "203.0.113.9",
        "backend_id": "openai-backend-0",
        "response_id": "chatcmpl-Example0001",
        "input_tokens": 120,
        "output_tokens": 30,
        "total_tokens": 150,
    }


def test_what_the_policy_writes_for_want_of_a_value_is_no_value() -> None:
    facts = fragment_of(
        a_usage_record(
            appId="NA", subscriptionId="Portal-Admin", productName="Portal-Admin", model="NA", endUserId="NA-HEADER"
        )
    ).facts

    assert not {"app_id", "subscription_id", "product_id", "model", "session_id", "end_user_id"} & facts.keys()


@pytest.mark.parametrize(
    ("told", "known"),
    [
        pytest.param((120, 30, 150), (120, 30, 150), id="numbers"),
        pytest.param(("120", "30", "150"), (120, 30, 150), id="digits"),
        pytest.param((1, 0, 1), (None, None, None), id="the defaults: no usage"),
        pytest.param(("1", "0", "1"), (None, None, None), id="the defaults in digits"),
        pytest.param((1, 0, 980), (None, None, 980), id="the Responses API: only the total is real"),
        pytest.param((8, 0, 8), (8, 0, 8), id="embeddings"),
        pytest.param((None, -4, "many"), (None, None, None), id="nonsense"),
        pytest.param((7, None, 9), (7, None, 9), id="one is missing"),
    ],
)
def test_tokens_are_stated_as_far_as_they_are_known(told: tuple[Any, ...], known: tuple[Any, ...]) -> None:
    prompt, response, total = told

    assert tokens_of(promptTokens=prompt, responseTokens=response, totalTokens=total) == known


def test_embeddings_always_have_usage_so_one_token_is_one() -> None:
    told = {"targetService": "list", "promptTokens": 1, "responseTokens": 0, "totalTokens": 1}

    assert tokens_of(operationName="Creates an embedding vector", **told) == (1, 0, 1)
    assert tokens_of(operationName="Lists the currently available models", **told) == (None, None, None)


def test_citadel_adds_cached_and_audio_tokens_whose_zero_is_a_default() -> None:
    told = fragment_of(a_usage_record(cachedTokens=64, audioTokens="16")).facts
    untold = fragment_of(a_usage_record(cachedTokens=0, audioTokens=0)).facts

    assert (told["cached_input_tokens"], told["audio_input_tokens"]) == (64, 16)
    assert not {"cached_input_tokens", "audio_input_tokens"} & untold.keys()


def test_a_streaming_record_of_the_second_version_is_an_estimate() -> None:
    fragment = fragment_of(
        a_usage_record(
            f"stream-{GUID}",
            targetService="Streaming",
            model="Steaming",  # codespell:ignore steaming
            promptTokens=60,
            responseTokens=39,
            totalTokens=100,
        )
    )

    assert fragment.record_type.provenance is Provenance.ESTIMATED
    assert fragment.facts["streamed"] is True
    assert fragment.facts["operation"] == "chat.completions"
    assert (fragment.facts["input_tokens"], fragment.facts["output_tokens"]) == (60, 39)
    assert not {"model", "response_id"} & fragment.facts.keys()


@pytest.mark.parametrize(
    ("record_id", "target", "operation_name", "operation"),
    [
        (GUID, "list", "Creates an embedding vector representing the input text.", "embeddings"),
        (GUID, "list", "Lists the currently available models", "models"),
        ("resp_1", "response", "Something of their own", "responses"),
        (GUID, "NA", "Generates a batch of images from a text caption", "images.generations"),
        (GUID, "NA", "Something of their own", "other"),
        (f"search-{GUID}", "ai-search", "Search documents - POST", "other"),
        (f"ai-{GUID}", "NA", "Analyze file", "other"),
        (GUID, None, None, "other"),
    ],
)
def test_the_operation_is_told_by_its_display_name(
    record_id: str, target: str | None, operation_name: str | None, operation: str
) -> None:
    facts = fragment_of(a_usage_record(record_id, targetService=target, operationName=operation_name)).facts

    assert facts["operation"] == operation
    assert ("response_id" in facts) is (record_id == "resp_1")


def test_a_record_without_an_id_is_refused() -> None:
    with pytest.raises(EventError, match="id is missing"):
        read_event(a_usage_record(id=""), ENQUEUED)
