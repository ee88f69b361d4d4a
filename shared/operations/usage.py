"""`usage` objects, in all four dialects of the service -> token facts."""

from collections.abc import Iterator, Mapping
from typing import Final

from shared.domain.facts import members, state, state_members
from shared.domain.interaction import Facts
from shared.domain.unknown_words import note
from shared.domain.values import COUNT_LIMIT, Json, canonical, count

__all__ = [
    "add_usage",
    "better_usage",
    "complete_total",
    "finish_facts",
    "state_keyed_usage",
    "state_tier",
    "state_usage",
    "sum_of",
    "take_in_rest",
    "tells_tokens",
    "usage_facts",
]

# chat and embeddings; responses, images and batches; runs (details in the singular); audio.
# A usage object speaks one dialect. Should one mix them, the name further down wins.
_TOTALS: Final = (
    *members(input_tokens="input_tokens", output_tokens="output_tokens", total_tokens="total_tokens"),
    *members(input_tokens="prompt_tokens", output_tokens="completion_tokens", seconds="seconds"),
)
_INPUT: Final = members(
    cached_input_tokens="cached_tokens",
    cache_write_tokens="cache_write_tokens",
    audio_input_tokens="audio_tokens",
    image_input_tokens="image_tokens",
)
_OUTPUT: Final = members(
    reasoning_tokens="reasoning_tokens",
    audio_output_tokens="audio_tokens",
    image_output_tokens="image_tokens",
)
_DETAILS: Final = {
    "prompt_tokens_details": _INPUT,
    "prompt_token_details": _INPUT,
    "input_tokens_details": _INPUT,
    "input_token_details": _INPUT,
    "completion_tokens_details": _OUTPUT,
    "completion_token_details": _OUTPUT,
    "output_tokens_details": _OUTPUT,
    "output_token_details": _OUTPUT,
}
_KNOWN: Final = frozenset(
    {
        *(name for name, _, _ in _TOTALS),
        *_DETAILS,
        "type",
        # Parts of what is counted, prices, and times: they stay in the content.
        *"latency_checkpoint audio_prompt_tokens num_sources_used cost_in_usd_ticks".split(),
        *"prompt_cache_hit_tokens prompt_cache_miss_tokens service_tier".split(),
    }
)
_KNOWN_DETAILS: Final = frozenset(
    {
        *(name for name, _, _ in (*_INPUT, *_OUTPUT)),
        *"text_tokens accepted_prediction_tokens rejected_prediction_tokens".split(),
    }
)

_TIERS: Final = frozenset({"default", "standard", "priority", "flex", "batch", "scale", "auto"})
_COUNTS: Final = ("prompt_tokens", "completion_tokens", "input_tokens", "output_tokens", "total_tokens")
_UNFINISHED: Final = ("queued", "in_progress", "cancelling")
_REASON_LENGTH: Final = 64


def usage_facts(usage: Json) -> Facts:
    """Return the token counts that `usage` gives; none for null or anything but an object.

    Cached and reasoning tokens are kept as they stand: some models on the same endpoint report more cached
    tokens than input tokens.

    Source: event formats, section 7.1.
    """
    facts: Facts = {}
    if not isinstance(usage, dict):
        return facts
    state_members(facts, usage, _TOTALS)
    for name, details in usage.items():
        if name in _DETAILS and isinstance(details, dict):
            state_members(facts, details, _DETAILS[name])
    if "cached_input_tokens" not in facts:
        state(facts, "cached_input_tokens", usage.get("prompt_cache_hit_tokens"))
    _take_in_reasoning(facts)
    complete_total(facts)
    return facts


def complete_total(facts: Facts) -> None:
    """State the total where its two parts alone are given."""
    if "total_tokens" not in facts and "input_tokens" in facts and "output_tokens" in facts:
        facts["total_tokens"] = sum_of(facts["input_tokens"], facts["output_tokens"])


def _take_in_reasoning(facts: Facts) -> None:
    """Count reasoning as output where it stands beside it, as some vendors' totals show.

    Source: event formats, section 16.8.
    """
    parts = ("input_tokens", "output_tokens", "reasoning_tokens")
    complete = facts.get("reasoning_tokens") and facts.keys() >= {*parts, "total_tokens"}
    if complete and sum(facts[name] for name in parts) == facts["total_tokens"]:
        facts["output_tokens"] += facts["reasoning_tokens"]


def take_in_rest(facts: Facts) -> None:
    """Count as output all that a total holds beside the input.

    Source: event formats, section 17.9: Gemini's thoughts in OpenAI's form.
    """
    prompt, total = facts.get("input_tokens"), facts.get("total_tokens")
    if prompt is not None and total is not None and total >= prompt:
        facts["output_tokens"] = total - prompt


def sum_of(*counts: int | None) -> int | None:
    """Return the sum of those counts that are known, at most the largest that a field holds; None of none."""
    known = [number for number in counts if number is not None]
    return min(sum(known), COUNT_LIMIT - 1) if known else None


def state_usage(facts: Facts, usage: Json) -> None:
    """State the token counts that `usage` gives, and what of it we don't know by its name."""
    facts.update(usage_facts(usage))
    if isinstance(usage, dict):
        note(facts, "usage", _unknown_in(usage))


def state_tier(facts: Facts, tier: Json) -> None:
    """State the tier that served a call, which its price follows; of an unknown one, the trace."""
    if isinstance(tier, str) and tier in _TIERS:
        facts["service_tier"] = tier
    elif tier is not None:
        note(facts, "service_tier", [tier])


def state_keyed_usage(facts: Facts, usage: Json, *, key: Json) -> None:
    """State the usage of a response, run or batch, and the key by which it counts once.

    Every answer about the thing states the key, with or without usage.

    Args:
        facts: where it is stated.
        usage: null until the thing is done; then every answer about it repeats it.
        key: the thing's own id.
    """
    state_usage(facts, usage)
    if isinstance(key, str):
        state(facts, "usage_key", key)


def add_usage(facts: Facts, usage: Json) -> bool:
    """Add to the counts of `facts` those of a tool's own usage, which is beside theirs; return whether it has any."""
    counts = {name: number for name, number in usage_facts(usage).items() if number}
    for name, number in counts.items():
        facts[name] = sum_of(facts.get(name), number)
    if isinstance(usage, dict):
        note(facts, "usage", _unknown_in(usage))
    return bool(counts)


def better_usage(known: Json, later: Json) -> Json:
    """Return the usage that counts of two in one stream: the later, but nought never wins over a number."""
    if not isinstance(later, dict) or not later:
        return known
    if isinstance(known, dict) and any(count(known.get(name)) and not count(later.get(name)) for name in _COUNTS):
        return known
    return later


def tells_tokens(usage: Json) -> bool:
    """Return whether a usage tells any number: nought of everything is how some say that they don't know."""
    return isinstance(usage, dict) and any(count(usage.get(name)) for name in _COUNTS)


def _unknown_in(usage: Mapping[str, Json]) -> Iterator[str]:
    """Yield the members of a usage, and of its details, that have a value and a name which we don't know."""
    for name, value in usage.items():
        if name not in _KNOWN:
            if value is not None:
                yield name
        elif name in _DETAILS and isinstance(value, dict):
            yield from (f"{name}.{part}" for part, number in value.items() if number and part not in _KNOWN_DETAILS)


def finish_facts(body: Mapping[str, Json]) -> Facts:
    """Return how a response or run ended; nothing while it goes on."""
    status, details = body.get("status"), body.get("incomplete_details")
    reason = details.get("reason") if isinstance(details, dict) else None
    ended = reason if isinstance(reason, str) else status
    if not isinstance(ended, str) or not ended or status in _UNFINISHED:
        return {}
    return {"finish_reasons": canonical([ended[:_REASON_LENGTH]])}
