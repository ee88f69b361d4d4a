"""Format B, records of what AI Hub Gateway did about personal data -> fragments.

They hold that data in clear, and whole bodies: no fact, no preview is taken from these, only content.
Members and quirks: docs/events.md, section "AI Hub Gateway".
"""

from collections.abc import Callable
from typing import Final

from shared import operations
from shared.domain.facts import members, state, state_members
from shared.domain.fragment import Content, Fragment
from shared.domain.interaction import Facts, Provenance
from shared.domain.record_types import Precedence, RecordType
from shared.domain.values import Json
from shared.operations import withhold_from_request, withhold_from_response
from shared.operations.operation_names import note_unknown_operation, operation_of_id
from shared.operations.targets import target_of
from shared.sources.bodies import body_in
from shared.sources.record import Reading, Record, Source, interaction_id
from shared.sources.times import state_time, time_of

__all__ = ["SOURCE"]

_PERSONAL_DATA_RECORD: Final = RecordType(
    source="ai-hub-gateway",
    part="personal data",
    letter="p",
    provenance=Provenance.LOGGED,
    precedence=Precedence(general=210, request=210, error=210, time=150, model=210, prompt=210, cache=210),
    has_texts=False,
)

_UNKNOWN: Final = "unknown"
_API: Final = members(api_id="id")
_OPERATION: Final = members(operation_id="id", method="method")
_REQUESTS: Final = ("originalRequest", "anonymizedRequest")
_RESPONSES: Final = ("deanonymizedResponse", "originalResponse")


def _recognises(event: dict[str, Json]) -> bool:
    return event.get("type") == "PII_Processing"


def _read(record: Record) -> Reading:
    event = record.event
    name = interaction_id(event.get("id"), "id")
    facts: Facts = {"has_request": True, "has_response": True}
    context = _object(event.get("context"))
    api = _object(context.get("api"))
    called = _object(api.get("operation"))
    state_members(facts, api, _API)
    state_members(facts, called, _OPERATION)
    target = target_of(called.get("urlTemplate"))
    operation = target.operation or operation_of_id(called.get("id")) or operation_of_id(called.get("name"))
    facts["operation"] = operation or "other"
    if target.operation is None:
        note_unknown_operation(facts, called.get("id"), called.get("name"))
    state(facts, "path", target.path)
    for field, value in (
        ("deployment", event.get("targetDeployment")),
        ("product_id", _object(context.get("product")).get("id")),
        ("subscription_id", _object(context.get("subscription")).get("id")),
    ):
        state(facts, field, None if value == _UNKNOWN else value)
    state_time(facts, record.enqueued_at, time_of(event.get("timestamp"), record.enqueued_at))
    content = _content(record, _object(api.get("content")), facts, operation)
    return Reading(
        _PERSONAL_DATA_RECORD.source, (Fragment(name, _PERSONAL_DATA_RECORD, facts, content, record.document()),)
    )


def _content(record: Record, bodies: dict[str, Json], facts: Facts, operation: str | None) -> Content:
    """Return what was asked and what the caller got: the bodies with the personal data in them.

    Of the facts they state the operation alone, where they know better than a path that names a model only.

    Usage is left alone: the usage record of the same call counts it, under another id.
    """
    inner = Record(bodies, None if record.received is None else b"", record.enqueued_at)
    request = _first(inner, _REQUESTS, withhold_from_request)
    response = _first(inner, _RESPONSES, withhold_from_response)
    record.cut |= inner.cut
    if inner.received is None:
        record.received = None
    request_reading = operations.read_request(request, operation)
    response_reading = operations.read_response(response, operation=operation)
    facts["operation"] = request_reading.facts.get("operation", facts["operation"])
    return Content(
        prompt=request_reading.text,
        completion=response_reading.text,
        request=request,
        response=response_reading.body or response,
    )


def _first(record: Record, names: tuple[str, ...], withhold: Callable[[Json], bool]) -> Json:
    """Return the first body that there is; what must not be kept goes from all of them."""
    read = [body_in(record, name, withhold) for name in names]
    return next((body for body in read if body is not None), None)


def _object(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


SOURCE: Final = Source((_PERSONAL_DATA_RECORD,), _recognises, _read)
