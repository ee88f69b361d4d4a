"""Usage records of Azure/enterprise-azureai -> fragments, less the caller's key that is in them.

Members and quirks: docs/events.md, section "Enterprise AzureAI".
"""

import hashlib
from typing import Final

import orjson

from shared.domain.facts import members, state_members
from shared.domain.fragment import EVIDENCE, Content, Fragment
from shared.domain.interaction import Facts
from shared.domain.values import Json
from shared.sources.record import Reading, Record, Source
from shared.sources.times import state_time, time_of

__all__ = ["SOURCE"]

_CODE: Final = "z"
_MEMBERS: Final = members(
    app_id="appId", input_tokens="promptTokens", output_tokens="responseTokens", total_tokens="totalTokens"
)


def _recognises(event: dict[str, Json]) -> bool:
    return "appSubscriptionKey" in event and "promptTokens" in event


def _read(record: Record) -> Reading:
    event = record.event
    # Answers to streamed calls do not occur: the policy blocks those.
    facts: Facts = {"has_request": True, "has_response": True, "streamed": False}
    told = {name: value for name, value in event.items() if value != "null"}
    state_members(facts, told, _MEMBERS)
    state_time(facts, record.enqueued_at, time_of(event.get("timestamp"), record.enqueued_at))
    fragment = Fragment(_made_id(event), _CODE, facts, Content(), record.document())
    return Reading(EVIDENCE[_CODE].source, (fragment,))


def _made_id(event: dict[str, Json]) -> str:
    """Return an id for a record that has none: the same record is the same interaction."""
    told = orjson.dumps(event, option=orjson.OPT_SORT_KEYS)
    return "azureai-" + hashlib.sha256(told).hexdigest()[:32]


SOURCE: Final = Source(_recognises, _read)
