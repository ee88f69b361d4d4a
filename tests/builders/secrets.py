# ruff: noqa: E501  # a table: each place in a line
"""Made-up secrets in every form that we know, and events of every source with a place for one."""

import base64
import json
import random
import string
from collections.abc import Callable
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shared.stores.sql import tables
from shared.stores.sql.packing import unpacked
from tests.builders import events, other_events
from tests.builders.azure_monitor import a_gateway_log, a_model_log, a_request_response, an_envelope, in_parts
from tests.builders.event_stream import an_event_stream, chunks_of

__all__ = ["PLACES", "QUERIES", "URLS", "Form", "Place", "all_that_is_stored", "forms"]

_WORD = string.ascii_letters + string.digits


class Form(NamedTuple):
    """A secret in the form in which somebody writes it."""

    name: str
    value: Any
    """Text, or JSON that holds it."""
    secrets: tuple[str, ...]
    """What must be nowhere afterwards."""

    @property
    def text(self) -> str:
        """Return it as a text."""
        return self.value if isinstance(self.value, str) else json.dumps(self.value)


def forms(seed: int) -> list[Form]:  # noqa: PLR0915  # a table
    """Return every form, with new secrets."""
    dice = random.Random(seed)  # not for secrets that keep anything

    def word(length: int, letters: str = _WORD) -> str:
        return "".join(dice.choices(letters, k=length - 1)) + dice.choice(string.digits)

    made: list[Form] = []

    def by_look(name: str, *parts: str, wrapped: str = "{}", secret: str | None = None) -> None:
        told = "".join(parts)
        made.append(Form(name, wrapped.format(told), (secret or told,)))

    def by_name(name: str) -> None:
        told = word(18)
        made.append(Form(f"member {name}", {name: told}, (told,)))

    hexadecimal = "0123456789abcdef"
    base64_letters = _WORD + "+/"
    by_look("OpenAI", "sk-proj-", word(48))
    by_look("Anthropic", "sk-ant-api03-", word(60))
    by_look("Google", "AIza", word(35))
    by_look("AWS", "AKIA", word(16, string.ascii_uppercase + string.digits))
    by_look("AWS, temporary", "ASIA", word(16, string.ascii_uppercase + string.digits))
    by_look("Google, since 2025", "AQ.", word(50))
    by_look("Google, client's secret", "GOCSPX-", word(28))
    by_look("Google, for an hour", "ya29.", word(90))
    by_look("Google, for an hour, of a service", "ya29.c.", word(90, _WORD + "_-"), secret=None)
    by_look("Google, bearer", word(60), wrapped="Bearer ya29.a0{}")
    by_look("Bedrock", "ABSK", word(110, base64_letters), "=")
    by_look("Bedrock, bearer", word(110, base64_letters), wrapped="Bearer ABSK{}")
    by_look("Bedrock, for hours", "bedrock-api-key-", word(300, base64_letters), "==")
    by_look("Bedrock, for hours, bearer", word(90, base64_letters), wrapped="Bearer bedrock-api-key-{}")
    scope = "20260302/us-east-1/bedrock/aws4_request"
    for name, scheme, order in (
        ("AWS, signed", "AWS4-HMAC-SHA256", "Credential={id}/{scope}, SignedHeaders=host;x-amz-date, Signature={told}"),
        ("AWS, signed, no spaces", "AWS4-HMAC-SHA256", "Credential={id}/{scope},SignedHeaders=host,Signature={told}"),
        ("AWS, signed, another order", "AWS4-HMAC-SHA256", "SignedHeaders=host, Signature={told}, Credential={id}/x"),
        ("AWS, signed for all regions", "AWS4-ECDSA-P256-SHA256", "Credential={id}/x, Signature={told}"),
    ):  # fmt: skip
        access, told = "AKIA" + word(16, string.ascii_uppercase + string.digits), word(64, hexadecimal)
        text = f"{scheme} {order.format(id=access, scope=scope, told=told)}"
        made.append(Form(name, text, (access, told)))
        made.append(Form(f"{name}, as a member", {"Authorization": text}, (access, told)))
    by_look("AWS, presigned", word(64, hexadecimal), wrapped="https://b.example.org/x?X-Amz-Date=1&X-Amz-Signature={}")
    by_look(
        "AWS, presigned, encoded", word(64, hexadecimal), wrapped="to=https%3A%2F%2Fb%2Fx%3FX-Amz-Signature%3D{}%26a"
    )
    by_look("AWS, session", word(200), wrapped="https://b.example.org/x?X-Amz-Date=1&X-Amz-Security-Token={}&a=1")
    by_look(
        "Google, presigned", word(64, hexadecimal), wrapped="https://b.example.org/x?X-Goog-Date=1&X-Goog-Signature={}"
    )
    by_look("GitHub", "ghp_", word(36))
    by_look("GitHub, fine", "github_pat_", word(40))
    by_look("realtime", "ek_", word(32))
    by_look("Azure OpenAI", word(52), "JQQJ99", word(26))
    by_look("storage", word(86, base64_letters), "==")
    by_look("service bus", word(33, base64_letters), "+ASbA", word(5), "=")
    by_look("search", word(42), "AzSeA", word(5))
    by_look("app registration", word(3), "8Q~", word(34))
    by_look("JWT", "eyJ", word(30), ".eyJ", word(60), ".", word(43))
    by_look("JWT, cut", "eyJhbGciOiJSUzI1NiIs", word(60))
    by_look("PEM", word(64), wrapped="-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n")
    by_look("bearer", word(40), wrapped="Bearer {}")
    by_look("basic", base64.b64encode(f"user:{word(16)}".encode()).decode(), wrapped="Basic {}")
    by_look("shared key", word(44), wrapped="SharedKey account:{}")
    by_look("AWS signature", word(64, hexadecimal), wrapped="AWS4-HMAC-SHA256 Credential=x/y, Signature={}")
    by_look("SAS header", word(40), wrapped="SharedAccessSignature sr=a&sig={}&se=1&skn=k")
    by_look("SAS", word(40), wrapped="https://account.blob.example.net/c/b?sv=2024-11-04&sig={}&se=2030")
    by_look("user of a URL", word(20), wrapped="https://user:{}@host.example.org/path")
    by_look("token of a URL", word(20), wrapped="https://{}@host.example.org/path")
    by_look("spoken", word(32, hexadecimal), wrapped="my key is {} keep it")
    for parameter in (
        "api-key",
        "key",
        "subscription-key",
        "code",
        "sig",
        "access_token",
        "client_secret",
        "Ocp-Apim-Subscription-Key",
    ):
        by_look(f"parameter {parameter}", word(20), wrapped="https://h.example.org/x?a=1&" + parameter + "={}&b=2")
    by_look("form", word(20), wrapped="grant_type=client_credentials&client_secret={}&scope=x")
    by_look(
        "AccountKey", word(30), wrapped="DefaultEndpointsProtocol=https;AccountName=a;AccountKey={};EndpointSuffix=x"
    )
    by_look(
        "SharedAccessKey", word(30), wrapped="Endpoint=sb://x/;SharedAccessKeyName=n;SharedAccessKey={};EntityPath=e"
    )
    by_look("Password=", word(12), wrapped="Server=x;User Id=u;Password={};Encrypt=yes")
    by_look("Pwd=", word(12), wrapped="Server=x;Uid=u;Pwd={};Encrypt=yes")
    for name in (
        "api-key", "apiKey", "api_key", "x-api-key", "x-goog-api-key", "x-functions-key", "ocp-apim-subscription-key",
        "Ocp-Apim-Subscription-Key", "subscription-key", "subscriptionKey", "appSubscriptionKey", "authorization",
        "Authorization", "proxy-authorization", "x-ms-authorization", "x-ms-authorization-auxiliary",
        "x-ms-backend-authorization", "authorization_token", "aeg-sas-key", "aeg-sas-token", "cookie", "Set-Cookie",
        "x-amz-security-token", "x-auth-token", "client_secret", "clientSecret", "password", "access_token",
        "refresh_token", "id_token", "connection_string", "ConnectionString", "AccountKey", "SharedAccessKey",
        "X-Amz-Signature", "X-Amz-Credential", "sessionToken", "aws_session_token", "SecretAccessKey",
        "aws_secret_access_key", "anthropic-api-key", "X-Goog-IAM-Authorization-Token",
        "embedding_key", "key_or_token", "client_assertion", "sas_token",
    ):  # fmt: skip
        by_name(name)
    shapes: dict[str, Callable[[str], Any]] = {
        "header array": lambda told: {"headers": [{"name": "Host", "value": "h"}, {"name": "api-key", "value": told}]},
        "header array, capitals": lambda told: {"headers": [{"Name": "X-Api-Key", "Value": [told]}]},
        "header array, value first": lambda told: {"headers": [{"value": told, "name": "authorization"}]},
        "header array, more between": lambda told: {"headers": [{"name": "api-key", "on": True, "value": told}]},
        "pairs": lambda told: {"headers": [["host", "h"], ["api-key", told]]},
        "flat pairs": lambda told: {"rawHeaders": ["host", "h", "api-key", told, "accept", "x"]},
        "lists of values": lambda told: {"headers": {"Host": ["h"], "Api-Key": [told, "z"]}},
        "client_secret": lambda told: {"client_secret": {"value": told, "expires_at": 1}},
        "client_secrets": lambda told: {"value": told, "expires_at": 1, "session": {"model": "gpt-realtime"}},
        "data source": lambda told: {
            "data_sources": [{"parameters": {"authentication": {"type": "api_key", "key": told}}}]
        },
        "data source, encoded": lambda told: {
            "data_sources": [{"parameters": {"authentication": {"type": "encoded_api_key", "encoded_api_key": told}}}]
        },
        "MCP servers of Anthropic": lambda told: {
            "mcp_servers": [{"type": "url", "url": "https://m.example.org", "authorization_token": told}]
        },
        "MCP servers of Gemini": lambda told: {
            "tools": [{"mcpServers": [{"streamableHttpTransport": {"headers": {"Authorization": f"Bearer {told}"}}}]}]
        },
        "MCP servers of Gemini, snake": lambda told: {
            "mcp_servers": [{"streamable_http_transport": {"headers": {"authorization": "bearer " + told}}}]
        },
        "MCP server of an interaction": lambda told: {
            "tools": [{"type": "mcp_server", "headers": {"Authorization": f"Bearer {told}"}}]
        },
        "a quote inside": lambda told: {"password": f'a"b\\{told}', "n": 1},
        "JSON in JSON": lambda told: {"x": json.dumps({"y": json.dumps({"api-key": told})})},
        "quotes escaped by .NET": lambda told: {"x": json.dumps({"api-key": told}).replace('"', "\\u0022")},
        "percent-encoded JSON": lambda told: {"x": "%7B%22api-key%22%3A%22" + told + "%22%7D"},
        "header line": lambda told: {"x": f"POST / HTTP/1.1\r\nHost: h\r\napi-key: {told}\r\n\r\n"},
        "cookie line": lambda told: {"x": f"GET / HTTP/1.1\r\nCookie: session={told}; theme=dark\r\n\r\n"},
        "curl": lambda told: {"x": f'curl -H "api-key: {told}" https://h.example.org'},
    }  # fmt: skip
    for name, shape in shapes.items():
        told = word(20)
        made.append(Form(name, shape(told), (told,)))
    return made


def _call(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


class Place(NamedTuple):
    """Where in an event a form stands."""

    name: str
    event: Callable[[str, Form], bytes | list[bytes]]
    """Call and form -> the event, or its parts."""
    texts_only: bool = False
    """Only what is a text fits here."""


def _event(**members: Any) -> bytes:
    return json.dumps(members).encode()


def _chat(text: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}], "temperature": 0}


def _answer(text: Any, **changes: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    return {"id": "chatcmpl-1", "object": "chat.completion", "model": "gpt-4o", "choices": [choice]} | changes


def _stream(text: str) -> str:
    chunk = {"id": "c", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": text}}]}
    return f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n"


def _encoded(value: Any) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


_MESSAGES, _GEMINI = "/anthropic/v1/messages", "/v1beta/models/gemini-2.5-flash:"
_CONVERSE, _INVOKE = "/model/amazon.nova-lite-v1%3A0/", "/model/anthropic.claude-3-haiku-20240307-v1%3A0/"


def _message(text: str) -> dict[str, Any]:
    return {"id": "msg_1", "type": "message", "role": "assistant", "content": [{"type": "text", "text": text}]}


def _candidates(text: str) -> dict[str, Any]:
    return {"candidates": [{"content": {"role": "model", "parts": [{"text": text}]}}], "modelVersion": "gemini-2.5"}


def _message_events(text: str) -> list[dict[str, Any]]:
    return [
        {"type": "message_start", "message": _message("") | {"content": []}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": part}}
            for part in ("Look: ", text)
        ),
        {"type": "message_stop"},
    ]


def _converse_events(text: str) -> list[tuple[str, Any]]:
    return [
        ("messageStart", {"role": "assistant"}),
        ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Look: "}}),
        ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": text}}),
        ("messageStop", {"stopReason": "end_turn"}),
    ]


def _from(call: str, url: str, **changes: Any) -> list[bytes]:
    """Return a native call of another vendor, with these members of its response."""
    return [events.a_request(call, url=url, operationId="wildcard", body=None), events.a_response(call, **changes)]


def _sse(parts: list[dict[str, Any]]) -> str:
    return "".join(f"event: {part.get('type', 'x')}\ndata: {json.dumps(part)}\n\n" for part in parts)


def _in_base64(data: bytes) -> dict[str, Any]:
    return {
        "body": None,
        "bodyBase64": base64.b64encode(data).decode(),
        "contentType": "application/vnd.amazon.eventstream",
    }


def _cut(call: str, form: Form) -> bytes:
    """Return an event that the gateway cut at its limit, behind the form."""
    whole = events.a_request(call, body=None, trace=form.value, rest="x" * 210_000)
    return whole[:200_000]


PLACES = (
    Place("a native request's own member", lambda call, form: events.a_request(call, trace=form.value)),
    Place("a native prompt", lambda call, form: events.a_request(call, body=_chat(f"Look: {form.text}"))),
    Place("a native request's metadata", lambda call, form: events.a_request(call, body=_chat("x") | {"metadata": {"a": form.value}})),
    Place("a native body as text", lambda call, form: events.a_request(call, body=json.dumps(_chat(form.text)))),
    Place("a native body in base64", lambda call, form: events.a_request(call, body=None, bodyBase64=_encoded(_chat(form.text)))),
    Place("a native body in parts", lambda call, form: in_parts(call, _chat(form.text), 5)),
    Place("a native body in parts, in base64", lambda call, form: in_parts(call, _chat(form.text), 3, encoding="base64")),
    Place("a native URL", lambda call, form: events.a_request(call, url="/openai/models?api-version=1&note=" + form.text), texts_only=True),
    Place("a native tag", lambda call, form: events.a_request(call, tags={"team": form.text})),
    Place("a native identity", lambda call, form: events.a_request(call, identity={"oid": "o", "name": form.text})),
    Place("a native response's headers", lambda call, form: events.a_response(call, headers={"x-other": form.text, "x-ratelimit-x": form.text})),
    Place("a native answer", lambda call, form: events.a_response(call, body=_answer(form.text))),
    Place("a native stream", lambda call, form: events.a_response(call, body=_stream(form.text), contentType="text/event-stream")),
    Place("a native error", lambda call, form: events.a_response(call, status=400, body={"error": {"code": "x", "message": form.text}})),
    Place("a native reason", lambda call, form: events.a_response(call, status=502, reason=form.text, body=None)),
    Place("a native last error", lambda call, form: events.a_request(call, part="error", status=500, lastError={"reason": "x", "message": form.text})),
    Place("a request to Anthropic", lambda call, form: events.a_request(call, url=_MESSAGES, body={"system": form.text, "messages": [{"role": "user", "content": form.text}], "x": form.value})),
    Place("a message of Anthropic's", lambda call, form: _from(call, _MESSAGES, body=_message(form.text))),
    Place("a stream of Anthropic's", lambda call, form: _from(call, _MESSAGES, body=_sse(_message_events(form.text)), contentType="text/event-stream")),
    Place("a request to Gemini", lambda call, form: events.a_request(call, url=_GEMINI + "generateContent", body={"contents": [{"parts": [{"text": form.text}, {"functionResponse": {"response": form.value}}]}]})),
    Place("an answer of Gemini's", lambda call, form: _from(call, _GEMINI + "generateContent", body=_candidates(form.text))),
    Place("a stream of Gemini's", lambda call, form: _from(call, _GEMINI + "streamGenerateContent?alt=sse", body=_sse([_candidates("Look: "), _candidates(form.text)]))),
    Place("an array of Gemini's", lambda call, form: _from(call, _GEMINI + "streamGenerateContent", body=[_candidates("Look: "), _candidates(form.text)])),
    Place("a request to Bedrock", lambda call, form: events.a_request(call, url=_CONVERSE + "converse", body={"system": [{"text": form.text}], "messages": [{"role": "user", "content": [{"text": form.text}, {"toolResult": {"content": [{"json": {"x": form.value}}]}}]}]})),
    Place("an answer of Bedrock's", lambda call, form: _from(call, _CONVERSE + "converse", body={"output": {"message": {"role": "assistant", "content": [{"text": form.text}]}}, "stopReason": "end_turn"})),
    Place("a binary stream of Bedrock's", lambda call, form: _from(call, _CONVERSE + "converse-stream", **_in_base64(an_event_stream(_converse_events(form.text))))),
    Place("a binary stream of Bedrock's, cut", lambda call, form: _from(call, _CONVERSE + "converse-stream", **_in_base64(an_event_stream(_converse_events(form.text))[:-40]))),
    Place("a binary stream of Bedrock's, broken at once", lambda call, form: _from(call, _CONVERSE + "converse-stream", **_in_base64(an_event_stream([("contentBlockDelta", {"delta": {"text": form.text}})])[:-3]))),
    Place("a binary stream of Bedrock's in parts", lambda call, form: in_parts(call, an_event_stream(_converse_events(form.text)), 3, part="response", encoding="base64")),
    Place("a binary stream with a vendor's own events", lambda call, form: _from(call, _INVOKE + "invoke-with-response-stream", **_in_base64(an_event_stream(chunks_of(*_message_events(form.text)))))),
    Place("a gateway log of Bedrock's stream", lambda call, form: an_envelope(a_gateway_log(call, {"url": "https://g" + _CONVERSE + "converse-stream", "backendResponseBody": an_event_stream(_converse_events(form.text)).decode("utf-8", "replace")}))),
    Place("a gateway log of a binary stream with a vendor's own events", lambda call, form: an_envelope(a_gateway_log(call, {"url": "https://g" + _INVOKE + "invoke-with-response-stream", "backendResponseBody": an_event_stream(chunks_of(*_message_events(form.text))).decode("utf-8", "replace")}))),
    Place("a gateway log of a vendor's request", lambda call, form: an_envelope(a_gateway_log(call, {"url": "https://g" + _MESSAGES, "requestHeaders": {"x-api-key": form.text, "x-goog-api-key": form.text, "Authorization": form.text, "X-Amz-Security-Token": form.text}, "backendRequestHeaders": form.value, "backendRequestBody": json.dumps({"system": form.text, "messages": []})}))),
    Place("an event that was cut", _cut),
    Place("an enterprise request", lambda call, form: events.an_enterprise_request(call, messages=json.dumps([{"role": "user", "content": form.text}]))),
    Place("an enterprise response", lambda call, form: events.an_enterprise_response(call, choices=json.dumps([{"message": {"content": form.text}}]), extra=form.value)),
    Place("a usage record", lambda call, form: events.a_usage_record(call, extra=form.value)),
    Place("a toolkit record", lambda call, form: other_events.a_toolkit_record(call, extra=form.value)),
    Place("an azureai record", lambda call, form: other_events.an_azureai_record(call=call, extra=form.value)),
    Place("a how-to event", lambda call, form: json.dumps(other_events.a_howto_event(call, response=json.dumps(_answer(form.text)), extra=form.value)).encode()),
    Place("a record of personal data", lambda call, form: other_events.a_pii_record(call, mappings=[{"original": form.text}], extra=form.value)),
    Place("an HTTP message's body", lambda call, form: other_events.an_http_request(call, json.dumps(_chat(form.text)))),
    Place("an HTTP message's headers", lambda call, form: other_events.an_http_request(call, headers=f"X-Other: {form.text}\r\n"), texts_only=True),
    Place("a gateway log's bodies", lambda call, form: an_envelope(a_gateway_log(call, {"backendRequestBody": json.dumps(_chat(form.text)), "backendResponseBody": json.dumps(_answer(form.text))}))),
    Place("a gateway log's headers", lambda call, form: an_envelope(a_gateway_log(call, {"requestHeaders": {"x-other": form.text}, "responseHeaders": form.value}))),
    Place("a gateway log's traces", lambda call, form: an_envelope(a_gateway_log(call, {"traceRecords": [{"message": form.text, "data": form.value}]}))),
    Place("a gateway log's URL", lambda call, form: an_envelope(a_gateway_log(call, {"url": "https://g/openai/x?note=" + form.text})), texts_only=True),
    Place("a gateway log's error", lambda call, form: an_envelope(a_gateway_log(call, {"lastError": {"reason": "x", "message": form.text}}))),
    Place("a model log", lambda call, form: an_envelope(a_model_log(call, sequenceNumber=1, requestMessages=json.dumps([{"role": "user", "content": form.text}])))),
    Place("Azure OpenAI's log", lambda call, form: an_envelope(a_request_response(call, apiName=form.text, extra=form.value))),
    Place("a record of another category", lambda _call, form: an_envelope({"category": "AuditEvent", "time": "2026-03-02T09:00:00Z", "resourceId": "/x", "properties": {"requestUri": form.text, "x": form.value}})),
    Place("an unknown event", lambda call, form: _event(what=call, x=form.value)),
    Place("an unknown event, JSON in JSON in JSON", lambda call, form: _event(what=call, x=json.dumps({"y": json.dumps(form.value)}))),
    Place("an unknown event in UTF-16", lambda call, form: json.dumps({"what": call, "x": form.value}).encode("utf-16")),
    Place("an event that is no JSON", lambda call, form: f"no JSON {call} {form.text}".encode()),
    Place("half an event", lambda call, form: _event(what=call, x=form.value)[:-2]),
)  # fmt: skip


QUERIES = (
    "key={}", "Key={}", "x-goog-api-key={}", "X-Goog-Api-Key={}", "api-key={}", "x-api-key={}", "access_token={}",
    "X-Amz-Credential={}%2F20260302%2Fus-east-1%2Fbedrock%2Faws4_request", "X-Amz-Signature={}", "x-amz-signature={}",
    "X-Amz-Security-Token={}", "X-Goog-Signature={}", "X-Goog-Credential={}%2Fx", "sig={}", "code={}",
)  # fmt: skip
"""Secrets in the query of a URL."""

URLS: dict[str, Callable[[str, str], bytes]] = {
    "a native request": lambda call, url: events.a_request(call, url=url),
    "a native request, whole": lambda call, url: events.a_request(call, url="https://g.example.org" + url),
    "a native backend": lambda call, url: events.a_response(call, backendUrl="https://h.example.org" + url),
    "a native attempt": lambda call, url: events.a_response(call, attempts=[{"backendId": url, "backendUrl": url}]),
    "a gateway log": lambda call, url: an_envelope(a_gateway_log(call, {"url": "https://g.example.org" + url})),
    "a gateway log's backend": lambda call, url: an_envelope(a_gateway_log(call, {"backendUrl": "https://h.example.org" + url})),
    "a gateway log's trace": lambda call, url: an_envelope(a_gateway_log(call, {"traceRecords": [{"message": f"GET {url} 200"}]})),
    "a gateway log's error": lambda call, url: an_envelope(a_gateway_log(call, {"lastError": {"reason": "x", "message": f"No answer of https://h{url}."}})),
    "Azure OpenAI's log": lambda call, url: an_envelope(a_request_response(call, requestUri=url)),
    "an HTTP message": lambda call, url: other_events.an_http_request(call).replace(b"POST /", f"POST {url}&x=/".encode(), 1),
    "an HTTP message's header": lambda call, url: other_events.an_http_request(call, headers=f"Referer: https://g{url}\r\n"),
    "a how-to event": lambda call, url: json.dumps(other_events.a_howto_event(call, url=url, path=url)).encode(),
    "a toolkit record": lambda call, url: other_events.a_toolkit_record(call, url=url),
    "an unknown event": lambda call, url: _event(what=call, x=[url]),
}  # fmt: skip
"""Where a URL stands in an event."""


def all_that_is_stored(engine: Engine) -> bytes:
    """Return every value of every column of every table, content decompressed."""
    values: list[bytes] = []
    with engine.connect() as connection:
        for table in tables.metadata.tables.values():
            for row in connection.execute(sa.select(table)):
                for value in row:
                    data = value if isinstance(value, bytes) else str(value).encode()
                    values.append(unpacked(data) if data[:4] == b"\x28\xb5\x2f\xfd" else data)
    return b"\n".join(values)
