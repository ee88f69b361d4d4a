"""Format A, Azure-Samples/openai-python-enterprise-logging -> fragments.

Its Request and Response events share nothing but `message-id`. Members and quirks: docs/events.md,
section "Enterprise logging".
"""

from collections.abc import Mapping
from typing import Final

from shared import operations
from shared.domain.facts import members, state, state_members
from shared.domain.fragment import Content, Fragment
from shared.domain.interaction import Facts, Provenance
from shared.domain.record_types import Precedence, RecordType
from shared.domain.values import Json, count, text
from shared.operations.operation_names import note_unknown_operation, operation_of_id
from shared.sources.decoding import parsed
from shared.sources.record import Reading, Record, Source, interaction_id
from shared.sources.salvage import salvage
from shared.sources.times import state_time, time_of

__all__ = ["SOURCE"]

_REQUEST_RECORD: Final = RecordType(
    source="enterprise-logging",
    part="request",
    letter="b",
    provenance=Provenance.REPORTED,
    precedence=Precedence(general=100, request=70, error=70, time=70, model=170, prompt=70, cache=100),
    tells_start=True,
)
_RESPONSE_RECORD: Final = RecordType(
    source="enterprise-logging",
    part="response",
    letter="a",
    provenance=Provenance.REPORTED,
    precedence=Precedence(general=50, request=80, error=60, time=160, model=40, prompt=80, cache=60),
)

_REQUEST: Final = members(operation_id="operation", requested_model="model")
_RESPONSE: Final = members(
    operation_id="operation", model="model", api_id="apiId", product_id="productId", backend_host="backend"
)
_USAGE: Final = ("prompt_tokens", "completion_tokens", "total_tokens")


def _recognises(event: dict[str, Json]) -> bool:
    return event.get("event-type") in ("Request", "Response")


def _read(record: Record) -> Reading:
    event = record.event
    name = interaction_id(event.get("message-id"), "message-id")
    if event["event-type"] == "Request":
        record_type, (facts, content) = _REQUEST_RECORD, _read_request(event, cut=record.cut)
    else:
        record_type, (facts, content) = _RESPONSE_RECORD, _read_response(event, cut=record.cut)
    state_time(facts, record.enqueued_at, time_of(event.get("event-time"), record.enqueued_at))
    return Reading(record_type.source, (Fragment(name, record_type, facts, content, record.document()),))


def _read_request(event: Mapping[str, Json], *, cut: bool) -> tuple[Facts, Content]:
    operation = operation_of_id(event.get("operation"))
    body: dict[str, Json] = {}
    for member in ("model", "prompt", "messages"):
        value = event.get(member)
        if value not in (None, ""):
            body[member] = _second(value, cut=cut) if member == "messages" else value
    if "prompt" in body:
        body["prompt"] = _prompt(body["prompt"])
    reading = operations.read_request(body, operation)
    # The policy logs neither the parameters nor whether the call streams.
    facts: Facts = {key: value for key, value in reading.facts.items() if key not in ("parameters", "streamed")}
    facts["has_request"] = True
    if event.get("operation"):
        facts["operation"] = operation or facts.get("operation") or "other"
    state_members(facts, event, _REQUEST)
    note_unknown_operation(facts, event.get("operation"))
    return facts, Content(prompt=reading.text, request=body or None)


def _read_response(event: Mapping[str, Json], *, cut: bool) -> tuple[Facts, Content]:
    operation = operation_of_id(event.get("operation"))
    body: dict[str, Json] = {}
    if event.get("choices") not in (None, ""):
        body["choices"] = _second(event["choices"], cut=cut)
    if text(event.get("model")) is not None:
        body["model"] = event["model"]
    usage = {name: known for name in _USAGE if (known := count(event.get(name))) is not None}
    if usage:
        body["usage"] = usage
    reading = operations.read_response(body, operation=operation)
    facts = reading.facts
    facts["has_response"] = True
    if body:
        # The policy took these out of JSON; a stream makes it fail, and there is no event.
        facts["streamed"] = False
    if event.get("operation"):
        facts.setdefault("operation", "other")
    state_members(facts, event, _RESPONSE)
    taken = text(event.get("modeltime"), 64)
    if taken is not None:
        state(facts, "response_headers", {"openai-processing-ms": taken})
    note_unknown_operation(facts, event.get("operation"))
    return facts, Content(completion=reading.text, response=body or None)


def _second(value: Json, *, cut: bool) -> Json:
    """Parse a JSON text that stands inside a string; of an event that was cut off, as far as it is whole."""
    if not isinstance(value, str):
        return value
    complete = parsed(value)
    return (salvage(value)[0] or value) if cut and complete is value else complete


def _prompt(value: Json) -> Json:
    """Return a prompt: a plain text, unless it is the text of an array of texts or of token ids.

    Source: event formats, section 2.3.
    """
    if not isinstance(value, str) or not value.lstrip().startswith("["):
        return value
    prompts = parsed(value)
    return prompts if isinstance(prompts, list) and prompts and _are_prompts(prompts) else value


def _are_prompts(prompts: list[Json]) -> bool:
    if all(isinstance(prompt, list) for prompt in prompts):
        return all(_are_tokens(prompt) for prompt in prompts)
    return all(isinstance(prompt, str) for prompt in prompts) or _are_tokens(prompts)


def _are_tokens(prompt: list[Json]) -> bool:
    return all(isinstance(token, int) and not isinstance(token, bool) for token in prompt)


SOURCE: Final = Source((_REQUEST_RECORD, _RESPONSE_RECORD), _recognises, _read)
