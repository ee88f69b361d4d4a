"""A new word of the service is seen the day it comes, wherever a list of ours decides."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.unknown_words import FIELD, words_in
from shared.operations import read_response
from shared.sources.decoding import decode
from tests.builders.streams import an_event

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def words_of(body: Any, **told: Any) -> list[str]:
    return words_in(read_response(body, **told).facts.get(FIELD))


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"object": "chat.completion", "usage": {"prompt_tokens": 1, "magic_tokens": 2}}, "usage:magic_tokens"),
        ({"object": "chat.completion", "usage": {"prompt_tokens_details": {"magic": 2}}},
         "usage:prompt_tokens_details.magic"),
        ({"object": "chat.completion", "choices": [{"finish_reason": "bored"}]}, "finish_reason:bored"),
        ({"object": "response", "status": "incomplete", "incomplete_details": {"reason": "bored"}},
         "finish_reason:bored"),
        ({"object": "response", "status": "dreaming"}, "status:dreaming"),
        ({"object": "response", "output": [{"type": "magic_call"}]}, "output:magic_call"),
        ({"object": "magic"}, "object:magic"),
        ({"object": "chat.completion", "choices": [{"content_filter_results": {"boredom": {"filtered": True}}}]},
         "filter:boredom"),
        ({"object": "chat.completion",
          "prompt_filter_results": [{"content_filter_results": {"hate": {"severity": "extreme"}}}]},
         "severity:extreme"),
        ({"object": "response", "content_filters": [{"content_filter_results": {"error": {"code": "new_error"}}}]},
         "filter_error:new_error"),
    ],
)  # fmt: skip
def test_an_unknown_word_of_an_answer_leaves_a_trace(body: dict[str, Any], word: str) -> None:
    assert words_of(body, status=200) == [word]


@pytest.mark.parametrize(("status", "code"), [(400, "brand_new_code"), (200, "brand_new_code")])
def test_an_unknown_code_of_an_error_leaves_a_trace(status: int, code: str) -> None:
    assert words_of({"error": {"code": code, "message": "no"}}, status=status) == [f"error_code:{code}"]


def test_an_unknown_event_of_a_stream_leaves_a_trace() -> None:
    stream = an_event({"type": "response.created", "response": {"object": "response"}}, "response.created")
    stream += an_event({"type": "response.magic.delta", "delta": "a"}, "response.magic.delta")

    assert words_of(stream, status=200) == ["event:response.magic.delta"]


def test_all_unknown_words_of_an_answer_are_kept_together() -> None:
    body = {
        "object": "chat.completion",
        "usage": {"magic_tokens": 2},
        "choices": [{"finish_reason": "bored", "content_filter_results": {"boredom": {"filtered": True}}}],
        "error": {"code": "moderated_somehow", "message": "no"},
    }

    assert words_of(body, status=200) == [
        "error_code:moderated_somehow", "filter:boredom", "finish_reason:bored", "usage:magic_tokens",
    ]  # fmt: skip


def test_text_of_people_in_the_place_of_a_word_does_not_stay() -> None:
    body = {"object": "chat.completion", "choices": [{"finish_reason": "my name is Ann"}], "usage": {"Call me": 1}}

    assert words_of(body, status=200) == ["finish_reason:?", "usage:?"]


@given(st.dictionaries(st.sampled_from(["usage", "choices", "output", "content_filters", "status", "object", "data",
                                        "incomplete_details", "prompt_filter_results", "error"]), _json))  # fmt: skip
def test_any_body_is_looked_at(body: dict[str, Any]) -> None:
    # As sources hand them on: no integer is beyond 64 bits.
    words = words_of(decode(json.dumps(body)), status=200)

    assert words == sorted(set(words))
