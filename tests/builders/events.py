"""Events as the sources send them, written by hand after the format's specification."""

import json
from typing import Any

from shared.domain.delivery import Delivery, Position

__all__ = [
    "a_delivery",
    "a_request",
    "a_response",
    "a_usage_record",
    "an_enterprise_request",
    "an_enterprise_response",
    "deliveries",
    "poison",
]

ENQUEUED = "2026-03-02T09:30:00.000Z"


def _event(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode()


def a_request(interaction_id: str = "call-1", **changes: Any) -> bytes:
    """Return a native request part of a chat call."""
    return _event(
        {
            "schema": "promptledger/1",
            "interactionId": interaction_id,
            "part": "request",
            "time": "2026-03-02T09:29:58.250Z",
            "method": "POST",
            "url": "/openai/deployments/chat/chat/completions?api-version=2024-10-21",
            "apiId": "azure-openai",
            "operationId": "ChatCompletions_Create",
            "callerIp": "203.0.113.7",
            "subscriptionId": "team-a",
            "productId": "standard",
            "identity": {"oid": "oid-1", "appId": "app-1", "upn": "ada@example.org", "tenantId": "contoso"},
            "size": 120,
            "contentType": "application/json",
            "body": {"messages": [{"role": "user", "content": "What is two and two?"}], "temperature": 0},
        }
        | changes
    )


def a_response(interaction_id: str = "call-1", **changes: Any) -> bytes:
    """Return a native response part with a chat completion of 11 + 1 tokens."""
    return _event(
        {
            "schema": "promptledger/1",
            "interactionId": interaction_id,
            "part": "response",
            "time": "2026-03-02T09:29:59.000Z",
            "status": 200,
            "reason": "OK",
            "backendId": "openai-1",
            "backendUrl": "https://aoai-example.openai.azure.com/openai/deployments/chat/chat/completions",
            "attempts": [{"backendId": "openai-1", "status": 200, "ms": 700}],
            "timings": {"totalMs": 750, "backendMs": 700},
            "streamed": False,
            "size": 300,
            "contentType": "application/json",
            "body": {
                "id": "chatcmpl-example",
                "object": "chat.completion",
                "created": 1772443799,
                "model": "gpt-4o-2024-11-20",
                "choices": [
                    {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Four."}}
                ],
                "usage": {"prompt_tokens": 11, "completion_tokens": 1, "total_tokens": 12},
            },
        }
        | changes
    )


def an_enterprise_request(message_id: str = "0f0e0d0c-0b0a-4908-8706-050403020100", **changes: Any) -> bytes:
    """Return a format A Request."""
    messages = json.dumps([{"role": "user", "content": "2+2?"}], indent=2)
    return _event(
        {
            "event-type": "Request",
            "event-time": "3/2/2026 9:29:58 AM",
            "backend": "gw-example.azure-api.net",
            "message-id": message_id,
            "operation": "ChatCompletions_Create",
            "model": None,
            "prompt": None,
            "messages": messages.replace("\n", "\r\n"),
        }
        | changes
    )


def an_enterprise_response(message_id: str = "0f0e0d0c-0b0a-4908-8706-050403020100", **changes: Any) -> bytes:
    """Return a format A Response of 11 + 1 tokens."""
    choices = [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "4"}}]
    return _event(
        {
            "event-type": "Response",
            "event-time": "3/2/2026 9:29:59 AM",
            "backend": "aoai-example.openai.azure.com",
            "message-id": message_id,
            "choices": json.dumps(choices, indent=2),
            "operation": "ChatCompletions_Create",
            "apiId": "azure-openai",
            "productId": "team-a",
            "model": "gpt-4o-mini-2024-07-18",
            "modeltime": "",
            "completion_tokens": "1",
            "prompt_tokens": "11",
            "total_tokens": "12",
        }
        | changes
    )


def a_usage_record(record_id: str = "chatcmpl-Example0001", **changes: Any) -> bytes:
    """Return a format B usage record of 120 + 30 tokens."""
    return _event(
        {
            "id": record_id,
            "timestamp": "3/2/2026 9:28:07 AM",
            "appId": "app-7",
            "subscriptionId": "team-a-sub",
            "productName": "OAI-Team-A",
            "targetService": "chat.completion",
            "model": "gpt-4o-2024-11-20",
            "gatewayName": "apim-example",
            "gatewayRegion": "Sweden Central",
            "aiGatewayId": "managed",
            "RequestIp": "203.0.113.9",
            "operationName": "Creates a completion for the chat message",
            "sessionId": "NA",
            "endUserId": "NA",
            "backendId": "openai-backend-0",
            "routeLocation": "swedencentral",
            "routeName": "SwedenCentral",
            "deploymentName": "chat",
            "promptTokens": 120,
            "responseTokens": 30,
            "totalTokens": 150,
        }
        | changes
    )


def a_metric() -> bytes:
    """Return an Azure Monitor metric record: it speaks of no call."""
    record = {"count": 3, "total": 3, "metricName": "Requests", "timeGrain": "PT1M", "time": "2026-03-02T09:29:00Z"}
    return _event({"records": [record]})


def poison() -> bytes:
    """Return bytes that no source sends."""
    return b"time,service,request id,ip,operation"


def a_delivery(body: bytes, sequence: int = 0, *, partition: str = "0", hub: str = "gateway") -> Delivery:
    """Return `body` at a position."""
    return Delivery(Position(hub, partition, sequence, ENQUEUED), body)


def deliveries(*bodies: bytes, first: int = 0, partition: str = "0") -> list[Delivery]:
    """Return `bodies` as one partition's batch, in a row."""
    return [a_delivery(body, first + offset, partition=partition) for offset, body in enumerate(bodies)]
