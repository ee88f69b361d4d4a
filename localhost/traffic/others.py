"""The policies of others, each in its own form: enterprise logging, AI Hub Gateway, the toolkit, and the small ones."""

from typing import Any, Final

import orjson

from localhost.traffic.calls import Call, Sent, api_path, iso, net_text
from localhost.traffic.dice import Dice

__all__ = [
    "ai_hub_gateway",
    "enterprise_azureai",
    "enterprise_logging",
    "how_to",
    "personal_data",
    "raw_http",
    "toolkit",
]

_LOGGED_CHARACTERS: Final = 1024
_PARTITION: Final = "0"
"""The policy names it, so every such event is there."""


def enterprise_logging(call: Call, dice: Dice) -> list[Sent]:
    """Return request and response of the older policy, indented and with texts in strings.

    When the service refused the call, the policy sends no response.
    """
    request = Sent(
        call.started_at + dice.between(3, 60), "gateway", _PARTITION, None, _net_json(_enterprise_request(call))
    )
    if dice.chance(0.01):
        return [request]
    ended_at = call.started_at + call.backend_ms
    return [
        request,
        Sent(
            ended_at + dice.between(3, 60), "gateway", _PARTITION, None, _net_json(_enterprise_response(call, ended_at))
        ),
    ]


def ai_hub_gateway(call: Call, dice: Dice) -> list[Sent]:
    """Return the one usage record of AI Hub Gateway, without any text."""
    usage, team = call.response["usage"], call.caller.team
    ended_at = call.started_at + call.backend_ms
    location = team.region.replace(" ", "")
    record = {
        "id": call.response.get("id") or call.id,
        "timestamp": net_text(ended_at),
        "appId": team.app_id,
        "subscriptionId": team.subscription_id,
        "productName": f"OAI-{team.product_id.title()}",
        "targetService": call.operation.object,
        "model": call.deployment.model,
        "gatewayName": "apim-example",
        "gatewayRegion": team.region,
        "aiGatewayId": "managed",
        "RequestIp": call.caller.ip,
        "operationName": call.operation.display_name,
        "sessionId": "NA",
        "endUserId": "NA",
        "backendId": "openai-backend-0",
        "routeLocation": location.lower(),
        "routeName": location,
        "deploymentName": call.deployment.name,
        "promptTokens": usage["prompt_tokens"],
        "responseTokens": usage.get("completion_tokens", 0),
        "totalTokens": usage["total_tokens"],
    }
    body = orjson.dumps(record, option=orjson.OPT_INDENT_2)
    return [Sent(ended_at + dice.between(3, 60), "gateway", None, None, body)]


def toolkit(call: Call, dice: Dice) -> list[Sent]:
    """Return the one usage record of apim-genai-gateway-toolkit."""
    record = _how_to(call) | {
        "Type": "Message",
        "GatewayId": "managed",
        "SubscriptionId": call.caller.team.subscription_id,
        "TotalTokens": str(call.response["usage"]["total_tokens"]),
    }
    return [_event(call, dice, orjson.dumps(record, option=orjson.OPT_INDENT_2))]


def enterprise_azureai(call: Call, dice: Dice) -> list[Sent]:
    """Return the one usage record of enterprise-azureai, a key in it as that policy writes it."""
    record = {
        "timestamp": net_text(call.started_at + call.backend_ms),
        "appId": call.caller.team.app_id,
        "appSubscriptionKey": f"sample-{dice.letters(25)}",
        "promptTokens": "null",
        "responseTokens": "null",
        "totalTokens": "null",
    }
    return [_event(call, dice, orjson.dumps(record, option=orjson.OPT_INDENT_2))]


def how_to(call: Call, dice: Dice) -> list[Sent]:
    """Return the one event of API Management's how-to, wrapped and with the answer as some do it."""
    event = _how_to(call)
    if dice.chance(0.5):
        answer = orjson.dumps(call.response).decode()
        return [_event(call, dice, orjson.dumps({"records": [event | {"response": answer}]}))]
    return [_event(call, dice, orjson.dumps(event, option=orjson.OPT_INDENT_2))]


def raw_http(call: Call, dice: Dice) -> list[Sent]:
    """Return request and response as the monitoring sample writes them."""
    question, answer = orjson.dumps(call.request), orjson.dumps(call.response)
    request = (
        f"request:{call.id}\nPOST {api_path(call)} HTTP/1.1\r\nHost: apim-example.azure-api.net\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(question)}\r\n\r\n"
        f"{question.decode()[:_LOGGED_CHARACTERS]}"
    )
    response = (
        f"response:{call.id}\nHTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(answer)}\r\n\r\n{answer.decode()[:_LOGGED_CHARACTERS]}"
    )
    first = Sent(call.started_at + dice.between(3, 60), "gateway", None, None, request.encode())
    return [first, _event(call, dice, response.encode())]


def personal_data(call: Call, dice: Dice) -> list[Sent]:
    """Return a record of what AI Hub Gateway did about a name."""
    name = "Maria Muster"
    question = orjson.dumps(call.request | {"user": name}).decode()
    answer = orjson.dumps(call.response).decode()
    hidden = question.replace(name, "<Person_0>")
    team = call.caller.team
    called = {
        "id": call.operation.id,
        "name": call.operation.display_name,
        "method": "POST",
        "urlTemplate": f"/deployments/{{deployment-id}}/{call.operation.path}",
    }
    content = {
        "originalRequest": question,
        "anonymizedRequest": hidden,
        "originalResponse": answer,
        "deanonymizedResponse": answer,
    }
    record: dict[str, Any] = {
        "id": dice.guid(),
        "timestamp": iso(call.started_at + call.backend_ms)[:-1] + "0000Z",
        "type": "PII_Processing",
        "targetDeployment": call.deployment.name,
        "context": {
            "api": {"id": "azure-openai", "name": "Azure OpenAI", "operation": called, "content": content},
            "product": {"id": team.product_id, "name": f"OAI-{team.product_id.title()}"},
            "subscription": {"id": team.subscription_id, "name": team.subscription_id},
        },
        "process": {
            "anonymizationEnabled": True,
            "confidenceThreshold": 0.8,
            "entityCategoryExclusions": "",
            "deanonymizationPerformed": True,
        },
        "entityCount": 1,
        "entityCategories": {"Person": 1},
        "mappings": [{"original": name, "placeholder": "<Person_0>"}],
    }
    return [_event(call, dice, orjson.dumps(record, option=orjson.OPT_INDENT_2))]


def _how_to(call: Call) -> dict[str, Any]:
    return {
        "EventTime": net_text(call.started_at + call.backend_ms),
        "ServiceName": "apim-example",
        "RequestId": call.id,
        "RequestIp": call.caller.ip,
        "OperationName": call.operation.display_name,
    }


def _event(call: Call, dice: Dice, body: bytes) -> Sent:
    return Sent(call.started_at + call.backend_ms + dice.between(3, 60), "gateway", None, None, body)


def _enterprise_request(call: Call) -> dict[str, Any]:
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


def _enterprise_response(call: Call, ended_at: int) -> dict[str, Any]:
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
