"""Usage records of Azure/enterprise-azureai -> fragments, less the caller's key that is in them.

Members and quirks: docs/events.md, section "Enterprise AzureAI".
"""

import hashlib
from typing import Final

import orjson

from shared.domain.facts import members, state_members
from shared.domain.fragment import Content, Fragment
from shared.domain.interaction import Facts, Provenance
from shared.domain.record_types import Precedence, RecordType
from shared.domain.values import Json
from shared.sources.record import Reading, Record, Source
from shared.sources.times import state_time, time_of

__all__ = ["SOURCE"]

_USAGE_RECORD: Final = RecordType(
    source="enterprise-azureai",
    part="usage",
    letter="z",
    provenance=Provenance.LOGGED,
    precedence=Precedence(general=190, request=190, error=190, time=130, model=120, prompt=190, cache=190),
    has_texts=False,
)

_MEMBERS: Final = members(
    app_id="appId", input_tokens="promptTokens", output_tokens="responseTokens", total_tokens="totalTokens"
)


def _recognises(event: dict[str, Json]) -> bool:
    return "appSubscriptionKey" in event and "promptTokens" in event


def _read(record: Record) -> Reading:
    event = record.event
    # Answers to streamed calls do not occur: the policy blocks those.
    facts: Facts = {"has_request": True, "has_response": True, "streamed": False}
    known = {name: value for name, value in event.items() if value != "null"}
    state_members(facts, known, _MEMBERS)
    state_time(facts, record.enqueued_at, time_of(event.get("timestamp"), record.enqueued_at))
    fragment = Fragment(_made_id(event), _USAGE_RECORD, facts, Content(), record.document())
    return Reading(_USAGE_RECORD.source, (fragment,))


def _made_id(event: dict[str, Json]) -> str:
    """Return an id for a record that has none: the same record is the same interaction."""
    record = orjson.dumps(event, option=orjson.OPT_SORT_KEYS)
    return "azureai-" + hashlib.sha256(record).hexdigest()[:32]


SOURCE: Final = Source((_USAGE_RECORD,), _recognises, _read)
