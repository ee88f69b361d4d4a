"""Assistants, threads, messages, runs and steps."""

import json
from typing import Any

import pytest

from shared.operations import read_request, read_response

USAGE = {
    "prompt_tokens": 2100,
    "completion_tokens": 39,
    "total_tokens": 2139,
    "prompt_token_details": {"cached_tokens": 7},
}


def a_message(text: str, role: str = "assistant", **changes: Any) -> dict[str, Any]:
    content = [{"type": "text", "text": {"value": text, "annotations": []}}, {"type": "image_file", "image_file": {}}]
    return {"id": "msg_1", "object": "thread.message", "role": role, "content": content} | changes


def a_run(**changes: Any) -> dict[str, Any]:
    run = {"id": "run_1", "object": "thread.run", "status": "completed", "model": "gpt-4o", "usage": USAGE}
    return run | {"last_error": None, "required_action": None, "incomplete_details": None} | changes


def facts_of(body: dict[str, Any]) -> dict[str, Any]:
    return read_response(body, status=200).facts


def test_an_assistants_instructions_are_no_prompt() -> None:
    said = read_request({"model": "gpt-4o", "instructions": "Be brief.", "tools": [{}]}, "assistants")

    assert said.text is None
    assert said.facts == {"requested_model": "gpt-4o", "parameters": '{"tools":1}'}


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("threads", {"messages": [{"role": "user", "content": "Hi"}, {"content": [{"type": "text", "text": "Ho"}]}]}),
        ("threads.messages", {"role": "user", "content": [{"type": "text", "text": "Hi"}, {"text": {"value": "Ho"}}]}),
        ("threads.runs", {"thread": {"messages": [{"content": "Hi"}]}, "additional_messages": [{"content": "Ho"}]}),
    ],
)
def test_the_texts_of_a_thread_are_the_prompt(operation: str, body: dict[str, Any]) -> None:
    assert read_request(body | {"instructions": "Be brief."}, operation).text == "Hi\nHo"


def test_a_runs_parameters_are_kept_without_its_texts() -> None:
    body = {
        "assistant_id": "asst_1",
        "additional_messages": [{"content": "Hi"}],
        "truncation_strategy": {"type": "last_messages", "last_messages": 5},
        "max_prompt_tokens": 300,
        "response_format": {"type": "json_object"},
        "stream": True,
    }

    facts = read_request(body, "threads.runs").facts

    assert facts["streamed"] is True
    assert json.loads(facts["parameters"]) == {
        "assistant_id": "asst_1",
        "additional_messages": 1,
        "truncation_strategy": {"type": "last_messages", "last_messages": 5},
        "max_prompt_tokens": 300,
        "response_format": "json_object",
        "stream": True,
    }


def test_a_message_that_the_model_wrote_is_a_completion_and_one_of_a_user_is_not() -> None:
    assert read_response(a_message("Cake.")).text == "Cake."
    assert read_response(a_message("What?", role="user")).text is None
    listed = {"object": "list", "data": [a_message("Cake."), a_message("What?", role="user"), a_message("Hello.")]}
    assert read_response(listed).text == "Cake.\nHello."
    assert facts_of(listed)["operation"] == "threads.messages"


def test_every_poll_names_the_run_and_those_after_its_end_tell_its_usage() -> None:
    queued, done = facts_of(a_run(status="queued", usage=None)), facts_of(a_run())

    assert queued["usage_key"] == done["usage_key"] == "run_1"
    assert "total_tokens" not in queued
    assert "finish_reasons" not in queued
    assert (done["input_tokens"], done["output_tokens"], done["total_tokens"]) == (2100, 39, 2139)
    assert done["cached_input_tokens"] == 7
    assert done["finish_reasons"] == '["completed"]'


def test_a_step_has_the_key_of_its_run() -> None:
    step = {"id": "step_1", "object": "thread.run.step", "run_id": "run_1", "status": "completed", "usage": USAGE}
    details = {"type": "tool_calls", "tool_calls": [{"type": "file_search"}, {"type": "function"}]}

    facts = facts_of(step | {"step_details": details})

    assert facts["usage_key"] == "run_1"
    assert facts["tool_calls"] == 2
    assert facts["operation"] == "threads.runs.steps"


@pytest.mark.parametrize("kind", ["thread.run", "thread.run.step"])
def test_lists_repeat_the_usage_of_others_and_state_none(kind: str) -> None:
    facts = facts_of({"object": "list", "data": [a_run(object=kind, run_id="run_1")]})

    assert facts.keys() == {"operation"}


def test_a_run_that_waits_for_tools_tells_how_many_it_called() -> None:
    action = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": [{}, {}]}}

    facts = facts_of(a_run(status="requires_action", required_action=action, usage=None))

    assert facts["tool_calls"] == 2
    assert facts["finish_reasons"] == '["requires_action"]'


def test_a_run_that_failed_or_was_cut_short_tells_why() -> None:
    failed = facts_of(a_run(status="failed", last_error={"code": "rate_limit_exceeded", "message": "Later."}))
    cut = facts_of(a_run(status="incomplete", incomplete_details={"reason": "max_prompt_tokens"}))

    assert (failed["error_code"], failed["error_message"]) == ("rate_limit_exceeded", "Later.")
    assert cut["finish_reasons"] == '["max_prompt_tokens"]'


def test_what_a_run_said_in_its_stream_is_its_completion() -> None:
    assert read_response(a_run(messages=[a_message("Cake."), a_message("No.")])).text == "Cake.\nNo."


def test_tool_outputs_are_counted_and_are_nobodys_prompt() -> None:
    said = read_request({"tool_outputs": [{"tool_call_id": "call_1", "output": "tacos"}]}, "threads.runs")

    assert said.text is None
    assert said.facts["parameters"] == '{"tool_outputs":1}'
