"""Source `promptledger/1`: what our own API Management policy reports, a request and a response part."""

from typing import Any, Final

import orjson

from localhost.traffic import findings
from localhost.traffic.calls import Call, Sent, api_path
from localhost.traffic.dice import Dice
from localhost.traffic.streams import streamed
from localhost.traffic.times import iso

__all__ = ["events"]

_REFUSAL: Final = "The response was filtered due to the prompt triggering Azure OpenAI's content management policy."
_LIMITED: Final = {
    "error": {
        "code": "429",
        "message": "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024-10-21 have "
        "exceeded token rate limit of your current OpenAI S0 pricing tier. Please retry after 22 seconds.",
    }
}
_BAD_GATEWAY: Final = "<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>"
_NO_KEY: Final = "Access denied due to missing subscription key. Make sure to include subscription key."
_NO_TOKENS_LEFT: Final = "Token limit is exceeded. Try again in 25 seconds."


def events(call: Call, dice: Dice) -> list[Sent]:
    """Return the call's two parts; of a call that API Management refused, its one error part."""
    fraction = dice.fraction()
    # The first thousandths of the calls fail, each range in its way.
    if fraction < 0.008:
        return [_error(call, dice, 401, "SubscriptionKeyNotFound", _NO_KEY)]
    if fraction < 0.016:
        return [_error(call, dice, 429, "TokenLimitExceeded", _NO_TOKENS_LEFT)]
    if fraction < 0.03:
        return [_request(call, dice), _response(call, dice, 400, "Bad Request", _filtered(dice))]
    if fraction < 0.045:
        return [_request(call, dice), _response(call, dice, 429, "Too Many Requests", _LIMITED)]
    if fraction < 0.049:
        return [_request(call, dice), _response(call, dice, 502, "Bad Gateway", _BAD_GATEWAY)]
    if "messages" in call.request and dice.chance(0.3):
        _stream(call, dice)
    return [_request(call, dice), _response(call, dice, 200, "OK", call.stream or call.response)]


def _filtered(dice: Dice) -> dict[str, Any]:
    return {
        "error": {
            "message": _REFUSAL,
            "type": None,
            "param": "prompt",
            "code": "content_filter",
            "status": 400,
            "innererror": {
                "code": "ResponsibleAIPolicyViolation",
                "content_filter_result": findings.that_refuse(dice),
            },
        }
    }


def _stream(call: Call, dice: Dice) -> None:
    """Let the client have asked for a stream, and two in three for its usage."""
    call.request["stream"] = True
    with_usage = dice.chance(0.67)
    if with_usage:
        call.request["stream_options"] = {"include_usage": True}
    call.stream = streamed(call.response, dice, with_usage=with_usage)


def _request(call: Call, dice: Dice) -> Sent:
    body = orjson.dumps(call.request)
    caller = call.caller
    fields = _common(call, "request", call.started_at) | {
        "identity": {
            "oid": caller.object_id,
            "appId": caller.team.app_id,
            "upn": caller.name,
            "tenantId": "00000000-0000-4000-7000-000000000001",
        },
        "userId": caller.name.partition("@")[0].replace(".", "-"),
        "tags": {"costCentre": caller.team.subscription_id.removesuffix("-sub")},
        "size": len(body),
        "contentType": "application/json",
        "body": orjson.Fragment(body),
    }
    return _sent(call, fields, call.started_at + dice.between(3, 60))


def _response(call: Call, dice: Dice, status: int, reason: str, answer: dict[str, Any] | str) -> Sent:
    backend_ms = call.backend_ms if status == 200 else dice.between(5, 40)
    total_ms = backend_ms + dice.between(2, 12)
    ended_at = call.started_at + total_ms
    is_text = isinstance(answer, str)
    is_stream = answer is call.stream
    body = answer.encode() if isinstance(answer, str) else orjson.dumps(answer)
    backend = f"aoai-{call.caller.team.region.replace(' ', '').lower()}"
    fields = {
        "schema": "promptledger/1",
        "interactionId": call.id,
        "part": "response",
        "time": iso(ended_at),
        "status": status,
        "reason": reason,
        "backendId": backend,
        "backendUrl": f"https://{backend}.openai.azure.com{api_path(call)}",
        "attempts": [{"backendId": backend, "status": status, "ms": backend_ms}],
        "timings": {"totalMs": total_ms, "backendMs": backend_ms},
        "headers": {"apim-request-id": call.service_id, "x-ms-region": call.caller.team.region},
        "streamed": is_stream,
        "size": len(body),
        "contentType": "text/event-stream" if is_stream else "text/html" if is_text else "application/json",
        "body": answer if is_text else orjson.Fragment(body),
    }
    return _sent(call, fields, ended_at + dice.between(3, 60))


def _error(call: Call, dice: Dice, status: int, reason: str, message: str) -> Sent:
    fields = _common(call, "error", call.started_at) | {
        "status": status,
        "lastError": {
            "source": "authorization" if status == 401 else "llm-token-limit",
            "reason": reason,
            "message": message,
            "section": "inbound",
        },
    }
    if status == 401:
        del fields["subscriptionId"], fields["productId"]
    return _sent(call, fields, call.started_at + dice.between(3, 60))


def _common(call: Call, part: str, at: int) -> dict[str, Any]:
    return {
        "schema": "promptledger/1",
        "interactionId": call.id,
        "part": part,
        "time": iso(at),
        "method": "POST",
        "url": api_path(call),
        "apiId": "azure-openai",
        "operationId": call.operation.id,
        "deployment": call.deployment.name,
        "apiVersion": "2024-10-21",
        "callerIp": call.caller.ip,
        "subscriptionId": call.caller.team.subscription_id,
        "productId": call.caller.team.product_id,
        "gateway": {"name": "apim-example", "region": call.caller.team.region},
    }


def _sent(call: Call, fields: dict[str, Any], at: int) -> Sent:
    return Sent(at, "gateway", None, call.id, orjson.dumps(fields))
