"""Images, transcriptions, translations and speech."""

import json
from typing import Any

import pytest

from shared.operations import read_request, read_response

SRT = "1\n00:00:00,000 --> 00:00:02,500\nHello,\nworld.\n\n2\n00:00:02,500 --> 00:00:04,000\n<i>Bye.</i>\n"
VTT = (
    "WEBVTT\n\nNOTE by nobody\n\n00:00.000 --> 00:02.500 align:start\n<v Ada>Hello,\nworld.\n\n"
    "cue 2\n01:00:02.500 --> 01:00:04.000\nBye.\n"
)
USAGE = {
    "total_tokens": 4399,
    "input_tokens": 239,
    "output_tokens": 4160,
    "input_tokens_details": {"image_tokens": 194, "text_tokens": 45},
    "output_tokens_details": {"image_tokens": 4160, "text_tokens": 0},
}


def test_an_images_prompt_and_parameters_are_told() -> None:
    body = {"prompt": "A red kite", "n": 2, "size": "1024x1024", "quality": "hd", "style": "vivid", "user": "u1"}

    said = read_request(body, "images.generations")

    assert said.text == "A red kite"
    assert said.facts["end_user_id"] == "u1"
    assert said.facts["streamed"] is False
    assert json.loads(said.facts["parameters"]) == {"n": 2, "size": "1024x1024", "quality": "hd", "style": "vivid"}


def test_images_are_counted_and_their_rewritten_prompts_are_the_completion() -> None:
    safe = {"hate": {"filtered": False, "severity": "safe"}}
    data = [
        {"url": "https://x/1.png", "revised_prompt": "A red kite above the sea", "content_filter_results": safe},
        {"b64_json": "AAAA", "prompt_filter_results": {"jailbreak": {"detected": False, "filtered": False}}},
    ]

    said = read_response({"created": 1, "data": data}, operation="images.edits", status=200)

    assert said.text == "A red kite above the sea"
    assert said.facts["images"] == 2
    assert said.facts["operation"] == "images.edits"
    assert (said.facts["prompt_filtered"], said.facts["completion_filtered"]) == (False, False)


def test_a_gpt_image_tells_its_tokens() -> None:
    facts = read_response({"created": 1, "data": [{"b64_json": "AAAA"}], "size": "auto", "usage": USAGE}).facts

    assert facts["operation"] == "images.generations"
    tokens = ("input_tokens", "output_tokens", "total_tokens", "image_input_tokens", "image_output_tokens")
    assert [facts[name] for name in tokens] == [239, 4160, 4399, 194, 4160]


def test_the_old_asynchronous_form_has_its_images_once_it_succeeded() -> None:
    waiting = read_response({"id": "op-1", "status": "running", "created": 1}, operation="images.generations")
    done = read_response(
        {"id": "op-1", "status": "succeeded", "created": 1, "result": {"created": 1, "data": [{"url": "https://x"}]}}
    )

    assert "images" not in waiting.facts
    assert done.facts["images"] == 1
    assert done.facts["operation"] == "images.generations"


@pytest.mark.parametrize(
    ("body", "facts"),
    [
        pytest.param({"text": "Hello"}, {}, id="json"),
        pytest.param({"text": "Hello", "usage": {"type": "duration", "seconds": 9}}, {"seconds": 9.0}, id="seconds"),
        pytest.param(
            {
                "text": "Hello",
                "usage": {
                    "type": "tokens",
                    "input_tokens": 37,
                    "output_tokens": 145,
                    "total_tokens": 182,
                    "input_token_details": {"audio_tokens": 36, "text_tokens": 1},
                },
            },
            {"input_tokens": 37, "output_tokens": 145, "total_tokens": 182, "audio_input_tokens": 36},
            id="tokens",
        ),
        pytest.param(
            {"task": "transcribe", "language": "english", "duration": 8.47, "text": "Hello", "segments": [{"id": 0}]},
            {"seconds": 8.47},
            id="verbose",
        ),
        pytest.param(
            {"task": "transcribe", "duration": 27.4, "text": "Hello", "usage": {"type": "duration", "seconds": 27}},
            {"seconds": 27.0},
            id="what is billed, not what is heard",
        ),
    ],
)
def test_a_transcription_tells_its_text_and_its_usage(body: dict[str, Any], facts: dict[str, Any]) -> None:
    said = read_response(body, status=200)

    assert said.text == "Hello"
    assert said.facts == facts | {"operation": "audio.transcriptions", "completion_preview": "Hello"}


@pytest.mark.parametrize(
    ("text", "said"),
    [("Hello.\n", "Hello.\n"), (SRT, "Hello,\nworld.\nBye."), (VTT, "Hello,\nworld.\nBye."), ("", None)],
    ids=["text", "srt", "vtt", "nothing"],
)
def test_a_transcription_as_text_or_subtitles_is_what_was_said(text: str, said: str | None) -> None:
    read = read_response(text, operation="audio.translations", status=200)

    assert read.text == said
    assert read.facts["operation"] == "audio.translations"


def test_subtitles_are_told_by_their_shape_and_other_texts_are_not() -> None:
    assert read_response(SRT.replace("\n", "\r\n"), status=200).facts["operation"] == "audio.transcriptions"
    for other in ("Hello.", "v=0\r\no=- 3912 3912 IN IP4 0.0.0.0\r\ns=-\r\n", "1\n2\n3", "WEBVTTX"):
        assert read_response(other, status=200).facts == {}
    assert read_response(SRT, operation="files", status=200).facts == {}


def test_a_translation_is_told_by_its_task() -> None:
    assert read_response({"task": "translate", "text": "Hi", "duration": 1}).facts["operation"] == "audio.translations"
    assert "operation" not in read_response({"text": "Hi", "author": "me"}).facts


def test_a_transcription_request_has_the_fields_of_its_form() -> None:
    form = {"file": {"filename": "a.mp3", "size": 9}, "model": "whisper-1", "prompt": "Names: Ada", "language": "en"}

    said = read_request(form | {"timestamp_granularities": ["word"], "stream": "true"}, "audio.transcriptions")

    assert said.text == "Names: Ada"
    assert said.facts["requested_model"] == "whisper-1"
    assert said.facts["streamed"] is True
    assert json.loads(said.facts["parameters"]) == {
        "language": "en",
        "stream": "true",
        "timestamp_granularities": ["word"],
    }


def test_speech_is_metered_by_its_characters_and_its_text_is_the_prompt() -> None:
    said = read_request({"model": "tts-1", "input": "Grüße \N{GRINNING FACE}", "voice": "alloy"}, "audio.speech")

    assert said.text == "Grüße \N{GRINNING FACE}"
    assert said.facts["characters"] == 7
    assert said.facts["streamed"] is False
    assert read_request({"input": "Hi", "stream_format": "sse"}, "audio.speech").facts["streamed"] is True


def test_a_stream_of_speech_tells_tokens_at_its_end() -> None:
    usage = {"input_tokens": 14, "output_tokens": 101, "total_tokens": 115}

    assert read_response({"usage": usage}, operation="audio.speech").facts["total_tokens"] == 115
