"""Usage records of Azure-Samples/apim-genai-gateway-toolkit -> fragments.

One record per call that was answered with 200, under API Management's own request id: it joins what
other sources say of the call. Members and quirks: docs/events.md, section "Toolkit".
"""

from typing import Final

from shared.domain.facts import members, state_members
from shared.domain.fragment import Content, Fragment
from shared.domain.interaction import Facts, Provenance
from shared.domain.record_types import Precedence, RecordType
from shared.domain.values import Json
from shared.operations.operation_names import note_unknown_operation, operation_of_id
from shared.sources.record import Reading, Record, Source, interaction_id
from shared.sources.times import state_time, time_of

__all__ = ["SOURCE"]

_USAGE_RECORD: Final = RecordType(
    source="toolkit",
    part="usage",
    letter="t",
    provenance=Provenance.LOGGED,
    precedence=Precedence(general=150, request=150, error=150, time=120, model=90, prompt=150, cache=150),
    has_texts=False,
)

_MEMBERS: Final = members(
    gateway_name="ServiceName",
    caller_ip="RequestIp",
    operation_id="OperationName",
    subscription_id="SubscriptionId",
    total_tokens="TotalTokens",
)


def _recognises(event: dict[str, Json]) -> bool:
    return event.get("Type") == "Message" and "TotalTokens" in event


def _read(record: Record) -> Reading:
    event = record.event
    name = interaction_id(event.get("RequestId"), "RequestId")
    # The policy runs for status 200 only, and fails for streams.
    facts: Facts = {"has_request": True, "has_response": True, "http_status": 200, "streamed": False}
    state_members(facts, event, _MEMBERS)
    if "operation_id" in facts:
        facts["operation"] = operation_of_id(event["OperationName"]) or "other"
        note_unknown_operation(facts, event["OperationName"])
    state_time(facts, record.enqueued_at, time_of(event.get("EventTime"), record.enqueued_at))
    return Reading(_USAGE_RECORD.source, (Fragment(name, _USAGE_RECORD, facts, Content(), record.document()),))


SOURCE: Final = Source((_USAGE_RECORD,), _recognises, _read)
