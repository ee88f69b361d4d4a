"""Category GatewayLlmLogs of API Management -> fragments: a row of figures, and messages in chunks.

The rows of a call are numbered; the messages of each side stand in one or many of them, cut
anywhere, and nobody says how many there are.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import orjson

from shared import operations
from shared.domain.facts import state_members
from shared.domain.fragment import Content, Fragment
from shared.domain.interaction import Facts, Provenance
from shared.domain.reassembly.chunks import ChunkSet
from shared.domain.reassembly.keys import MOST_CHUNKS, Chunk, LogRow, Side
from shared.domain.record_types import Observer, Precedence, RecordType
from shared.domain.redaction import redacted_text
from shared.domain.values import Json, count, text
from shared.errors import EventError
from shared.operations import withhold_from_request
from shared.sources.azure_monitor_log import Log, log_of, table
from shared.sources.decoding import decode
from shared.sources.nesting import Nesting
from shared.sources.record import BOTH_SIDES, CUT, Record
from shared.sources.salvage import salvage

__all__ = ["RECORD_TYPES", "assemble_rows", "read_llm_log", "salvage_rows"]

_FIGURES_RECORD: Final = RecordType(
    source="azure-monitor",
    part="model log",
    letter="L",
    provenance=Provenance.LOGGED,
    precedence=Precedence(general=130, request=130, error=130, time=190, model=70, prompt=130, cache=130),
    observer=Observer.GATEWAY,
)
_REQUEST_RECORD: Final = RecordType(
    source="azure-monitor",
    part="request messages of the model log",
    letter="M",
    provenance=Provenance.LOGGED,
    precedence=Precedence(general=80, request=60, error=120, time=200, model=180, prompt=40, cache=90),
    observer=Observer.GATEWAY,
)
_RESPONSE_RECORD: Final = RecordType(
    source="azure-monitor",
    part="response messages of the model log",
    letter="m",
    provenance=Provenance.LOGGED,
    precedence=Precedence(general=70, request=120, error=110, time=210, model=190, prompt=120, cache=80),
    observer=Observer.GATEWAY,
)

RECORD_TYPES: Final = (_FIGURES_RECORD, _REQUEST_RECORD, _RESPONSE_RECORD)

_GROUP: Final = "L"
_ENDS: Final = ("]", "}")
_SIDES: Final = (("requestmessages", Side.REQUEST), ("responsemessages", Side.ANSWER))
_NOT_LOGGED: Final = ("parameters", "streamed", "finish_reasons")

_MEMBERS: Final = table(
    model="modelName",
    deployment="deploymentName",
    api_version="apiVersion",
    streamed="isStreamCompletion",
    gateway_region="region",
    gateway_name="serviceName",
)
_TOKENS: Final = table(
    input_tokens="promptTokens",
    output_tokens="completionTokens",
    total_tokens="totalTokens",
    cached_input_tokens="promptCachedTokens",
)


def read_llm_log(log: Log) -> tuple[Fragment, ...]:
    """Return what a GatewayLlmLogs record says; nothing when it is a probe.

    Raises:
        EventError: it names no call.
    """
    if _is_probe(log.members):
        return ()
    name = log.interaction()
    sides = [
        _Messages(member, side, value)
        for member, side in _SIDES
        if (value := log.members.get(member)) not in (None, "")
    ]
    fragments: list[Fragment] = []
    index = count(log.members.get("sequencenumber"))
    if not sides or _tells_figures(log.members):
        # A row of figures alone has its number among those of the messages.
        chunk = None
        if not sides and index is not None and index < MOST_CHUNKS:
            chunk = Chunk(_GROUP, index, None, LogRow(Side.FIGURES))
        document = _without_messages(log, sides)
        fragments.append(Fragment(name, _FIGURES_RECORD, _figures(log), Content(), document, chunk))
    is_shared = len(sides) > 1 or log.record.event.get(BOTH_SIDES) is True
    fragments += [_read_side(log, index, messages, is_shared=is_shared) for messages in sides]
    return tuple(fragments)


def _is_probe(members: Mapping[str, Json]) -> bool:
    """Return whether a record is one of the gateway's own probes: no request, no model, no tokens."""
    return (
        text(members.get("requestid")) is None
        and text(members.get("modelname")) is None
        and not any(count(members.get(name)) for name, _, _ in _TOKENS)
        and all(members.get(member) in (None, "") for member, _ in _SIDES)
    )


class _Messages(NamedTuple):
    """One side's messages in a record."""

    member: str
    side: Side
    value: Json


def _tells_figures(members: Mapping[str, Json]) -> bool:
    return text(members.get("modelname")) is not None or any(count(members.get(name)) for name, _, _ in _TOKENS)


def _figures(log: Log) -> Facts:
    facts: Facts = {"has_request": True, "has_response": True}
    log.state_time(facts)
    state_members(facts, log.members, _MEMBERS)
    if any(count(log.members.get(name)) for name, _, _ in _TOKENS):
        # Of a failed call all counts are nought, which means that there are none.
        state_members(facts, log.members, _TOKENS)
    return facts


def _without_messages(log: Log, sides: Sequence[_Messages]) -> bytes:
    """Return the record less its messages, which are kept by themselves."""
    if not sides:
        return log.record.document()
    event = dict(log.record.event)
    separate = {messages.member for messages in sides}
    for holder, is_inner in ((event, False), (event.get("properties"), True)):
        if isinstance(holder, dict):
            rest = {name: value for name, value in holder.items() if name.lower() not in separate}
            event = event | {"properties": rest} if is_inner else rest
    return orjson.dumps(event)


def _read_side(log: Log, index: int | None, side: _Messages, *, is_shared: bool) -> Fragment:
    """Return one side's messages of a record: complete when nothing numbers them or it is seen, else a chunk."""
    value = side.value
    messages = _messages_in(value) if isinstance(value, str) else value
    if index is None or index >= MOST_CHUNKS:
        return _fragment_of(log, side.side, value if messages is None else messages)[0]
    if not isinstance(value, str) or _are_messages(messages):
        row = LogRow(side.side, is_read=True, is_shared=is_shared)
        return _fragment_of(log, side.side, messages, Chunk(_GROUP, index, None, row))[0]
    # What looks complete may stand in the middle of more.
    facts: Facts = {}
    log.state_time(facts)
    # Chunks of both sides have the letter of requests: their keys stand in ledgers.
    row = LogRow(side.side, may_end=value.rstrip()[-1:] in _ENDS, is_shared=is_shared)
    chunk = Chunk(_GROUP, index, None, row)
    return Fragment(
        log.interaction(), _REQUEST_RECORD, facts, Content(), _document(log, side.member, value, chunk), chunk
    )


def _document(log: Log, member: str, value: Json, chunk: Chunk | None) -> bytes:
    """Return one side's messages as a record that reads as they do."""
    document: dict[str, Json] = {
        "category": "GatewayLlmLogs",
        "correlationId": log.interaction(),
        "time": log.members.get("time"),
    }
    if log.record.cut:
        document[CUT] = True
    properties = {member: value}
    if chunk is not None:
        properties = {"sequenceNumber": chunk.place} | properties
        if isinstance(chunk.form, LogRow) and chunk.form.is_shared:
            document[BOTH_SIDES] = True
    return orjson.dumps(document | {"properties": properties})


def _messages_in(text: str) -> Json:
    """Return the messages that a text holds, all of them; None when it is no JSON, or only a chunk of it."""
    if text.rstrip()[-1:] not in _ENDS:
        return None
    try:
        messages = decode(text)
    except EventError:
        return None
    return messages if isinstance(messages, list | dict) else None


def _are_messages(value: Json) -> bool:
    """Return whether JSON is a list of messages, and so not a part of one by any chance."""
    messages = value if isinstance(value, list) else []
    return bool(messages) and all(isinstance(one, dict) and isinstance(one.get("role"), str) for one in messages)


def _fragment_of(log: Log, side: Side, messages: Json, chunk: Chunk | None = None) -> tuple[Fragment, bool]:
    """Return the fragment of one side's messages, all of them, and whether some of it must not be kept."""
    name = log.interaction()
    withheld = False
    facts: Facts = {}
    log.state_time(facts)
    member = next(member for member, own in _SIDES if own is side)
    if side is Side.REQUEST:
        request: Json = {"input" if _are_items(_listed(messages)) else "messages": messages}
        withheld = withhold_from_request(request)
        operation = "responses" if "input" in request else "chat.completions"
        reading = operations.read_request(request, operation)
        facts["operation"] = operation
        record_type, content = _REQUEST_RECORD, Content(prompt=reading.text, request=request)
    else:
        reading = operations.read_response(_answer(_listed(messages)))
        record_type, content = _RESPONSE_RECORD, Content(completion=reading.text, response=messages)
    # How the call was made, and why it ended, is not logged; only its texts are.
    facts |= {fact: value for fact, value in reading.facts.items() if fact not in _NOT_LOGGED}
    if log.record.cut:
        facts["truncated"] = True
    return Fragment(name, record_type, facts, content, _document(log, member, messages, chunk), chunk), withheld


def _listed(messages: Json) -> list[Json]:
    return [one for one in (messages if isinstance(messages, list) else [messages]) if isinstance(one, dict)]


def _answer(messages: list[Json]) -> Json:
    """Return the answer that had these messages."""
    if _are_items(messages):
        return {"object": "response", "output": messages}
    return {
        "object": "chat.completion",
        "choices": [{"index": place, "message": message} for place, message in enumerate(messages)],
    }


def _are_items(messages: list[Json]) -> bool:
    """Return whether messages are the items of a Responses call: these have types of their own."""
    for message in messages:
        parts = _listed(message.get("content"))
        if message.get("type") is not None or any(str(part.get("type")).startswith("input_") for part in parts):
            return True
    return False


def assemble_rows(chunks: ChunkSet, documents: Sequence[bytes]) -> list[tuple[str, Fragment]]:
    """Return the messages that rows of one side hold, each with the mark of its rows.

    Rows behind the last message's end are left for later, and those behind what can be no JSON any more.
    """
    assembled: list[tuple[str, Fragment]] = []
    texts: list[str] = []
    nesting = Nesting()
    for place, document in enumerate(documents):
        log = log_of(Record(orjson.loads(document), None, None))
        member, side = _side_in(log)
        texts.append(log.members[member])
        if nesting.is_closed_by(texts[-1]):
            written = "".join(texts)
            clean = redacted_text(written)
            messages = _messages_in(clean)
            if messages is None:
                break
            fragment, withheld = _fragment_of(log, side, messages)
            withheld |= clean is not written
            assembled.append((chunks.mark(place + 1 - len(texts), place, withheld=withheld), fragment))
            texts.clear()
            nesting = Nesting()
    return assembled


def salvage_rows(documents: Sequence[bytes]) -> Fragment | None:
    """Return the messages that rows of one side hold as far as they are complete; None when they hold none.

    The first row may not be the first of its body, when others are missing: then nothing is complete.
    """
    logs = [log_of(Record(orjson.loads(document), None, None)) for document in documents]
    member, side = _side_in(logs[0])
    messages, cut = salvage(redacted_text("".join(log.members[member] for log in logs)))
    if not messages or not isinstance(messages, list | dict):
        return None
    log = logs[-1]
    log.record.cut = cut
    fragment, _ = _fragment_of(log, side, messages)
    return fragment


def _side_in(log: Log) -> tuple[str, Side]:
    return next(side for side in _SIDES if side[0] in log.members)
