"""Streams of the Responses API, whole and cut."""

from typing import Any

import pytest

from shared.operations import read_response
from tests.builders.streams import an_event

USAGE = {"input_tokens": 9, "output_tokens": 3, "total_tokens": 12}
BEGUN: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "model": "gpt-5",
    "status": "in_progress",
    "output": [],
    "usage": None,
}


def event(kind: str, **members: Any) -> str:
    return an_event({"type": f"response.{kind}", "sequence_number": 1} | members, f"response.{kind}")


def a_message(*texts: str) -> dict[str, Any]:
    parts = [{"type": "output_text", "text": text, "annotations": []} for text in texts]
    return {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": parts}


def text_delta(delta: str, item: int = 0, part: int = 0) -> str:
    return event("output_text.delta", item_id="msg_1", output_index=item, content_index=part, delta=delta)


def test_the_last_event_is_the_answer() -> None:
    whole = BEGUN | {"status": "completed", "output": [a_message("Four.")], "usage": USAGE}

    said = read_response(
        event("created", response=BEGUN) + text_delta("Fo") + text_delta("ur.") + event("completed", response=whole)
    )

    assert said.body == whole
    assert said.text == "Four."
    assert said.facts["operation"] == "responses"
    assert said.facts["total_tokens"] == 12
    assert said.facts["streamed"] is True
    assert "truncated" not in said.facts


@pytest.mark.parametrize("status", ["incomplete", "failed", "cancelled"])
def test_an_answer_that_did_not_complete_has_ended_too(status: str) -> None:
    whole = BEGUN | {"status": status, "output": [a_message("Fo")], "usage": USAGE}

    said = read_response(event("created", response=BEGUN) + text_delta("Fo") + event(status, response=whole))

    assert said.body == whole
    assert "truncated" not in said.facts


def test_a_failure_that_carries_no_output_keeps_what_was_said_before_it() -> None:
    failed = BEGUN | {"status": "failed", "error": {"code": "server_error", "message": "Sorry."}}

    said = read_response(event("created", response=BEGUN) + text_delta("Fo") + event("failed", response=failed))

    assert said.text == "Fo"
    assert said.facts["error_code"] == "server_error"
    assert said.body["status"] == "failed"
    assert "truncated" not in said.facts


@pytest.mark.parametrize(
    "error", [{"type": "error", "code": "oops", "message": "Sorry."}, {"error": {"code": "oops", "message": "Sorry."}}]
)
def test_an_error_event_ends_the_stream(error: dict[str, Any]) -> None:
    said = read_response(event("created", response=BEGUN) + text_delta("Fo") + an_event(error, "error"))

    assert said.text == "Fo"
    assert (said.facts["error_code"], said.facts["error_message"]) == ("oops", "Sorry.")
    assert "truncated" not in said.facts


def test_of_a_cut_stream_every_item_is_rebuilt_as_far_as_it_came() -> None:
    reasoning = {"id": "rs_1", "type": "reasoning", "summary": []}
    call = {"id": "fc_1", "type": "function_call", "call_id": "call_1", "name": "look", "arguments": ""}
    python = {"id": "ci_1", "type": "code_interpreter_call", "code": "", "container_id": "c"}

    said = read_response(
        event("created", response=BEGUN)
        + event("output_item.added", output_index=0, item=reasoning)
        + event(
            "reasoning_summary_part.added",
            item_id="rs_1",
            output_index=0,
            summary_index=0,
            part={"type": "summary_text", "text": ""},
        )
        + event("reasoning_summary_text.delta", item_id="rs_1", output_index=0, summary_index=0, delta="Hm")
        + event("output_item.added", output_index=1, item=a_message() | {"status": "in_progress"})
        + event(
            "content_part.added",
            item_id="msg_1",
            output_index=1,
            content_index=0,
            part={"type": "output_text", "text": ""},
        )
        + text_delta("One. ", 1)
        + event("output_text.done", item_id="msg_1", output_index=1, content_index=0, text="One.")
        + event("refusal.delta", item_id="msg_1", output_index=1, content_index=1, delta="No")
        + event("output_item.added", output_index=2, item=call)
        + event("function_call_arguments.delta", item_id="fc_1", output_index=2, delta='{"a"')
        + event("function_call_arguments.delta", item_id="fc_1", delta=":1}")
        + event("output_item.added", output_index=3, item=python)
        + event("code_interpreter_call_code.delta", item_id="ci_1", output_index=3, delta="1+")
        + event("code_interpreter_call.in_progress", item_id="ci_1", output_index=3)
        + 'event: response.code_interpreter_call_code.delta\ndata: {"type":"response.code_inter',
    )

    assert said.facts["truncated"] is True
    assert said.facts["model"] == "gpt-5"
    assert "total_tokens" not in said.facts
    assert said.text == "One."
    assert said.body["output"] == [
        reasoning | {"summary": [{"type": "summary_text", "text": "Hm"}]},
        a_message()
        | {
            "status": "in_progress",
            "content": [{"type": "output_text", "text": "One."}, {"type": "refusal", "refusal": "No"}],
        },
        call | {"arguments": '{"a":1}'},
        python | {"code": "1+"},
    ]


def test_a_finished_item_is_kept_as_it_was_told() -> None:
    done = a_message("Four.") | {"extra": 1}

    said = read_response(
        event("created", response=BEGUN)
        + text_delta("Fo")
        + event("output_item.done", output_index=0, item=done)
        + text_delta("Next", 1)
    )

    assert said.body["output"][0] == done
    assert said.text == "Four.\nNext"


def test_a_stream_resumed_in_its_middle_needs_no_beginning() -> None:
    said = read_response(text_delta("ur.") + text_delta(" Five."))

    assert said.facts["operation"] == "responses"
    assert said.text == "ur. Five."
    assert said.facts["truncated"] is True
