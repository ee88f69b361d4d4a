"""Azure OpenAI's own resource logs, categories RequestResponse and AzureOpenAIRequestUsage -> fragments.

They never hold a text. Both know a call by Azure OpenAI's request id.
"""

import re
from datetime import datetime, timedelta
from typing import Final

from shared.domain.facts import state, state_members
from shared.domain.fragment import Content, Fragment
from shared.domain.interaction import Facts, Provenance
from shared.domain.record_types import Observer, Precedence, RecordType
from shared.domain.unknown_words import note
from shared.domain.values import Json, text, utc_of
from shared.operations.operation_names import note_unknown_operation, operation_of_id
from shared.sources.azure_monitor_log import Log, table
from shared.sources.record import service_correlation

__all__ = ["RECORD_TYPES", "read_request_response", "read_request_usage"]

_CALL_RECORD: Final = RecordType(
    source="azure-openai",
    part="call",
    letter="D",
    provenance=Provenance.LOGGED,
    precedence=Precedence(general=170, request=170, error=170, time=50, model=100, prompt=170, cache=170),
    observer=Observer.SERVICE,
    tells_start=True,
    has_texts=False,
)
_BARE_CALL_RECORD: Final = RecordType(
    source="azure-openai",
    part="call without its model",
    letter="d",
    provenance=Provenance.LOGGED,
    precedence=Precedence(general=180, request=180, error=180, time=60, model=110, prompt=180, cache=180),
    observer=Observer.SERVICE,
    tells_start=True,
    has_texts=False,
)
_USAGE_RECORD: Final = RecordType(
    source="azure-openai",
    part="usage",
    letter="n",
    provenance=Provenance.LOGGED,
    precedence=Precedence(general=160, request=160, error=160, time=140, model=130, prompt=160, cache=160),
    observer=Observer.SERVICE,
    has_texts=False,
)

RECORD_TYPES: Final = (_CALL_RECORD, _BARE_CALL_RECORD, _USAGE_RECORD)

_MEMBERS: Final = table(
    operation_id="operationName",
    http_status="resultSignature",
    latency_ms="durationMs",
    caller_ip="callerIpAddress",
    request_bytes="requestLength",
    response_bytes="responseLength",
    deployment="modelDeploymentName",
    model="modelName",
)
_REGION: Final = table(gateway_region="location")
_TENANT: Final = table(gateway_region="Tenant")
_OBJECT: Final = table(user_id="objectId")
_CALLER: Final = table(user_id="callerObjectId")
_TOKENS: Final = {
    "prompttokens": "input_tokens",
    "completiontokens": "output_tokens",
    "generatedtokens": "output_tokens",
    "cachedtokens": "cached_input_tokens",
    "totaltokens": "total_tokens",
}
_TELLING: Final = ("deployment", "model", "input_tokens", "output_tokens")
_STREAM_TYPES: Final = {"streaming": True, "non-streaming": False}
_API_VERSION: Final = re.compile(r"\bversion\s+(\S{1,32})")
_LONGEST_TICKS: Final = 19


def read_request_response(log: Log) -> tuple[Fragment, ...]:
    """Return what a RequestResponse record says of its call; of two records per call one says little.

    Raises:
        EventError: it names no call.
    """
    name = log.interaction()
    facts = _facts(log)
    state_members(facts, log.members, _MEMBERS)
    for optional in (_REGION, _TENANT, _OBJECT, _CALLER):
        state_members(facts, log.members, optional)
    operation = operation_of_id(log.members.get("operationname"))
    if operation is not None:
        facts["operation"] = operation
    note_unknown_operation(facts, log.members.get("operationname"))
    kind = text(log.members.get("streamtype"))
    if kind is not None:
        streamed = _STREAM_TYPES.get(kind.lower())
        state(facts, "streamed", streamed)
        note(facts, "stream_type", [kind] if streamed is None else [])
    version = _API_VERSION.search(text(log.members.get("apiname")) or "")
    state(facts, "api_version", version and version[1])
    state(facts, "backend_id", log.resource())
    is_bare = not any(name in facts for name in _TELLING) and not text(log.members.get("callerobjectid"))
    return (_fragment(name, _BARE_CALL_RECORD if is_bare else _CALL_RECORD, facts, log),)


def read_request_usage(log: Log) -> tuple[Fragment, ...]:
    """Return the token counts of an AzureOpenAIRequestUsage record: arrays of one.

    Raises:
        EventError: it names no call.
    """
    return (_fragment(log.interaction(), _USAGE_RECORD, _facts(log), log),)


def _fragment(name: str, record_type: RecordType, facts: Facts, log: Log) -> Fragment:
    return Fragment(name, record_type, facts, Content(), log.record.document(), foreign_id=service_correlation(name))


def _facts(log: Log) -> Facts:
    """Return what both categories tell: that there was a call, when, and its tokens."""
    facts: Facts = {"has_request": True, "has_response": True}
    log.state_time(facts, _of_ticks(log.members.get("requesttime")))
    for member, field in _TOKENS.items():
        value = log.members.get(member)
        state(facts, field, value[0] if isinstance(value, list) and len(value) == 1 else value)
    if "total_tokens" not in facts and {"input_tokens", "output_tokens"} <= facts.keys():
        state(facts, "total_tokens", facts["input_tokens"] + facts["output_tokens"])
    return facts


def _of_ticks(value: Json) -> str | None:
    """Return the time of .NET ticks: 100 ns since year 1, beyond what a float can hold."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _LONGEST_TICKS:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        return None
    try:
        return utc_of(datetime(1, 1, 1) + timedelta(microseconds=value // 10))  # noqa: DTZ001  # utc_of takes naive as UTC
    except OverflowError:
        return None
