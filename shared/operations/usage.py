"""`usage` objects, in all four dialects of the service -> token facts."""

from collections.abc import Mapping
from typing import Final

from shared.domain.facts import members, state, state_members
from shared.domain.interaction import Facts
from shared.domain.values import COUNT_LIMIT, Json, canonical

__all__ = ["finish_facts", "keyed_usage_facts", "usage_facts"]

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

_UNFINISHED: Final = ("queued", "in_progress", "cancelling")
_REASON_LENGTH: Final = 64


def usage_facts(usage: Json) -> Facts:
    """Return the token counts that `usage` gives; none for null or anything but an object.

    Cached and reasoning tokens are kept as told: some models on the same endpoint report more cached
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
    if "total_tokens" not in facts and "input_tokens" in facts and "output_tokens" in facts:
        facts["total_tokens"] = min(facts["input_tokens"] + facts["output_tokens"], COUNT_LIMIT - 1)
    return facts


def keyed_usage_facts(usage: Json, *, key: Json) -> Facts:
    """Return the usage of a response, run or batch, and the key by which it counts once.

    Every answer about the thing states the key, with or without usage.

    Args:
        usage: null until the thing is done; then every answer about it repeats it.
        key: the thing's own id.
    """
    facts = usage_facts(usage)
    if isinstance(key, str):
        state(facts, "usage_key", key)
    return facts


def finish_facts(body: Mapping[str, Json]) -> Facts:
    """Return how a response or run ended; nothing while it goes on."""
    status, details = body.get("status"), body.get("incomplete_details")
    reason = details.get("reason") if isinstance(details, dict) else None
    ended = reason if isinstance(reason, str) else status
    if not isinstance(ended, str) or not ended or status in _UNFINISHED:
        return {}
    return {"finish_reasons": canonical([ended[:_REASON_LENGTH]])}
