"""The policies of others: the toolkit, enterprise-azureai, API Management's samples, records of personal data."""

from typing import Any

import orjson

from localhost.traffic.calls import Call, Sent, api_path
from localhost.traffic.dice import Dice
from localhost.traffic.times import iso, net_text

__all__ = ["enterprise_azureai", "how_to", "personal_data", "raw_http", "toolkit"]

_LOGGED_CHARACTERS = 1024


def toolkit(call: Call, dice: Dice) -> list[Sent]:
    """Return the one usage record of apim-genai-gateway-toolkit."""
    record = _how_to(call) | {
        "Type": "Message",
        "GatewayId": "managed",
        "SubscriptionId": call.caller.team.subscription_id,
        "TotalTokens": str(call.response["usage"]["total_tokens"]),
    }
    return [_sent(call, dice, orjson.dumps(record, option=orjson.OPT_INDENT_2))]


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
    return [_sent(call, dice, orjson.dumps(record, option=orjson.OPT_INDENT_2))]


def how_to(call: Call, dice: Dice) -> list[Sent]:
    """Return the one event of API Management's how-to, wrapped and with the answer as some do it."""
    event = _how_to(call)
    if dice.chance(0.5):
        answer = orjson.dumps(call.response).decode()
        return [_sent(call, dice, orjson.dumps({"records": [event | {"response": answer}]}))]
    return [_sent(call, dice, orjson.dumps(event, option=orjson.OPT_INDENT_2))]


def raw_http(call: Call, dice: Dice) -> list[Sent]:
    """Return request and response as the monitoring sample writes them."""
    asked, answered = orjson.dumps(call.request), orjson.dumps(call.response)
    request = (
        f"request:{call.id}\nPOST {api_path(call)} HTTP/1.1\r\nHost: apim-example.azure-api.net\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(asked)}\r\n\r\n{asked.decode()[:_LOGGED_CHARACTERS]}"
    )
    response = (
        f"response:{call.id}\nHTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(answered)}\r\n\r\n{answered.decode()[:_LOGGED_CHARACTERS]}"
    )
    begun = Sent(call.started_at + dice.between(3, 60), "gateway", None, None, request.encode())
    return [begun, _sent(call, dice, response.encode())]


def personal_data(call: Call, dice: Dice) -> list[Sent]:
    """Return a record of what AI Hub Gateway did about a name."""
    name = "Maria Muster"
    asked = orjson.dumps(call.request | {"user": name}).decode()
    answer = orjson.dumps(call.response).decode()
    hidden = asked.replace(name, "<Person_0>")
    team = call.caller.team
    called = {
        "id": call.operation.id,
        "name": call.operation.display_name,
        "method": "POST",
        "urlTemplate": f"/deployments/{{deployment-id}}/{call.operation.path}",
    }
    content = {
        "originalRequest": asked,
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
    return [_sent(call, dice, orjson.dumps(record, option=orjson.OPT_INDENT_2))]


def _how_to(call: Call) -> dict[str, Any]:
    return {
        "EventTime": net_text(call.started_at + call.backend_ms),
        "ServiceName": "apim-example",
        "RequestId": call.id,
        "RequestIp": call.caller.ip,
        "OperationName": call.operation.display_name,
    }


def _sent(call: Call, dice: Dice, body: bytes) -> Sent:
    return Sent(call.started_at + call.backend_ms + dice.between(3, 60), "gateway", None, None, body)
