"""HTTP messages as text, as the "monitor with Event Hubs" sample of API Management sends them -> fragments.

A first line `request:` or `response:` with an id, then the message, its body cut at 1,024 characters.
Quirks: docs/events.md, section "Raw HTTP".
"""

import json
import re
from collections.abc import Callable
from typing import Final

from shared import operations
from shared.domain.facts import members, state, state_members
from shared.domain.fragment import Content, Fragment
from shared.domain.interaction import Facts, Provenance
from shared.domain.record_types import Precedence, RecordType
from shared.domain.values import Json, text
from shared.operations import withhold_from_request, withhold_from_response
from shared.operations.targets import target_of, without_secrets
from shared.sources.bodies import body_in
from shared.sources.gateway import HEADERS, spillover_facts, state_target, texts
from shared.sources.record import Reading, Record, Source, interaction_id
from shared.sources.times import state_time

__all__ = ["SOURCE", "event_in"]

_REQUEST_RECORD: Final = RecordType(
    source="raw-http",
    part="request",
    letter="y",
    provenance=Provenance.REPORTED,
    precedence=Precedence(general=110, request=90, error=90, time=80, model=200, prompt=90, cache=110),
    tells_start=True,
)
_RESPONSE_RECORD: Final = RecordType(
    source="raw-http",
    part="response",
    letter="x",
    provenance=Provenance.REPORTED,
    precedence=Precedence(general=60, request=100, error=80, time=170, model=50, prompt=100, cache=70),
)

_FORMAT: Final = "raw-http/1"
"""What we keep of such an event is a JSON object of this schema."""
_FIRST_LINE: Final = re.compile(r"\ufeff?(request|response):[ \t]*([0-9A-Fa-f-]{32,40})[ \t]*\r?\n")
_HEADERS_END: Final = re.compile(r"\r?\n[ \t]*\r?\n")
_REQUEST_LINE: Final = re.compile(r"([A-Za-z]{1,16})[ \t]+(\S+)")
_STATUS_LINE: Final = re.compile(r"HTTP/[0-9.]+[ \t]+([0-9]{3})[ \t]*(.*)")
_BODY_LENGTH: Final = 1024
_MOST_HEADERS: Final = 64
_KEPT: Final = HEADERS | frozenset(
    "accept content-length content-type host user-agent x-ms-client-request-id x-request-id".split()
)
"""Headers that hold no credential. Others may, whatever they are called."""

_REQUEST: Final = members(request_bytes="content-length", client_request_id="x-ms-client-request-id")
_RESPONSE: Final = members(response_bytes="content-length")


def event_in(body: bytes) -> dict[str, Json] | None:
    """Return the message in `body` as a JSON object, without its credentials; None when it is none."""
    if not body.lstrip(b"\xef\xbb\xbf")[:9].startswith((b"request:", b"response:")):
        return None
    message = body.decode(json.detect_encoding(body), "replace")
    found = _FIRST_LINE.match(message)
    if found is None:
        return None
    head, _, rest = _split(message[found.end() :])
    line, *headers = head.splitlines() or [""]
    return {
        "schema": _FORMAT,
        "message": found[1],
        "id": found[2],
        "line": _without_secrets(line),
        "headers": _headers(headers),
        "body": rest,
    }


def _split(message: str) -> tuple[str, str, str]:
    found = _HEADERS_END.search(message)
    return (message[: found.start()], found[0], message[found.end() :]) if found else (message, "", "")


def _without_secrets(line: str) -> str:
    words = line.split(" ")
    return " ".join([without_secrets(word) if "?" in word else word for word in words])


def _headers(lines: list[str]) -> dict[str, str]:
    pairs = [line.partition(":") for line in lines[:_MOST_HEADERS]]
    return {name: value.strip() for head, _, value in pairs if (name := head.strip().lower()) in _KEPT}


def _recognises(event: dict[str, Json]) -> bool:
    return event.get("schema") == _FORMAT


def _read(record: Record) -> Reading:
    event = record.event
    name = interaction_id(event.get("id"), "the id of the first line")
    read = _read_response if event.get("message") == "response" else _read_request
    record_type, facts, content = read(record)
    state_time(facts, record.enqueued_at)
    return Reading(record_type.source, (Fragment(name, record_type, facts, content, record.document()),))


def _read_request(record: Record) -> tuple[RecordType, Facts, Content]:
    event = record.event
    facts: Facts = {"has_request": True}
    found = _REQUEST_LINE.match(text(event.get("line"), 4096) or "")
    target = target_of(found[2] if found else None)
    state(facts, "method", found[1] if found else None)
    state(facts, "path", target.path)
    state(facts, "deployment", target.deployment)
    state(facts, "api_version", target.api_version)
    state_members(facts, _headers_of(event), _REQUEST)
    body = _body(record, withhold=withhold_from_request)
    reading = operations.read_request(body, target.operation, cut=record.cut)
    facts = reading.facts | facts
    if target.path is not None:
        # A body that knows better says so: some paths name a model and not what is asked of it.
        facts.setdefault("operation", target.operation or "other")
    state_target(facts, target)
    return _REQUEST_RECORD, facts, Content(prompt=reading.text, request=body or None)


def _read_response(record: Record) -> tuple[RecordType, Facts, Content]:
    event = record.event
    facts: Facts = {"has_response": True}
    found = _STATUS_LINE.match(text(event.get("line"), 4096) or "")
    state(facts, "http_status", found[1] if found else None)
    headers = _headers_of(event)
    state_members(facts, headers, _RESPONSE)
    header_texts = texts(headers)
    facts |= spillover_facts(header_texts)
    body = _body(record, withhold=withhold_from_response)
    reading = operations.read_response(
        body,
        status=facts.get("http_status"),
        reason=found[2] if found else None,
        content_type=headers.get("content-type"),
        headers=header_texts,
    )
    return (
        _RESPONSE_RECORD,
        reading.facts | facts,
        Content(completion=reading.text, response=reading.body or body or None),
    )


def _body(record: Record, *, withhold: Callable[[Json], bool]) -> Json:
    received = record.event.get("body")
    body = body_in(record, "body", withhold)
    if isinstance(body, str) and isinstance(received, str) and len(received) >= _BODY_LENGTH:
        record.cut = True
    return body


def _headers_of(event: dict[str, Json]) -> dict[str, Json]:
    headers = event.get("headers")
    return headers if isinstance(headers, dict) else {}


SOURCE: Final = Source((_REQUEST_RECORD, _RESPONSE_RECORD), _recognises, _read)
