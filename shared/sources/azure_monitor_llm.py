"""Category GatewayLlmLogs of API Management -> fragments: a row of figures, and messages in pieces.

The rows of a call are numbered; the messages of each side stand in one or many of them, cut
anywhere, and nobody says how many there are.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import orjson

from shared import operations
from shared.domain.facts import state_members
from shared.domain.fragment import Content, Fragment, Piece
from shared.domain.interaction import Facts
from shared.domain.piece_keys import ANSWER, BESIDE, FIGURES, MOST_PIECES, READ, REQUEST
from shared.domain.redaction import redacted_text
from shared.domain.values import Json, count, text
from shared.errors import EventError
from shared.operations import withhold_from_request
from shared.sources.azure_monitor_log import Log, log_of, table
from shared.sources.decoding import decode
from shared.sources.nesting import Nesting
from shared.sources.record import CUT, Record
from shared.sources.salvage import salvage

__all__ = ["CODE", "JoinedRows", "join_rows", "read_llm_log", "salvage_rows"]

_GROUP: Final = "L"
CODE: Final = "M"
_FIGURES, _ASKED, _ANSWERED = "L", CODE, "m"
_ENDS: Final = ("]", "}")
_SIDES: Final = (("requestmessages", REQUEST), ("responsemessages", ANSWER))
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
    if _is_probe(log.said):
        return ()
    name = log.interaction()
    sides = [(member, kind, value) for member, kind in _SIDES if (value := log.said.get(member)) not in (None, "")]
    fragments: list[Fragment] = []
    index = count(log.said.get("sequencenumber"))
    if not sides or _tells_figures(log.said):
        # A row of figures alone has its number among those of the messages.
        place = None if sides or index is None or index >= MOST_PIECES else Piece(_GROUP, index, None, FIGURES)
        fragments.append(Fragment(name, _FIGURES, _figures(log), Content(), _without_sides(log, sides), place))
    beside = BESIDE if len(sides) > 1 else ""
    for member, kind, value in sides:
        fragments.append(_side(log, index, (member, kind, value), beside))
    return tuple(fragments)


def _is_probe(said: Mapping[str, Json]) -> bool:
    """Return whether a record is one of the gateway's own probes: no request, no model, no tokens."""
    return (
        text(said.get("requestid")) is None
        and text(said.get("modelname")) is None
        and not any(count(said.get(name)) for name, _, _ in _TOKENS)
        and all(said.get(member) in (None, "") for member, _ in _SIDES)
    )


def _tells_figures(said: Mapping[str, Json]) -> bool:
    return text(said.get("modelname")) is not None or any(count(said.get(name)) for name, _, _ in _TOKENS)


def _figures(log: Log) -> Facts:
    facts: Facts = {"has_request": True, "has_response": True}
    log.state_time(facts)
    state_members(facts, log.said, _MEMBERS)
    if any(count(log.said.get(name)) for name, _, _ in _TOKENS):
        # Of a failed call all counts are nought, which means that there are none.
        state_members(facts, log.said, _TOKENS)
    return facts


def _without_sides(log: Log, sides: Sequence[tuple[str, str, Json]]) -> bytes:
    """Return the record less its messages, which are kept by themselves."""
    if not sides:
        return log.record.document()
    event = dict(log.record.event)
    held = {member for member, _, _ in sides}
    for holder, inner in ((event, False), (event.get("properties"), True)):
        if isinstance(holder, dict):
            rest = {name: value for name, value in holder.items() if name.lower() not in held}
            event = event | {"properties": rest} if inner else rest
    return orjson.dumps(event)


def _side(log: Log, index: int | None, side: tuple[str, str, Json], beside: str) -> Fragment:
    """Return one side's messages of a record: whole when nothing numbers them or it is seen, else a piece."""
    member, kind, value = side
    messages = _messages_in(value) if isinstance(value, str) else value
    if index is None or index >= MOST_PIECES:
        return _of_messages(log, kind, value if messages is None else messages)[0]
    if not isinstance(value, str) or _are_messages(messages):
        return _of_messages(log, kind, messages)[0]._replace(piece=Piece(_GROUP, index, None, kind + READ + beside))
    # What looks whole may stand in the middle of more.
    facts: Facts = {}
    log.state_time(facts)
    document = {
        "category": "GatewayLlmLogs",
        "correlationId": log.interaction(),
        "time": log.said.get("time"),
        "properties": {"sequenceNumber": index, member: value},
    }
    may_end = value.rstrip()[-1:] in _ENDS
    place = Piece(_GROUP, index, None, (kind.upper() if may_end else kind) + beside)
    return Fragment(log.interaction(), _ASKED, facts, Content(), orjson.dumps(document), place)


def _messages_in(text: str) -> Json:
    """Return the messages that a text holds, all of them; None when it is no JSON, or only a piece of it."""
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


def _of_messages(log: Log, kind: str, messages: Json) -> tuple[Fragment, bool]:
    """Return the fragment of one side's messages, all of them, and whether some of it must not be kept."""
    name = log.interaction()
    withheld = False
    facts: Facts = {}
    log.state_time(facts)
    member = next(member for member, own in _SIDES if own == kind)
    document = {"category": "GatewayLlmLogs", "correlationId": name, "time": log.said.get("time")}
    if kind == REQUEST:
        asked: Json = {"input" if _are_items(_listed(messages)) else "messages": messages}
        withheld = withhold_from_request(asked)
        operation = "responses" if "input" in asked else "chat.completions"
        said = operations.read_request(asked, operation)
        facts["operation"] = operation
        content = Content(prompt=said.text, request=asked)
    else:
        said = operations.read_response(_answer(_listed(messages)))
        content = Content(completion=said.text, response=messages)
    # How the call was made, and why it ended, is not logged; only its texts are.
    facts |= {fact: value for fact, value in said.facts.items() if fact not in _NOT_LOGGED}
    if log.record.cut:
        facts["truncated"] = True
        document[CUT] = True
    body = orjson.dumps(document | {"properties": {member: messages}})
    return Fragment(name, _ASKED if kind == REQUEST else _ANSWERED, facts, content, body), withheld


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


class JoinedRows(NamedTuple):
    """The messages that some rows, one behind the other, hold together."""

    first: int
    last: int
    fragment: Fragment
    withheld: bool
    """Whether the rows hold what must not be kept."""


def join_rows(documents: Sequence[bytes]) -> list[JoinedRows]:
    """Return the messages that rows of one side hold.

    Rows behind the last message's end are left for later, and those behind what can be no JSON any more.
    """
    found: list[JoinedRows] = []
    pieces: list[str] = []
    nesting = Nesting()
    for place, document in enumerate(documents):
        log = log_of(Record(orjson.loads(document), None, None))
        member, kind = next(side for side in _SIDES if side[0] in log.said)
        pieces.append(log.said[member])
        if nesting.is_closed_by(pieces[-1]):
            told = "".join(pieces)
            clean = redacted_text(told)
            messages = _messages_in(clean)
            if messages is None:
                break
            fragment, withheld = _of_messages(log, kind, messages)
            withheld |= clean is not told
            found.append(JoinedRows(place + 1 - len(pieces), place, fragment, withheld))
            pieces.clear()
            nesting = Nesting()
    return found


def salvage_rows(documents: Sequence[bytes]) -> Fragment | None:
    """Return the messages that rows of one side hold as far as they are whole; None when they hold none.

    The first row may not be the first of its body, when others are missing: then nothing is whole.
    """
    logs = [log_of(Record(orjson.loads(document), None, None)) for document in documents]
    member, kind = next(side for side in _SIDES if side[0] in logs[0].said)
    messages, cut = salvage(redacted_text("".join(log.said[member] for log in logs)))
    if not messages or not isinstance(messages, list | dict):
        return None
    log = logs[-1]
    log.record.cut = cut
    fragment, _ = _of_messages(log, kind, messages)
    return fragment
