# ruff: noqa: E501  # a table: each place in a line
"""Made-up secrets in every form that we know, and events of every source with a place for one."""

import base64
import json
import random
import string
from collections.abc import Callable
from typing import Any, NamedTuple

import sqlalchemy as sa
import zstandard
from sqlalchemy.engine import Engine

from shared.stores.sql import tables
from tests.builders import events, other_events
from tests.builders.azure_monitor import a_gateway_log, a_model_log, a_request_response, an_envelope, in_parts

__all__ = ["PLACES", "Form", "Place", "all_that_is_stored", "forms"]

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


def forms(seed: int) -> list[Form]:
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


def all_that_is_stored(engine: Engine) -> bytes:
    """Return every value of every column of every table, content decompressed."""
    values: list[bytes] = []
    with engine.connect() as connection:
        for table in tables.metadata.tables.values():
            for row in connection.execute(sa.select(table)):
                for value in row:
                    data = value if isinstance(value, bytes) else str(value).encode()
                    values.append(zstandard.decompress(data) if data[:4] == b"\x28\xb5\x2f\xfd" else data)
    return b"\n".join(values)
