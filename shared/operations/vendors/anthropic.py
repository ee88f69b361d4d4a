"""Anthropic's Messages API: bodies, streams, batches and counts.

Source: event formats, sections 16.1 to 16.7 (docs/events.md, section "Anthropic Messages").
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from shared.domain.facts import members, state, state_members
from shared.domain.interaction import Facts
from shared.domain.values import Json, canonical, count
from shared.operations.api import Api, Assembler, Body, Family, Target
from shared.operations.errors import error_in_event
from shared.operations.readings import (
    BodyReading,
    join_lines,
    message_texts,
    reading_of_request,
    reading_of_response,
    totals_of,
)
from shared.operations.streams.answer import StreamAnswer, object_or_text
from shared.operations.usage import complete_total, state_tier, sum_of

__all__ = ["API", "OPERATION", "assemble", "read_request", "read_response"]

OPERATION: Final = "messages"
_OTHERS: Final = frozenset({"threads", "completions"})
"""Behind these, messages are those of an assistant or of a stored chat."""
_BATCH: Final = "message_batch"
_REFUSAL: Final = "refusal"
_OF_BEDROCK: Final = "msg_bdrk_"
"""At Bedrock the path names the model; the answer leaves out its region."""
_REASON_LENGTH: Final = 64
_MOST_BLOCKS: Final = 10_000
_MESSAGE: Final = frozenset({"model", "stop_reason", "usage"})
"""Of them an answer has some; the messages of OpenAI's conversations have none."""
_EVENTS: Final = frozenset(
    "message_start content_block_start content_block_delta content_block_stop message_delta message_stop".split()
)
_USAGE: Final = members(cached_input_tokens="cache_read_input_tokens", cache_write_tokens="cache_creation_input_tokens")
_WRITTEN: Final = members(cache_write_1h_tokens="ephemeral_1h_input_tokens")
_OUTPUT: Final = members(output_tokens="output_tokens")
_THOUGHT: Final = members(reasoning_tokens="thinking_tokens")


def target_of(segments: Sequence[str]) -> Target | None:
    """Return what a path names that ends in `messages`, or goes on below it; the assistants' stand below threads."""
    for place in range(len(segments) - 1, -1, -1):
        if segments[place] == OPERATION and _OTHERS.isdisjoint(segments[:place]):
            below = segments[place + 1 :]
            if not below or below[0] in {"count_tokens", "batches"}:
                return Target(operation=OPERATION)
    return None


def read_request(body: Body) -> BodyReading:
    """Read a request; the prompt is the text of its messages, of every role, without `system`.

    A batch holds requests: its prompt is theirs.
    """
    reading = reading_of_request(body, join_lines(_prompt_texts(body)))
    metadata = body.get("metadata")
    if isinstance(metadata, dict):
        state(reading.facts, "end_user_id", metadata.get("user_id"))
    if "requests" not in body:
        # A stream is made on request only.
        reading.facts.setdefault("streamed", False)
    return reading


def _prompt_texts(body: Body) -> Iterator[str]:
    yield from message_texts(body.get("messages"))
    requests = body.get("requests")
    for request in requests if isinstance(requests, list) else ():
        params = request.get("params") if isinstance(request, dict) else None
        if isinstance(params, dict):
            yield from message_texts(params.get("messages"))


def read_response(body: Body) -> BodyReading:
    """Read a message: its text blocks are one text. The state of a batch, and a count of tokens, use nothing."""
    if _is_result(body):
        return batch_results([body])
    if body.get("type") == _BATCH or "content" not in body:
        return reading_of_response(body, {}, None)
    content = body["content"]
    blocks = [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []
    facts = _usage_facts(body.get("usage"))
    facts["tool_calls"] = sum(block.get("type") == "tool_use" for block in blocks)
    reason = body.get("stop_reason")
    if isinstance(reason, str) and reason:
        facts["finish_reasons"] = canonical([reason[:_REASON_LENGTH]])
        if reason == _REFUSAL:
            facts["completion_filtered"] = True
    texts = [text for block in blocks if block.get("type") == "text" and isinstance(text := block.get("text"), str)]
    reading = reading_of_response(body, facts, "".join(texts))
    if str(body.get("id")).startswith(_OF_BEDROCK):
        reading.facts.pop("model", None)
    return reading


def _usage_facts(usage: Json) -> Facts:
    """Return the tokens of one call: Anthropic's input leaves out what caches were read and written."""
    facts: Facts = {}
    if not isinstance(usage, dict):
        return facts
    state_members(facts, usage, _USAGE)
    state_members(facts, usage, _OUTPUT)
    for member, table in (("output_tokens_details", _THOUGHT), ("cache_creation", _WRITTEN)):
        details = usage.get(member)
        if isinstance(details, dict):
            state_members(facts, details, table)
    state_tier(facts, usage.get("service_tier"))
    fresh = count(usage.get("input_tokens"))
    if fresh is not None:
        facts["input_tokens"] = sum_of(fresh, facts.get("cached_input_tokens"), facts.get("cache_write_tokens"))
    complete_total(facts)
    return facts


def batch_results(lines: Sequence[Mapping[str, Json]]) -> BodyReading:
    """Return what the results of a batch say together: the only place that tells what it used.

    Each fetch repeats them, so the usage counts once by a key: of the messages' ids the smallest.
    """
    messages = [message for line in lines if (message := _message_of(line)) is not None]
    sums, text = totals_of(map(read_response, messages))
    names = [name for message in messages if isinstance(name := message.get("id"), str)]
    facts: Facts = {"operation": OPERATION, **sums}
    if names:
        state(facts, "usage_key", min(names))
    return reading_of_response({}, facts, text)


def _is_result(body: Body) -> bool:
    return "custom_id" in body and isinstance(body.get("result"), dict)


def _lines_of(lines: Sequence[Body]) -> BodyReading | None:
    return batch_results(lines) if lines and all(map(_is_result, lines)) else None


def _message_of(line: Mapping[str, Json]) -> dict[str, Json] | None:
    result = line.get("result")
    message = result.get("message") if isinstance(result, dict) else None
    return message if isinstance(message, dict) else None


class _Block:
    """One content block, from its start and its deltas."""

    __slots__ = ("citations", "deltas", "given")

    def __init__(self, given: dict[str, Json]) -> None:
        self.given = given
        self.deltas: dict[str, list[str]] = {}
        self.citations: list[Json] = []

    def add(self, delta: Mapping[str, Json]) -> None:
        for source, member in (
            ("text", "text"),
            ("partial_json", "input"),
            ("thinking", "thinking"),
            ("signature", "signature"),
            ("content", "content"),
        ):
            text = delta.get(source)
            if isinstance(text, str):
                self.deltas.setdefault(member, []).append(text)
        if "citation" in delta:
            self.citations.append(delta["citation"])

    def body(self) -> dict[str, Json]:
        block = dict(self.given)
        for member, deltas in self.deltas.items():
            grown = "".join(deltas)
            if member == "input":
                if grown:
                    block[member] = object_or_text(grown)
            else:
                start = block.get(member)
                block[member] = (start if isinstance(start, str) else "") + grown
        if self.citations:
            start = block.get("citations")
            block["citations"] = [*(start if isinstance(start, list) else ()), *self.citations]
        return block


class _Message:
    """A message that grows by events."""

    def __init__(self) -> None:
        self.head: dict[str, Json] = {}
        self.blocks: dict[int, _Block] = {}
        self.usage: dict[str, Json] = {}
        self.error: Json = None
        self.extra: dict[str, Json] = {}
        self.is_counted = False
        """A `message_delta` brought the usage: what the start says of the output only holds its place."""
        self.is_ended = False
        self.left_off = False

    def start(self, message: Json) -> None:
        if not isinstance(message, dict):
            return
        if self.head and message.get("id") == self.head.get("id"):
            return
        # Another id: the relay tried again, and its blocks begin anew.
        usage = message.get("usage")
        self.head = {name: value for name, value in message.items() if name not in {"content", "usage"}}
        self.blocks, self.is_counted = {}, False
        self.usage = dict(usage) if isinstance(usage, dict) else {}
        content = message.get("content")
        for place, block in enumerate(content if isinstance(content, list) else ()):
            self.begin(place, block)

    def begin(self, index: Json, block: Json) -> None:
        place = index if type(index) is int else len(self.blocks)
        if len(self.blocks) >= _MOST_BLOCKS and place not in self.blocks:
            self.left_off = True
        elif isinstance(block, dict):
            self.blocks[place] = _Block(block)

    def add(self, index: Json, delta: Json) -> None:
        if not isinstance(delta, dict):
            return
        place = index if type(index) is int else max(self.blocks, default=0)
        if place not in self.blocks:
            self.begin(place, {"type": "text", "text": ""} if "text" in delta else {})
        if place in self.blocks:
            self.blocks[place].add(delta)

    def change(self, event: Mapping[str, Json]) -> None:
        delta, usage = event.get("delta"), event.get("usage")
        if isinstance(delta, dict):
            self.head |= {name: value for name, value in delta.items() if value is not None or name not in self.head}
        if isinstance(usage, dict):
            self.usage |= {name: value for name, value in usage.items() if value is not None}
            self.is_counted = True
        if "context_management" in event:
            self.head["context_management"] = event["context_management"]

    def assemble(self) -> StreamAnswer:
        if not self.is_counted:
            self.usage.pop("output_tokens", None)
        body: dict[str, Json] = {"type": "message", **self.head}
        body["content"] = [self.blocks[place].body() for place in sorted(self.blocks)]
        if self.usage:
            body["usage"] = self.usage
        if self.error:
            body["error"] = self.error
        body |= self.extra
        ended = self.is_ended or bool(self.error) or (self.is_counted and bool(body.get("stop_reason")))
        return StreamAnswer(body, ended and not self.left_off, OPERATION)


def assemble(events: Iterable[tuple[str | None, dict[str, Json]]]) -> StreamAnswer:
    """Return the message that a stream amounts to.

    What a `message_delta` says of the usage replaces what the start says, member by member; nothing is added.
    """
    message = _Message()
    for name, event in events:
        kind = event.get("type") or name
        if kind == "message_start":
            message.start(event.get("message"))
        elif kind == "content_block_start":
            message.begin(event.get("index"), event.get("content_block"))
        elif kind == "content_block_delta":
            message.add(event.get("index"), event.get("delta"))
        elif kind == "message_delta":
            message.change(event)
        elif kind == "message_stop":
            message.is_ended = True
        elif error := error_in_event(name, event):
            message.error = message.error or error
        message.extra |= {key: value for key, value in event.items() if key.startswith("amazon-bedrock-")}
    return message.assemble()


def _event_of(name: str | None, event: Body) -> Assembler | None:
    kind = event.get("type") or name
    return assemble if isinstance(kind, str) and kind in _EVENTS else None


def _shape_of_response(body: Body) -> str | None:
    kind = body.get("type")
    if (
        kind == _BATCH
        or _is_result(body)
        or (kind == "message" and isinstance(body.get("content"), list) and not _MESSAGE.isdisjoint(body))
    ):
        return OPERATION
    return None


def _shape_of_request(body: Body) -> str | None:
    if "anthropic_version" in body:
        return OPERATION
    requests = body.get("requests")
    first: Any = requests[0] if isinstance(requests, list) and requests else None
    return OPERATION if isinstance(first, dict) and {"custom_id", "params"} <= first.keys() else None


_ERRORS: Final = (
    "invalid_request_error authentication_error not_found_error billing_error permission_error conflict_error "
    "request_too_large rate_limit_error api_error timeout_error overloaded_error"
).split()


API: Final = Api(
    families={OPERATION: Family(read_request, read_response)},
    target_of=target_of,
    shape_of_request=_shape_of_request,
    shape_of_response=_shape_of_response,
    event_of=_event_of,
    lines_of=_lines_of,
    known_words=frozenset(f"error_code:{code}" for code in _ERRORS),
    headers=frozenset({"request-id", "anthropic-ratelimit-requests-limit"}),
)
