"""Azure Monitor's records, and native bodies in parts, written by hand after the formats' specification."""

import base64
import json
from typing import Any

from tests.builders.events import a_request, a_response

__all__ = [
    "CALL",
    "SERVICE_CALL",
    "a_gateway_log",
    "a_model_log",
    "a_request_response",
    "a_request_usage",
    "an_envelope",
    "in_parts",
    "model_rows",
]

CALL = "11111111-2222-4333-8444-555555555555"
SERVICE_CALL = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"

_APIM = "/SUBSCRIPTIONS/S/RESOURCEGROUPS/R/PROVIDERS/MICROSOFT.APIMANAGEMENT/SERVICE/APIM-EXAMPLE"
_ACCOUNT = "/SUBSCRIPTIONS/S/RESOURCEGROUPS/R/PROVIDERS/MICROSOFT.COGNITIVESERVICES/ACCOUNTS/AOAI-EXAMPLE"
_URL = "openai/deployments/chat/chat/completions?api-version=2024-10-21"


def an_envelope(*records: dict[str, Any]) -> bytes:
    """Return records as Azure Monitor sends them."""
    return json.dumps({"records": list(records)}).encode()


def a_gateway_log(call: str = CALL, properties: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """Return a GatewayLogs record of a chat call of 11 + 1 tokens, bodies logged."""
    asked = {"messages": [{"role": "user", "content": "What is two and two?"}], "temperature": 0}
    answered = {
        "id": "chatcmpl-example",
        "object": "chat.completion",
        "model": "gpt-4o-2024-11-20",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Four."}}],
        "usage": {"prompt_tokens": 11, "completion_tokens": 1, "total_tokens": 12},
    }
    return {
        "time": "2026-03-02T09:29:58.2501234Z",
        "category": "GatewayLogs",
        "operationName": "Microsoft.ApiManagement/GatewayLogs",
        "Level": 4,
        "isRequestSuccess": True,
        "resultType": "Succeeded",
        "durationMs": 750,
        "callerIpAddress": "203.0.113.7",
        "correlationId": call,
        "location": "Sweden Central",
        "resourceId": _APIM,
        "truncated": 0,
        "properties": {
            "apiId": "azure-openai",
            "operationId": "ChatCompletions_Create",
            "productId": "standard",
            "apimSubscriptionId": "team-a",
            "method": "POST",
            "url": f"https://gw.example.org/{_URL}",
            "requestSize": 120,
            "responseSize": 300,
            "responseCode": 200,
            "backendId": "openai-1",
            "backendMethod": "POST",
            "backendUrl": f"https://aoai-example.openai.azure.com/{_URL}",
            "backendResponseCode": 200,
            "backendTime": 700,
            "cache": "none",
            "backendRequestBody": json.dumps(asked),
            "backendResponseBody": json.dumps(answered),
            **(properties or {}),
        },
        **changes,
    }


def a_model_log(call: str = CALL, **properties: Any) -> dict[str, Any]:
    """Return a GatewayLlmLogs record: the row of figures unless `properties` say otherwise."""
    figures = {
        "sequenceNumber": 0,
        "deploymentName": "chat",
        "modelName": "gpt-4o-2024-11-20",
        "isStreamCompletion": True,
        "promptTokens": 120,
        "completionTokens": 30,
        "totalTokens": 150,
    }
    return {
        "time": "2026-03-02T09:29:59.1234567Z",
        "category": "GatewayLlmLogs",
        "correlationId": call,
        "Region": "swedencentral",
        "resourceId": _APIM,
        "properties": properties or figures,
    }


def model_rows(call: str, *, asked: str, answered: str, size: int) -> list[dict[str, Any]]:
    """Return the rows of a call: figures, then both texts in pieces of `size` characters."""
    pieces = [("requestMessages", asked[start : start + size]) for start in range(0, len(asked), size)]
    pieces += [("responseMessages", answered[start : start + size]) for start in range(0, len(answered), size)]
    return [a_model_log(call)] + [
        a_model_log(call, sequenceNumber=number, **{side: piece}) for number, (side, piece) in enumerate(pieces, 1)
    ]


def a_request_response(call: str = SERVICE_CALL, *, as_text: bool = True, **properties: Any) -> dict[str, Any]:
    """Return a RequestResponse record of Azure OpenAI's own log."""
    told = {
        "apiName": "Azure OpenAI API version 2024-10-21",
        "requestTime": 639080405985000000,  # 2026-03-02T09:29:58.500Z
        "requestLength": 118,
        "responseTime": 639080405991000000,
        "responseLength": 290,
        "objectId": "",
        "streamType": "Non-Streaming",
        "modelDeploymentName": "chat",
        "modelName": "gpt-4o",
        "modelVersion": "2024-11-20",
        **properties,
    }
    return {
        "Tenant": "swedencentral",
        "time": "2026-03-02T09:30:01.0000000Z",
        "resourceId": _ACCOUNT,
        "category": "RequestResponse",
        "operationName": "ChatCompletions_Create",
        "durationMs": 600,
        "callerIpAddress": "198.51.100.***",
        "correlationId": call,
        "resultSignature": "200",
        "event": "ShoeboxCallResult",
        "location": "swedencentral",
        "properties": json.dumps(told) if as_text else told,
    }


def a_request_usage(call: str = SERVICE_CALL) -> dict[str, Any]:
    """Return an AzureOpenAIRequestUsage record: each count an array of one."""
    return {
        "time": "2026-03-02T09:30:02.0000000Z",
        "resourceId": _ACCOUNT,
        "category": "AzureOpenAIRequestUsage",
        "event": "ShoeboxAzureOpenAIRequestUsage",
        "correlationId": call,
        "properties": json.dumps({"promptTokens": [11], "cachedTokens": [4], "generatedTokens": [2]}),
    }


def in_parts(call: str, body: Any, count: int, *, part: str = "request", encoding: str = "utf-8") -> list[bytes]:
    """Return a native event whose body, JSON or text or bytes, is cut into `count` events."""
    text = body if isinstance(body, str) else json.dumps(body) if not isinstance(body, bytes) else ""
    if encoding == "base64":
        text = base64.b64encode(body if isinstance(body, bytes) else text.encode()).decode()
    size = -(-len(text) // count)
    build = a_request if part == "request" else a_response
    return [
        build(
            call,
            body=None,
            bodyPart={
                "index": index,
                "count": count,
                "encoding": encoding,
                "data": text[index * size : (index + 1) * size],
            },
        )
        for index in range(count)
    ]
