"""Events of the policy in API Management's how-to for Event Hubs -> fragments.

One event per call, under API Management's own request id. Members and quirks: docs/events.md,
section "APIM documentation".
"""

from typing import Final

from shared import operations
from shared.domain.facts import members, state_members
from shared.domain.fragment import Content, Fragment
from shared.domain.interaction import Facts, Provenance
from shared.domain.record_types import Precedence, RecordType
from shared.domain.values import Json
from shared.operations import withhold_from_response
from shared.operations.operation_names import note_unknown_operation, operation_of_id
from shared.sources.bodies import body_in
from shared.sources.record import Reading, Record, Source, interaction_id
from shared.sources.times import state_time, time_of

__all__ = ["SOURCE"]

_CALL_RECORD: Final = RecordType(
    source="apim-docs",
    part="call",
    letter="h",
    provenance=Provenance.REPORTED,
    precedence=Precedence(general=120, request=110, error=100, time=90, model=60, prompt=110, cache=120),
)

_EVERY: Final = frozenset({"EventTime", "RequestId", "ServiceName"})
_MEMBERS: Final = members(gateway_name="ServiceName", caller_ip="RequestIp", operation_id="OperationName")


def _recognises(event: dict[str, Json]) -> bool:
    return event.keys() >= _EVERY


def _read(record: Record) -> Reading:
    return Reading(_CALL_RECORD.source, (_fragment(record),))


def _fragment(record: Record) -> Fragment:
    event = record.event
    name = interaction_id(event.get("RequestId"), "RequestId")
    # Wherever in the policy it is sent from: no other part will come.
    facts: Facts = {"has_request": True, "has_response": True}
    state_members(facts, event, _MEMBERS)
    operation = operation_of_id(event.get("OperationName"))
    if "operation_id" in facts:
        facts["operation"] = operation or "other"
    state_time(facts, record.enqueued_at, time_of(event.get("EventTime"), record.enqueued_at))
    body = body_in(record, "response", withhold_from_response)
    reading = operations.read_response(body, operation=operation)
    if record.cut:
        facts["truncated"] = True
    content = Content(completion=reading.text, response=reading.body or body)
    facts |= reading.facts
    note_unknown_operation(facts, event.get("OperationName"))
    return Fragment(name, _CALL_RECORD, facts, content, record.document())


SOURCE: Final = Source((_CALL_RECORD,), _recognises, _read)
