"""Bodies of transcriptions, translations and speech."""

import re
from collections.abc import Mapping
from typing import Final

from shared.domain.facts import state
from shared.domain.interaction import Facts
from shared.domain.values import Json
from shared.operations.generic import answered, asked
from shared.operations.said import Said
from shared.operations.usage import state_usage

__all__ = ["read_request", "read_response", "read_speech_request", "read_speech_response", "read_text"]

_SUBTITLES: Final = re.compile(r"\ufeff?(?:WEBVTT\s|\s*\d+\s*\n\d+:\d{2}:\d{2},\d{3} --> )")
_TIMING: Final = re.compile(r"(?:\d+:)?\d{2}:\d{2}[.,]\d{3} --> ")
_TRANSCRIBED: Final = ("audio.transcriptions", "audio.translations")
_TAG: Final = re.compile(r"</?(?:v|c|b|i|u|lang|ruby|rt)\b[^<>]*>")


def read_request(body: Mapping[str, Json]) -> Said:
    """Read the fields of a form; the prompt is what guides the transcription. The sound is not kept.

    Source: event formats, section 8.5.
    """
    prompt = body.get("prompt")
    said = asked(body, prompt if isinstance(prompt, str) else None)
    said.facts.setdefault("streamed", False)
    return said


def read_response(body: Mapping[str, Json]) -> Said:
    """Read a transcription in any of the JSON forms; the completion is its text.

    Seconds are those that the usage bills, else the length that the verbose form tells.
    """
    facts: Facts = {}
    state(facts, "seconds", body.get("duration"))
    state_usage(facts, body.get("usage"))
    text = body.get("text")
    return answered(body, facts, text if isinstance(text, str) else None)


def read_speech_request(body: Mapping[str, Json]) -> Said:
    """Read a request for speech; the prompt is what is to be said, and its characters are what is billed."""
    spoken = body.get("input")
    said = asked(body, spoken if isinstance(spoken, str) else None)
    if isinstance(spoken, str):
        said.facts["characters"] = len(spoken)
    said.facts.setdefault("streamed", body.get("stream_format") == "sse")
    return said


def read_speech_response(body: Mapping[str, Json]) -> Said:
    """Read what a stream of speech told at its end: usage. Speech itself is no JSON."""
    facts: Facts = {}
    state_usage(facts, body.get("usage"))
    return answered(body, facts, None)


def read_text(text: str, operation: str | None) -> Said:
    """Read an answer that is not JSON: the text of a transcription, or subtitles; of others nothing is read."""
    if operation not in {None, *_TRANSCRIBED}:
        return Said({})
    said = _subtitles(text)
    if said is None and operation is not None:
        said = text
    if said is None:
        return Said({})
    return answered({}, {"operation": operation or _TRANSCRIBED[0]}, said)


def _subtitles(text: str) -> str | None:
    """Return what is said in `text` when it is SRT or WebVTT, a line for each; None when it is neither."""
    if _SUBTITLES.match(text) is None:
        return None
    lines = [line.strip() for line in text.splitlines()]
    said: list[str] = []
    in_cue = False
    for line in lines:
        if _TIMING.match(line):
            in_cue = True
        elif not line:
            in_cue = False
        elif in_cue:
            said.append(_TAG.sub("", line))
    return "\n".join(said)
