import json
from typing import Any

import pytest

from shared.domain.verdicts import HARMS, VERDICTS
from shared.operations import read_response
from shared.operations.content_filter import filter_facts
from tests.builders.streams import a_chunk, stream_of

SAFE = {"filtered": False, "severity": "safe"}


def facts_of(**members: Any) -> dict[str, Any]:
    return read_response({"object": "chat.completion", **members}).facts


def categories_of(facts: dict[str, Any]) -> Any:
    return json.loads(facts["filter_categories"])


def test_the_worst_of_all_prompts_and_of_all_choices_counts() -> None:
    facts = facts_of(
        prompt_filter_results=[
            {
                "prompt_index": 0,
                "content_filter_results": {"hate": SAFE, "jailbreak": {"filtered": False, "detected": True}},
            },
            {"prompt_index": 1, "content_filter_results": {"hate": {"filtered": False, "severity": "low"}}},
        ],
        choices=[
            {"index": 0, "content_filter_results": {"violence": {"filtered": True, "severity": "medium"}}},
            {
                "index": 1,
                "content_filter_results": {"violence": SAFE, "profanity": {"filtered": False, "detected": False}},
            },
        ],
    )

    assert (facts["prompt_filtered"], facts["completion_filtered"]) == (False, True)
    assert categories_of(facts) == {
        "prompt": {
            "hate": {"filtered": False, "severity": "low"},
            "jailbreak": {"detected": True, "filtered": False},
        },
        "completion": {
            "violence": {"filtered": True, "severity": "medium"},
            "profanity": {"detected": False, "filtered": False},
        },
    }


@pytest.mark.parametrize(
    ("blocklists", "filtered"),
    [
        pytest.param([{"filtered": False, "id": "a"}, {"filtered": True, "id": "b"}], True, id="older, an array"),
        pytest.param({"filtered": True, "details": [{"filtered": True, "id": "b"}]}, True, id="newer, an object"),
        pytest.param({"filtered": False}, False, id="newer, nothing matched"),
    ],
)
def test_blocklists_have_two_shapes(blocklists: Any, *, filtered: bool) -> None:
    facts = facts_of(prompt_filter_results=[{"content_filter_results": {"custom_blocklists": blocklists}}])

    assert facts["prompt_filtered"] is filtered
    assert categories_of(facts) == {"prompt": {"custom_blocklists": {"filtered": filtered}}}


@pytest.mark.parametrize(
    "members",
    [
        {"prompt_annotations": [{"prompt_index": 0, "content_filter_results": {"hate": SAFE}}]},
        {"prompt_filter_results": {"hate": SAFE}},
        {"prompt_filter_results": {"content_filter_results": {"hate": SAFE}}},
    ],
)
def test_prompt_annotations_have_an_older_name_and_an_objects_shape(members: dict[str, Any]) -> None:
    assert categories_of(facts_of(**members)) == {"prompt": {"hate": SAFE}}


@pytest.mark.parametrize(
    "results",
    [None, {}, [], [None], [{}], [{"content_filter_results": {}}], [{"content_filter_results": {"error": {}}}]],
)
def test_without_annotations_nothing_is_said(results: Any) -> None:
    facts = facts_of(prompt_filter_results=results, choices=[{"index": 0, "content_filter_results": {}}])

    assert not {"prompt_filtered", "completion_filtered", "filter_categories"} & facts.keys()


def test_a_choice_that_the_filter_cut_is_filtered_whatever_the_annotations_say() -> None:
    facts = facts_of(
        choices=[{"index": 0, "finish_reason": "content_filter", "content_filter_results": {"hate": SAFE}}]
    )

    assert facts["completion_filtered"] is True


@pytest.mark.parametrize(
    ("inner", "results"),
    [("innererror", "content_filter_result"), ("inner_error", "content_filter_results")],
)
def test_a_refused_prompt_says_why(inner: str, results: str) -> None:
    body = {
        "error": {
            "message": "The response was filtered",
            "type": None,
            "param": "prompt",
            "code": "content_filter",
            "status": 400,
            inner: {
                "code": "ResponsibleAIPolicyViolation",
                results: {"violence": {"filtered": True, "severity": "high"}, "hate": SAFE},
            },
        }
    }

    facts = read_response(body, status=400).facts

    assert (facts["error_code"], facts["error_message"]) == ("content_filter", "The response was filtered")
    assert facts["prompt_filtered"] is True
    assert categories_of(facts)["prompt"]["violence"] == {"filtered": True, "severity": "high"}


def test_a_refused_prompt_of_the_responses_api_says_why() -> None:
    told = {"jailbreak": {"filtered": True, "detected": True}, "hate": SAFE}
    judged = [{"blocked": True, "source_type": "prompt", "content_filter_raw": [], "content_filter_results": told}]
    error = {"code": "content_filter", "content_filters": judged, "innererror": {"code": "ContentFiltered"}}

    facts = read_response({"error": error}, status=400).facts

    assert facts["prompt_filtered"] is True
    assert categories_of(facts) == {"prompt": {**told, "jailbreak": {"detected": True, "filtered": True}}}
    assert facts["filter_jailbreak"] == "detected filtered"


def test_a_refused_prompt_without_details_is_filtered_all_the_same() -> None:
    assert read_response({"error": {"code": "content_filter"}}, status=400).facts["prompt_filtered"] is True


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("streamed", [False, True])
def test_a_moderation_that_a_chat_asked_for_tells_what_it_found(*, several: bool, streamed: bool) -> None:
    found = {"type": "moderation_result", "flagged": True, "categories": {"violence": True, "hate": False}}
    told = {"type": "moderation_results", "results": [found]} if several else found
    last = {"choices": [], "moderation": {"input": told, "output": {"results": []}}}
    whole = {**last, "choices": [{"index": 0, "message": {"content": "No."}, "finish_reason": "stop"}]}

    facts = read_response(stream_of(a_chunk({"content": "No."}), last) if streamed else whole).facts

    assert categories_of(facts) == {"prompt": {"violence": {"detected": True}}}
    assert "prompt_filtered" not in facts


def verdicts_of(facts: Any) -> dict[str, str]:
    return {name: value for name, value in facts.items() if name in {verdict.field for verdict in VERDICTS}}


@pytest.mark.parametrize(
    ("category", "result", "verdict"),
    [
        *(pytest.param(name, {"filtered": False, "severity": "low"}, "low", id=name) for name in HARMS),
        ("hate", {"filtered": True, "severity": "high"}, "high filtered"),
        ("hate", {"filtered": True}, "filtered"),
        ("hate", {"severity": "medium"}, "medium"),
        ("hate", SAFE, None),
        ("hate", {"detected": True}, None),
        ("hate", {"filtered": False, "severity": "terrible"}, None),
        ("profanity", {"filtered": True, "detected": True}, "detected filtered"),
        ("profanity", {"filtered": False, "detected": False}, None),
        ("custom_blocklists", [{"filtered": False, "id": "a"}, {"filtered": True, "id": "b"}], "filtered"),
        ("custom_blocklists", {"filtered": True, "details": [{"filtered": True, "id": "b"}]}, "filtered"),
        ("custom_blocklists", {"filtered": False, "details": []}, None),
        ("custom_blocklists", [], None),
    ],
)
@pytest.mark.parametrize("side", ["prompt", "completion"])
def test_a_finding_of_either_side_has_a_field_of_that_side(
    side: str, category: str, result: Any, verdict: str | None
) -> None:
    told: dict[str, list[Any]] = {"prompt": [], "completion": [], side: [{category: result}]}

    facts = filter_facts(told["prompt"], told["completion"])

    name = {"custom_blocklists": "blocklist"}.get(category, category)
    assert verdicts_of(facts) == ({f"filter_{side}_{name}": verdict} if verdict else {})


@pytest.mark.parametrize(
    ("category", "field"),
    [
        ("jailbreak", "filter_jailbreak"),
        ("indirect_attack", "filter_indirect_attack"),
        ("protected_material_text", "filter_protected_text"),
        ("protected_material_code", "filter_protected_code"),
    ],
)
@pytest.mark.parametrize("side", ["prompt", "completion"])
def test_attacks_and_protected_material_have_one_field_wherever_they_are_told(
    side: str, category: str, field: str
) -> None:
    cited = {"URL": "https://example.org", "license": "MIT"}
    found = {category: {"filtered": False, "detected": True, "citation": cited}}
    told: dict[str, list[Any]] = {"prompt": [], "completion": [], side: [found]}

    assert verdicts_of(filter_facts(told["prompt"], told["completion"])) == {field: "detected"}


def test_the_severest_finding_of_all_prompts_and_any_action_make_the_verdict() -> None:
    results = [
        {"hate": {"filtered": False, "severity": "medium"}, "violence": SAFE},
        {"hate": {"filtered": True, "severity": "low"}, "violence": SAFE},
    ]

    assert verdicts_of(filter_facts(results, [])) == {"filter_prompt_hate": "medium filtered"}


def test_what_is_told_on_both_sides_of_one_field_keeps_the_finding_that_was_acted_on() -> None:
    acted = {"jailbreak": {"filtered": True, "detected": True}}
    seen = {"jailbreak": {"filtered": False, "detected": True}}

    assert verdicts_of(filter_facts([acted], [seen])) == {"filter_jailbreak": "detected filtered"}
    assert verdicts_of(filter_facts([seen], [acted])) == {"filter_jailbreak": "detected filtered"}


def test_categories_that_have_no_field_stay_in_the_categories() -> None:
    facts = filter_facts([{"ungrounded_material": {"filtered": False, "detected": True}}], [])

    assert verdicts_of(facts) == {}
    assert categories_of(facts) == {"prompt": {"ungrounded_material": {"detected": True, "filtered": False}}}
