"""Bodies of chat completions, answers not streamed."""

from collections.abc import Mapping
from typing import Final

from shared.domain.values import Json, text
from shared.domain.vendors import vendor_of
from shared.operations.choices import Choice, choice_facts, choices_of
from shared.operations.generic import answered, asked
from shared.operations.said import Said
from shared.operations.texts import content_texts, joined, message_texts
from shared.operations.usage import state_usage, take_in_rest

__all__ = ["read_request", "read_response"]

_THOUGHT, _THOUGHT_END = "<think>", "</think>"
_THINKS_BESIDE: Final = "google"
"""Whose form of this API counts thoughts in the total alone."""
_STORED: Final = "input_user"
"""A member of stored completions only. Reading one back repeats the usage of the call that made it."""


def read_request(body: Mapping[str, Json]) -> Said:
    """Read a request; the prompt is the text of all its messages, of every role.

    Source: event formats, sections 7.3 and 8.1.
    """
    said = asked(body, joined(message_texts(body.get("messages"))))
    # The service streams on request only.
    said.facts.setdefault("streamed", False)
    return said


def read_response(body: Mapping[str, Json]) -> Said:
    """Read a response; the completion is the text of the choice with the lowest index."""
    choices = choices_of(body)
    facts = choice_facts(body, choices)
    if _STORED not in body:
        state_usage(facts, body.get("usage"))
        if vendor_of(text(body.get("model")), None) == _THINKS_BESIDE:
            take_in_rest(facts)
    if choices:
        facts["tool_calls"] = sum(map(_tool_calls, choices))
    return answered(body, facts, _answer(choices[0]) if choices else None)


def _message(choice: Choice) -> Mapping[str, Json]:
    message = choice.get("message")
    return message if isinstance(message, dict) else {}


def _answer(choice: Choice) -> str | None:
    """Return the text of an answer, else of a refusal, else what was spoken."""
    message = _message(choice)
    text = _without_thoughts(joined(content_texts(message.get("content"))))
    if text:
        return text
    refusal = message.get("refusal")
    if isinstance(refusal, str) and refusal:
        return refusal
    audio = message.get("audio")
    transcript = audio.get("transcript") if isinstance(audio, dict) else None
    return transcript if isinstance(transcript, str) else None


def _without_thoughts(text: str | None) -> str | None:
    """Return a text without the thinking that some models write before it, between tags."""
    if text is None or not text.lstrip().startswith(_THOUGHT):
        return text
    _, end, rest = text.partition(_THOUGHT_END)
    return rest.lstrip() if end else None


def _tool_calls(choice: Choice) -> int:
    message = _message(choice)
    calls = message.get("tool_calls")
    made = len(calls) if isinstance(calls, list) else 0
    # The form before tools; no message holds both.
    return made or int(isinstance(message.get("function_call"), dict))
