"""Amazon Bedrock's runtime: Converse, InvokeModel with each vendor's bodies, their streams, embeddings, guardrails.

Source: event formats, sections 17.1 and 17.7 to 17.11 (docs/events.md, section "Bedrock").
"""

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import orjson

from shared.domain.facts import members, state, state_members
from shared.domain.interaction import Facts
from shared.domain.secrets import REMOVED
from shared.domain.values import Json, canonical, count
from shared.operations import chat
from shared.operations.api import Api, Assembler, Body, Family, Target
from shared.operations.errors import error_in_event
from shared.operations.readings import BodyReading, message_texts, reading_of_request, reading_of_response
from shared.operations.streams.answer import StreamAnswer, object_or_text
from shared.operations.streams.event_stream import TRACES
from shared.operations.usage import complete_total, sum_of
from shared.operations.vendors import anthropic

__all__ = ["API"]

_CONVERSE, _INVOKE, _EMBEDDINGS, _IMAGES = "converse", "invoke", "embeddings", "images.generations"
_VERBS: Final = {
    "converse": (_CONVERSE, False),
    "converse-stream": (_CONVERSE, True),
    "count-tokens": (_CONVERSE, None),
    "invoke": (_INVOKE, False),
    "invoke-with-response-stream": (_INVOKE, True),
}
_PAINTERS: Final = ("titan-image", "nova-canvas", "stability.")
_FILTERED: Final = frozenset({"guardrail_intervened", "content_filtered"})
_INTERVENED: Final = "INTERVENED"
_ACTION: Final = "amazon-bedrock-guardrailAction"
_METRICS: Final = "amazon-bedrock-invocationMetrics"
_SERVER: Final = "server_tool_use"
_REASON_LENGTH: Final = 64
_MOST_BLOCKS: Final = 10_000
_MOST_ENCODED: Final = 4 * 1024 * 1024
"""Characters of a request inside a request that are decoded."""

_READ: Final = ("cacheReadInputTokens", "cacheReadInputTokenCount")
_WRITTEN: Final = ("cacheWriteInputTokens", "cacheWriteInputTokenCount")
_HEADER: Final = "x-amzn-bedrock-"
_REQUEST_ID: Final = "x-amzn-requestid"
_ERROR_TYPE: Final = "x-amzn-errortype"


def target_of(segments: Sequence[str]) -> Target | None:
    """Return what a path of Bedrock's names: the verb is the last segment, the model all that stands before it.

    The model's id may be an ARN, with slashes of its own; what follows its last slash is its name.
    """
    if not segments:
        return None
    verb = segments[-1].lower()
    if verb in _VERBS and "model" in segments[:-2]:
        operation, streamed = _VERBS[verb]
        model = "/".join(segments[segments.index("model") + 1 : -1]).rpartition("/")[2]
        if operation == _INVOKE:
            operation = _operation_of(model)
        return Target(operation=operation, model=model or None, streamed=streamed)
    if verb == "apply" and "guardrail" in segments:
        return Target(operation="other")
    return Target(operation="videos") if "async-invoke" in segments else None


def _operation_of(model: str) -> str:
    name = model.lower()
    if "embed" in name:
        return _EMBEDDINGS
    return _IMAGES if any(word in name for word in _PAINTERS) else _INVOKE


def _first(holder: Mapping[str, Json], names: Sequence[str]) -> int | None:
    return next((number for name in names if (number := count(holder.get(name))) is not None), None)


def _usage_facts(usage: Json) -> Facts:
    """Return the tokens in a usage of Converse's form: its input leaves out what caches were read and written."""
    facts: Facts = {}
    if not isinstance(usage, dict):
        return facts
    fresh, read, written = count(usage.get("inputTokens")), _first(usage, _READ), _first(usage, _WRITTEN)
    state(facts, "cached_input_tokens", read)
    state(facts, "cache_write_tokens", written)
    if fresh is not None:
        facts["input_tokens"] = sum_of(fresh, read, written)
    state(facts, "output_tokens", count(usage.get("outputTokens")))
    state(facts, "total_tokens", count(usage.get("totalTokens")))
    return facts


def _block_texts(blocks: Json) -> Iterator[str]:
    """Yield the texts of content blocks: plain, guarded and with citations; thoughts and tools have none."""
    for block in blocks if isinstance(blocks, list) else ():
        if not isinstance(block, dict):
            continue
        guarded = block.get("guardContent")
        if isinstance(guarded, dict) and isinstance(guarded.get("text"), dict):
            yield from _block_texts([guarded["text"]])
        cited = block.get("citationsContent")
        if isinstance(cited, dict):
            yield from _block_texts(cited.get("content"))
        text = block.get("text")
        if isinstance(text, str) and text:
            yield text


def _message_blocks(messages: Json) -> Iterator[str]:
    for message in messages if isinstance(messages, list) else ():
        if isinstance(message, dict):
            yield from _block_texts(message.get("content"))


_PARAMETERS: Final = {"maxTokens": "max_tokens", "temperature": "temperature", "topP": "top_p", "topK": "top_k"}


def _parameters_in(body: Body) -> dict[str, Json]:
    config, tools = body.get("inferenceConfig"), body.get("toolConfig")
    named = config.items() if isinstance(config, dict) else ()
    kept: dict[str, Json] = {_PARAMETERS[name]: value for name, value in named if name in _PARAMETERS}
    if isinstance(tools, dict):
        kept["tools"] = tools.get("tools")
    return kept


def _read_converse_request(body: Body) -> BodyReading:
    """Read a request; the prompt is the text of its messages, of both roles. Of a count it stands one level deeper."""
    inner = body.get("input")
    if isinstance(inner, dict):
        converse, invoked = inner.get("converse"), inner.get("invokeModel")
        if isinstance(converse, dict):
            return _read_converse_request(converse)
        if isinstance(invoked, dict):
            return _read_invoke_request(_decode(invoked.get("body")))
    return reading_of_request(_parameters_in(body), "\n".join(_message_blocks(body.get("messages"))))


def _decode(encoded: Json) -> dict[str, Json]:
    if not isinstance(encoded, str) or len(encoded) > _MOST_ENCODED:
        return {}
    try:
        value = orjson.loads(base64.b64decode(encoded))
    except (binascii.Error, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _read_converse_response(body: Body) -> BodyReading:
    """Read an answer; the completion is its text blocks as one text. A count of tokens uses nothing."""
    output = body.get("output")
    message = output.get("message") if isinstance(output, dict) else None
    if not isinstance(message, dict):
        return reading_of_response({}, {}, None)
    content = message.get("content")
    blocks = [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []
    facts = _usage_facts(body.get("usage"))
    complete_total(facts)
    facts["tool_calls"] = sum(_is_call(block) for block in blocks)
    facts |= _finish_facts([body.get("stopReason")])
    return reading_of_response({}, facts, "".join(_block_texts(blocks)))


def _is_call(block: Mapping[str, Json]) -> bool:
    call = block.get("toolUse")
    return isinstance(call, dict) and call.get("type") != _SERVER


def _finish_facts(reasons: Sequence[Json]) -> Facts:
    given = [reason[:_REASON_LENGTH] if isinstance(reason, str) else None for reason in reasons]
    if not any(given):
        return {}
    facts: Facts = {"finish_reasons": canonical(given)}
    if any(reason in _FILTERED for reason in given):
        facts["completion_filtered"] = True
    return facts


def _read_invoke_request(body: Body) -> BodyReading:
    """Read a request in whatever form the model's vendor has: the members tell which."""
    if "anthropic_version" in body and "messages" in body:
        reading = anthropic.read_request(body)
    elif isinstance(body.get("messages"), list):
        messages = body["messages"]
        nova = "inferenceConfig" in body or "schemaVersion" in body or _has_blocks(messages)
        reading = reading_of_request(
            _parameters_in(body) if nova else body,
            "\n".join(_message_blocks(messages) if nova else message_texts(messages)),
        )
    else:
        reading = reading_of_request(
            {name: body[name] for name in body if name != "prompt"}, "\n".join(_prompt_texts(body))
        )
    # The verb says whether a stream is asked for.
    reading.facts.pop("streamed", None)
    if _asks_for_vectors(body):
        reading.facts["operation"] = _EMBEDDINGS
    return reading


def _has_blocks(messages: Json) -> bool:
    """Return whether the content of messages is blocks without a type, as Converse has them."""
    first = messages[0] if messages else None
    content = first.get("content") if isinstance(first, dict) else None
    return isinstance(content, list) and any(isinstance(one, dict) and "type" not in one for one in content)


def _asks_for_vectors(body: Body) -> bool:
    return (
        ("texts" in body and "input_type" in body)
        or "singleEmbeddingParams" in body
        or ("inputText" in body and not {"normalize", "embeddingTypes", "embeddingConfig"}.isdisjoint(body))
    )


def _prompt_texts(body: Body) -> Iterator[str]:
    """Yield the texts that people wrote, wherever a vendor has them; the history of a chat before its last message."""
    for holder, member in (("chat_history", "message"), ("text_prompts", "text")):
        listed = body.get(holder)
        for one in listed if isinstance(listed, list) else ():
            if isinstance(one, dict) and isinstance(one.get(member), str):
                yield one[member]
    for name in ("prompt", "inputText", "message", "texts", "value", "text"):
        text = body.get(name)
        if isinstance(text, str):
            yield text
        elif isinstance(text, list):
            yield from (one for one in text if isinstance(one, str))
        elif isinstance(text, dict):
            yield from _prompt_texts(text)
    for name in ("textToImageParams", "textToVideoParams", "singleEmbeddingParams", "modelInput"):
        inner = body.get(name)
        if isinstance(inner, dict):
            yield from _prompt_texts(inner)


_LLAMA: Final = members(input_tokens="prompt_token_count", output_tokens="generation_token_count")
_TITAN: Final = members(input_tokens="inputTextTokenCount", output_tokens="totalOutputTextTokenCount")


def _read_invoke_response(body: Body) -> BodyReading:
    """Read an answer in whatever form the model's vendor has; tokens by its usage, else by Bedrock's own metrics."""
    if body.get("type") == "message" and isinstance(body.get("content"), list):
        reading = anthropic.read_response(body)
    elif "choices" in body:
        reading = chat.read_response(body)
    elif "output" in body:
        reading = _read_converse_response(body)
    elif _holds_vectors(body):
        reading = _read_vectors(body)
    else:
        reading = _read_plain(body)
    facts = reading.facts
    metrics = body.get(_METRICS)
    if isinstance(metrics, dict):
        for name, value in _metric_facts(metrics).items():
            facts.setdefault(name, value)
    complete_total(facts)
    if body.get(_ACTION) == _INTERVENED:
        facts["completion_filtered"] = True
    # The model is the one that the path names, with its region: what an answer names is the vendor's word for it.
    facts.pop("model", None)
    return reading


def _metric_facts(metrics: Mapping[str, Json]) -> Facts:
    usage = {
        "inputTokens": metrics.get("inputTokenCount"),
        "outputTokens": metrics.get("outputTokenCount"),
        _READ[0]: metrics.get("cacheReadInputTokenCount"),
        _WRITTEN[0]: metrics.get("cacheWriteInputTokenCount"),
    }
    facts = _usage_facts(usage)
    state(facts, "time_to_first_byte_ms", metrics.get("firstByteLatency"))
    return facts


def _read_plain(body: Body) -> BodyReading:
    """Read an answer that is texts and counts: Titan, Llama, Mistral, Cohere, AI21, Claude 2."""
    facts: Facts = {}
    entries = _entries(body)
    texts = [text for text, _ in entries if text]
    facts |= _finish_facts([reason for _, reason in entries])
    state_members(facts, body, _LLAMA)
    state_members(facts, body, _TITAN)
    results = body.get("results")
    if isinstance(results, list):
        counts = [count(one.get("tokenCount")) for one in results if isinstance(one, dict)]
        if counts and None not in counts:
            facts["output_tokens"] = sum_of(*counts)
    calls = body.get("tool_calls")
    if isinstance(calls, list):
        facts["tool_calls"] = len(calls)
    elif entries:
        facts["tool_calls"] = 0
    reading = reading_of_response({}, facts, texts[0] if texts else None)
    state(reading.facts, "response_id", body.get("response_id") or body.get("id"))
    return reading


def _entries(body: Body) -> list[tuple[str | None, Json]]:
    """Return text and finish reason of each answer, the first one first."""
    for holder, text, reason in (
        ("results", "outputText", "completionReason"),
        ("outputs", "text", "stop_reason"),
        ("generations", "text", "finish_reason"),
    ):
        listed = body.get(holder)
        if isinstance(listed, list):
            return [(_text(one.get(text)), one.get(reason)) for one in listed if isinstance(one, dict)]
    completions = body.get("completions")
    if isinstance(completions, list):
        return [_of_ai21(one) for one in completions if isinstance(one, dict)]
    for text, reason in (
        ("outputText", "completionReason"),
        ("generation", "stop_reason"),
        ("completion", "stop_reason"),
        ("text", "finish_reason"),
    ):
        if isinstance(body.get(text), str):
            return [(body[text], body.get(reason))]
    return []


def _of_ai21(completion: Mapping[str, Json]) -> tuple[str | None, Json]:
    data, reason = completion.get("data"), completion.get("finishReason")
    return (
        _text(data.get("text")) if isinstance(data, dict) else None,
        reason.get("reason") if isinstance(reason, dict) else reason,
    )


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None


def _holds_vectors(body: Body) -> bool:
    return not body.keys().isdisjoint(_VECTORS)


def _read_vectors(body: Body) -> BodyReading:
    facts: Facts = {"operation": _EMBEDDINGS}
    state(facts, "input_tokens", count(body.get("inputTextTokenCount")))
    if "input_tokens" in facts:
        facts["total_tokens"] = facts["input_tokens"]
    return reading_of_response({}, facts, None)


def _read_images_response(body: Body) -> BodyReading:
    images = body.get("images", body.get("artifacts"))
    facts: Facts = {"images": len(images)} if isinstance(images, list) else {}
    return reading_of_response({}, facts, None)


class _Converse:
    """An answer of Converse that grows by events."""

    def __init__(self) -> None:
        self.head: dict[str, Json] = {}
        self.message: dict[str, Json] = {}
        self.blocks: dict[int, dict[str, Json]] = {}
        self.inputs: dict[int, list[str]] = {}
        self.error: Json = None
        self.is_stopped = self.is_metered = self.left_off = False

    def add(self, name: str | None, event: Mapping[str, Json]) -> None:
        if name == "messageStart":
            self.message = dict(event)
        elif name in {"contentBlockStart", "contentBlockDelta"}:
            self._grow(event)
        elif name == "messageStop":
            self.head |= event
            self.is_stopped = True
        elif name == "metadata":
            self.head |= event
            self.is_metered = True
        elif error := error_in_event(name, event):
            self.error = self.error or error

    def _grow(self, event: Mapping[str, Json]) -> None:
        place = count(event.get("contentBlockIndex")) or 0
        if place not in self.blocks and len(self.blocks) >= _MOST_BLOCKS:
            self.left_off = True
            return
        block = self.blocks.setdefault(place, {})
        given = event.get("start") or event.get("delta")
        for kind, value in given.items() if isinstance(given, dict) else ():
            if kind == "text" and isinstance(value, str):
                known = block.get("text")
                block["text"] = (known if isinstance(known, str) else "") + value
            elif kind == "toolUse" and isinstance(value, dict):
                self._call(place, block, value)
            elif kind == "reasoningContent" and isinstance(value, dict):
                _think(block, value)
            elif kind == "citation":
                block.setdefault("citations", []).append(value)
            else:
                block[kind] = value

    def _call(self, place: int, block: dict[str, Json], value: dict[str, Json]) -> None:
        call = block.setdefault("toolUse", {})
        delta = value.get("input")
        if isinstance(delta, str):
            self.inputs.setdefault(place, []).append(delta)
        call |= {name: item for name, item in value.items() if name != "input" or not isinstance(item, str)}

    def assemble(self) -> StreamAnswer:
        for place, deltas in self.inputs.items():
            self.blocks[place]["toolUse"]["input"] = object_or_text("".join(deltas))
        content = [_with_citations(self.blocks[place]) for place in sorted(self.blocks)]
        body: dict[str, Json] = {"output": {"message": {**self.message, "content": content}}, **self.head}
        if self.error:
            body["error"] = self.error
        ended = (self.is_stopped and self.is_metered) or bool(self.error)
        return StreamAnswer(body, ended and not self.left_off, _CONVERSE)


def _think(block: dict[str, Json], value: Mapping[str, Json]) -> None:
    thought = block.setdefault("reasoningContent", {})
    if "redactedContent" in value:
        thought["redactedContent"] = value["redactedContent"]
    for member in ("text", "signature"):
        delta = value.get(member)
        if isinstance(delta, str):
            text = thought.setdefault("reasoningText", {})
            text[member] = text.get(member, "") + delta


def _with_citations(block: dict[str, Json]) -> dict[str, Json]:
    if "citations" not in block:
        return block
    citations = block.pop("citations")
    text = block.pop("text", "")
    return {**block, "citationsContent": {"content": [{"text": text}], "citations": citations}}


def assemble_converse(events: Iterable[tuple[str | None, dict[str, Json]]]) -> StreamAnswer:
    """Return the answer that the events of ConverseStream amount to; without `metadata` its tokens are unknown."""
    answer = _Converse()
    for name, event in events:
        answer.add(name, event)
    return answer.assemble()


_CONVERSE_EVENTS: Final = frozenset(
    "messageStart contentBlockStart contentBlockDelta contentBlockStop messageStop metadata".split()
)


def assemble_chunks(events: Iterable[tuple[str | None, dict[str, Json]]]) -> StreamAnswer:
    """Return the answer that the chunks of InvokeModelWithResponseStream amount to, in the vendor's own form."""
    nova = _Converse()
    answers: dict[int, dict[str, Json]] = {}
    head: dict[str, Json] = {}
    is_nova = is_finished = False
    error: Json = None
    for name, event in events:
        wrapped = [kind for kind in event if kind in _CONVERSE_EVENTS]
        if wrapped:
            is_nova = True
            for kind in wrapped:
                if isinstance(event[kind], dict):
                    nova.add(kind, event[kind])
        elif name == "error" or "error" in event:
            error = error or error_in_event(name, event)
        else:
            is_finished |= _add_chunk(answers, head, event)
        head |= {key: value for key, value in event.items() if key.startswith("amazon-bedrock-")}
    if is_nova:
        answer = nova.assemble()
        body = {**(answer.body or {}), **head}
        return StreamAnswer(body | ({"error": error} if error else {}), answer.ended or bool(error), _INVOKE)
    if not is_finished:
        # Running totals.
        head = {member: value for member, value in head.items() if member not in _RUNNING}
    body = {**head, **_of_answers(answers)} | ({"error": error} if error else {})
    return StreamAnswer(body, is_finished or _METRICS in head or bool(error), _INVOKE)


_GROWING: Final = ("outputText", "generation", "completion", "text")
_REASONS: Final = ("stop_reason", "completionReason", "finish_reason")
_RUNNING: Final = ("totalOutputTextTokenCount", "generation_token_count")
_COUNTS: Final = ("prompt_token_count", "inputTextTokenCount", *_RUNNING)


def _add_chunk(answers: dict[int, dict[str, Json]], head: dict[str, Json], event: Mapping[str, Json]) -> bool:
    """Add a chunk of texts and counts; return whether it says that its answer is finished."""
    finished = False
    listed = event.get("outputs")
    for entry in listed if isinstance(listed, list) else [event]:
        place = count(entry.get("index")) or 0 if isinstance(entry, dict) else _MOST_BLOCKS
        if place in answers or len(answers) < _MOST_BLOCKS > place:
            answer = answers.setdefault(place, {"outputs": True} if entry is not event else {})
            finished |= _grow_answer(answer, entry)
    head |= {member: event[member] for member in _COUNTS if event.get(member) is not None}
    return finished


def _grow_answer(answer: dict[str, Json], entry: Mapping[str, Json]) -> bool:
    for member in _GROWING:
        delta = entry.get(member)
        if isinstance(delta, str):
            answer[member] = answer.get(member, "") + delta
    reasons = {member: entry[member] for member in _REASONS if entry.get(member) is not None}
    answer |= reasons
    return bool(reasons)


def _of_answers(answers: Mapping[int, dict[str, Json]]) -> dict[str, Json]:
    """Return answers in the form in which they come in one body."""
    ordered = [answers[place] for place in sorted(answers)]
    if any("outputs" in answer for answer in ordered):
        return {"outputs": [{name: value for name, value in one.items() if name != "outputs"} for one in ordered]}
    if len(ordered) > 1:
        return {"generations": ordered}
    return ordered[0] if ordered else {}


def _event_of(name: str | None, _event: Body) -> Assembler | None:
    if name in _CONVERSE_EVENTS:
        return assemble_converse
    return assemble_chunks if name == "chunk" else None


def _shape_of_response(body: Body) -> str | None:
    output = body.get("output")
    if isinstance(output, dict) and isinstance(output.get("message"), dict):
        return _CONVERSE
    if "object" in body or "choices" in body:
        return None
    if "embedding" not in body and not _OF_INVOKE.isdisjoint(body):
        return _INVOKE
    if {"embedding", "inputTextTokenCount"} <= body.keys():
        return _EMBEDDINGS
    if isinstance(body.get("text"), str) and "generation_id" in body:
        return _INVOKE
    return _INVOKE if isinstance(body.get("generations"), list) and "prompt" in body else None


_OF_INVOKE: Final = frozenset({"generation", "inputTextTokenCount", _METRICS, _ACTION})


def _shape_of_request(body: Body) -> str | None:
    if "toolConfig" in body or ("inferenceConfig" in body and "messages" in body):
        return _CONVERSE
    return _INVOKE if "textGenerationConfig" in body or "max_gen_len" in body else None


def _error_of(body: Body, headers: Mapping[str, str]) -> tuple[Json, Json] | None:
    """Return code and message: the code is the first part of a header; without it there is none."""
    kind = headers.get(_ERROR_TYPE)
    if not isinstance(kind, str):
        return None
    message = body.get("message", body.get("Message"))
    return kind.partition(":")[0], message


def _complete(facts: Facts, headers: Mapping[str, str]) -> None:
    """Add the tokens that the headers of an answer tell, and its only id."""
    state_id = headers.get(_REQUEST_ID)
    if state_id and "response_id" not in facts:
        state(facts, "response_id", state_id)
    fresh = count(headers.get(f"{_HEADER}input-token-count"))
    if fresh is None:
        return
    # Only an invocation has them, and its path names the model.
    facts.pop("model", None)
    usage = {
        "inputTokens": fresh,
        "outputTokens": headers.get(f"{_HEADER}output-token-count"),
        _READ[0]: headers.get(f"{_HEADER}cache-read-input-token-count"),
        _WRITTEN[0]: headers.get(f"{_HEADER}cache-write-input-token-count"),
    }
    for name, value in _usage_facts(usage).items():
        facts.setdefault(name, value)
    if facts.get("operation") == _EMBEDDINGS and "output_tokens" not in facts:
        facts.setdefault("total_tokens", facts["input_tokens"])
    complete_total(facts)


_VECTORS: Final = ("embedding", "embeddings", "embeddingsByType")


def _withhold(body: dict[str, Json]) -> bool:
    """Drop vectors and pictures, and the trace of a guardrail: it holds in clear what was masked for everybody."""
    changed = False
    if "stopReason" in body or _ACTION in body or "outputs" in body:
        for name in TRACES:
            changed |= body.pop(name, None) is not None
    if "usageMetadata" not in body and "predictions" not in body:
        for name in _VECTORS:
            value = body.get(name)
            if isinstance(value, list) or (name == _VECTORS[2] and isinstance(value, dict)):
                # That there were some tells what the request wanted.
                body[name] = []
                changed |= bool(value)
    images = body.get("images")
    if isinstance(images, list) and any(isinstance(image, str) and image != REMOVED for image in images):
        body["images"] = [REMOVED for _ in images]
        changed = True
    return changed


_ERRORS: Final = (
    "ValidationException AccessDeniedException UnrecognizedClientException ExpiredTokenException "
    "ResourceNotFoundException ModelTimeoutException ModelErrorException ThrottlingException ModelNotReadyException "
    "ServiceQuotaExceededException InternalServerException ServiceUnavailableException throttlingException "
    "modelStreamErrorException validationException internalServerException serviceUnavailableException "
    "modelTimeoutException"
).split()


API: Final = Api(
    families={
        _CONVERSE: Family(_read_converse_request, _read_converse_response),
        _INVOKE: Family(_read_invoke_request, _read_invoke_response),
        _EMBEDDINGS: Family(
            _read_invoke_request,
            _read_vectors,
            lambda body: (
                "input" not in body and not {"inputText", "texts", "singleEmbeddingParams", "images"}.isdisjoint(body)
            ),
            lambda body: "object" not in body and "usageMetadata" not in body and _holds_vectors(body),
        ),
        _IMAGES: Family(
            _read_invoke_request,
            _read_images_response,
            lambda body: not {"taskType", "text_prompts", "textToImageParams"}.isdisjoint(body),
            lambda body: isinstance(body.get("images", body.get("artifacts")), list),
        ),
        "videos": Family(
            _read_invoke_request,
            lambda _: reading_of_response({}, {}, None),
            lambda body: "modelInput" in body,
            lambda body: "invocationArn" in body,
        ),
    },
    target_of=target_of,
    shape_of_request=_shape_of_request,
    shape_of_response=_shape_of_response,
    event_of=_event_of,
    error_of=_error_of,
    withhold_from_response=_withhold,
    complete=_complete,
    known_words=frozenset(
        [*(f"event:{name}" for name in (*_CONVERSE_EVENTS, "chunk")), *(f"error_code:{code}" for code in _ERRORS)]
    ),
    headers=frozenset(
        {
            _REQUEST_ID,
            _ERROR_TYPE,
            "x-amzn-bedrock-content-type",
            "x-amzn-bedrock-performanceconfig-latency",
            "x-amzn-bedrock-service-tier",
            f"{_HEADER}input-token-count",
            f"{_HEADER}output-token-count",
            f"{_HEADER}cache-read-input-token-count",
            f"{_HEADER}cache-write-input-token-count",
            f"{_HEADER}invocation-latency",
        }
    ),
)
