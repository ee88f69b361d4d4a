"""Streams of Assistants runs, transcriptions, speech and images; streams of no family; texts that are no stream."""

from typing import Any

import pytest

from shared.domain.secrets import REMOVED
from shared.operations import read_response
from tests.builders.streams import DONE, an_event, stream_of

USAGE = {"prompt_tokens": 40, "completion_tokens": 2, "total_tokens": 42}
RUN = {"id": "run_1", "object": "thread.run", "thread_id": "thread_1", "status": "in_progress", "model": "gpt-4o"}
STEP = {"id": "step_1", "object": "thread.run.step", "run_id": "run_1", "type": "message_creation", "usage": USAGE}
MESSAGE = {"id": "msg_1", "object": "thread.message", "role": "assistant", "status": "in_progress", "content": []}


def a_delta(text: str, index: int = 0) -> str:
    content = [{"index": index, "type": "text", "text": {"value": text}}]
    delta = {"id": "msg_1", "object": "thread.message.delta", "delta": {"content": content}}
    return an_event(delta, "thread.message.delta")


def test_a_run_has_its_own_usage_once_and_the_messages_that_it_wrote() -> None:
    message = MESSAGE | {
        "status": "completed",
        "content": [{"type": "text", "text": {"value": "Four.", "annotations": []}}],
    }
    run = RUN | {"status": "completed", "usage": USAGE}

    said = read_response(
        an_event({"id": "thread_1", "object": "thread"}, "thread.created")
        + an_event(RUN | {"usage": None}, "thread.run.created")
        + an_event(MESSAGE, "thread.message.created")
        + a_delta("Fo")
        + a_delta("ur.")
        + an_event(message, "thread.message.completed")
        + an_event(STEP, "thread.run.step.completed")
        + an_event(run, "thread.run.completed")
        + "event: done\n"
        + DONE
    )

    assert said.facts["operation"] == "threads.runs"
    assert said.facts["total_tokens"] == 42
    assert said.text == "Four."
    assert said.facts["completion_preview"] == "Four."
    assert "truncated" not in said.facts
    assert said.body == run | {"messages": [message], "steps": [STEP]}


def test_a_cut_run_keeps_the_text_that_came_and_no_usage() -> None:
    said = read_response(
        an_event(RUN | {"usage": None}, "thread.run.created")
        + an_event(MESSAGE, "thread.message.created")
        + a_delta("Four.")
        + a_delta(" Fi")
        + a_delta("More", 1)
        + an_event(STEP, "thread.run.step.completed")
        + "event: thread.message.del"
    )

    assert said.text == "Four. Fi\nMore"
    assert said.facts["truncated"] is True
    assert "total_tokens" not in said.facts


def test_a_run_that_waits_for_tools_has_ended() -> None:
    calls = [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    action = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": calls}}

    said = read_response(
        an_event(RUN | {"status": "requires_action", "required_action": action}, "thread.run.requires_action")
    )

    assert said.facts["tool_calls"] == 1
    assert "truncated" not in said.facts


def test_a_transcription_is_its_last_event() -> None:
    usage = {"type": "tokens", "input_tokens": 14, "output_tokens": 4, "total_tokens": 18}
    text = stream_of(
        {"type": "transcript.text.delta", "delta": "Hello"},
        {"type": "transcript.text.delta", "delta": " world."},
        {"type": "transcript.text.done", "text": "Hello world.", "usage": usage},
    )

    said = read_response(text.replace("\n", "\r\n"), operation="audio.translations")

    assert said.facts["operation"] == "audio.translations"
    assert said.body == {"text": "Hello world.", "usage": usage}
    assert said.text == "Hello world."
    assert said.facts["total_tokens"] == 18


@pytest.mark.parametrize(
    ("events", "segments"),
    [
        ([{"type": "transcript.text.delta", "delta": "Hello"}, {"type": "transcript.text.delta", "delta": " wor"}], 0),
        (
            [
                {"type": "transcript.text.segment", "text": " Hello", "speaker": "A"},
                {"type": "transcript.text.segment", "text": " wor"},
            ],
            2,
        ),
    ],
)
def test_a_cut_transcription_keeps_what_was_heard(events: list[Any], segments: int) -> None:
    said = read_response(stream_of(*events, done=False))

    assert said.text == "Hello wor"
    assert len(said.body.get("segments", [])) == segments
    assert said.facts["truncated"] is True


def test_of_streamed_speech_the_usage_is_kept() -> None:
    said = read_response(
        stream_of(
            {"type": "speech.audio.delta", "audio": "UklGRg=="},
            {"type": "speech.audio.done", "usage": {"input_tokens": 10, "output_tokens": 82, "total_tokens": 92}},
        )
    )

    assert said.facts["operation"] == "audio.speech"
    assert said.facts["output_tokens"] == 82
    assert said.body == {"usage": {"input_tokens": 10, "output_tokens": 82, "total_tokens": 92}}


def test_of_streamed_images_everything_but_the_pixels_is_kept() -> None:
    usage = {"total_tokens": 100, "input_tokens": 50, "output_tokens": 50}
    done = {
        "type": "image_generation.completed",
        "b64_json": "AAAA",
        "created_at": 5,
        "size": "1024x1024",
        "usage": usage,
    }

    said = read_response(
        an_event({"type": "image_generation.partial_image", "b64_json": "AAAA"}, "image_generation.partial_image")
        + an_event(done, "image_generation.completed")
    )

    assert said.facts["operation"] == "images.generations"
    assert said.facts["images"] == 1
    assert said.facts["total_tokens"] == 100
    assert said.body == {"data": [{"b64_json": REMOVED}], "created": 5, "size": "1024x1024", "usage": usage}


def test_an_image_that_never_came_is_not_counted_and_the_stream_was_cut() -> None:
    said = read_response(
        'event: image_edit.partial_image\ndata: {"type":"image_edit.partial_image","b64_json":"..."}\n\n'
    )

    assert said.facts["operation"] == "images.edits"
    assert said.facts["images"] == 0
    assert said.facts["truncated"] is True


def test_a_stream_of_unknown_events_stays_text() -> None:
    said = read_response(stream_of({"type": "session.created"}))

    assert said.body is None
    assert said.facts == {"streamed": True, "unreadable": "stream"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hello world.",
        "data: the new oil, they say.",
        ": a smiley without eyes",
        "event: a party at nine",
        '{"choices":[{"message":{"content":"cut her',
        '{"custom_id":"a","response":{}}\n{"custom_id":"b","response":{}}\n',
        "<html>",
    ],
)
def test_a_text_that_is_no_stream_is_none(text: str) -> None:
    said = read_response(text, status=200)

    assert said.body is None
    assert "streamed" not in said.facts


@pytest.mark.parametrize("text", ["", "da", "data: ", 'data: {"choices":[{"del'])
def test_what_its_content_type_calls_a_stream_is_one_however_short(text: str) -> None:
    facts = read_response(text, status=200, content_type="text/event-stream; charset=utf-8").facts

    assert facts == {"streamed": True, "truncated": True}


def test_a_stream_cut_inside_its_first_event_is_a_stream() -> None:
    assert read_response('data: {"choices":[{"del').facts["truncated"] is True
    assert read_response("event: response.crea").facts["truncated"] is True


def test_an_error_page_instead_of_a_stream_is_the_errors_message() -> None:
    facts = read_response("Bad gateway", status=502, content_type="text/event-stream").facts

    assert facts == {"error_code": "502", "error_message": "Bad gateway"}


def test_a_log_without_field_names_is_a_stream_all_the_same() -> None:
    chunk = '{"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"%s"}}]}\n'

    assert read_response(chunk % "Hi" + chunk % " you").text == "Hi you"
