"""What is mutated: events of every source, whole, as their policies send them."""

import base64
import json
from functools import cache
from typing import Any

from localhost.traffic.mix import an_hour
from tests.builders.event_stream import an_event_stream
from tests.builders.events import (
    a_metric,
    a_request,
    a_response,
    a_usage_record,
    an_enterprise_request,
    an_enterprise_response,
)
from tests.builders.other_events import (
    a_howto_event,
    a_pii_record,
    a_toolkit_record,
    an_azureai_record,
    an_http_request,
    an_http_response,
)

__all__ = ["events"]

_TIME = "2026-03-02T09:29:58.1234567Z"
_API_MANAGEMENT = "/SUBSCRIPTIONS/0/RESOURCEGROUPS/RG/PROVIDERS/MICROSOFT.APIMANAGEMENT/SERVICE/APIM-EXAMPLE"
_OPENAI = "/SUBSCRIPTIONS/0/RESOURCEGROUPS/RG/PROVIDERS/MICROSOFT.COGNITIVESERVICES/ACCOUNTS/AOAI-EXAMPLE"
_STREAM = (
    'data: {"choices":[],"id":"","model":"","object":"","prompt_filter_results":[]}\n\n'
    'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":"4"},"finish_reason":null}],"id":"c-1",'
    '"object":"chat.completion.chunk","model":"gpt-4o"}\n\n'
    'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"t","function":{"name":"f","arguments":"{"}}'
    ']},"finish_reason":"stop"}],"id":"c-1","object":"chat.completion.chunk","model":"gpt-4o"}\n\n'
    'data: {"choices":[],"id":"c-1","object":"chat.completion.chunk","usage":{"prompt_tokens":11,"completion_tokens":1,'
    '"total_tokens":12}}\n\ndata: [DONE]\n\n'
)
_RESPONSES = (
    'event: response.created\ndata: {"type":"response.created","sequence_number":0,"response":{"id":"resp_1","object":'
    '"response","status":"in_progress","output":[],"usage":null}}\n\nevent: response.output_text.delta\ndata: {"type":'
    '"response.output_text.delta","sequence_number":1,"item_id":"m","output_index":0,"content_index":0,"delta":"4"}\n\n'
    'event: response.completed\ndata: {"type":"response.completed","sequence_number":2,"response":{"id":"resp_1",'
    '"object":"response","status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"4"}]}'
    '],"usage":{"input_tokens":11,"output_tokens":1,"total_tokens":12,"output_tokens_details":{"reasoning_tokens":0}}}}'
    "\n\n"
)

_AT_ANTHROPIC = "https://api.anthropic.com/v1/messages"
_AT_GOOGLE = "https://generativelanguage.googleapis.com/v1beta/models/gemini-x:streamGenerateContent"
_AT_AMAZON = "https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-lite-v1%3A0/converse-stream"
_MESSAGES = (
    'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","type":"message","model":"claude-x",'
    '"content":[],"usage":{"input_tokens":11,"output_tokens":1}}}\n\nevent: content_block_start\ndata: {"type":'
    '"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\nevent: content_block_delta\ndata: '
    '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"4"}}\n\nevent: message_delta\ndata: '
    '{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}\n\nevent: message_stop\n'
    'data: {"type":"message_stop"}\n\n'
)
_GEMINI = [
    {"candidates": [{"content": {"parts": [{"text": "4"}]}}], "usageMetadata": {"promptTokenCount": 11}},
    {
        "candidates": [{"content": {"parts": [{"functionCall": {"name": "f", "args": {}}}]}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 11, "candidatesTokenCount": 2, "totalTokenCount": 13},
        "modelVersion": "gemini-x",
    },
]
_BINARY = an_event_stream(
    [
        ("messageStart", {"role": "assistant"}),
        ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "4"}}),
        ("messageStop", {"stopReason": "end_turn"}),
        ("metadata", {"usage": {"inputTokens": 11, "outputTokens": 2, "totalTokens": 13}, "trace": {"guardrail": {}}}),
    ]
)


@cache
def events() -> tuple[bytes, ...]:
    """Return the events; always the same, in the same order."""
    part = {"index": 1, "count": 2, "encoding": "base64", "data": base64.b64encode(b'{"messages": [').decode()}
    chat = json.loads(a_response())["body"]
    return (
        a_request(),
        a_response(),
        a_response(body=_STREAM, streamed=True, contentType="text/event-stream"),
        a_response(body=_RESPONSES, streamed=True),
        a_response(body=None, bodyBase64=base64.b64encode(json.dumps(chat).encode()).decode()),
        a_request(body=None, bodyPart=part),
        a_response(body=None, bodyRef={"container": "bodies", "blob": "a/b", "bytes": 300_000, "sha256": "00"}),
        a_request(part="error", status=401, lastError={"source": "validate-jwt", "reason": "TokenExpired"}),
        a_request(url="/openai/v1/responses", body={"model": "gpt-5", "input": [{"role": "user", "content": "2+2?"}]}),
        a_response(body=_MESSAGES, streamed=True, contentType="text/event-stream", backendUrl=_AT_ANTHROPIC),
        a_response(body=_GEMINI, backendUrl=_AT_GOOGLE),
        a_response(body=None, bodyBase64=base64.b64encode(_BINARY).decode(), backendUrl=_AT_AMAZON),
        an_enterprise_request(),
        an_enterprise_response(),
        a_usage_record(),
        a_usage_record("stream-0f0e0d0c-0b0a-4908-8706-050403020100", targetService="Streaming", totalTokens="60"),
        a_pii_record(),
        a_toolkit_record(),
        an_azureai_record(),
        json.dumps({"records": [a_howto_event(response=json.dumps(chat)), a_howto_event("call-2")]}).encode(),
        an_http_request(),
        an_http_response(),
        a_metric(),
        _records(_gateway_log(), _llm_log()),
        _records(_gateway_log(properties={"url": _AT_AMAZON, "backendResponseBody": _BINARY.decode(errors="replace")})),
        _records(_request_response(), _gateway_log(category="GatewayLogs2")),
        *(event.event.body for event in an_hour(48, 1)),
    )


def _records(*records: dict[str, Any]) -> bytes:
    return json.dumps({"records": records}).encode()


def _gateway_log(**changes: Any) -> dict[str, Any]:
    asked = json.dumps({"messages": [{"role": "user", "content": "2+2?"}]})
    properties = {
        "method": "POST",
        "url": "https://apim-example.azure-api.net/openai/deployments/chat/chat/completions?api-version=2024-10-21",
        "responseCode": 200,
        "responseSize": 900,
        "backendResponseCode": 200,
        "backendMethod": "POST",
        "backendUrl": "https://aoai-example.openai.azure.com/openai/deployments/chat/chat/completions",
        "apiId": "azure-openai",
        "operationId": "ChatCompletions_Create",
        "apimSubscriptionId": "team-a",
        "requestBody": asked,
        "responseBody": json.dumps(json.loads(a_response())["body"]),
        "backendResponseBody": _STREAM,
    }
    return {
        "time": _TIME,
        "category": "GatewayLogs",
        "resourceId": _API_MANAGEMENT,
        "operationName": "Microsoft.ApiManagement/GatewayLogs",
        "correlationId": "0f0e0d0c-0b0a-4908-8706-050403020100",
        "callerIpAddress": "203.0.113.7",
        "durationMs": 750,
        "isRequestSuccess": True,
        "location": "West Europe",
        "properties": properties,
    } | changes


def _llm_log() -> dict[str, Any]:
    return {
        "time": _TIME,
        "category": "GatewayLlmLogs",
        "resourceId": _API_MANAGEMENT,
        "correlationId": "0f0e0d0c-0b0a-4908-8706-050403020100",
        "properties": {
            "sequenceNumber": 0,
            "promptTokens": 11,
            "completionTokens": 1,
            "totalTokens": 12,
            "isStreamCompletion": False,
            "modelName": "gpt-4o",
            "deploymentName": "chat",
            "requestMessages": '[{"role":"user","content":"2+2?"}]',
            "responseMessages": '[{"role":"assistant","content":"4"}]',
        },
    }


def _request_response() -> dict[str, Any]:
    inner = {
        "apiName": "Azure OpenAI API version 2024-10-21",
        "requestTime": 638450000000000000,
        "requestLength": 120,
        "responseTime": 638450000007000000,
        "responseLength": 300,
        "objectId": "",
        "streamType": "Non-Streaming",
        "modelDeploymentName": "chat",
        "modelName": "gpt-4o",
        "modelVersion": "2024-11-20",
    }
    return {
        "time": _TIME,
        "resourceId": _OPENAI,
        "category": "RequestResponse",
        "operationName": "ChatCompletions_Create",
        "callerIPAddress": "203.0.113.***",
        "correlationId": "0f0e0d0c-0b0a-4908-8706-050403020100",
        "durationMs": 700,
        "resultSignature": "200",
        "location": "westeurope",
        "Tenant": "westeurope",
        "properties": json.dumps(inner),
    }
