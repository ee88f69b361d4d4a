"""Source `azure-monitor`, hub `monitor`: the gateway's and the service's own logs of calls that others report too."""

from typing import Any, Final

import orjson

from localhost.traffic.calls import Call, Sent, api_path, iso
from localhost.traffic.dice import Dice

__all__ = ["events", "service_log"]

_LOGGED_BYTES: Final = 8192
_ROOT: Final = "/SUBSCRIPTIONS/00000000-0000-4000-6000-000000000001/RESOURCEGROUPS/RG-GATEWAY/PROVIDERS"
_APIM: Final = f"{_ROOT}/MICROSOFT.APIMANAGEMENT/SERVICE/APIM-EXAMPLE"
_ACCOUNT: Final = f"{_ROOT}/MICROSOFT.COGNITIVESERVICES/ACCOUNTS/AOAI-EXAMPLE"
_TICKS_BEFORE_1970: Final = 621_355_968_000_000_000
_DELAY_MS: Final = (60_000, 240_000)


def events(call: Call, dice: Dice) -> list[Sent]:
    """Return what the diagnostic settings of API Management and of Azure OpenAI say of a call."""
    records = [_gateway_log(call), *_model_logs(call)]
    return [_envelope(call, dice, records), service_log(call, dice)]


def service_log(call: Call, dice: Dice) -> Sent:
    """Return what Azure OpenAI itself logs, for calls around the gateway too."""
    properties = {
        "apiName": "Azure OpenAI API version 2024-10-21",
        "requestTime": _ticks(call.started_at),
        "requestLength": len(orjson.dumps(call.request)),
        "responseTime": _ticks(call.started_at + call.backend_ms),
        "responseLength": len(_answer_bytes(call)),
        "objectId": "",
        "streamType": "Streaming" if call.stream else "Non-Streaming",
        "modelDeploymentName": call.deployment.name,
        "modelName": call.deployment.model.rpartition("-20")[0] or call.deployment.model,
        "modelVersion": call.deployment.model[-10:],
    }
    record = {
        "Tenant": call.caller.team.region.replace(" ", "").lower(),
        "time": iso(call.started_at + call.backend_ms),
        "resourceId": _ACCOUNT,
        "category": "RequestResponse",
        "operationName": call.operation.id,
        "durationMs": call.backend_ms,
        "callerIpAddress": call.caller.ip.rpartition(".")[0] + ".***",
        "correlationId": call.service_id,
        "resultSignature": "200",
        "event": "ShoeboxCallResult",
        "location": call.caller.team.region.replace(" ", "").lower(),
        "properties": orjson.dumps(properties).decode(),
    }
    return _envelope(call, dice, [record])


def _gateway_log(call: Call) -> dict[str, Any]:
    path = api_path(call)
    return {
        "time": iso(call.started_at),
        "category": "GatewayLogs",
        "operationName": "Microsoft.ApiManagement/GatewayLogs",
        "Level": 4,
        "isRequestSuccess": True,
        "resultType": "Succeeded",
        "durationMs": call.backend_ms + 8,
        "callerIpAddress": call.caller.ip,
        "correlationId": call.id,
        "location": call.caller.team.region,
        "resourceId": _APIM,
        "truncated": 0,
        "properties": {
            "apiId": "azure-openai",
            "operationId": call.operation.id,
            "productId": call.caller.team.product_id,
            "apimSubscriptionId": call.caller.team.subscription_id,
            "method": "POST",
            "url": f"https://apim-example.azure-api.net{path}",
            "requestSize": len(orjson.dumps(call.request)),
            "responseSize": len(_answer_bytes(call)),
            "responseCode": 200,
            "backendMethod": "POST",
            "backendUrl": f"https://aoai-example.openai.azure.com{path}",
            "backendResponseCode": 200,
            "backendTime": call.backend_ms,
            "cache": "none",
            "responseHeaders": {"apim-request-id": call.service_id},
            "backendRequestBody": orjson.dumps(call.request)[:_LOGGED_BYTES].decode(errors="ignore"),
            "backendResponseBody": _answer_bytes(call)[:_LOGGED_BYTES].decode(errors="ignore"),
        },
    }


def _model_logs(call: Call) -> list[dict[str, Any]]:
    """Return the rows of a chat call: its figures, then its texts."""
    if "messages" not in call.request:
        return []
    usage = call.response["usage"]
    messages = [choice["message"] for choice in call.response["choices"]]
    rows: list[dict[str, Any]] = [
        {
            "deploymentName": call.deployment.name,
            "modelName": call.deployment.model,
            "isStreamCompletion": call.stream is not None,
            "promptTokens": usage["prompt_tokens"],
            "completionTokens": usage["completion_tokens"],
            "totalTokens": usage["total_tokens"],
        },
        {"requestMessages": orjson.dumps(call.request["messages"]).decode()},
        {"responseMessages": orjson.dumps(messages).decode()},
    ]
    return [
        {
            "time": iso(call.started_at + call.backend_ms),
            "category": "GatewayLlmLogs",
            "correlationId": call.id,
            "resourceId": _APIM,
            "properties": {"sequenceNumber": number, **row},
        }
        for number, row in enumerate(rows)
    ]


def _answer_bytes(call: Call) -> bytes:
    return orjson.dumps(call.response) if call.stream is None else call.stream.encode()


def _ticks(milliseconds: int) -> int:
    return _TICKS_BEFORE_1970 + milliseconds * 10_000


def _envelope(call: Call, dice: Dice, records: list[dict[str, Any]]) -> Sent:
    # Azure Monitor takes minutes, but not beyond the hour that this traffic is of.
    at = call.started_at + call.backend_ms + dice.between(*_DELAY_MS)
    end = call.started_at - call.started_at % 3_600_000 + 3_600_000
    return Sent(min(at, end + dice.between(1, 20_000)), "monitor", None, None, orjson.dumps({"records": records}))
