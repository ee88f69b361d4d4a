"""Source `enterprise-logging`: request and response pairs of the older policy, indented and with texts in strings."""

from typing import Any, Final

import orjson

from localhost.traffic.calls import Call, Sent
from localhost.traffic.dice import Dice
from localhost.traffic.times import net_text

__all__ = ["events"]

_PARTITION: Final = "0"
"""The policy names it, so every such event is there."""


def events(call: Call, dice: Dice) -> list[Sent]:
    """Return the call's pair. When the service refused the call, the policy sends no response."""
    request = Sent(call.started_at + dice.between(3, 60), "gateway", _PARTITION, None, _net_json(_request(call)))
    if dice.chance(0.01):
        return [request]
    ended_at = call.started_at + call.backend_ms
    return [
        request,
        Sent(ended_at + dice.between(3, 60), "gateway", _PARTITION, None, _net_json(_response(call, ended_at))),
    ]


def _request(call: Call) -> dict[str, Any]:
    messages = call.request.get("messages")
    return {
        "event-type": "Request",
        "event-time": net_text(call.started_at),
        "backend": "apim-example.azure-api.net",
        "message-id": call.id,
        "operation": call.operation.id,
        "model": None,
        "prompt": call.request.get("prompt"),
        "messages": None if messages is None else _net_json(messages).decode(),
    }


def _response(call: Call, ended_at: int) -> dict[str, Any]:
    usage = call.response["usage"]
    fields: dict[str, Any] = {
        "event-type": "Response",
        "event-time": net_text(ended_at),
        "backend": f"aoai-{call.caller.team.region.replace(' ', '').lower()}.openai.azure.com",
        "message-id": call.id,
    }
    if "choices" in call.response:
        fields["choices"] = _net_json(call.response["choices"]).decode()
    fields |= {
        "operation": call.operation.id,
        "apiId": "azure-openai",
        "productId": call.caller.team.product_id,
        "model": call.deployment.model,
        "modeltime": "",
    }
    if "completion_tokens" in usage:
        fields["completion_tokens"] = str(usage["completion_tokens"])
    return fields | {"prompt_tokens": str(usage["prompt_tokens"]), "total_tokens": str(usage["total_tokens"])}


def _net_json(value: object) -> bytes:
    """Return JSON as .NET's `JObject.ToString()` writes it on Windows: two spaces, CRLF."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).replace(b"\n", b"\r\n")
