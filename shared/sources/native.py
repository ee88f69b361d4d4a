"""`promptledger/1`, the envelope of our own API Management policy -> fragments.

Members and quirks: docs/events.md, section "Native".
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from shared import operations
from shared.domain.facts import Members, members, remembered, state, state_members
from shared.domain.fragment import EVIDENCE, Content, Fragment
from shared.domain.interaction import Facts
from shared.domain.values import Json, count, number, text, utc, utc_of
from shared.errors import EventError
from shared.operations import withhold_from_request, withhold_from_response
from shared.operations.operation_names import note_unknown_operation, operation_of_id
from shared.operations.targets import host_of, target_of
from shared.sources.gateway import (
    FEW,
    allowed_headers,
    claims_of,
    is_cached,
    kept_headers,
    note_unknown_headers,
    refused,
    spillover_facts,
    state_target,
    texts,
)
from shared.sources.native_body import body_of, strip_url
from shared.sources.native_pieces import claim_piece, piece_of
from shared.sources.record import Reading, Record, Source, interaction_id
from shared.sources.times import state_time

__all__ = ["SOURCE"]

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
"""What is told where a backend was asked."""
_TIMINGS: Final = members(latency_ms="totalMs", backend_ms="backendMs", time_to_first_byte_ms="firstByteMs")
_STATUS: Final = members(http_status="status")


_Told = tuple[str, Facts, Content, tuple[str, ...]]
"""What a part says: as which witness, its facts, its content, and what names the call has."""


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
    code, facts, content, claims = read(record)
    omitted = text(event.get("bodyOmitted"))
    if omitted is not None:
        facts["truncated"] = True
        state(facts, "not_captured", omitted)
    document = record.document()
    piece = None
    if event.get("bodyRef") is not None:
        piece = None if record.cut else claim_piece(event, document)
        if piece is None:
            facts["truncated"] = True  # nobody will ever find it
    elif not record.cut:
        piece = piece_of(event, code)
    fragment = Fragment(name, code, facts, content, document, piece, claims)
    return Reading(EVIDENCE[code].source, (fragment,))


def _read_request(record: Record) -> _Told:
    facts, content = _asked(record)
    return "Q", facts, content, ()


def _read_error(record: Record) -> _Told:
    """Read a call that ended in API Management's on-error section; `body` is what was asked."""
    event = record.event
    facts, content = _asked(record)
    facts["has_response"] = True
    state_members(facts, event, _STATUS)
    _state_object(facts, event.get("timings"), _TIMINGS)
    state(facts, "attempts", _attempts(event.get("attempts")))
    told = event.get("lastError")
    last: Mapping[str, Json] = told if isinstance(told, dict) else {}
    status = facts.get("http_status")
    state(facts, "error_code", text(last.get("reason")) or status)
    state(facts, "error_message", event.get("reason"))
    state(facts, "error_message", last.get("message"))
    if status is not None:
        facts["gateway_refused"] = refused(status, last)
    return "E", facts, content, ()


def _asked(record: Record) -> tuple[Facts, Content]:
    """Return what is known of the request."""
    event = record.event
    strip_url(record, "url")
    target = target_of(event.get("url"))
    operation = target.operation or operation_of_id(event.get("operationId"))
    body, kept = body_of(record, withhold_from_request)
    said = operations.read_request(body, operation, cut=record.cut)
    facts = said.facts
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
    return facts, Content(said.text, None, kept)


def _read_response(record: Record) -> _Told:
    event = record.event
    strip_url(record, "backendUrl")
    facts: Facts = {"has_response": True}
    state_members(facts, event, _RESPONSE)
    _state_object(facts, event.get("timings"), _TIMINGS)
    state(facts, "backend_host", host_of(event.get("backendUrl")))
    state(facts, "attempts", _attempts(event.get("attempts")))
    told_headers = event.get("headers")
    headers = allowed_headers(_kept_headers(record))
    state(facts, "response_headers", headers)
    state(facts, "cached", is_cached(facts.get("http_status"), asked=any(event.get(name) for name in _BACKEND)))
    ended = utc(event.get("time"))
    state_time(facts, record.enqueued_at, _began(ended, facts.get("latency_ms")), ended)
    body, kept = body_of(record, withhold_from_response)
    target = target_of(event.get("backendUrl"))
    said = operations.read_response(
        body,
        operation=target.operation,
        status=facts.get("http_status"),
        reason=event.get("reason"),
        content_type=event.get("contentType"),
        context=operations.request_context(None, deployment=target.deployment),
        headers=headers,
    )
    if said.body is not None:
        facts["streamed"] = True
    claims = claims_of(said.facts.get("response_id"), headers)
    facts = said.facts | facts | spillover_facts(headers)
    _note_headers(facts, told_headers)
    return "R", facts, Content(None, said.text, None, said.body or kept), claims


def _note_headers(facts: Facts, told: Json) -> None:
    if isinstance(told, dict):
        note_unknown_headers(facts, map(str.lower, told))


def _kept_headers(record: Record) -> Json:
    """Return the event's headers, and keep none in it that our policy does not send: it may hold a secret."""
    told = record.event.get("headers")
    kept = kept_headers(told) if isinstance(told, dict) else None
    if kept is not told:
        record.event["headers"] = kept
        record.received = None
    return kept


def _state_object(facts: Facts, told: Json, table: Members) -> None:
    if isinstance(told, dict):
        state_members(facts, told, table)


def _began(ended: str | None, milliseconds: float | None) -> str | None:
    if ended is None or not milliseconds:
        return None
    try:
        return utc_of(datetime.fromisoformat(ended) - timedelta(milliseconds=milliseconds))
    except OverflowError:
        return None


@remembered
def _identity_facts(told: dict[str, Json]) -> Facts:
    facts: Facts = {}
    state_members(facts, told, _IDENTITY)
    identity: dict[str, Json] = {**texts(told)}
    groups = told.get("groups")
    if isinstance(groups, list):
        identity["groups"] = [name for group in groups[:FEW] if (name := text(group)) is not None]
    state(facts, "identity", identity)
    return facts


@remembered
def _gateway_facts(told: dict[str, Json]) -> Facts:
    facts: Facts = {}
    state_members(facts, told, _GATEWAY)
    return facts


@remembered
def _tags_facts(told: dict[str, Json]) -> Facts:
    facts: Facts = {}
    state(facts, "tags", texts(told))
    return facts


def _attempts(told: Json) -> list[dict[str, Json]] | None:
    if not isinstance(told, list):
        return None
    return [_attempt(attempt) for attempt in told[:FEW] if isinstance(attempt, dict)]


def _attempt(told: Mapping[str, Json]) -> dict[str, Json]:
    known_members = {
        "backendId": text(told.get("backendId")),
        "status": count(told.get("status")),
        "ms": number(told.get("ms")),
    }
    return {name: value for name, value in known_members.items() if value is not None}


_PARTS: Final = {"request": _read_request, "response": _read_response, "error": _read_error}

SOURCE: Final = Source(_recognises, _read)
