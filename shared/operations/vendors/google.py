"""Gemini's API, at Google's own paths and at Vertex AI's: bodies, streams, embeddings, pictures, batches, interactions.

Source: event formats, sections 17.1 to 17.6, 17.9 and 17.10 (docs/events.md, section "Gemini").
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from shared.domain.facts import members, state, state_members
from shared.domain.interaction import Facts
from shared.domain.secrets import REMOVED
from shared.domain.values import Json, canonical, count
from shared.operations.api import Api, Assembler, Body, Family, Target
from shared.operations.errors import error_in_event
from shared.operations.readings import BodyReading, join_lines, reading_of_request, reading_of_response, totals_of
from shared.operations.streams.answer import StreamAnswer
from shared.operations.usage import sum_of
from shared.operations.vendors import anthropic

__all__ = ["API"]

_GENERATE: Final = "generateContent"
_VERBS: Final = {
    "generateContent": _GENERATE,
    "streamGenerateContent": _GENERATE,
    "countTokens": _GENERATE,
    "embedContent": "embeddings",
    "batchEmbedContents": "embeddings",
    "asyncBatchEmbedContent": "batches",
    "batchGenerateContent": "batches",
    "predictLongRunning": "videos",
    "fetchPredictOperation": "videos",
    "rawPredict": anthropic.OPERATION,
    "streamRawPredict": anthropic.OPERATION,
}
_STREAMED: Final = {"streamGenerateContent": True, "streamRawPredict": True, "generateContent": False}
_STORES: Final = {
    "interactions": _GENERATE,
    "cachedContents": "other",
    "fileSearchStores": "other",
    "batches": "batches",
}
_VERSIONS: Final = ("v1", "v1beta", "v1beta1", "v1alpha")

_FINISHED: Final = {1: "STOP", 2: "MAX_TOKENS", 3: "SAFETY", 4: "RECITATION", 5: "OTHER"}
"""Numbers of finish reasons, with `enum-encoding=int`."""
_BLOCKED: Final = frozenset(
    "SAFETY RECITATION BLOCKLIST PROHIBITED_CONTENT SPII MODEL_ARMOR IMAGE_SAFETY IMAGE_PROHIBITED_CONTENT "
    "IMAGE_RECITATION".split()
)
_MODALITIES: Final = {1: "TEXT", 2: "IMAGE", "IMAGE": "IMAGE", "AUDIO": "AUDIO"}
_REASON_LENGTH: Final = 64
_MOST_CHUNKS: Final = 100_000
_RESPONSE: Final = members(response_id="responseId", model="modelVersion")
_MODEL_PREFIX: Final = "models/"


def target_of(segments: Sequence[str]) -> Target | None:
    """Return what a path of Google's names: its verb follows the last colon, the model stands before it."""
    if not segments:
        return None
    name, colon, verb = segments[-1].rpartition(":")
    of_model = "models" in segments[:-1] and (verb in _VERBS or verb == "predict")
    if colon and (of_model or (verb in _VERBS and segments[-2:-1] == ["endpoints"])):
        return Target(operation=_operation_of(verb, name), model=name or None, streamed=_STREAMED.get(verb))
    for place, segment in enumerate(segments[:-1]):
        below = segments[place + 1]
        if segment in _VERSIONS and below in _STORES and (below != "batches" or segment != "v1"):
            return Target(operation=_STORES[below])
    if "publishers" in segments and "operations" in segments:
        return Target(operation="videos")
    return None


def _operation_of(verb: str, model: str) -> str:
    if verb == "predict":
        return "embeddings" if "embedding" in model.lower() else "images.generations"
    return _VERBS[verb]


def read_request(body: Body) -> BodyReading:
    """Read a request; the prompt is the texts of its contents, of both roles, without thoughts and instructions."""
    counted = _member(body, "generateContentRequest")
    contents = _member(counted if isinstance(counted, dict) else body, "contents")
    texts = list(_content_texts(contents))
    given = body.get("input")  # of an interaction
    texts += [given] if isinstance(given, str) else list(_content_texts(given))
    reading = reading_of_request(_parameters_in(body), "\n".join(texts))
    model = reading.facts.get("requested_model")
    if isinstance(model, str):
        reading.facts["requested_model"] = model.removeprefix(_MODEL_PREFIX)
    if given is not None:
        # Of interactions the body says whether a stream is asked for, of the others the verb.
        reading.facts.setdefault("streamed", False)
    return reading


def _parameters_in(body: Body) -> dict[str, Json]:
    """Return a request with its generation parameters at the top, where other APIs have them."""
    config = _member(body, "generationConfig")
    named = config.items() if isinstance(config, dict) else ()
    kept: dict[str, Json] = {_PARAMETERS[name]: value for name, value in named if name in _PARAMETERS}
    return kept | {name: body[name] for name in ("model", "tools", "stream", "background") if name in body}


_PARAMETERS: Final = {
    "temperature": "temperature",
    "topP": "top_p",
    "topK": "top_k",
    "maxOutputTokens": "max_output_tokens",
    "candidateCount": "n",
    "seed": "seed",
    "top_p": "top_p",
    "top_k": "top_k",
    "max_output_tokens": "max_output_tokens",
    "candidate_count": "n",
}


def _member(holder: Body, name: str) -> Json:
    """Return a member of a request, written in either spelling."""
    value = holder.get(name)
    if value is None:
        snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
        value = holder.get(snake)
    return value


def _content_texts(contents: Json) -> Iterator[str]:
    if isinstance(contents, str):
        yield contents
        return
    for content in contents if isinstance(contents, list) else [contents]:
        if isinstance(content, str):
            yield content
        elif isinstance(content, dict):
            parts = content.get("parts", content.get("content"))
            yield from _part_texts(parts if parts is not None else [content])


def _part_texts(parts: Json) -> Iterator[str]:
    if isinstance(parts, str):
        yield parts
        return
    for part in parts if isinstance(parts, list) else [parts]:
        if isinstance(part, str) and part:
            yield part
        elif isinstance(part, dict) and not part.get("thought") and isinstance(part.get("text"), str) and part["text"]:
            yield part["text"]


def read_response(body: Body) -> BodyReading:
    """Read an answer; the completion is the text of the candidate with the lowest index, without thoughts."""
    if "steps" in body or body.get("object") == "interaction":
        return _read_interaction(body)
    candidates = _candidates(body)
    facts: Facts = {}
    if "usageMetadata" in body and "totalTokens" not in body and ("candidates" in body or "promptFeedback" in body):
        facts.update(_usage_facts(body["usageMetadata"]))
    if candidates:
        facts["tool_calls"] = sum(_is_call(part) for candidate in candidates for part in _parts(candidate))
        reasons = [_reason(candidate) for candidate in candidates]
        facts["finish_reasons"] = canonical(reasons)
        if any(reason in _BLOCKED for reason in reasons):
            facts["completion_filtered"] = True
    feedback = body.get("promptFeedback")
    if isinstance(feedback, dict) and feedback.get("blockReason"):
        facts["prompt_filtered"] = True
        reason = feedback["blockReason"]
        if not candidates and isinstance(reason, str):
            facts["finish_reasons"] = canonical([reason[:_REASON_LENGTH]])
    reading = reading_of_response({}, facts, _text_of(candidates[0]) if candidates else None)
    state_members(reading.facts, body, _RESPONSE)
    if "model" in reading.facts:
        reading.facts["model"] = reading.facts["model"].removeprefix(_MODEL_PREFIX)
    return reading


def _candidates(body: Body) -> list[dict[str, Json]]:
    given = body.get("candidates")
    candidates = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    return sorted(candidates, key=lambda one: count(one.get("index")) or 0)


def _parts(candidate: Mapping[str, Json]) -> list[dict[str, Json]]:
    content = candidate.get("content")
    parts = content.get("parts") if isinstance(content, dict) else None
    return [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []


def _is_call(part: Mapping[str, Json]) -> bool:
    return isinstance(part.get("functionCall"), dict)


def _text_of(candidate: Mapping[str, Json]) -> str | None:
    return "".join(_part_texts(_parts(candidate))) or None


def _reason(candidate: Mapping[str, Json]) -> str | None:
    reason = candidate.get("finishReason")
    if type(reason) is int:
        return _FINISHED.get(reason, str(reason))
    return reason[:_REASON_LENGTH] if isinstance(reason, str) else None


def _usage_facts(usage: Json) -> Facts:
    """Return the tokens of one call: tool use stands beside the prompt, thoughts beside the candidates.

    The JSON leaves zeros out: with a total, absent candidates are 0; nobody reported absent thoughts.
    """
    facts: Facts = {}
    if not isinstance(usage, dict):
        return facts
    prompt, tools = count(usage.get("promptTokenCount")), count(usage.get("toolUsePromptTokenCount"))
    visible, thoughts = count(usage.get("candidatesTokenCount")), count(usage.get("thoughtsTokenCount"))
    total = count(usage.get("totalTokenCount"))
    if total is not None and visible is None and prompt is not None:
        visible = 0
    state(facts, "input_tokens", sum_of(prompt, tools))
    state(facts, "cached_input_tokens", count(usage.get("cachedContentTokenCount")))
    state(facts, "output_tokens", None if visible is None else sum_of(visible, thoughts))
    state(facts, "reasoning_tokens", thoughts)
    state(facts, "total_tokens", total)
    for member, side in (("promptTokensDetails", "input"), ("candidatesTokensDetails", "output")):
        details = usage.get(member)
        for detail in details if isinstance(details, list) else ():
            modality = detail.get("modality") if isinstance(detail, dict) else None
            kind = _MODALITIES.get(modality) if isinstance(modality, int | str) else None
            if kind in {"IMAGE", "AUDIO"}:
                state(facts, f"{kind.lower()}_{side}_tokens", count(detail.get("tokenCount")))
    return facts


def _read_embeddings_request(body: Body) -> BodyReading:
    texts = list(_content_texts(body.get("content")))
    requests = body.get("requests")
    for request in requests if isinstance(requests, list) else ():
        if isinstance(request, dict):
            texts += _content_texts(request.get("content"))
    texts += _instance_texts(body, "content")
    return reading_of_request({}, "\n".join(texts))


def _instance_texts(body: Body, member: str) -> Iterator[str]:
    instances = body.get("instances")
    for instance in instances if isinstance(instances, list) else ():
        text = instance.get(member) if isinstance(instance, dict) else None
        if isinstance(text, str):
            yield text


def _read_embeddings_response(body: Body) -> BodyReading:
    facts: Facts = {}
    usage = body.get("usageMetadata")
    if isinstance(usage, dict):
        state(facts, "input_tokens", count(usage.get("promptTokenCount")))
    predictions = body.get("predictions")
    counts = [_statistics(one) for one in predictions] if isinstance(predictions, list) else []
    if counts and None not in counts:
        state(facts, "input_tokens", sum(one or 0 for one in counts))
    if "input_tokens" in facts:
        facts["total_tokens"] = facts["input_tokens"]
    return reading_of_response({}, facts, None)


def _statistics(prediction: Json) -> int | None:
    embeddings = prediction.get("embeddings") if isinstance(prediction, dict) else None
    statistics = embeddings.get("statistics") if isinstance(embeddings, dict) else None
    return count(statistics.get("token_count")) if isinstance(statistics, dict) else None


def _read_images_request(body: Body) -> BodyReading:
    return reading_of_request({}, join_lines(_instance_texts(body, "prompt")))


def _read_images_response(body: Body) -> BodyReading:
    predictions = body.get("predictions")
    made = [one for one in predictions if isinstance(one, dict)] if isinstance(predictions, list) else []
    facts: Facts = {}
    if isinstance(predictions, list):
        facts["images"] = sum("bytesBase64Encoded" in one or "gcsUri" in one for one in made)
    if any(one.get("raiFilteredReason") for one in made):
        facts["completion_filtered"] = True
    return reading_of_response({}, facts, None)


def _read_batch_request(body: Body) -> BodyReading:
    batch = body.get("batch")
    given = batch.get("inputConfig", batch.get("input_config")) if isinstance(batch, dict) else None
    requests = given.get("requests") if isinstance(given, dict) else None
    listed = requests.get("requests") if isinstance(requests, dict) else None
    texts: list[str] = []
    for entry in listed if isinstance(listed, list) else ():
        request = entry.get("request") if isinstance(entry, dict) else None
        if isinstance(request, dict):
            texts += _content_texts(request.get("contents"))
    return reading_of_request({}, "\n".join(texts))


def _read_batch_response(body: Body) -> BodyReading:
    """Read the state of a batch; once it is done every poll repeats its answers: they count once by its name."""
    facts: Facts = {}
    state(facts, "usage_key", body.get("name"))
    sums, text = totals_of(map(read_response, _batch_answers(body)))
    return reading_of_response({}, facts | sums, text)


def _batch_answers(body: Body) -> Iterator[dict[str, Json]]:
    done, metadata = body.get("response"), body.get("metadata")
    output = metadata.get("output") if isinstance(metadata, dict) else None
    holder = done if isinstance(done, dict) else output
    inlined = holder.get("inlinedResponses") if isinstance(holder, dict) else None
    listed = inlined.get("inlinedResponses") if isinstance(inlined, dict) else inlined
    for entry in listed if isinstance(listed, list) else ():
        answer = entry.get("response") if isinstance(entry, dict) else None
        if isinstance(answer, dict):
            yield answer


_INTERACTION_USAGE: Final = {
    "total_input_tokens": "promptTokenCount",
    "total_output_tokens": "candidatesTokenCount",
    "total_thought_tokens": "thoughtsTokenCount",
    "total_tool_use_tokens": "toolUsePromptTokenCount",
    "total_cached_tokens": "cachedContentTokenCount",
    "total_tokens": "totalTokenCount",
}


def _read_interaction(body: Body) -> BodyReading:
    """Read an interaction; in the background its polls repeat the usage, which counts once by its id."""
    usage = body.get("usage")
    facts: Facts = {}
    if isinstance(usage, dict):
        facts = _usage_facts({_INTERACTION_USAGE.get(name, name): value for name, value in usage.items()})
    state(facts, "usage_key", body.get("id"))
    status = body.get("status")
    if isinstance(status, str) and status not in {"in_progress", "queued"}:
        facts["finish_reasons"] = canonical([status[:_REASON_LENGTH]])
    listed = body.get("steps")
    steps = [step for step in listed if isinstance(step, dict)] if isinstance(listed, list) else []
    if isinstance(listed, list):
        facts["tool_calls"] = sum(step.get("type") == "function_call" for step in steps)
    texts = [text for step in steps if step.get("type") == "model_output" for text in _part_texts(step.get("content"))]
    return reading_of_response(body, facts, "".join(texts))


class _Answer:
    """An answer that grows by chunks, each an answer with more parts."""

    def __init__(self) -> None:
        self.head: dict[str, Json] = {}
        self.candidates: dict[int, dict[str, Json]] = {}
        self.usage: Json = None
        self.error: Json = None
        self.is_finished = False

    def add(self, chunk: Mapping[str, Json]) -> None:
        for name, value in chunk.items():
            if name == "usageMetadata":
                # Running totals: the last stands for all of them.
                self.usage = value
            elif name == "error":
                self.error = self.error or value
            elif name != "candidates":
                self.head[name] = value
        for candidate in _candidates(chunk):
            self._grow(count(candidate.get("index")) or 0, candidate)
        feedback = chunk.get("promptFeedback")
        self.is_finished |= isinstance(feedback, dict) and bool(feedback.get("blockReason"))

    def _grow(self, index: int, candidate: dict[str, Json]) -> None:
        known = self.candidates.setdefault(index, {})
        parts = _parts(candidate)
        known |= {name: value for name, value in candidate.items() if name != "content"}
        if parts:
            content = known.setdefault("content", {"role": "model", "parts": []})
            for part in parts:
                _append(content["parts"], part)
        self.is_finished |= candidate.get("finishReason") is not None

    def assemble(self) -> StreamAnswer:
        body = dict(self.head)
        if self.candidates:
            body["candidates"] = [self.candidates[index] for index in sorted(self.candidates)]
        if self.usage is not None:
            body["usageMetadata"] = self.usage if self.is_finished else _input_of(self.usage)
        if self.error is not None:
            body["error"] = self.error
        return StreamAnswer(body, self.is_finished or self.error is not None, _GENERATE)


def _append(parts: list[Json], part: dict[str, Json]) -> None:
    """Add a part; a text that goes on from the one before grows it."""
    last = parts[-1] if parts else None
    if (
        isinstance(last, dict)
        and last.keys() == part.keys() == {"text"}
        and isinstance(last["text"], str)
        and isinstance(part["text"], str)
    ):
        last["text"] += part["text"]
    else:
        parts.append(dict(part))


def _input_of(usage: Json) -> Json:
    """Return what the usage of a stream that was cut still tells: output and total were still running."""
    if not isinstance(usage, dict):
        return usage
    running = ("candidatesTokenCount", "thoughtsTokenCount", "totalTokenCount", "candidatesTokensDetails")
    return {name: value for name, value in usage.items() if name not in running}


def assemble(events: Iterable[tuple[str | None, dict[str, Json]]]) -> StreamAnswer:
    """Return the answer that the chunks of a stream amount to."""
    answer = _Answer()
    for _, chunk in events:
        answer.add(chunk)
    return answer.assemble()


def assemble_interaction(events: Iterable[tuple[str | None, dict[str, Json]]]) -> StreamAnswer:
    """Return the interaction that a stream of events tells of: the last that carries it, else what came so far."""
    body: dict[str, Json] = {}
    steps: dict[int, dict[str, Json]] = {}
    ended = False
    for name, event in events:
        kind = event.get("event_type") or event.get("type") or name
        carried = event.get("interaction")
        if isinstance(carried, dict):
            body |= {key: value for key, value in carried.items() if value is not None}
            ended |= kind in ("interaction.completed", "interaction.complete")
        elif kind == "error" or "error" in event:
            body["error"] = error_in_event("error", event)
            ended = True
        else:
            _grow_step(steps, str(kind), event)
    if steps and not body.get("steps"):
        body["steps"] = [steps[place] for place in sorted(steps)]
    return StreamAnswer(body, ended, _GENERATE)


def _grow_step(steps: dict[int, dict[str, Json]], kind: str, event: Mapping[str, Json]) -> None:
    place = count(event.get("index"))
    if place is None or len(steps) >= _MOST_CHUNKS:
        return
    given = event.get("step")
    if kind == "step.start" and isinstance(given, dict):
        steps[place] = dict(given)
        return
    delta = event.get("delta")
    step = steps.setdefault(place, {"type": "model_output"})
    if isinstance(delta, dict) and isinstance(delta.get("text"), str):
        content = step.get("content")
        if not isinstance(content, list):
            content = step["content"] = []
        _append(content, {"text": delta["text"]})


def _event_of(name: str | None, event: Body) -> Assembler | None:
    kind = event.get("event_type") or event.get("type") or name
    if isinstance(kind, str) and kind.startswith(("interaction.", "step.")):
        return assemble_interaction
    return assemble if _is_chunk(event) else None


_OF_CHUNKS: Final = frozenset({"candidates", "usageMetadata", "promptFeedback"})


def _is_chunk(event: Json) -> bool:
    return isinstance(event, dict) and "choices" not in event and not _OF_CHUNKS.isdisjoint(event)


def _array_of(elements: Sequence[Json]) -> StreamAnswer | None:
    chunks = [element for element in elements if isinstance(element, dict)]
    if not chunks or not (any(map(_is_chunk, chunks)) or set(chunks[0]) == {"error"}):
        return None
    return assemble((None, chunk) for chunk in chunks[:_MOST_CHUNKS])


def _shape_of_response(body: Body) -> str | None:
    if not {"candidates", "promptFeedback"}.isdisjoint(body) and "object" not in body:
        return _GENERATE
    if isinstance(body.get("steps"), list) and body.get("object") in (None, "interaction") and "id" in body:
        return _GENERATE
    return None


def _shape_of_request(body: Body) -> str | None:
    return _GENERATE if isinstance(body.get("contents"), list) else None


def _error_of(body: Body, headers: Mapping[str, str]) -> tuple[Json, Json] | None:
    """Return code and message: the code is the word in `status`, for `code` is the HTTP status again."""
    del headers
    error = body.get("error")
    if isinstance(error, dict) and isinstance(error.get("status"), str) and isinstance(error.get("code"), int):
        return error["status"], error.get("message")
    return None


def _withhold(body: dict[str, Json]) -> bool:
    """Drop vectors, pictures and sound of an answer, of those inside a batch too."""
    changed = False
    for candidate in _candidates(body):
        for part in _parts(candidate):
            changed |= _blank(part.get("inlineData"), "data")
    predictions = body.get("predictions")
    for prediction in predictions if isinstance(predictions, list) else ():
        changed |= _blank(prediction, "bytesBase64Encoded") | _drop_values(prediction, "embeddings")
    embeddings = body.get("embeddings")
    for embedding in embeddings if isinstance(embeddings, list) else ():
        changed |= _drop_values({"embedding": embedding}, "embedding")
    changed |= _drop_values(body, "embedding")
    for answer in _batch_answers(body):
        changed |= _withhold(answer)
    return changed


def _blank(holder: Json, name: str) -> bool:
    if not isinstance(holder, dict) or not isinstance(holder.get(name), str) or holder[name] == REMOVED:
        return False
    holder[name] = REMOVED
    return True


def _drop_values(holder: Json, name: str) -> bool:
    embedding = holder.get(name) if isinstance(holder, dict) else None
    return isinstance(embedding, dict) and embedding.pop("values", None) is not None


_ERRORS: Final = (
    "INVALID_ARGUMENT NOT_FOUND RESOURCE_EXHAUSTED UNAUTHENTICATED PERMISSION_DENIED FAILED_PRECONDITION INTERNAL "
    "UNAVAILABLE DEADLINE_EXCEEDED CANCELLED"
).split()


API: Final = Api(
    families={
        _GENERATE: Family(read_request, read_response),
        "embeddings": Family(
            _read_embeddings_request,
            _read_embeddings_response,
            lambda body: "input" not in body and not {"content", "requests", "instances"}.isdisjoint(body),
            lambda body: "object" not in body and not {"usageMetadata", "predictions"}.isdisjoint(body),
        ),
        "images.generations": Family(
            _read_images_request,
            _read_images_response,
            lambda body: "instances" in body,
            lambda body: "predictions" in body,
        ),
        "batches": Family(
            _read_batch_request,
            _read_batch_response,
            lambda body: isinstance(body.get("batch"), dict),
            lambda body: "object" not in body and "metadata" in body and "name" in body,
        ),
    },
    target_of=target_of,
    shape_of_request=_shape_of_request,
    shape_of_response=_shape_of_response,
    event_of=_event_of,
    array_of=_array_of,
    error_of=_error_of,
    withhold_from_response=_withhold,
    known_words=frozenset({"object:interaction", *(f"error_code:{code}" for code in _ERRORS)}),
    headers=frozenset({"x-gemini-service-tier"}),
)
