"""Calls that arrive at the gateway, with one thing changed."""

import json
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from tests.gateway.context import Api, Body, Context, Deployment, Named, Operation, Request, Url
from tests.gateway.dotnet import ReadOnly
from tests.gateway.policies import V2_BUFFER, Answer, Gateway

__all__ = [
    "CHAT",
    "COMPLETION",
    "ID",
    "NAMED",
    "NULLS",
    "QUESTION",
    "TOKEN",
    "a_call",
    "a_gateway",
    "a_stream",
    "an_answer",
    "with_null",
]

ID = "6f9619ff-8b86-4011-b42d-00c04fc964ff"
CHAT = "/deployments/{deployment-id}/chat/completions"
QUESTION = json.dumps(
    {"messages": [{"role": "user", "content": "Grüße, 2 + 2? \N{GRINNING FACE}"}], "temperature": 0}, ensure_ascii=False
).encode()
COMPLETION = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "gpt-4o-2024-11-20",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "4"}}],
        "usage": {"prompt_tokens": 11, "completion_tokens": 1, "total_tokens": 12},
    }
).encode()
TOKEN = {
    "oid": ["oid-1"],
    "appid": ["app-1"],
    "upn": ["ada@example.org"],
    "tid": ["tenant-1"],
    "groups": ["group-1", "group-2"],
}
NAMED = {
    "promptledger-logger": "promptledger",
    "content-account": "https://content.blob.example/",
    "content-container": "claim-checks",
    "openai-audience": "https://cognitiveservices.azure.com",
    "audit-audience": "api://promptledger",
    "gateway-client-id": "gateway-1",
    "tenant-id": "tenant-1",
    "capture-claim-check": "true",
    "capture-calls-per-minute": "600",
    "ownership": "subscription",
    "ownership-unknown": "adopt",
    "query-keys": "refuse",
    "budgets": "off",
    "budgets-url": "https://promptledger.example/",
}


def a_gateway(
    *answers: Answer, claim_check: bool = True, named: dict[str, str] | None = None, **changes: Any
) -> Gateway:
    """Return a gateway with our named values, some of them changed, and the answers of its backends, in order."""
    named = NAMED | {"capture-claim-check": "true" if claim_check else "false"} | (named or {})
    settings: dict[str, Any] = {"token": TOKEN, "answers": list(answers or [an_answer()]), "named": named}
    return Gateway(**(settings | changes))


def an_answer(content: bytes = COMPLETION, status: int = 200, **changes: Any) -> Answer:
    """Return a JSON answer after 700 ms, with its length told."""
    headers = {"Content-Type": "application/json", "Content-Length": str(len(content))}
    settings: dict[str, Any] = {"headers": headers, "after_ms": 700}
    return Answer(status, content, **(settings | changes))


def a_stream(**changes: Any) -> Answer:
    """Return an event stream that is still being made."""
    settings: dict[str, Any] = {"headers": {"Content-Type": "text/event-stream; charset=utf-8"}, "live": True}
    return Answer(200, b"data: [DONE]\n\n", **(settings | changes))


def a_call(
    content: bytes | None = QUESTION,
    *,
    method: str = "POST",
    url: str = "/openai/deployments/chat/chat/completions?api-version=2024-10-21",
    template: str = CHAT,
    headers: dict[str, str] | None = None,
    told: bool = True,
    address: str | None = "203.0.113.7",
    **changes: Any,
) -> Context:
    """Return the context of a chat call with a team's subscription."""
    path, _, query = url.partition("?")
    sent = {"Content-Type": "application/json", **(headers or {})}
    if content is not None and told:
        sent.setdefault("Content-Length", str(len(content)))
    pairs: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        pairs.setdefault(name, []).append(value)
    segments = list(zip(reversed(template.partition("?")[0].split("/")), reversed(path.split("/")), strict=False))
    matched = {name[1:-1]: value for name, value in segments if name.startswith("{")}
    request = Request(
        method,
        Url("https", "gateway.example", path.removeprefix("/openai"), ReadOnly(pairs, any_case=True)),
        Url("https", "gateway.example", path, ReadOnly(pairs, any_case=True)),
        ReadOnly({name: [value] for name, value in sent.items()}, any_case=True),
        address,
        ReadOnly(matched),
        None if content is None else Body(content, V2_BUFFER),
    )
    settings: dict[str, Any] = {
        "product": Named("standard"),
        "subscription": Named("team-a"),
        "api": Api("azure-openai"),
        "operation": Operation("ChatCompletions_Create", template),
    }
    return Context(UUID(ID), request, Deployment("apim-example", "West Europe"), **(settings | changes))


NULLS = ["query", "api-version", "header", "path", "parameter", "deployment", "names", "method", "body"]
"""What may be null in a call, as far as the types of `context` say."""


def with_null(context: Context, what: str) -> Context:
    """Return the call with one of `NULLS` so."""
    request = context.request
    if what == "query":
        request.original_url.query = ReadOnly({"flag": None, "other": [None], "api-version": ["1"]}, any_case=True)
    elif what == "api-version":
        request.original_url.query = ReadOnly({"api-version": None}, any_case=True)
    elif what == "header":
        odd = {"x-tag-none": None, "x-tag-half": [None], "X-Forwarded-For": None, "Accept": None, "Content-Type": None}
        request.headers = ReadOnly({**request.headers.items, **odd, "x-session-id": None}, any_case=True)
    elif what == "path":
        request.original_url.path = request.url.path = None
    elif what == "parameter":
        request.matched_parameters = ReadOnly({"deployment-id": None})
    elif what == "deployment":
        context.deployment = None
    elif what == "names":
        context.deployment = Deployment(None, None)
        context.product = context.subscription = context.user = Named(None)
    elif what == "method":
        request.method = None
    else:
        assert what == "body"
        request.body = Body(None, V2_BUFFER)
    return context
