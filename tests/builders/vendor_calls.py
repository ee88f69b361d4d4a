"""Calls of other vendors' models, written by hand: each streams an answer of 11 + 2 tokens that says `One two.`."""

import base64
import json
from typing import Any, NamedTuple

from tests.builders import events
from tests.builders.azure_monitor import a_gateway_log, an_envelope
from tests.builders.event_stream import an_event_stream, chunks_of
from tests.builders.streams import an_event

__all__ = ["CALLS", "VendorCall", "in_gateway_log", "native_pair", "response_in_parts"]


class VendorCall(NamedTuple):
    """A call whose answer is a stream."""

    url: str
    request: dict[str, Any]
    stream: bytes


_ASKED = "Count to two."
_CONTENTS = {"contents": [{"role": "user", "parts": [{"text": _ASKED}]}]}
_BLOCKS = {"messages": [{"role": "user", "content": [{"text": _ASKED}]}]}
_MESSAGES: list[dict[str, Any]] = [
    {
        "type": "message_start",
        "message": {"id": "msg_1", "type": "message", "model": "claude-x", "content": [],
                    "usage": {"input_tokens": 11, "output_tokens": 1}},
    },
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "One "}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "two."}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
    {"type": "message_stop"},
]  # fmt: skip
_CHUNKS = [
    {
        "candidates": [{"content": {"parts": [{"text": "One "}], "role": "model"}}],
        "usageMetadata": {"promptTokenCount": 11, "candidatesTokenCount": 1, "totalTokenCount": 12},
    },
    {
        "candidates": [{"content": {"parts": [{"text": "two."}], "role": "model"}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 11, "candidatesTokenCount": 2, "totalTokenCount": 13},
    },
]
_CONVERSE = [
    ("messageStart", {"role": "assistant"}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "One "}}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "two."}}),
    ("contentBlockStop", {"contentBlockIndex": 0}),
    ("messageStop", {"stopReason": "end_turn"}),
    ("metadata", {"usage": {"inputTokens": 11, "outputTokens": 2, "totalTokens": 13}}),
]
_LLAMA = [
    {"generation": "One ", "prompt_token_count": 11, "generation_token_count": 1, "stop_reason": None},
    {"generation": "two.", "prompt_token_count": None, "generation_token_count": 2, "stop_reason": "stop"},
]

CALLS: dict[str, VendorCall] = {
    "Anthropic": VendorCall(
        "/anthropic/v1/messages",
        {"model": "claude-x", "max_tokens": 9, "stream": True, "messages": [{"role": "user", "content": _ASKED}]},
        "".join(an_event(event, event["type"]) for event in _MESSAGES).encode(),
    ),
    "Gemini": VendorCall(
        "/v1beta/models/gemini-x:streamGenerateContent?alt=sse", _CONTENTS, "".join(map(an_event, _CHUNKS)).encode()
    ),
    "Gemini, as an array": VendorCall(
        "/v1beta/models/gemini-x:streamGenerateContent", _CONTENTS, json.dumps(_CHUNKS, indent=2).encode()
    ),
    "Bedrock, Converse": VendorCall(
        "/model/amazon.nova-lite-v1%3A0/converse-stream", _BLOCKS, an_event_stream(_CONVERSE)
    ),
    "Bedrock, Claude": VendorCall(
        "/model/anthropic.claude-x/invoke-with-response-stream",
        {"anthropic_version": "bedrock-2023-05-31", "messages": [{"role": "user", "content": _ASKED}]},
        an_event_stream(chunks_of(*_MESSAGES)),
    ),
    "Bedrock, Llama": VendorCall(
        "/model/meta.llama3/invoke-with-response-stream", {"prompt": _ASKED}, an_event_stream(chunks_of(*_LLAMA))
    ),
}


def native_pair(call: VendorCall, name: str, end: int | None = None) -> list[bytes]:
    """Return native events of a call, its answer in base64, cut behind `end` bytes."""
    held = {"body": None, "bodyBase64": base64.b64encode(call.stream[:end]).decode(), "contentType": None}
    return [
        events.a_request(name, url=call.url, body=call.request, deployment=None, operationId="wildcard-post"),
        events.a_response(name, backendUrl=f"https://vendor.example.org{call.url}", **held),
    ]


def response_in_parts(call: VendorCall, name: str, cuts: list[int]) -> list[bytes]:
    """Return the native response cut at any bytes, each part in base64."""
    places = sorted({cut % len(call.stream) for cut in cuts} - {0})
    pieces = [call.stream[a:b] for a, b in zip([0, *places], [*places, len(call.stream)], strict=True)]
    parts = [
        {"index": index, "count": len(pieces), "encoding": "base64", "data": base64.b64encode(piece).decode()}
        for index, piece in enumerate(pieces)
    ]
    url = f"https://vendor.example.org{call.url}"
    return [events.a_response(name, backendUrl=url, body=None, contentType=None, bodyPart=part) for part in parts]


def in_gateway_log(call: VendorCall, name: str, end: int | None = None) -> bytes:
    """Return the log of a call, its answer made a text and cut behind `end` bytes."""
    url = f"https://gw.example.org{call.url}"
    properties = {
        "url": url,
        "backendUrl": url,
        "operationId": "wildcard-post",
        "backendRequestBody": json.dumps(call.request),
        "backendResponseBody": call.stream[:end].decode(errors="replace"),
    }
    return an_envelope(a_gateway_log(name, properties))
