"""Category GatewayLogs of API Management -> one fragment per record."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from shared import operations
from shared.domain.facts import state, state_members
from shared.domain.fragment import Content, Fragment
from shared.domain.interaction import Facts, Provenance
from shared.domain.record_types import Observer, Precedence, RecordType
from shared.domain.unknown_words import carry
from shared.domain.values import Json, count, number, text
from shared.operations import withhold_from_request, withhold_from_response
from shared.operations.api import Target
from shared.operations.encodings import form_of, inflate
from shared.operations.operation_names import note_unknown_operation, operation_of_id
from shared.operations.targets import host_of, target_of, without_secrets
from shared.operations.withheld import withhold_from_stream
from shared.sources.azure_monitor_log import Log, table
from shared.sources.bodies import json_in
from shared.sources.gateway import (
    allowed_headers,
    correlation_ids_of_answer,
    is_cached,
    kept_headers,
    note_unknown_headers,
    refused,
    spillover_facts,
    state_target,
)

__all__ = ["RECORD_TYPES", "read_gateway_log"]

_LOG_RECORD: Final = RecordType(
    source="azure-monitor",
    part="gateway log",
    letter="G",
    provenance=Provenance.REPORTED,
    precedence=Precedence(general=40, request=30, error=40, time=30, model=20, prompt=30, cache=10),
    observer=Observer.GATEWAY,
    tells_start=True,
)
_CUT_LOG_RECORD: Final = RecordType(
    source="azure-monitor",
    part="gateway log with a body cut off",
    letter="g",
    provenance=Provenance.REPORTED,
    precedence=Precedence(general=90, request=40, error=50, time=40, model=30, prompt=50, cache=20),
    observer=Observer.GATEWAY,
    tells_start=True,
)


RECORD_TYPES: Final = (_LOG_RECORD, _CUT_LOG_RECORD)

_MEMBERS: Final = table(
    method="method",
    api_id="apiId",
    operation_id="operationId",
    caller_ip="callerIpAddress",
    subscription_id="apimSubscriptionId",
    product_id="productId",
    user_id="userId",
    request_bytes="requestSize",
    response_bytes="responseSize",
    http_status="responseCode",
    backend_id="backendId",
    backend_ms="backendTime",
    latency_ms="durationMs",
    gateway_name="serviceName",
    gateway_region="region",
)
# Logs of before 2019 name some members otherwise.
_OLDER: Final = table(subscription_id="subscriptionId", gateway_region="location", latency_ms="totalTime")

_BACKEND: Final = ("backendurl", "backendid", "backendmethod", "backendresponsecode", "backendtime")
"""What is logged where a backend was asked."""

_BODY_BYTES: Final = 8192
"""API Management logs no more of a body."""


class _Body(NamedTuple):
    json: Json = None
    """The parsed body, the fields of a form, or its text when it is neither; None when it was not logged."""
    cut: bool = False
    is_form: bool = False


def read_gateway_log(log: Log) -> tuple[Fragment, ...]:
    """Return what a GatewayLogs record says of its call.

    Raises:
        EventError: it names no call.
    """
    name = log.interaction()
    facts: Facts = {"has_request": True, "has_response": True}
    log.state_time(facts)
    state_members(facts, log.members, _OLDER)
    state_members(facts, log.members, _MEMBERS)
    if "gateway_name" not in facts:
        state(facts, "gateway_name", log.resource())
    target = _state_target(facts, log)
    _state_backend(facts, log)
    is_backend_called = any(log.members.get(name) is not None for name in _BACKEND)
    hit = str(log.members.get("cache")).strip().lower() == "hit"
    state(facts, "cached", hit or is_cached(facts.get("http_status"), is_backend_called=is_backend_called))
    headers = _headers(facts, log)
    state(facts, "response_headers", headers)
    facts |= spillover_facts(headers)
    request = _body(log, ("backendrequestbody", "requestbody"), withhold_from_request)
    response = _body(log, ("backendresponsebody", "responsebody"), withhold_from_response)
    content = _state_bodies(facts, request, response, headers)
    state_target(facts, target)
    _state_error(facts, log)
    record_type = _LOG_RECORD
    if request.cut or response.cut or log.record.cut:
        record_type, facts["truncated"] = _CUT_LOG_RECORD, True
    correlation_ids = correlation_ids_of_answer(facts.get("response_id"), headers)
    return (Fragment(name, record_type, facts, content, log.record.document(), correlation_ids=correlation_ids),)


def _state_target(facts: Facts, log: Log) -> Target:
    """State what the URLs tell, and return the one that names the operation.

    The backend's stands in where the client's is of the gateway's own making.
    """
    for member in ("url", "backendurl"):
        url = log.members.get(member)
        if isinstance(url, str) and (stripped := without_secrets(url)) != url:
            log.put(member, stripped)
    target, backend = target_of(log.members.get("url")), target_of(log.members.get("backendurl"))
    operation = target.operation or backend.operation or operation_of_id(facts.get("operation_id"))
    if operation is not None:
        facts["operation"] = operation
    if target.operation is None and backend.operation is None:
        note_unknown_operation(facts, facts.get("operation_id"))
    state(facts, "path", target.path or backend.path)
    state(facts, "deployment", target.deployment or backend.deployment)
    state(facts, "api_version", target.api_version or backend.api_version)
    state(facts, "backend_host", host_of(log.members.get("backendurl")))
    return target if target.operation else backend


def _state_backend(facts: Facts, log: Log) -> None:
    attempt = {
        "backendId": text(log.members.get("backendid")),
        "status": count(log.members.get("backendresponsecode")),
        "ms": number(log.members.get("backendtime")),
    }
    if attempt["status"] is not None:
        state(facts, "attempts", [{name: value for name, value in attempt.items() if value is not None}])


def _headers(facts: Facts, log: Log) -> dict[str, str]:
    """Return the allowed headers of the answer, and keep no other header of either side."""
    headers: dict[str, str] = {}
    for member in ("requestheaders", "backendrequestheaders", "responseheaders", "backendresponseheaders"):
        value = log.members.get(member)
        if value is None:
            continue
        if not isinstance(value, dict):
            log.put(member, None)
            continue
        if (kept := kept_headers(value)) is not value:
            log.put(member, kept)
        if "response" in member:
            headers |= allowed_headers(value) or {}
            note_unknown_headers(facts, map(str.lower, value))
    return headers


def _body(log: Log, members: tuple[str, ...], withhold: Callable[[Json], bool]) -> _Body:
    """Return the best of a side's two bodies: the backend's, unless only the client's is whole."""
    best = _Body()
    for member in members:
        value = log.members.get(member)
        if isinstance(value, str) and (plain := inflate(value)) is not None:
            log.put(member, plain)
            value = plain
        body = _read_body(value)
        # Of the files in a form no byte is kept.
        if withhold(body.json) or body.is_form or (isinstance(body.json, str) and body.json != value):
            log.put(member, body.json)
            log.record.cut |= body.cut
        if best.json is None or (best.cut and not body.cut and body.json is not None):
            best = body
    return best


def _read_body(value: Json) -> _Body:
    if not isinstance(value, str):
        return _Body(value)
    if not value.strip():
        return _Body()
    if (read := json_in(value)) is not None:
        return _Body(*read)
    # What follows the limit is lost, of a stream too.
    cut = len(value) >= _BODY_BYTES or len(value.encode("utf-8", "replace")) >= _BODY_BYTES
    form = form_of(value)
    return _Body(withhold_from_stream(value), cut) if form is None else _Body(form, cut, is_form=True)


def _state_bodies(facts: Facts, request_body: _Body, response_body: _Body, headers: Mapping[str, str]) -> Content:
    request = operations.read_request(request_body.json, facts.get("operation"), cut=request_body.cut)
    response = operations.read_response(
        response_body.json,
        operation=facts.get("operation"),
        status=facts.get("http_status"),
        reason=None,
        context=operations.request_context(request_body.json, cut=request_body.cut, deployment=facts.get("deployment")),
        headers=headers,
    )
    if response.facts.get("model") == request.facts.get("requested_model"):
        # An answer that only repeats the request does not say who served: another record may.
        response.facts.pop("model", None)
    if "operation" in facts and "operation" in request.facts:
        # Some paths name a model and not what is asked of it.
        facts["operation"] = request.facts["operation"]
    # The path knows the operation better than a body's shape; the body knows its model.
    carry(facts, request.facts, response.facts)
    for name, value in {**request.facts, **response.facts}.items():
        facts.setdefault(name, value)
    if isinstance(response_body.json, dict):
        # Many requests do not say it, and many have no body; an object is no stream.
        facts.setdefault("streamed", False)
    facts.setdefault("operation", "other")
    return Content(request.text, response.text, request_body.json, response.body or response_body.json)


def _state_error(facts: Facts, log: Log) -> None:
    last = _last_error(log.members)
    if not last:
        return
    status = facts.get("http_status")
    if count(log.members.get("backendresponsecode")) is None:
        # The answer was the gateway's own, which says less than the error does.
        state(facts, "error_code", last.get("reason"))
        state(facts, "error_message", last.get("message"))
        if status is not None:
            facts["gateway_refused"] = refused(status, last)
    if "error_code" not in facts:
        state(facts, "error_code", last.get("reason") or status)
    if "error_message" not in facts:
        state(facts, "error_message", last.get("message"))


def _last_error(members: Mapping[str, Json]) -> dict[str, Json]:
    """Return API Management's last error: an object, or flattened as in Log Analytics."""
    value = members.get("lasterror")
    if isinstance(value, dict):
        return {name.lower(): value for name, value in value.items()}
    flat = {name: members.get(f"lasterror{name}") for name in ("source", "reason", "message", "section")}
    return {name: value for name, value in flat.items() if value is not None}
