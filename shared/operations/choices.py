"""`choices` of chat and completions -> finish reasons, filter results, in the order of `index`."""

from collections.abc import Iterable, Mapping, Sequence

from shared.domain.interaction import Facts
from shared.domain.values import Json, canonical, count
from shared.operations.content_filter import filter_facts, filter_results, prompt_annotations
from shared.operations.moderations import moderated

__all__ = ["Choice", "choice_facts", "choices_of"]

Choice = Mapping[str, Json]

_FILTERED = "content_filter"
_REASON_LENGTH = 64


def choices_of(body: Mapping[str, Json]) -> list[Choice]:
    """Return the choices ordered by their `index`: their position says nothing."""
    told = body.get("choices")
    if not isinstance(told, list):
        return []
    choices: list[Choice] = [choice for choice in told if isinstance(choice, dict)]
    if len(choices) > 1:
        places = [count(choice.get("index")) for choice in choices]
        order = sorted(range(len(choices)), key=lambda n: (n if (place := places[n]) is None else place, n))
        return [choices[n] for n in order]
    return choices


def choice_facts(body: Mapping[str, Json], choices: Sequence[Choice]) -> Facts:
    """Return what all choices say together, and the word on prompts and choices of the filter or of a moderation."""
    prompts: Iterable[Json] = prompt_annotations(body)
    completions: Iterable[Json] = map(filter_results, choices)
    moderation = body.get("moderation")
    if isinstance(moderation, dict):
        prompts = [*prompts, *moderated(moderation.get("input"))]
        completions = [*completions, *moderated(moderation.get("output"))]
    facts = filter_facts(prompts, completions)
    if choices:
        reasons = [_reason(choice) for choice in choices]
        facts["finish_reasons"] = canonical(reasons)
        if _FILTERED in reasons:
            facts["completion_filtered"] = True
    return facts


def _reason(choice: Choice) -> str | None:
    reason = choice.get("finish_reason")
    return reason[:_REASON_LENGTH] if isinstance(reason, str) else None
