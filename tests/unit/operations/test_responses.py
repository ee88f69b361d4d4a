"""The Responses API."""

import json
from typing import Any

import pytest

from shared.operations import read_request, read_response

USAGE = {
    "input_tokens": 20,
    "output_tokens": 30,
    "total_tokens": 50,
    "input_tokens_details": {"cached_tokens": 8},
    "output_tokens_details": {"reasoning_tokens": 12},
}
TOKENS = {
    "input_tokens": 20,
    "output_tokens": 30,
    "total_tokens": 50,
    "cached_input_tokens": 8,
    "reasoning_tokens": 12,
}


def a_message(*texts: str, kind: str = "output_text", **changes: Any) -> dict[str, Any]:
    parts = [{"type": kind, "text": text, "annotations": []} for text in texts]
    return {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": parts} | changes


def a_body(*output: Any, **changes: Any) -> dict[str, Any]:
    body = {"id": "resp_1", "object": "response", "status": "completed", "model": "gpt-5-nano", "error": None}
    return body | {"output": list(output), "usage": USAGE, "incomplete_details": None} | changes


def facts_of(body: dict[str, Any]) -> dict[str, Any]:
    return read_response(body, operation="responses", status=200).facts


@pytest.mark.parametrize(
    ("given", "text"),
    [
        pytest.param("2+2?", "2+2?", id="a text"),
        pytest.param([{"role": "user", "content": "2+2?"}], "2+2?", id="a message without a type"),
        pytest.param(
            [
                {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Be brief."}]},
                {
                    "type": "reasoning",
                    "summary": [{"type": "summary_text", "text": "Hm."}],
                    "encrypted_content": "AAAA",
                },
                {"type": "function_call", "call_id": "call_1", "name": "add", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "call_1", "output": "4"},
                {"role": "assistant", "content": [{"type": "output_text", "text": "4"}, {"type": "input_image"}]},
                {"type": "item_reference", "id": "msg_0"},
                {"type": "something_new", "content": [{"type": "new_text", "text": "so"}]},
            ],
            "Be brief.\n4\nso",
            id="items of every kind",
        ),
        pytest.param([], None, id="no items"),
        pytest.param(None, None, id="nothing"),
        pytest.param([5, None, {"content": 5}, {"content": [None, 5, {"text": 5}]}], None, id="no text"),
    ],
)
def test_a_prompt_is_what_people_and_model_said_without_instructions(given: Any, text: str | None) -> None:
    said = read_request({"model": "gpt-5", "instructions": "Never kept beside.", "input": given}, "responses")

    assert said.text == text
    assert said.facts["requested_model"] == "gpt-5"
    assert said.facts["streamed"] is False


def test_the_parameters_of_a_request_hold_no_text_and_no_schema() -> None:
    body = {
        "input": [{"content": "Hi"}],
        "instructions": "Be brief.",
        "text": {"format": {"type": "json_schema", "schema": {"type": "object"}}, "verbosity": "low"},
        "reasoning": {"effort": "low", "summary": None},
        "conversation": {"id": "conv_1"},
        "prompt": {"id": "pmpt_1", "version": "2", "variables": {"name": "Ada"}},
        "include": ["reasoning.encrypted_content"],
        "tool_choice": {"type": "function", "name": "add"},
        "background": True,
        "metadata": {"a": "b"},
    }

    assert json.loads(read_request(body, "responses").facts["parameters"]) == {
        "input": 1,
        "text": {"format": "json_schema", "verbosity": "low"},
        "reasoning": {"effort": "low"},
        "conversation": "conv_1",
        "prompt": {"id": "pmpt_1", "version": "2"},
        "include": ["reasoning.encrypted_content"],
        "tool_choice": "add",
        "background": True,
    }


def test_a_completion_is_all_output_text_a_line_for_each_message() -> None:
    said = read_response(a_body(a_message("Let me ", "see."), {"type": "reasoning"}, a_message("4"), a_message("")))

    assert said.text == "Let me see.\n4"
    assert said.facts["completion_preview"] == said.text
    assert said.facts["operation"] == "responses"
    assert said.facts["response_id"] == "resp_1"


def test_a_refusal_is_the_completion_where_nothing_else_was_said() -> None:
    refused = {"type": "message", "content": [{"type": "refusal", "refusal": "I can't."}]}

    assert read_response(a_body(refused)).text == "I can't."
    assert read_response(a_body(refused, a_message("4"))).text == "4"


def test_every_kind_of_call_is_a_tool_call_and_nothing_else_is() -> None:
    calls = ["function_call", "custom_tool_call", "web_search_call", "mcp_call", "computer_call", "a_new_call"]
    others = ["reasoning", "mcp_list_tools", "mcp_approval_request", "tool_search_output", "compaction", None, 5]

    assert facts_of(a_body(*({"type": kind} for kind in calls + others), "text"))["tool_calls"] == len(calls)


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({}, '["completed"]'),
        ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, '["max_output_tokens"]'),
        ({"status": "failed"}, '["failed"]'),
        ({"status": "in_progress"}, None),
        ({"status": "queued"}, None),
        ({"status": None}, None),
        ({"status": {}}, None),
    ],
)
def test_a_response_ends_by_its_status_or_for_a_reason(changes: dict[str, Any], reasons: str | None) -> None:
    assert facts_of(a_body(**changes)).get("finish_reasons") == reasons


def test_every_answer_about_a_response_names_it_and_the_last_ones_tell_its_usage() -> None:
    created = facts_of(a_body(status="queued", usage=None, background=True))
    polled = facts_of(a_body())

    assert created["usage_key"] == polled["usage_key"] == "resp_1"
    assert "total_tokens" not in created
    assert TOKENS.items() <= polled.items()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"object": "response.input_tokens", "input_tokens": 51}, id="a count beforehand"),
        pytest.param({"object": "response.deleted", "id": "resp_1", "deleted": True}, id="a deletion"),
        pytest.param({"object": "list", "data": [a_body()]}, id="a list"),
        pytest.param({"object": "list", "data": [], "usage": USAGE}, id="a list that tells a sum"),
    ],
)
def test_what_uses_no_tokens_states_none(body: dict[str, Any]) -> None:
    facts = facts_of(body)

    assert facts["operation"] == "responses"
    assert not {"usage_key", "input_tokens", "total_tokens"} & facts.keys()


def test_a_compaction_has_usage_and_no_completion() -> None:
    said = read_response(
        a_body(a_message("Hello", kind="input_text", role="user"), {"type": "compaction"}, object="response.compaction")
    )

    assert said.text is None
    assert said.facts["operation"] == "responses"
    assert said.facts["total_tokens"] == 50


def test_the_filters_word_on_both_sides_is_kept() -> None:
    jailbreak = {"jailbreak": {"detected": True, "filtered": False}}
    hate = {"hate": {"filtered": True, "severity": "high"}}
    filters = [
        {"source_type": "prompt", "blocked": False, "content_filter_results": jailbreak},
        {"source_type": "completion", "blocked": True, "content_filter_results": hate},
        {"source_type": ["prompt"], "blocked": True},
        None,
    ]

    facts = facts_of(a_body(content_filters=filters))

    assert (facts["prompt_filtered"], facts["completion_filtered"]) == (False, True)
    assert json.loads(facts["filter_categories"]) == {"prompt": jailbreak, "completion": hate}


def test_a_completion_that_the_filter_cut_is_filtered_without_annotations() -> None:
    facts = facts_of(a_body(status="incomplete", incomplete_details={"reason": "content_filter"}, content_filters=None))

    assert facts["completion_filtered"] is True
    assert facts["finish_reasons"] == '["content_filter"]'


def test_a_moderation_that_the_request_asked_for_tells_what_it_found() -> None:
    found = {"flagged": True, "categories": {"violence": True, "hate": False}}

    facts = facts_of(a_body(moderation={"input": found, "output": {"categories": {"hate": False}}}))

    assert json.loads(facts["filter_categories"]) == {"prompt": {"violence": {"detected": True}}}
    assert "prompt_filtered" not in facts


def test_a_response_that_failed_tells_why() -> None:
    facts = facts_of(a_body(status="failed", error={"code": "server_error", "message": "Sorry."}, usage=None))

    assert (facts["error_code"], facts["error_message"]) == ("server_error", "Sorry.")
    assert facts["finish_reasons"] == '["failed"]'


@pytest.mark.parametrize(
    ("variables", "text"),
    [
        (
            {"city": "Cuxhaven", "complaint": {"type": "input_text", "text": "My ferry was late."}},
            "Cuxhaven\nMy ferry was late.",
        ),
        ({"both": [{"type": "input_text", "text": "One."}, {"type": "input_text", "text": "Two."}]}, "One.\nTwo."),
        ({"picture": {"type": "input_image", "image_url": "https://example.org/a.png"}, "n": 5, "none": None}, None),
        ({}, None),
        (None, None),
        ("city", None),
    ],
)
def test_the_variables_of_a_stored_prompt_are_texts_of_people(variables: Any, text: str | None) -> None:
    said = read_request({"prompt": {"id": "pmpt_1", "version": "2", "variables": variables}}, "responses")

    assert said.text == text
    assert json.loads(said.facts["parameters"]) == {"prompt": {"id": "pmpt_1", "version": "2"}}


def test_variables_stand_before_the_input() -> None:
    body = {"prompt": {"id": "pmpt_1", "variables": {"city": "Husum"}}, "input": "When is high water?"}

    assert read_request(body, "responses").text == "Husum\nWhen is high water?"


def test_the_variables_of_a_realtime_sessions_prompt_are_texts_of_people() -> None:
    session = {"model": "gpt-realtime", "prompt": {"id": "pmpt_1", "variables": {"city": "Husum"}}}

    assert read_request({"session": session}, "realtime").text == "Husum"
    assert read_request(session, "realtime").text == "Husum"


def test_the_output_of_a_tool_is_no_text_of_people() -> None:
    items = [{"role": "user", "content": "Hi"}, {"type": "function_call_output", "call_id": "c", "output": "rows"}]

    assert read_request({"input": items}, "responses").text == "Hi"


def test_searches_are_counted_and_pages_that_are_opened_are_none() -> None:
    actions = [{"type": "search", "query": "x"}, {"type": "open_page"}, {"type": "find_in_page"}, None]
    calls = [{"id": f"ws_{place}", "type": "web_search_call", "action": one} for place, one in enumerate(actions)]

    facts = facts_of(a_body(*calls, a_message("Hi")))

    assert (facts["web_searches"], facts["tool_calls"]) == (2, 4)
    assert facts_of(a_body(a_message("Hi")))["web_searches"] == 0


def test_searches_in_files_and_sessions_of_the_code_interpreter_are_counted() -> None:
    # As the reference of the Responses API shows the items; two calls share a container.
    searches = [
        {"id": f"fs_{place}", "type": "file_search_call", "status": "completed", "queries": ["x"], "results": None}
        for place in range(3)
    ]
    code = [
        {"id": f"ci_{place}", "type": "code_interpreter_call", "code": "1+1", "container_id": name, "outputs": None}
        for place, name in enumerate(["cntr_1", "cntr_1", "cntr_2"])
    ]

    facts = facts_of(a_body(*searches, *code, a_message("Hi")))

    assert (facts["file_searches"], facts["code_sessions"], facts["tool_calls"]) == (3, 2, 6)
    assert (facts_of(a_body(a_message("Hi")))["file_searches"], facts_of(a_body())["code_sessions"]) == (0, 0)


@pytest.mark.parametrize(
    ("tier", "trace"), [("priority", None), ("turbo", '["service_tier:turbo"]'), (7, '["service_tier:?"]')]
)
def test_the_tier_that_served_is_a_fact_and_an_unknown_one_leaves_a_trace(tier: Any, trace: str | None) -> None:
    facts = facts_of(a_body(a_message("Hi"), service_tier=tier))

    assert facts.get("service_tier") == (tier if trace is None else None)
    assert facts.get("unknown_words") == trace
