"""`promptledger/1`, the envelope of our own API Management policy -> fragments.

Members and quirks: docs/events.md, section "Native".
"""

import base64
import binascii
import codecs
import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import orjson

from shared import operations
from shared.domain.facts import Members, members, remembered, state, state_members
from shared.domain.fragment import Content, Fragment
from shared.domain.interaction import Facts, Provenance
from shared.domain.reassembly.chunks import ChunkSet
from shared.domain.reassembly.claim_checks import Claim
from shared.domain.reassembly.keys import MOST_CHUNKS, Chunk, Form
from shared.domain.record_types import Precedence, RecordType
from shared.domain.redaction import is_binary_stream, redacted
from shared.domain.values import Json, count, number, text, utc, utc_of
from shared.errors import EventError
from shared.operations import withhold_from_request, withhold_from_response
from shared.operations.encodings import form_of, inflate, inflate_base64, is_compressed
from shared.operations.operation_names import note_unknown_operation, operation_of_id
from shared.operations.streams import text_of_bytes
from shared.operations.targets import host_of, target_of, without_secrets
from shared.operations.withheld import withhold_from_stream
from shared.sources.decoding import begins_like_json, decode, parsed
from shared.sources.gateway import (
    FEW,
    allowed_headers,
    correlation_ids_of_answer,
    is_cached,
    kept_headers,
    note_unknown_headers,
    refused,
    spillover_facts,
    state_target,
    texts,
)
from shared.sources.record import Reading, Record, Source, interaction_id
from shared.sources.salvage import salvage
from shared.sources.times import state_time

__all__ = ["SOURCE", "claim_of", "redeem"]

_REQUEST_RECORD: Final = RecordType(
    source="native",
    part="request",
    letter="Q",
    provenance=Provenance.REPORTED,
    precedence=Precedence(general=30, request=10, error=30, time=10, model=160, prompt=10, cache=40),
    tells_start=True,
    names_caller=True,
)
_RESPONSE_RECORD: Final = RecordType(
    source="native",
    part="response",
    letter="R",
    provenance=Provenance.REPORTED,
    precedence=Precedence(general=10, request=50, error=20, time=180, model=10, prompt=60, cache=30),
)
_ERROR_RECORD: Final = RecordType(
    source="native",
    part="error",
    letter="E",
    provenance=Provenance.REPORTED,
    precedence=Precedence(general=20, request=20, error=10, time=20, model=150, prompt=20, cache=50),
    tells_start=True,
    names_caller=True,
)

_FAMILY: Final = "promptledger/"
_SCHEMA: Final = "promptledger/1"

_REQUEST: Final = members(
    method="method",
    api_id="apiId",
    operation_id="operationId",
    deployment="deployment",
    api_version="apiVersion",
    caller_ip="callerIp",
    subscription_id="subscriptionId",
    product_id="productId",
    client_request_id="clientRequestId",
    session_id="sessionId",
    end_user_id="endUserId",
    request_bytes="size",
    user_id="userId",
)
_IDENTITY: Final = members(user_id="oid", app_id="appId")
_GATEWAY: Final = members(gateway_name="name", gateway_region="region")
_RESPONSE: Final = members(http_status="status", backend_id="backendId", streamed="streamed", response_bytes="size")
_BACKEND: Final = ("backendUrl", "backendId", "attempts")
"""What an answer has that a backend gave."""
_TIMINGS: Final = members(latency_ms="totalMs", backend_ms="backendMs", time_to_first_byte_ms="firstByteMs")
_STATUS: Final = members(http_status="status")


class _Part(NamedTuple):
    """What one part of a call says."""

    record_type: RecordType
    facts: Facts
    content: Content
    correlation_ids: tuple[str, ...] = ()


def _recognises(event: dict[str, Json]) -> bool:
    schema = event.get("schema")
    return isinstance(schema, str) and schema.startswith(_FAMILY)


def _read(record: Record) -> Reading:
    event = record.event
    if event["schema"] != _SCHEMA:
        raise EventError("unknown version of the native envelope")
    part = event.get("part")
    read = _PARTS.get(part) if isinstance(part, str) else None
    if read is None:
        raise EventError("part is none of request, response, error")
    name = interaction_id(event.get("interactionId"), "interactionId")
    record_type, facts, content, correlation_ids = read(record)
    omitted = text(event.get("bodyOmitted"))
    if omitted is not None:
        facts["truncated"] = True
        state(facts, "not_captured", omitted)
    document = record.document()
    chunk = None
    if event.get("bodyRef") is not None:
        chunk = None if record.cut else claim_chunk(event, document)
        if chunk is None:
            facts["truncated"] = True  # nobody will ever find it
    elif not record.cut:
        chunk = chunk_of(event, record_type.letter)
    fragment = Fragment(name, record_type, facts, content, document, chunk, correlation_ids)
    return Reading(record_type.source, (fragment,))


def _read_request(record: Record) -> _Part:
    return _Part(_REQUEST_RECORD, *_request_of(record))


def _read_error(record: Record) -> _Part:
    """Read a call that ended in API Management's on-error section; `body` is the request's."""
    event = record.event
    facts, content = _request_of(record)
    facts["has_response"] = True
    state_members(facts, event, _STATUS)
    _state_object(facts, event.get("timings"), _TIMINGS)
    state(facts, "attempts", _attempts(event.get("attempts")))
    last_error = event.get("lastError")
    last: Mapping[str, Json] = last_error if isinstance(last_error, dict) else {}
    status = facts.get("http_status")
    state(facts, "error_code", text(last.get("reason")) or status)
    state(facts, "error_message", event.get("reason"))
    state(facts, "error_message", last.get("message"))
    if status is not None:
        facts["gateway_refused"] = refused(status, last)
    return _Part(_ERROR_RECORD, facts, content)


def _request_of(record: Record) -> tuple[Facts, Content]:
    """Return what is known of the request."""
    event = record.event
    strip_url(record, "url")
    target = target_of(event.get("url"))
    operation = target.operation or operation_of_id(event.get("operationId"))
    body, kept = body_of(record, withhold_from_request)
    reading = operations.read_request(body, operation, cut=record.cut)
    facts = reading.facts
    if operation is not None:
        # A body that knows better says so: some paths name a model and not what is asked of it.
        facts.setdefault("operation", operation)
    elif target.path is not None or event.get("operationId") is not None:
        facts.setdefault("operation", "other")
    facts["has_request"] = True
    state(facts, "path", target.path)
    state(facts, "deployment", target.deployment)
    state(facts, "api_version", target.api_version)
    state_target(facts, target)
    facts |= _identity_facts(event.get("identity")) | _gateway_facts(event.get("gateway"))
    facts |= _tags_facts(event.get("tags"))
    state_members(facts, event, _REQUEST)
    state_time(facts, record.enqueued_at, utc(event.get("time")))
    if target.operation is None:
        note_unknown_operation(facts, event.get("operationId"))
    return facts, Content(reading.text, None, kept)


def _read_response(record: Record) -> _Part:
    event = record.event
    strip_url(record, "backendUrl")
    facts: Facts = {"has_response": True}
    state_members(facts, event, _RESPONSE)
    _state_object(facts, event.get("timings"), _TIMINGS)
    state(facts, "backend_host", host_of(event.get("backendUrl")))
    state(facts, "attempts", _attempts(event.get("attempts")))
    received_headers = event.get("headers")
    headers = allowed_headers(_kept_headers(record))
    state(facts, "response_headers", headers)
    state(
        facts,
        "cached",
        is_cached(facts.get("http_status"), is_backend_called=any(event.get(name) for name in _BACKEND)),
    )
    ended = utc(event.get("time"))
    state_time(facts, record.enqueued_at, _began(ended, facts.get("latency_ms")), ended)
    body, kept = body_of(record, withhold_from_response)
    target = target_of(event.get("backendUrl"))
    reading = operations.read_response(
        body,
        operation=target.operation,
        status=facts.get("http_status"),
        reason=event.get("reason"),
        content_type=event.get("contentType"),
        context=operations.request_context(None, deployment=target.deployment),
        headers=headers,
    )
    if reading.body is not None:
        facts["streamed"] = True
    correlation_ids = correlation_ids_of_answer(reading.facts.get("response_id"), headers)
    facts = reading.facts | facts | spillover_facts(headers)
    _note_headers(facts, received_headers)
    return _Part(_RESPONSE_RECORD, facts, Content(None, reading.text, None, reading.body or kept), correlation_ids)


def _note_headers(facts: Facts, headers: Json) -> None:
    if isinstance(headers, dict):
        note_unknown_headers(facts, map(str.lower, headers))


def _kept_headers(record: Record) -> Json:
    """Return the event's headers, and keep none in it that our policy does not send: it may hold a secret."""
    received = record.event.get("headers")
    kept = kept_headers(received) if isinstance(received, dict) else None
    if kept is not received:
        record.event["headers"] = kept
        record.received = None
    return kept


def _state_object(facts: Facts, value: Json, table: Members) -> None:
    if isinstance(value, dict):
        state_members(facts, value, table)


def _began(ended: str | None, milliseconds: float | None) -> str | None:
    if ended is None or not milliseconds:
        return None
    try:
        return utc_of(datetime.fromisoformat(ended) - timedelta(milliseconds=milliseconds))
    except OverflowError:
        return None


@remembered
def _identity_facts(value: dict[str, Json]) -> Facts:
    facts: Facts = {}
    state_members(facts, value, _IDENTITY)
    identity: dict[str, Json] = {**texts(value)}
    groups = value.get("groups")
    if isinstance(groups, list):
        identity["groups"] = [name for group in groups[:FEW] if (name := text(group)) is not None]
    state(facts, "identity", identity)
    return facts


@remembered
def _gateway_facts(value: dict[str, Json]) -> Facts:
    facts: Facts = {}
    state_members(facts, value, _GATEWAY)
    return facts


@remembered
def _tags_facts(value: dict[str, Json]) -> Facts:
    facts: Facts = {}
    state(facts, "tags", texts(value))
    return facts


def _attempts(value: Json) -> list[dict[str, Json]] | None:
    if not isinstance(value, list):
        return None
    return [_attempt(attempt) for attempt in value[:FEW] if isinstance(attempt, dict)]


def _attempt(value: Mapping[str, Json]) -> dict[str, Json]:
    known_members = {
        "backendId": text(value.get("backendId")),
        "status": count(value.get("status")),
        "ms": number(value.get("ms")),
    }
    return {name: value for name, value in known_members.items() if value is not None}


_PARTS: Final = {"request": _read_request, "response": _read_response, "error": _read_error}


# Bodies

Body = tuple[Json, Json]
"""The parsed body, or its text when it is no JSON, its bytes when it is no text, or None when it is not here;
and what the content of the interaction shows of it."""


_FORM: Final = ("LS", "DQ", "Cg")
"""How base64 begins that stands for two dashes, with or without a line end before them."""
_ABSENT: Final = (None, None)


def body_of(record: Record, withhold: Callable[[Json], bool]) -> Body:
    """Return the event's body less what `withhold` removes; the record's event follows suit.

    A body that came in parts or by claim check is not here.
    """
    event = record.event
    if event.get("bodyPart") is not None or event.get("bodyRef") is not None:
        return _ABSENT
    body = event.get("body")
    if not isinstance(body, dict):
        return _undecoded(record, withhold)
    if withhold(body):
        event.pop("bodyBase64", None)
        record.received = None
    return body, body


def _undecoded(record: Record, withhold: Callable[[Json], bool]) -> Body:
    """Return a body that is no JSON object in the event."""
    event = record.event
    _inflate(record)
    form = _form_in(event)
    if form is not None:
        withhold(form)
        event["body"] = form
        event.pop("bodyBase64", None)
        record.received = None
        return form, form
    body = event.get("body")
    encoded = event.get("bodyBase64")
    withheld = False
    if body is None and isinstance(encoded, str):
        body = _text_of(encoded, cut=record.cut)
        if isinstance(body, bytes) and (stream := text_of_bytes(body)) is not None:
            body, withheld = stream, True
        if not isinstance(body, str):
            return body, {"bodyBase64": _without_secrets(record, encoded, body)}
    if isinstance(body, str):
        received, body = body, parsed(body)
        if record.cut and body is received and begins_like_json(body):
            body = salvage(body)[0] or body
        if isinstance(body, str):
            body = withhold_from_stream(body)
        withheld = withheld or (body is not received and isinstance(body, str))
    if withhold(body) or withheld:
        event["body"] = body
        event.pop("bodyBase64", None)
        record.received = None
    return body, body


def _without_secrets(record: Record, encoded: str, body: bytes | None) -> str:
    """Return bytes in base64 less what looks like a secret in them: a stream may begin with half an event."""
    clean = body and redacted(body)
    if clean is None or clean is body:
        return encoded
    record.event["bodyBase64"] = kept = base64.b64encode(clean).decode()
    record.received = None
    return kept


def _inflate(record: Record) -> None:
    """Put the body in place of its compressed bytes: then it is read, and kept, as if it had come so."""
    event = record.event
    body, encoded = event.get("body"), event.get("bodyBase64")
    plain = None
    if isinstance(body, str):
        plain = inflate(body)
    elif body is None and isinstance(encoded, str):
        plain = inflate_base64(encoded)
    if plain is not None:
        event["body"] = plain
        event.pop("bodyBase64", None)
        record.received = None


def strip_url(record: Record, member: str) -> None:
    """Take keys and tokens out of the query of the URL in `member`."""
    url = record.event.get(member)
    if isinstance(url, str):
        stripped = without_secrets(url)
        if stripped != url:
            record.event[member] = stripped
            record.received = None


def _form_in(event: Mapping[str, Json]) -> dict[str, Json] | None:
    """Return the fields of a form; the bytes of the files in it are not kept."""
    body, encoded, content_type = event.get("body"), event.get("bodyBase64"), event.get("contentType")
    if isinstance(body, str):
        return form_of(body, content_type)
    if body is not None or not isinstance(encoded, str) or not encoded.startswith(_FORM):
        return None
    try:
        return form_of(base64.b64decode(encoded[: len(encoded) // 4 * 4]), content_type)
    except (binascii.Error, ValueError):
        return None


def _text_of(encoded: str, *, cut: bool) -> str | bytes | None:
    """Return the text that stands in base64; its bytes where they are none, None where it is no base64."""
    try:
        data = base64.b64decode(encoded[: len(encoded) // 4 * 4] if cut else encoded)
    except (binascii.Error, ValueError):
        return None
    if cut and not is_compressed(data):
        return data.decode(errors="ignore")
    try:
        # A stream may have been logged up to the middle of a character.
        text, _ = codecs.utf_8_decode(data, "strict", False)  # noqa: FBT003
    except ValueError:
        return data
    return text if text or not encoded else data


# Chunks and claim checks

_FORMS: Final = {"utf-8": Form.TEXT, "utf8": Form.TEXT, "base64": Form.BASE64}


def chunk_of(event: dict[str, Json], letter: str) -> Chunk | None:
    """Return where the event's `bodyPart` stands; None when it has none that can be understood."""
    part = event.get("bodyPart")
    if not isinstance(part, dict) or not isinstance(part.get("data"), str):
        return None
    index, total = count(part.get("index")), count(part.get("count"))
    form = _form_of(part)
    if index is None or total is None or form is None or not index < total <= MOST_CHUNKS:
        return None
    return Chunk(letter, index, total, form)


def _form_of(part: Mapping[str, Json]) -> Form | None:
    return _FORMS.get(str(part.get("encoding", "utf-8")).lower())


def claim_in(event: Mapping[str, Json]) -> Claim | None:
    """Return where the event says that its body waits (`bodyRef`); None when nobody can tell."""
    reference = event.get("bodyRef")
    if not isinstance(reference, dict):
        return None
    container, blob = reference.get("container"), reference.get("blob")
    if not isinstance(container, str) or not isinstance(blob, str) or not container or not blob:
        return None
    checksum = reference.get("sha256")
    return Claim(container, blob, count(reference.get("bytes")), None if checksum is None else str(checksum))


def claim_chunk(event: Mapping[str, Json], document: bytes) -> Chunk | None:
    """Return the event whose body waits in Blob storage as a chunk: it is the only one of its body.

    Args:
        event: a native event.
        document: what is kept of it.
    """
    if claim_in(event) is None:
        return None
    return Chunk(hashlib.sha256(document).hexdigest()[:16], 0, 1, Form.CLAIM)


def claimed_event(document: bytes, body: bytes) -> dict[str, Json]:
    """Return the event that `document` keeps, with the body that it claimed."""
    event: dict[str, Json] = decode(document)
    del event["bodyRef"]
    if body[:64].lstrip()[:1] in (b"{", b"["):
        try:
            event["body"] = decode(body)
        except EventError:
            pass  # a text that begins with a bracket
        else:
            return event
    try:
        event["body"] = body.decode()
    except UnicodeDecodeError:
        event["bodyBase64"] = base64.b64encode(body).decode()
    return event


def joined_event(documents: Sequence[bytes]) -> dict[str, Json]:
    """Return the event of which `documents` are the chunks, in order, with all of its body."""
    events = [decode(document) for document in documents]
    event: dict[str, Json] = events[0]
    encoded = _form_of(event["bodyPart"]) is Form.BASE64
    parts = [one["bodyPart"]["data"] for one in events]
    del event["bodyPart"]
    if encoded:
        event["bodyBase64"] = _joined_base64(parts)
    else:
        event["body"] = "".join(parts)
    return event


def _joined_base64(parts: Sequence[str]) -> str:
    """Join base64 that was cut after encoding, or encoded after cutting."""
    try:
        return base64.b64encode(b"".join(base64.b64decode(part, validate=True) for part in parts)).decode()
    except (binascii.Error, ValueError):
        return "".join(parts)


def _assemble(chunks: ChunkSet, documents: Sequence[bytes]) -> list[tuple[str, Fragment]]:
    event = joined_event(documents)
    # What stood in no chunk alone may be complete now.
    written = orjson.dumps(event)
    clean = redacted(written)
    record = Record(event, written, None) if clean is written else Record(decode(clean), None, None)
    (fragment,) = _read(record).fragments
    # A record is written anew when something was taken out of it.
    return [(chunks.mark(0, len(documents) - 1, withheld=record.received is None), fragment)]


def _salvage(documents: Sequence[bytes]) -> Fragment | None:
    event = decode(redacted(orjson.dumps(joined_event(documents))))
    (fragment,) = _read(Record(event, None, None, cut=True)).fragments
    fragment.facts["truncated"] = True
    return fragment


def claim_of(document: bytes) -> Claim | None:
    """Return where the body is that an event, of which `document` is kept, has left in Blob storage.

    Raises:
        EventError: the document is no JSON.
    """
    return claim_in(decode(document))


def redeem(document: bytes, body: list[bytes]) -> Fragment:
    """Return what an event says with the body that it claimed, which is taken out of `body`.

    Raises:
        EventError: the body makes nothing that can be understood.
    """
    # The body may be half of what this process has: it goes before the event is written anew.
    if not is_binary_stream(body[0]):
        body.append(redacted(body.pop()))
    event = claimed_event(document, body.pop())
    (fragment,) = _read(Record(event, None, None)).fragments
    return fragment


SOURCE: Final = Source((_REQUEST_RECORD, _RESPONSE_RECORD, _ERROR_RECORD), _recognises, _read, _assemble, _salvage)
