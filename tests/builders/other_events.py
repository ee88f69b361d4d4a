"""Events of policies that others published, written by hand after the format's specification."""

import json
from typing import Any

__all__ = [
    "a_howto_event",
    "a_pii_record",
    "a_toolkit_record",
    "an_azureai_record",
    "an_http_request",
    "an_http_response",
]

GUID = "0f0e0d0c-0b0a-4908-8706-050403020100"
SECRET = "0123456789abcdef" * 2


def a_toolkit_record(request_id: str = GUID, **changes: Any) -> bytes:
    """Return a usage record of 150 tokens."""
    return json.dumps(
        {
            "Type": "Message",
            "EventTime": "3/2/2026 9:28:07 AM",
            "ServiceName": "apim-example",
            "GatewayId": "managed",
            "RequestId": request_id,
            "RequestIp": "203.0.113.9",
            "OperationName": "Creates a completion for the chat message",
            "SubscriptionId": "team-a-sub",
            "TotalTokens": "150",
        }
        | changes
    ).encode()


def an_azureai_record(**changes: Any) -> bytes:
    """Return a usage record with the caller's key in it."""
    return json.dumps(
        {
            "timestamp": "3/2/2026 9:28:07 AM",
            "appId": "app-7",
            "appSubscriptionKey": SECRET,
            "promptTokens": "null",
            "responseTokens": "null",
            "totalTokens": "null",
        }
        | changes,
        indent=2,
    ).encode()


def a_howto_event(request_id: str = GUID, **changes: Any) -> dict[str, Any]:
    """Return an event of API Management's how-to."""
    return {
        "EventTime": "3/2/2026 9:28:07 AM",
        "ServiceName": "apim-example",
        "RequestId": request_id,
        "RequestIp": "203.0.113.9",
        "OperationName": "Creates a completion for the chat message",
    } | changes


def a_pii_record(record_id: str = GUID, content: dict[str, Any] | None = None, **changes: Any) -> bytes:
    """Return a record of a chat call in which a name was replaced."""
    asked = {"messages": [{"role": "user", "content": "Who is <Person_0>?"}], "user": "ada@example.org"}
    answer = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "gpt-4o-2024-11-20",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "<Person_0>."}}],
        "usage": {"prompt_tokens": 11, "completion_tokens": 1, "total_tokens": 12},
    }
    bodies = {
        "originalRequest": json.dumps(asked).replace("<Person_0>", "Ada Lovelace"),
        "anonymizedRequest": json.dumps(asked),
        "originalResponse": json.dumps(answer),
        "deanonymizedResponse": json.dumps(answer).replace("<Person_0>", "Ada Lovelace"),
    }
    called = {
        "id": "ChatCompletions_Create",
        "name": "Creates a completion for the chat message",
        "method": "POST",
        "urlTemplate": "/deployments/{deployment-id}/chat/completions",
    }
    return json.dumps(
        {
            "id": record_id,
            "timestamp": "2026-03-02T09:28:07.1234567Z",
            "type": "PII_Processing",
            "targetDeployment": "chat",
            "context": {
                "api": {
                    "id": "azure-openai",
                    "name": "Azure OpenAI",
                    "operation": called,
                    "content": content or bodies,
                },
                "product": {"id": "oai-team-a", "name": "OAI Team A"},
                "subscription": {"id": "unknown", "name": "unknown"},
            },
            "process": {"anonymizationEnabled": True, "confidenceThreshold": 0.8, "deanonymizationPerformed": True},
            "entityCount": 1,
            "entityCategories": {"Person": 1},
            "mappings": [{"original": "Ada Lovelace", "placeholder": "<Person_0>"}],
        }
        | changes
    ).encode()


def an_http_request(
    message_id: str = GUID,
    body: str | None = None,
    headers: str = "",
    path: str = "/openai/deployments/chat/chat/completions",
) -> bytes:
    """Return a request as text."""
    asked = json.dumps({"messages": [{"role": "user", "content": "2+2?"}], "temperature": 0})
    return (
        f"request:{message_id}\n"
        f"POST {path}?api-version=2024-10-21&api-key={SECRET} HTTP/1.1\r\n"
        f"Host: apim-example.azure-api.net\r\nContent-Length: 71\r\nContent-Type: application/json\r\n{headers}\r\n"
        f"{asked if body is None else body}"
    ).encode()


def an_http_response(message_id: str = GUID, body: str | None = None) -> bytes:
    """Return a response as text."""
    answer = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "gpt-4o-2024-11-20",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "4"}}],
        "usage": {"prompt_tokens": 11, "completion_tokens": 1, "total_tokens": 12},
    }
    return (
        f"response:{message_id}\nHTTP/1.1 200 OK\r\nContent-Length: 300\r\nContent-Type: application/json\r\n\r\n"
        f"{json.dumps(answer) if body is None else body}"
    ).encode()
