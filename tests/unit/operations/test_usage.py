import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.values import COUNT_LIMIT
from shared.operations import read_response
from shared.operations.usage import sum_of, usage_facts


@pytest.mark.parametrize(
    ("usage", "facts"),
    [
        pytest.param(
            {
                "prompt_tokens": 100,
                "completion_tokens": 20,
                "total_tokens": 120,
                "prompt_tokens_details": {"cached_tokens": 64, "audio_tokens": 3, "cache_write_tokens": 2},
                "completion_tokens_details": {
                    "reasoning_tokens": 12,
                    "audio_tokens": 4,
                    "rejected_prediction_tokens": 1,
                },
                "latency_checkpoint": {"total_ms": 5},
            },
            {
                "input_tokens": 100,
                "output_tokens": 20,
                "total_tokens": 120,
                "cached_input_tokens": 64,
                "cache_write_tokens": 2,
                "audio_input_tokens": 3,
                "reasoning_tokens": 12,
                "audio_output_tokens": 4,
            },
            id="chat",
        ),
        pytest.param(
            {
                "input_tokens": 50,
                "output_tokens": 4160,
                "total_tokens": 4210,
                "input_tokens_details": {"text_tokens": 10, "image_tokens": 40},
                "output_tokens_details": {"image_tokens": 4160},
            },
            {
                "input_tokens": 50,
                "output_tokens": 4160,
                "total_tokens": 4210,
                "image_input_tokens": 40,
                "image_output_tokens": 4160,
            },
            id="responses and images",
        ),
        pytest.param(
            {"prompt_tokens": 9, "completion_tokens": 1, "prompt_token_details": {"cached_tokens": 0}},
            {"input_tokens": 9, "output_tokens": 1, "total_tokens": 10, "cached_input_tokens": 0},
            id="runs",
        ),
        pytest.param(
            {"type": "tokens", "input_tokens": 14, "output_tokens": 5, "input_token_details": {"audio_tokens": 14}},
            {"input_tokens": 14, "output_tokens": 5, "total_tokens": 19, "audio_input_tokens": 14},
            id="audio in tokens",
        ),
        pytest.param({"type": "duration", "seconds": 7.5}, {"seconds": 7.5}, id="audio in seconds"),
        pytest.param({"prompt_tokens": 5, "total_tokens": 5}, {"input_tokens": 5, "total_tokens": 5}, id="embeddings"),
        pytest.param(
            {"prompt_tokens": 10, "prompt_tokens_details": {"cached_tokens": 161}},
            {"input_tokens": 10, "cached_input_tokens": 161},
            id="more cached than asked",
        ),
        pytest.param(
            {"prompt_tokens": "10", "completion_tokens": "2", "total_tokens": "99"},
            {"input_tokens": 10, "output_tokens": 2, "total_tokens": 99},
            id="digits, and a total of its own",
        ),
        pytest.param(
            {
                "prompt_tokens": 1,
                "prompt_tokens_details": None,
                "completion_tokens_details": {"reasoning_tokens": None},
            },
            {"input_tokens": 1},
            id="null details",
        ),
        pytest.param({"prompt_tokens": -1, "completion_tokens": True, "total_tokens": []}, {}, id="no counts"),
        pytest.param(None, {}, id="null"),
        pytest.param("12", {}, id="no object"),
    ],
)
def test_every_dialect_tells_the_same_counts(usage: Any, facts: dict[str, Any]) -> None:
    assert usage_facts(usage) == facts


OWN = {"input_tokens": 100, "output_tokens": 20, "total_tokens": 120}
PICTURE = {
    "input_tokens": 50,
    "input_tokens_details": {"image_tokens": 40, "text_tokens": 10},
    "output_tokens": 4160,
    "output_tokens_details": {"image_tokens": 4160, "text_tokens": 0},
    "total_tokens": 4210,
}
NO_PICTURE = {"input_tokens": 0, "input_tokens_details": {"image_tokens": 0}, "output_tokens": 0, "total_tokens": 0}
SUM = {
    "input_tokens": 150,
    "output_tokens": 4180,
    "total_tokens": 4330,
    "image_input_tokens": 40,
    "image_output_tokens": 4160,
    "images": 1,
}


def a_response(*items: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"object": "response", "id": "resp_1", "usage": OWN, "output": list(items)} | members


def a_picture(**members: Any) -> dict[str, Any]:
    return {"type": "image_generation_call", "result": "[removed]"} | members


def metered(body: dict[str, Any]) -> dict[str, Any]:
    facts = read_response(body, status=200).facts
    return {name: facts[name] for name in facts if name.endswith("_tokens") or name == "images"}


@pytest.mark.parametrize(
    "body",
    [
        a_response(a_picture(), tool_usage={"image_gen": PICTURE, "web_search": {"num_requests": 2}}),
        a_response(a_picture(usage=PICTURE)),
        a_response(a_picture(usage=PICTURE), tool_usage={"image_gen": PICTURE}),
    ],
    ids=["told for the response", "told by the call", "told by both"],
)
def test_what_an_image_tool_used_counts_once_beside_the_responses_own(body: dict[str, Any]) -> None:
    assert metered(body) == SUM


def test_a_tool_that_used_nothing_adds_nothing_and_counts_no_images() -> None:
    body = a_response(a_picture(), tool_usage={"image_gen": NO_PICTURE, "web_search": {"num_requests": 0}})

    assert metered(body) == OWN
    assert "unknown_words" not in read_response(body, status=200).facts


def test_tools_add_nothing_to_a_usage_that_is_not_known() -> None:
    assert metered(a_response(tool_usage={"image_gen": PICTURE}, usage=None)) == {}


@given(st.lists(st.integers(0, 10**6), min_size=4, max_size=4), st.lists(st.integers(0, 10**6), min_size=4, max_size=4))
def test_any_tools_usage_leaves_the_total_the_sum_and_image_tokens_a_part(own: list[int], told: list[int]) -> None:
    def usage(counts: list[int]) -> dict[str, Any]:
        asked, written, seen, drawn = counts
        return {
            "input_tokens": asked + seen,
            "input_tokens_details": {"image_tokens": seen},
            "output_tokens": written + drawn,
            "output_tokens_details": {"image_tokens": drawn},
            "total_tokens": sum(counts),
        }

    counts = metered(a_response(usage=usage(own), tool_usage={"image_gen": usage(told)}))

    assert counts["total_tokens"] == counts["input_tokens"] + counts["output_tokens"] == sum(own) + sum(told)
    assert counts["image_input_tokens"] <= counts["input_tokens"]
    assert counts["image_output_tokens"] <= counts["output_tokens"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (a_response(usage=OWN | {"video_tokens": 5}), ["usage:video_tokens"]),
        (
            a_response(usage=OWN | {"output_tokens_details": {"video_tokens": 5}}),
            ["usage:output_tokens_details.video_tokens"],
        ),
        (a_response(tool_usage={"video_gen": {"total_tokens": 5}}), ["usage:tool_usage.video_gen"]),
        (a_response({"type": "mcp_call", "usage": {"tokens": 5}}), ["usage:mcp_call.usage"]),
        (a_response(extra_usage={"tokens": 5}), ["usage:extra_usage"]),
        (
            {"object": "chat.completion", "choices": [], "usage": {"prompt_tokens": 1, "b": 1, "a": {}}},
            ["usage:a", "usage:b"],
        ),
    ],
)
def test_usage_of_an_unknown_name_leaves_a_trace(body: dict[str, Any], words: list[str]) -> None:
    facts = read_response(body, status=200).facts

    assert json.loads(facts["unknown_words"]) == words


@pytest.mark.parametrize(
    "usage", [{"latency_checkpoint": {"total_ms": 5}}, {"video_tokens": None}, {"num_sources_used": 0}]
)
def test_usage_of_a_known_name_or_without_a_value_leaves_none(usage: dict[str, Any]) -> None:
    assert "unknown_words" not in read_response(a_response(usage=OWN | usage), status=200).facts


@pytest.mark.parametrize(
    ("counts", "total"),
    [
        pytest.param((3, None, 4), 7, id="one is unknown"),
        pytest.param((0, 0), 0, id="noughts"),
        pytest.param((None, None), None, id="all are unknown"),
        pytest.param((), None, id="none"),
        pytest.param((COUNT_LIMIT - 1, 1), COUNT_LIMIT - 1, id="more than a field holds"),
    ],
)
def test_the_sum_of_counts_is_unknown_only_where_all_of_them_are(
    counts: tuple[int | None, ...], total: int | None
) -> None:
    assert sum_of(*counts) == total
