"""What refuses a call, what only looks so, and a filter that did not run."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.call_errors import REFUSALS, is_known_error, is_refusal
from shared.domain.fragment import Content, Fragment
from shared.domain.unknown_words import FIELD
from shared.operations import read_response
from shared.operations.errors import error_facts
from shared.sources import RECORD_TYPES
from tests.builders.merging import merge
from tests.builders.streams import a_chunk, stream_of

FLAGGED = "Invalid prompt: your prompt was flagged as potentially violating our usage policy."
DOWN = {"error": {"code": "content_filter_error", "message": "The contents are not filtered"}}
SAFE = {"hate": {"filtered": False, "severity": "safe"}}


def row_of(body: Any, status: int = 400) -> dict[str, Any]:
    """Return the row of a call that was answered so."""
    facts = read_response(body, status=status).facts
    asked = {"has_request": True, "has_response": True, "http_status": status}
    return merge("call-1", None, [Fragment("call-1", RECORD_TYPES["R"], asked | facts, Content(), b"", key="R:1")])


@pytest.mark.parametrize("word", REFUSALS)
@pytest.mark.parametrize(
    "error",
    [
        pytest.param(lambda word: {"code": word, "message": "no"}, id="its code"),
        pytest.param(lambda word: {"code": None, "type": word}, id="its type"),
        pytest.param(lambda word: {"code": "400", "innererror": {"code": word}}, id="its inner code"),
        pytest.param(lambda word: {"code": "BadRequest", "inner_error": {"code": word}}, id="the specification's"),
        pytest.param(lambda word: {"innerError": {"code": "x", "innererror": {"code": word}}}, id="one inside another"),
        pytest.param(lambda word: {"code": "BadRequest", "details": [{"code": "a"}, {"code": word}]}, id="a detail"),
        pytest.param(lambda word: {"code": word.upper().replace("_", "-")}, id="another spelling"),
    ],
)
def test_every_published_refusal_refuses_wherever_the_error_says_it(word: str, error: Any) -> None:
    row = row_of({"error": error(word)})

    assert row["state"] == "refused"
    assert row.get("possible_refusal") is None
    assert row.get(FIELD) is None


@pytest.mark.parametrize(
    ("error", "side"),
    [
        ({"code": "moderation_blocked", "moderation_details": {"moderation_stage": "output"}}, "completion"),
        ({"code": "moderation_blocked", "moderation_details": {"moderation_stage": "input"}}, "prompt"),
        ({"code": "output_moderation"}, "completion"),
        ({"code": "contentFilter"}, "prompt"),
        ({"code": "invalid_prompt", "message": FLAGGED}, "prompt"),
        ({"code": None, "type": None, "message": "… triggering Azure OpenAI's content management policy."}, "prompt"),
    ],
)
def test_the_side_that_was_blocked_is_told_where_the_error_tells_it(error: dict[str, Any], side: str) -> None:
    row = row_of({"error": error})

    assert (row["state"], row[f"{side}_filtered"]) == ("refused", True)
    assert {f"{other}_filtered" for other in ("prompt", "completion")} & row.keys() == {f"{side}_filtered"}


def test_a_moderation_that_tells_no_side_blocks_neither() -> None:
    row = row_of({"error": {"code": "moderation_blocked", "message": "safety_violations=[violence]"}})

    assert row["state"] == "refused"
    assert {"prompt_filtered", "completion_filtered"} & row.keys() == set()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"object": "video.generation.job", "status": "failed", "failure_reason": "input_moderation"},
         "input_moderation"),
        ({"object": "video", "status": "failed", "error": {"code": "moderation_blocked", "message": "no"}},
         "moderation_blocked"),
        ({"object": "thread.run", "status": "failed", "last_error": {"code": "content_filter", "message": "no"}},
         "content_filter"),
        ({"object": "response", "status": "failed", "error": {"code": "cyber_policy", "message": "no"}},
         "cyber_policy"),
        ({"status": "failed", "error": {"code": "contentFilter", "message": "no"}}, "contentFilter"),
    ],
)  # fmt: skip
def test_what_is_refused_after_a_200_is_refused(body: dict[str, Any], code: str) -> None:
    row = row_of(body, status=200)

    assert (row["state"], row["error_code"]) == ("refused", code)


@pytest.mark.parametrize(
    ("error", "word"),
    [
        ({"code": "new_policy_code", "message": "no"}, "error_code:new_policy_code"),
        ({"code": "BadRequest", "innererror": {"code": "ModerationRejected"}}, "error_code:ModerationRejected"),
        ({"code": None, "type": "safety_block"}, "error_code:safety_block"),
        ({"code": "400", "message": "Blocked by our moderation."}, "error_message:moderation"),
        ({"code": None, "message": "This was flagged."}, "error_message:flagged"),
    ],
)
def test_what_looks_like_a_refusal_and_is_unknown_is_marked_and_leaves_its_word(
    error: dict[str, Any], word: str
) -> None:
    row = row_of({"error": error})

    assert (row["state"], row["possible_refusal"]) == ("failed", True)
    assert word in row[FIELD]


def test_a_prompt_that_is_invalid_for_another_reason_may_be_refused() -> None:
    row = row_of({"error": {"code": "invalid_prompt", "message": "Invalid prompt: empty."}})

    assert (row["state"], row["possible_refusal"]) == ("failed", True)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, {"code": "DeploymentNotFound", "message": "no"}),
        (429, {"code": "429", "message": "Your rate limit policy allows no more."}),
        (500, {"code": "InternalServerError", "message": "The safety of your data …"}),
        (400, {"code": "invalid_image_url", "message": "The policy of the host forbids it."}),
        (400, {"code": "unknown_parameter", "message": "Unknown parameter: 'filter'."}),
        (400, {"code": "400", "message": "n is 0"}),
        (401, {"code": "401", "message": "Access denied by policy"}),
    ],
)
def test_what_is_known_or_speaks_of_no_policy_is_a_failure_and_no_more(status: int, error: dict[str, Any]) -> None:
    row = row_of({"error": error}, status)

    assert row["state"] == "failed"
    assert row.get("possible_refusal") is None


def test_a_filter_that_did_not_run_refuses_nothing() -> None:
    row = row_of({"error": {"code": "content_filter_error", "message": "no filter"}}, 500)

    assert (row["state"], row["filter_failed"]) == ("failed", True)
    assert row.get("possible_refusal") is None


@given(st.text(max_size=40))
def test_any_word_is_a_refusal_only_if_it_is_known(word: str) -> None:
    assert not is_refusal(word) or is_known_error(word)


@given(st.dictionaries(st.sampled_from(["code", "type", "message", "innererror", "details", "stage", "errors"]),
                       st.recursive(st.none() | st.integers() | st.text(max_size=9),
                                    lambda inner: st.lists(inner, max_size=3)
                                    | st.dictionaries(st.sampled_from(["code", "innererror"]), inner))))  # fmt: skip
def test_any_error_is_read(error: dict[str, Any]) -> None:
    assert "error_code" in error_facts({"error": error}, status=400)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(
            {"object": "chat.completion", "choices": [], "prompt_filter_results": [{"content_filter_results": DOWN}]},
            id="prompt",
        ),
        pytest.param({"object": "chat.completion", "choices": [], "prompt_filter_results": [DOWN]}, id="beside it"),
        pytest.param({"object": "chat.completion", "choices": [{"content_filter_results": DOWN}]}, id="choice"),
        pytest.param(
            {"object": "text_completion", "choices": [{"text": "a", "content_filter_result": DOWN}]}, id="text"
        ),
        pytest.param({"created": 1, "data": [{"url": "u", "prompt_filter_results": DOWN}]}, id="image"),
        pytest.param(
            {
                "object": "response",
                "output": [],
                "content_filters": [{"source_type": "completion", "content_filter_results": DOWN}],
            },
            id="response",
        ),
        pytest.param(
            {
                "object": "response",
                "output": [],
                "content_filters": [{"source_type": "prompt", "blocked": False} | DOWN],
            },
            id="response, beside it",
        ),
        pytest.param(
            stream_of(
                {"id": "", "object": "", "choices": [], "prompt_filter_results": [{"content_filter_results": DOWN}]},
                a_chunk(content="a"),
            ),
            id="stream, prompt",
        ),
        pytest.param(
            stream_of(
                {
                    "object": "chat.completion.chunk",
                    "choices": [{"index": 0, "delta": {"content": "a"}, "content_filter_results": DOWN}],
                }
            ),
            id="stream, choice",
        ),
    ],
)
def test_a_filter_that_did_not_run_is_told_from_one_that_found_nothing(body: Any) -> None:
    facts = read_response(body, status=200).facts

    assert facts["filter_failed"] is True
    assert {"prompt_filtered", "completion_filtered", "filter_categories"} & facts.keys() == set()


def test_what_the_filter_found_before_it_failed_is_told_too() -> None:
    facts = read_response({"object": "chat.completion", "choices": [{"content_filter_results": SAFE | DOWN}]}).facts

    assert (facts["filter_failed"], facts["completion_filtered"]) == (True, False)


def test_a_filter_that_ran_did_not_fail() -> None:
    facts = read_response(
        {"object": "chat.completion", "choices": [{"content_filter_results": SAFE | {"error": None}}]}
    ).facts

    assert "filter_failed" not in facts
