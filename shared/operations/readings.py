"""What any body says, whatever its operation: model, user, parameters, texts. Readers of families add the rest."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from shared.domain.facts import is_word, members, state_members
from shared.domain.interaction import PREVIEW_LENGTH, Facts
from shared.domain.redaction import redacted_text
from shared.domain.unknown_words import note
from shared.domain.values import Json, canonical
from shared.operations.usage import state_tier, sum_of

__all__ = [
    "UNKNOWN",
    "BodyReading",
    "RequestContext",
    "content_texts",
    "join_lines",
    "message_texts",
    "messages_of_model",
    "preview",
    "read_any_request",
    "read_plain_request",
    "read_plain_response",
    "reading_of_request",
    "reading_of_response",
    "request_context",
    "texts_of",
    "totals_of",
    "variable_texts",
]

_REQUEST: Final = members(requested_model="model", end_user_id="safety_identifier") + members(
    end_user_id="user", streamed="stream"
)
_RESPONSE: Final = members(model="model", response_id="id")
_USAGE: Final = ("usage", "tool_usage")
_MODEL: Final = "assistant"
_PREVIEW_SOURCE: Final = 4 * PREVIEW_LENGTH
"""Characters that a preview is made of: a secret that begins in the preview may end behind it."""


class BodyReading(NamedTuple):
    """What a request or response body says of its interaction."""

    facts: Facts
    text: str | None = None
    """The prompt of a request, the completion of a response, at full length."""
    body: Json = None
    """The answer that a stream amounts to; None when the body is no stream."""


class RequestContext(NamedTuple):
    """What is known of the request when its answer is read."""

    models: tuple[str, ...] = ()
    """Names under which the model was asked for."""
    usage: bool | None = None
    """Whether a stream was asked to tell its usage; None when nobody knows."""


UNKNOWN: Final = RequestContext()


def request_context(request: Json, *, deployment: str | None, cut: bool = False) -> RequestContext:
    """Return what a request body asks for.

    Args:
        request: the parsed body; anything but an object says nothing.
        deployment: as the path names it.
        cut: whether the end of the body is missing.
    """
    body = request if isinstance(request, dict) else {}
    names = (body.get("model"), deployment)
    options = body.get("stream_options")
    usage: bool | None = None
    if isinstance(options, dict) and "include_usage" in options:
        usage = options["include_usage"] is True
    elif body and not cut:
        usage = False
    return RequestContext(tuple(name for name in names if isinstance(name, str) and name), usage)


def reading_of_request(body: Mapping[str, Json], prompt: str | None) -> BodyReading:
    """Return what any request says, beside `prompt`."""
    facts: Facts = {}
    state_members(facts, body, _REQUEST)
    parameters = _parameters(body)
    if parameters is not None:
        facts["parameters"] = parameters
    if prompt:
        facts["prompt_preview"] = preview(prompt)
    return BodyReading(facts, prompt or None)


def reading_of_response(body: Mapping[str, Json], facts: Facts, completion: str | None) -> BodyReading:
    """Return what any response says, beside `facts` and `completion`."""
    state_members(facts, body, _RESPONSE)
    state_tier(facts, body.get("service_tier"))
    note(facts, "usage", [name for name in body if "usage" in name.lower() and _is_strange(name, body[name])])
    if completion:
        facts["completion_preview"] = preview(completion)
    return BodyReading(facts, completion or None)


def _is_strange(name: str, value: Json) -> bool:
    """Return whether a member holds usage that no reader knows; the number of bytes that a store uses is none."""
    return isinstance(value, dict) and name not in _USAGE


def read_any_request(body: Mapping[str, Json]) -> BodyReading:
    """Read a request of an operation without a reader: `prompt` and `input` are texts of people everywhere."""
    texts = [text for name in ("prompt", "input") if isinstance(text := body.get(name), str)]
    return reading_of_request(body, "\n".join(texts))


def read_plain_request(body: Mapping[str, Json]) -> BodyReading:
    """Read a request in which nobody speaks."""
    return reading_of_request(body, None)


def read_plain_response(body: Mapping[str, Json]) -> BodyReading:
    """Read a response in which nobody speaks, or of an operation without a reader.

    Usage is left alone: the answer to a poll repeats it, and only the operation's reader can tell.
    """
    return reading_of_response(body, {}, None)


def totals_of(readings: Iterable[BodyReading]) -> tuple[Facts, str]:
    """Return the tokens of several answers in sum, and their texts, a line each."""
    sums: Facts = {}
    texts: list[str] = []
    for reading in readings:
        for name, value in reading.facts.items():
            if name.endswith("_tokens"):
                sums[name] = sum_of(sums.get(name), value)
        if reading.text:
            texts.append(reading.text)
    return sums, "\n".join(texts)


def preview(text: str) -> str:
    """Return the first characters of a prompt or completion, as the ledger keeps them."""
    # Secrets go before the text is cut, for half of one looks like none. A stream's may stand in many of its events.
    # SQL Server's tools end a text at NUL.
    return redacted_text(text[:_PREVIEW_SOURCE])[:PREVIEW_LENGTH].replace("\x00", "\N{REPLACEMENT CHARACTER}")


def content_texts(content: Json) -> Iterator[str]:
    """Yield the texts of a message's `content`: one, or those of its parts.

    A part holds its text as it is, or, in Assistants messages, as `{value}`.

    Source: event formats, sections 7.3, 8.6 and 8.7.
    """
    if isinstance(content, str):
        if content:
            yield content
    elif isinstance(content, list):
        for part in content:
            text = part.get("text") if isinstance(part, dict) else part
            if isinstance(text, dict):
                text = text.get("value")
            if text and isinstance(text, str):
                yield text


def message_texts(messages: Json) -> Iterator[str]:
    """Yield the texts of all messages, or items, of every role."""
    if not isinstance(messages, list):
        return
    for message in messages:
        if isinstance(message, dict):
            yield from content_texts(message.get("content"))


def messages_of_model(messages: Json) -> Iterator[Mapping[str, Json]]:
    """Yield the messages that are the model's."""
    for message in messages if isinstance(messages, list) else [messages]:
        if isinstance(message, dict) and message.get("role") == _MODEL:
            yield message


def texts_of(value: Json) -> list[str]:
    """Return the texts of a prompt or input: one, or several, or none among token ids."""
    if isinstance(value, str):
        return [value]
    return [item for item in value if item and isinstance(item, str)] if isinstance(value, list) else []


def variable_texts(prompt: Json) -> Iterator[str]:
    """Yield the texts that people put into the variables of a stored prompt: as they are, or in parts.

    Source: event formats, section 8.6.
    """
    variables = prompt.get("variables") if isinstance(prompt, dict) else None
    for value in variables.values() if isinstance(variables, dict) else ():
        yield from content_texts(value if isinstance(value, list) else [value])


def join_lines(texts: Iterator[str]) -> str | None:
    """Return texts as one, a line each; None when there are none."""
    return "\n".join(texts) or None


# Parameters of a request: numbers, truth values and single words. Whatever people write (stops, suffixes, metadata,
# instructions, variables), a schema or a credential, stays in the content: only what `_PARAMETERS` names is taken.
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
    parts = {"format": _type(value.get("format")), "verbosity": _scalar(value.get("verbosity"))}
    return {name: kept for name, kept in parts.items() if kept is not None} or None


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

_PARAMETERS: Final[Mapping[str, Callable[[Json], Json]]] = {
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
        *"n_epochs batch_size learning_rate_multiplier beta prompt_loss_weight compute_multiplier".split(),
        *"eval_interval eval_samples reasoning_effort".split(),
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


def _parameters(body: Mapping[str, Json]) -> str | None:
    """Return the parameters of a request as canonical JSON text; None when it has none."""
    taken: dict[str, Json] = {}
    for name, value in body.items():
        if value is not None and (reader := _PARAMETERS.get(name)) is not None:
            known = reader(value)
            if known is not None:
                taken[name] = known
    return canonical(taken) if taken else None
