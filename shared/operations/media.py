"""Bodies of images, sound and videos."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from shared.domain.facts import state
from shared.domain.interaction import Facts
from shared.domain.values import Json, canonical, count, number
from shared.operations.api import Body, Family
from shared.operations.content_filter import filter_facts, filter_results
from shared.operations.readings import BodyReading, join_lines, reading_of_request, reading_of_response, texts_of
from shared.operations.usage import state_usage

__all__ = ["FAMILIES", "read_transcript"]

_SUBTITLES: Final = re.compile(r"\ufeff?(?:WEBVTT\s|\s*\d+\s*\n\d+:\d{2}:\d{2},\d{3} --> )")
_TIMING: Final = re.compile(r"(?:\d+:)?\d{2}:\d{2}[.,]\d{3} --> ")
_TAG: Final = re.compile(r"</?(?:v|c|b|i|u|lang|ruby|rt)\b[^<>]*>")
_TRANSCRIPTION, _TRANSLATION = "audio.transcriptions", "audio.translations"

_SUCCEEDED: Final = frozenset({"succeeded", "completed"})
_ENDED: Final = _SUCCEEDED | {"failed", "cancelled"}
_JOBS: Final = frozenset({"video", "video.generation.job"})


def _read_image_request(body: Body) -> BodyReading:
    """Read a request, JSON or the fields of a form; the prompt is the image's description.

    Source: event formats, section 8.4.
    """
    reading = reading_of_request(body, "\n".join(texts_of(body.get("prompt"))))
    reading.facts.setdefault("streamed", False)
    return reading


def _read_image_response(body: Body) -> BodyReading:
    """Read a response; the completion is the prompts as the model rewrote them.

    The old asynchronous form has the response in `result`; until it has succeeded there are no images.
    """
    result = body.get("result")
    answer: Mapping[str, Json] = result if isinstance(result, dict) else body
    data = answer.get("data")
    facts: Facts = {}
    state_usage(facts, answer.get("usage"))
    images: list[Mapping[str, Json]] = []
    if isinstance(data, list):
        images = [image for image in data if isinstance(image, dict)]
        facts["images"] = len(images)
    facts.update(filter_facts(map(_prompt_results, images), map(filter_results, images)))
    return reading_of_response(body, facts, join_lines(_revised_prompts(images)))


def _revised_prompts(images: list[Mapping[str, Json]]) -> Iterator[str]:
    for image in images:
        prompt = image.get("revised_prompt")
        if prompt and isinstance(prompt, str):
            yield prompt


def _prompt_results(image: Mapping[str, Json]) -> Json:
    """Return the results of an image's prompt: the results themselves, or an annotation that holds them."""
    results = image.get("prompt_filter_results")
    return filter_results(results) or results


def _read_audio_request(body: Body) -> BodyReading:
    """Read the fields of a form; the prompt is what guides the transcription. The sound is not kept.

    Source: event formats, section 8.5.
    """
    prompt = body.get("prompt")
    reading = reading_of_request(body, prompt if isinstance(prompt, str) else None)
    reading.facts.setdefault("streamed", False)
    return reading


def _read_audio_response(body: Body) -> BodyReading:
    """Read a transcription in any of the JSON forms; the completion is its text.

    Seconds are those that the usage bills, else the length that the verbose form tells.
    """
    facts: Facts = {}
    state(facts, "seconds", body.get("duration"))
    state_usage(facts, body.get("usage"))
    text = body.get("text")
    return reading_of_response(body, facts, text if isinstance(text, str) else None)


def _read_speech_request(body: Body) -> BodyReading:
    """Read a request for speech; the prompt is what is to be spoken, and its characters are what is billed."""
    script = body.get("input")
    reading = reading_of_request(body, script if isinstance(script, str) else None)
    if isinstance(script, str):
        reading.facts["characters"] = len(script)
    reading.facts.setdefault("streamed", body.get("stream_format") == "sse")
    return reading


def _read_speech_response(body: Body) -> BodyReading:
    """Read the usage at the end of a stream of speech. Speech itself is no JSON."""
    facts: Facts = {}
    state_usage(facts, body.get("usage"))
    return reading_of_response(body, facts, None)


def read_transcript(text: str, operation: str | None) -> BodyReading:
    """Read an answer that is not JSON: the text of a transcription, or subtitles; of others nothing is read."""
    if operation not in {None, _TRANSCRIPTION, _TRANSLATION}:
        return BodyReading({})
    transcript = _transcript_in(text)
    if transcript is None and operation is not None:
        transcript = text
    if transcript is None:
        return BodyReading({})
    return reading_of_response({}, {"operation": operation or _TRANSCRIPTION}, transcript)


def _transcript_in(text: str) -> str | None:
    """Return what is spoken in `text` when it is SRT or WebVTT, a line for each; None when it is neither."""
    if _SUBTITLES.match(text) is None:
        return None
    transcript: list[str] = []
    in_cue = False
    for line in map(str.strip, text.splitlines()):
        if _TIMING.match(line):
            in_cue = True
        elif not line:
            in_cue = False
        elif in_cue:
            transcript.append(_TAG.sub("", line))
    return "\n".join(transcript)


def _read_video_request(body: Body) -> BodyReading:
    """Read a request: its prompt, seconds and size.

    Source: event formats, section 16.10.
    """
    prompt = body.get("prompt")
    return reading_of_request(body, prompt if isinstance(prompt, str) else None)


def _read_video_response(body: Body) -> BodyReading:
    """Read the state of a job. Every poll repeats its seconds: they count once by its id, when it has succeeded.

    Why it failed, every failed job says in the same place: `shared.operations.errors`.
    """
    facts: Facts = {}
    kind = body.get("object")
    if not isinstance(kind, str) or kind not in _JOBS:
        return reading_of_response(body, facts, None)
    status = body.get("status")
    state(facts, "usage_key", body.get("id"))
    if isinstance(status, str) and status in _ENDED:
        facts["finish_reasons"] = canonical([status])
        if status in _SUCCEEDED:
            state(facts, "seconds", _seconds(body))
    return reading_of_response(body, facts, None)


def _seconds(body: Body) -> Json:
    seconds = number(body.get("seconds"))
    if seconds is None:
        seconds = number(body.get("n_seconds"))
        if seconds is not None:
            seconds *= count(body.get("n_variants")) or 1
    return seconds


_IMAGES: Final = Family(_read_image_request, _read_image_response)
_AUDIO: Final = Family(_read_audio_request, _read_audio_response)
FAMILIES: Final = {
    "images.generations": _IMAGES,
    "images.edits": _IMAGES,
    "images.variations": _IMAGES,
    _TRANSCRIPTION: _AUDIO,
    _TRANSLATION: _AUDIO,
    "audio.speech": Family(_read_speech_request, _read_speech_response),
    "videos": Family(_read_video_request, _read_video_response),
}
