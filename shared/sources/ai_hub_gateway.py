"""Format B, usage records of AI Hub Gateway (Azure-Samples/ai-hub-gateway-solution-accelerator) -> fragments.

One record per call: who called, and how many tokens; never a text. Members and quirks:
docs/events.md, section "AI Hub Gateway".
"""

import re
from collections.abc import Mapping
from typing import Final

from shared.domain.facts import members, state, state_members
from shared.domain.fragment import Content, Fragment
from shared.domain.interaction import Facts, Provenance
from shared.domain.record_types import Precedence, RecordType
from shared.domain.values import Json, count
from shared.operations.operation_names import note_unknown_operation, operation_of_id
from shared.operations.targets import operation_of_object
from shared.sources.record import Reading, Record, Source, interaction_id, response_correlation
from shared.sources.times import state_time, time_of

__all__ = ["SOURCE"]

_USAGE_RECORD: Final = RecordType(
    source="ai-hub-gateway",
    part="usage",
    letter="u",
    provenance=Provenance.LOGGED,
    precedence=Precedence(general=140, request=140, error=140, time=100, model=80, prompt=140, cache=140),
    has_texts=False,
)
_ESTIMATE_RECORD: Final = RecordType(
    source="ai-hub-gateway",
    part="estimate",
    letter="v",
    provenance=Provenance.ESTIMATED,
    precedence=Precedence(general=200, request=200, error=200, time=110, model=140, prompt=200, cache=200),
    has_texts=False,
)

_MEMBERS: Final = members(
    app_id="appId",
    subscription_id="subscriptionId",
    product_id="productName",
    gateway_name="gatewayName",
    gateway_region="gatewayRegion",
    caller_ip="RequestIp",
    operation_id="operationName",
    session_id="sessionId",
    end_user_id="endUserId",
    backend_id="backendId",
    deployment="deploymentName",
    model="model",
)
_UNKNOWN: Final = frozenset({"NA", "NA-HEADER", "Portal-Admin"})
"""What the policies write in place of a value that they don't have."""

_STREAMING: Final = "streaming"
_STREAMED_MODELS: Final = frozenset({"Steaming", "Streaming"})  # codespell:ignore steaming

_GUID: Final = r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"
_MADE_ID: Final = re.compile(rf"(?:(?P<prefix>[A-Za-z][\w-]*)-)?{_GUID}")
"""An id that the policy made itself, because the answer has none."""


def _recognises(event: dict[str, Json]) -> bool:
    return "targetService" in event and "operationName" in event and "totalTokens" in event


def _read(record: Record) -> Reading:
    event = record.event
    name = interaction_id(event.get("id"), "id")
    target = event.get("targetService")
    streamed = isinstance(target, str) and target.lower() == _STREAMING
    # A record is sent for answered calls only, and only for status 200.
    facts: Facts = {"has_request": True, "has_response": True, "http_status": 200, "streamed": streamed}
    state_members(facts, {key: value for key, value in event.items() if not _is_unknown(value)}, _MEMBERS)
    if streamed and facts.get("model") in _STREAMED_MODELS:
        del facts["model"]
    made = _MADE_ID.fullmatch(name)
    if made is None:
        state(facts, "response_id", name)
    named_by_policy = made is not None and made["prefix"] is not None
    facts["operation"] = _operation(event, named_by_policy=named_by_policy)
    if not named_by_policy:
        note_unknown_operation(facts, event.get("operationName"))
    facts.update(_usage(event, is_always_reported=facts["operation"] == "embeddings"))
    state_time(facts, record.enqueued_at, time_of(event.get("timestamp"), record.enqueued_at))
    record_type = _ESTIMATE_RECORD if streamed else _USAGE_RECORD
    fragment = Fragment(name, record_type, facts, Content(), record.document(), foreign_id=response_correlation(name))
    return Reading(record_type.source, (fragment,))


def _is_unknown(value: Json) -> bool:
    return isinstance(value, str) and value in _UNKNOWN


def _operation(event: Mapping[str, Json], *, named_by_policy: bool) -> str:
    """Return the operation by its display name, else by the answer's `object`.

    Calls to other services (AI Search, Document Intelligence) have ids made of a prefix and a GUID;
    their operations may be called "Analyze file" without being one of Azure OpenAI's.
    """
    target = event.get("targetService")
    by_object = "embeddings" if target == "list" else operation_of_object(target)
    if named_by_policy and by_object is None and str(target).lower() != _STREAMING:
        return "other"
    return operation_of_id(event.get("operationName")) or by_object or "other"


def _usage(event: Mapping[str, Json], *, is_always_reported: bool) -> Facts:
    """Return the token counts, unless they are the policy's defaults.

    1/0/1 means that the answer had no usage. 1 and 0 beside another total mean that the answer named
    its counts as the Responses API and gpt-image do, which the policy doesn't know: the total is real.

    Args:
        event: the record.
        is_always_reported: whether every answer of the operation has usage, so that 1/0/1 is one token.

    Source: event formats, section 3.1.
    """
    facts: Facts = {}
    prompt, response, total = (count(event.get(name)) for name in ("promptTokens", "responseTokens", "totalTokens"))
    defaults = prompt == 1 and response == 0 and not (is_always_reported and total == 1)
    if defaults and total == 1:
        return facts
    if not defaults:
        state(facts, "input_tokens", prompt)
        state(facts, "output_tokens", response)
    state(facts, "total_tokens", total)
    for field, member in (("cached_input_tokens", "cachedTokens"), ("audio_input_tokens", "audioTokens")):
        # 0 is the default for an answer without details.
        state(facts, field, count(event.get(member)) or None)
    return facts


SOURCE: Final = Source((_USAGE_RECORD, _ESTIMATE_RECORD), _recognises, _read)
