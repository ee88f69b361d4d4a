"""Bodies of chat completions and of legacy completions, answers not streamed."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from shared.domain.interaction import Facts
from shared.domain.values import Json, canonical, count, text
from shared.domain.vendors import vendor_of
from shared.operations.api import Body, Family
from shared.operations.content_filter import filter_facts, filter_results, moderation_results, prompt_annotations
from shared.operations.readings import (
    BodyReading,
    content_texts,
    join_lines,
    message_texts,
    reading_of_request,
    reading_of_response,
    texts_of,
)
from shared.operations.usage import state_usage, take_in_rest

__all__ = ["FAMILIES", "read_response"]

_Choice = Mapping[str, Json]

_THOUGHT, _THOUGHT_END = "<think>", "</think>"
_THINKS_BESIDE: Final = "google"
"""Whose form of this API counts thoughts in the total alone."""
_STORED: Final = "input_user"
"""A member of stored completions only. Reading one back repeats the usage of the call that made it."""
_FILTERED: Final = "content_filter"
_REASON_LENGTH: Final = 64


def _read_request(body: Body) -> BodyReading:
    """Read a request; the prompt is the text of all its messages, of every role.

    Source: event formats, sections 7.3 and 8.1.
    """
    reading = reading_of_request(body, join_lines(message_texts(body.get("messages"))))
    # The service streams on request only.
    reading.facts.setdefault("streamed", False)
    return reading


def read_response(body: Body) -> BodyReading:
    """Read a response; the completion is the text of the choice with the lowest index."""
    choices = _choices_of(body)
    facts = _choice_facts(body, choices)
    if _STORED not in body:
        state_usage(facts, body.get("usage"))
        if vendor_of(text(body.get("model")), None) == _THINKS_BESIDE:
            take_in_rest(facts)
    if choices:
        facts["tool_calls"] = sum(map(_tool_calls, choices))
    return reading_of_response(body, facts, _answer(choices[0]) if choices else None)


def _read_legacy_request(body: Body) -> BodyReading:
    """Read a request; prompts given as token ids carry no text.

    Source: event formats, section 8.2.
    """
    reading = reading_of_request(body, "\n".join(texts_of(body.get("prompt"))))
    reading.facts.setdefault("streamed", False)
    return reading


def _read_legacy_response(body: Body) -> BodyReading:
    """Read a response; the completion is the text of the choice with the lowest index."""
    choices = _choices_of(body)
    facts = _choice_facts(body, choices)
    state_usage(facts, body.get("usage"))
    if choices:
        # It has no way to call one.
        facts["tool_calls"] = 0
    completion = choices[0].get("text") if choices else None
    return reading_of_response(body, facts, completion if isinstance(completion, str) else None)


def _choices_of(body: Body) -> list[_Choice]:
    """Return the choices ordered by their `index`: their position says nothing."""
    listed = body.get("choices")
    if not isinstance(listed, list):
        return []
    choices: list[_Choice] = [choice for choice in listed if isinstance(choice, dict)]
    if len(choices) > 1:
        places = [count(choice.get("index")) for choice in choices]
        order = sorted(range(len(choices)), key=lambda n: (n if (place := places[n]) is None else place, n))
        return [choices[n] for n in order]
    return choices


def _choice_facts(body: Body, choices: Sequence[_Choice]) -> Facts:
    """Return what all choices say together, and the word on prompts and choices of the filter or of a moderation."""
    prompts: Iterable[Json] = prompt_annotations(body)
    completions: Iterable[Json] = map(filter_results, choices)
    moderation = body.get("moderation")
    if isinstance(moderation, dict):
        prompts = [*prompts, *moderation_results(moderation.get("input"))]
        completions = [*completions, *moderation_results(moderation.get("output"))]
    facts = filter_facts(prompts, completions)
    if choices:
        reasons = [_reason(choice) for choice in choices]
        facts["finish_reasons"] = canonical(reasons)
        if _FILTERED in reasons:
            facts["completion_filtered"] = True
    return facts


def _reason(choice: _Choice) -> str | None:
    reason = choice.get("finish_reason")
    return reason[:_REASON_LENGTH] if isinstance(reason, str) else None


def _message(choice: _Choice) -> Mapping[str, Json]:
    message = choice.get("message")
    return message if isinstance(message, dict) else {}


def _answer(choice: _Choice) -> str | None:
    """Return the text of an answer, else of a refusal, else what was spoken."""
    message = _message(choice)
    content = _without_thoughts(join_lines(content_texts(message.get("content"))))
    if content:
        return content
    refusal = message.get("refusal")
    if isinstance(refusal, str) and refusal:
        return refusal
    audio = message.get("audio")
    transcript = audio.get("transcript") if isinstance(audio, dict) else None
    return transcript if isinstance(transcript, str) else None


def _without_thoughts(content: str | None) -> str | None:
    """Return a text without the thinking that some models write before it, between tags."""
    if content is None or not content.lstrip().startswith(_THOUGHT):
        return content
    _, end, rest = content.partition(_THOUGHT_END)
    return rest.lstrip() if end else None


def _tool_calls(choice: _Choice) -> int:
    message = _message(choice)
    calls = message.get("tool_calls")
    made = len(calls) if isinstance(calls, list) else 0
    # The form before tools; no message holds both.
    return made or int(isinstance(message.get("function_call"), dict))


FAMILIES: Final = {
    "chat.completions": Family(_read_request, read_response),
    "completions": Family(_read_legacy_request, _read_legacy_response),
}
