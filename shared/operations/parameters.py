"""Request bodies -> the parameters that are no content: never a text, a schema or a credential.

Only what `_READERS` names is taken: numbers, truth values and single words. Whatever people write
(stops, suffixes, metadata, instructions, variables) stays in the content.
"""

from collections.abc import Callable, Mapping
from typing import Final

from shared.domain.metadata import is_word
from shared.domain.values import Json, canonical

__all__ = ["parameters"]

_LIST_LENGTH: Final = 16


def _scalar(value: Json) -> Json:
    if isinstance(value, str):
        return value if is_word(value) else None
    return value if isinstance(value, bool | int | float) else None


def _scalars(value: Json) -> Json:
    if isinstance(value, list):
        return [item for item in map(_scalar, value[:_LIST_LENGTH]) if item is not None]
    return _scalar(value)


def _type(value: Json) -> Json:
    """Return the type of `{type: ...}`, without the schema that may stand beside it."""
    return _scalar(value.get("type")) if isinstance(value, dict) else _scalar(value)


def _choice(value: Json) -> Json:
    """Return a tool choice: a word, or the name of the tool."""
    if not isinstance(value, dict):
        return _scalar(value)
    for holder in (value.get("function"), value.get("custom"), value):
        if isinstance(holder, dict) and isinstance(holder.get("name"), str):
            return _scalar(holder["name"])
    return _type(value)


def _members(*names: str) -> Callable[[Json], Json]:
    """Return what reads these members of an object, and no other: clients may write any."""

    def read(value: Json) -> Json:
        if not isinstance(value, dict):
            return _scalar(value)
        return {name: kept for name in names if (kept := _scalar(value.get(name))) is not None}

    return read


def _length(value: Json) -> Json:
    return len(value) if isinstance(value, list) else None


def _reference(value: Json) -> Json:
    """Return the id of something that is named by its id, or by an object that holds it."""
    return _scalar(value.get("id")) if isinstance(value, dict) else _scalar(value)


def _prompt(value: Json) -> Json:
    """Return how many prompts there are, or which stored one it is; a prompt itself is content."""
    if not isinstance(value, dict):
        return _length(value)
    return {name: kept for name in ("id", "version") if (kept := _scalar(value.get(name))) is not None} or None


def _text_format(value: Json) -> Json:
    """Return type of the format and verbosity that a response's text is to have."""
    if not isinstance(value, dict):
        return None
    told = {"format": _type(value.get("format")), "verbosity": _scalar(value.get("verbosity"))}
    return {name: kept for name, kept in told.items() if kept is not None} or None


def _session(value: Json) -> Json:
    """Return what a realtime session is to be, without its instructions."""
    if not isinstance(value, dict):
        return None
    names = ("type", "model", "voice", "temperature", "max_output_tokens", "output_modalities", "modalities")
    return {name: kept for name in names if (kept := _scalars(value.get(name))) is not None} or None


_SCALAR_NAMES: Final = (
    "temperature top_p n best_of echo stream max_tokens max_completion_tokens max_output_tokens max_tool_calls "
    "presence_penalty frequency_penalty seed logprobs top_logprobs parallel_tool_calls reasoning_effort verbosity "
    "store service_tier dimensions encoding_format input_type background truncation purpose endpoint "
    "completion_window size quality style moderation output_format output_compression partial_images voice speed "
    "stream_format language previous_response_id prompt_cache_retention assistant_id max_prompt_tokens "
    "file_id max_num_results rewrite_query input_file_id training_file validation_file "
    "memory_limit bytes mime_type input_fidelity role "
    # Of other vendors, and of videos.
    "top_k max_tokens_to_sample max_gen_len seconds n_seconds n_variants height width"
).split()

_READERS: Final[Mapping[str, Callable[[Json], Json]]] = {
    **dict.fromkeys(_SCALAR_NAMES, _scalar),
    "modalities": _scalars,
    "output_modalities": _scalars,
    "include": _scalars,
    "timestamp_granularities": _scalars,
    "known_speaker_names": _length,
    "response_format": _type,
    "tool_choice": _choice,
    "function_call": _choice,
    "stream_options": _members("include_usage", "include_obfuscation"),
    "reasoning": _members("effort", "summary", "generate_summary"),
    "thinking": _members("type", "budget_tokens", "display"),
    "output_config": _members("effort"),
    "audio": _members("voice", "format"),
    "truncation_strategy": _members("type", "last_messages"),
    "expires_after": _members("anchor", "days", "hours", "minutes", "seconds"),
    "hyperparameters": _members(
        "n_epochs",
        "batch_size",
        "learning_rate_multiplier",
        "beta",
        "prompt_loss_weight",
        "compute_multiplier",
        "eval_interval",
        "eval_samples",
        "reasoning_effort",
    ),
    "chunking_strategy": _type,
    "method": _type,
    "turn_detection": _type,
    "network_policy": _type,
    "conversation": _reference,
    "text": _text_format,
    "session": _session,
    "messages": _length,
    "tools": _length,
    "functions": _length,
    "additional_messages": _length,
    "tool_outputs": _length,
    "attachments": _length,
    "file_ids": _length,
    "items": _length,
    "input": _length,
    "prompt": _prompt,
    "data_sources": _length,
}
"""Parameter -> what is kept of it. Of arrays of content, their length."""


def parameters(body: Mapping[str, Json]) -> str | None:
    """Return the parameters of a request as canonical JSON text; None when it has none."""
    kept: dict[str, Json] = {}
    for name, value in body.items():
        if value is not None and (reader := _READERS.get(name)) is not None:
            known = reader(value)
            if known is not None:
                kept[name] = known
    return canonical(kept) if kept else None
