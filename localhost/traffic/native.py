"""Source `promptledger/1`: what our own API Management policy reports, a request and a response part."""

from typing import Any, Final

import orjson

from localhost.traffic.calls import Call, Sent, api_path, iso, refusal_annotations
from localhost.traffic.dice import Dice

__all__ = ["both_parts", "events"]

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
        return [_request(call, dice), _response(call, dice, 400, "Bad Request", _refusal(dice))]
    if fraction < 0.045:
        return [_request(call, dice), _response(call, dice, 429, "Too Many Requests", _LIMITED)]
    if fraction < 0.049:
        return [_request(call, dice), _response(call, dice, 502, "Bad Gateway", _BAD_GATEWAY)]
    if "messages" in call.request and dice.chance(0.3):
        _stream(call, dice)
    return both_parts(call, dice)


def both_parts(call: Call, dice: Dice) -> list[Sent]:
    """Return the two parts of a call that the service answers."""
    return [_request(call, dice), _response(call, dice, 200, "OK", call.stream or call.response)]


def _refusal(dice: Dice) -> dict[str, Any]:
    return {
        "error": {
            "message": _REFUSAL,
            "type": None,
            "param": "prompt",
            "code": "content_filter",
            "status": 400,
            "innererror": {
                "code": "ResponsibleAIPolicyViolation",
                "content_filter_result": refusal_annotations(dice),
            },
        }
    }


def _stream(call: Call, dice: Dice) -> None:
    """Let the client want a stream, and two in three its usage."""
    call.request["stream"] = True
    with_usage = dice.chance(0.67)
    if with_usage:
        call.request["stream_options"] = {"include_usage": True}
    call.stream = _stream_of(call.response, dice, with_usage=with_usage)


def _stream_of(answer: dict[str, Any], dice: Dice, *, with_usage: bool) -> str:
    """Return a chat completion as chunks of a few words; usage only where the client wants it."""
    common = {name: answer[name] for name in ("id", "created", "model")} | {"object": "chat.completion.chunk"}
    filters: dict[str, Any] = {"id": "", "created": 0, "model": "", "object": "", "choices": []}
    chunks: list[dict[str, Any]] = [filters | {"prompt_filter_results": answer["prompt_filter_results"]}]
    for choice in answer["choices"]:
        message, index = choice["message"], choice["index"]
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
        words = (message["content"] or "").split(" ")
        at = 0
        while message["content"] and at < len(words):
            end = at + dice.between(1, 6)
            deltas.append({"content": " ".join(words[at:end]) + (" " if end < len(words) else "")})
            at = end
        for place, call in enumerate(message.get("tool_calls", ())):
            function = call["function"]
            half = len(function["arguments"]) // 2
            deltas.append({"tool_calls": [call | {"index": place, "function": function | {"arguments": ""}}]})
            halves = (function["arguments"][:half], function["arguments"][half:])
            deltas += [{"tool_calls": [{"index": place, "function": {"arguments": text}}]} for text in halves]
        chunks += [
            common | {"choices": [{"index": index, "delta": delta, "finish_reason": None, "logprobs": None}]}
            for delta in deltas
        ]
        last = {"index": index, "delta": {}, "finish_reason": choice["finish_reason"], "content_filter_results": {}}
        chunks.append(common | {"choices": [last]})
    if with_usage:
        chunks.append(common | {"choices": [], "usage": answer["usage"]})
    return "".join([f"data: {orjson.dumps(chunk).decode()}\n\n" for chunk in chunks]) + "data: [DONE]\n\n"


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
    return _event(call, fields, call.started_at + dice.between(3, 60))


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
    return _event(call, fields, ended_at + dice.between(3, 60))


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
    return _event(call, fields, call.started_at + dice.between(3, 60))


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


def _event(call: Call, fields: dict[str, Any], at: int) -> Sent:
    return Sent(at, "gateway", None, call.id, orjson.dumps(fields))
