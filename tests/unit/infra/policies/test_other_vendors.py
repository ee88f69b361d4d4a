"""What the capture fragments send of other vendors' calls: any path, any body; no stream is read, no secret is sent."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest

from shared.domain.secrets import is_query_secret
from shared.sources.gateway import HEADERS
from tests.gateway.calls import COMPLETION, a_call, a_gateway, a_stream, an_answer
from tests.gateway.context import Api, Context, Operation
from tests.gateway.policies import FOLDER, Answer, Call, Gateway, PolicyError
from tests.unit.infra.policies.record import parts, recorded

SECRET = "not-a-real-one"  # noqa: S105 - says so
EVENTS = "application/vnd.amazon.eventstream"
JSON = {"Content-Type": "application/json; charset=UTF-8"}
GEMINI = "/gemini/v1beta/models/gemini-2.5-flash"
BEDROCK = "/bedrock/model/eu.anthropic.claude-haiku-4-5-20251001-v1:0"
SAID = json.dumps(
    {
        "candidates": [{"content": {"parts": [{"text": "4"}], "role": "model"}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 1, "totalTokenCount": 8},
        "modelVersion": "gemini-2.5-flash",
    }
).encode()
ASKED = json.dumps({"contents": [{"role": "user", "parts": [{"text": "2 + 2?"}]}]}).encode()


def a_vendor_call(
    url: str, content: bytes | None = ASKED, *, method: str = "POST", api: str = "gemini", **headers: str
) -> Context:
    """Return a call of an API with one operation for all paths."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    operation = Operation("wildcard-post", "/*")
    return a_call(content, method=method, url=url, template="/*", headers=named, api=Api(api), operation=operation)


def a_vendor_gateway(*answers: Answer, **changes: Any) -> Gateway:
    return a_gateway(*answers, document="vendor-api", **changes)


def response_of(context: Context, answer: Answer) -> dict[str, Any]:
    call = a_vendor_gateway(answer).run(context)
    (response,) = [one for one in parts(call) if one["part"] == "response"]
    return response


def reads(context: Context) -> int:
    assert context.response is not None
    assert context.response.body is not None
    return context.response.body.reads


# Streams


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        (f"{GEMINI}:streamGenerateContent", "application/json; charset=UTF-8"),
        (f"{GEMINI}%3AstreamGenerateContent", "application/json"),
        (f"{GEMINI}:streamGenerateContent?alt=sse", "text/event-stream"),
        ("/vertex/v1/projects/p/locations/l/publishers/anthropic/models/claude-haiku-4-5:streamRawPredict", ""),
        (
            "/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-pro:streamGenerateContent/",
            "application/json",
        ),
        (f"{BEDROCK}/converse-stream", EVENTS),
        (f"{BEDROCK}/invoke-with-response-stream", EVENTS.upper()),
        (f"{BEDROCK}/converse-stream", ""),
        (f"{BEDROCK}/converse", f"{EVENTS}; v=1"),
        ("/anthropic/v1/messages", "text/event-stream; charset=utf-8"),
    ],
)
def test_a_stream_of_any_vendor_is_neither_read_nor_held_back(path: str, content_type: str) -> None:
    context = a_vendor_call(path)

    response = response_of(context, a_stream(headers={"Content-Type": content_type}, after_ms=300))

    assert reads(context) == 0
    assert response["streamed"] is True
    assert response["timings"] == {"firstByteMs": 300, "backendMs": 300}
    assert not {"body", "bodyBase64", "bodyOmitted", "size"} & set(response)


@pytest.mark.parametrize("accept", ["text/event-stream", EVENTS])
def test_an_answer_without_type_and_length_is_a_stream_where_nothing_else_is_accepted(accept: str) -> None:
    context = a_vendor_call("/any/path", Accept=accept)

    response = response_of(context, a_stream(headers={}))

    assert (response["streamed"], reads(context)) == (True, 0)


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        pytest.param("POST", f"{GEMINI}:generateContent", {}, 200, id="not streamed"),
        pytest.param("POST", f"{GEMINI}:streamGenerateContent", {}, 429, id="an error instead of the stream"),
        pytest.param("POST", f"{BEDROCK}/converse-stream", {}, 400, id="Bedrock's error"),
        pytest.param("GET", "/any/v1/models/my-stream", {}, 200, id="a name that only ends so"),
        pytest.param("POST", "/streams:x/any", {}, 200, id="a path that only begins so"),
        pytest.param(
            "POST", "/any/v1/mcp", {"Accept": "application/json, text/event-stream"}, 200, id="either is taken"
        ),
    ],
)
def test_what_is_no_stream_is_read(method: str, path: str, headers: dict[str, str], status: int) -> None:
    context = a_vendor_call(path, ASKED if method == "POST" else None, method=method, **headers)

    response = response_of(context, Answer(status, SAID, JSON))

    assert (response["streamed"], response["body"]) == (False, SAID.decode())


def test_of_a_native_stream_the_record_knows_all_but_the_text(tmp_path: Path) -> None:
    context = a_vendor_call(f"{GEMINI}:streamGenerateContent")

    row = recorded(a_vendor_gateway(a_stream(headers=JSON, after_ms=300)).run(context), tmp_path).row

    assert (row["operation"], row["state"], row["streamed"]) == ("generateContent", "complete", True)
    assert (row["time_to_first_byte_ms"], row["total_tokens"], row["truncated"]) == (300, None, None)


# Bodies


@pytest.mark.parametrize(
    ("path", "headers", "member"),
    [
        ("/any/v1/audio", {"Content-Type": "audio/wav", "Content-Length": "256"}, "bodyBase64"),
        ("/any/v1/picture", {"Content-Type": "image/png", "Content-Length": "256"}, "bodyBase64"),
        ("/any/v1/video", {"Content-Type": "video/mp4", "Content-Length": "2097153"}, "bodyOmitted"),
        ("/any/v1/audio", {"Content-Type": "audio/wav"}, "bodyOmitted"),
        ("/any/v1/results", {"Content-Type": "application/x-jsonl"}, "bodyOmitted"),
        (f"{GEMINI}:embedContent", JSON, "bodyOmitted"),
        (f"{GEMINI}:batchEmbedContents", JSON, "bodyOmitted"),
        ("/v1/projects/p/locations/l/publishers/google/models/imagen-4:predict", JSON, "bodyOmitted"),
        ("/gemini/v1beta/models/gemini-2.5-flash-image:generateContent", JSON, "bodyOmitted"),
        ("/gemini/v1beta/models/gemini-2.5-flash-preview-tts:generateContent", JSON, "bodyOmitted"),
        ("/bedrock/model/amazon.titan-embed-text-v2:0/invoke", JSON, "bodyOmitted"),
        ("/bedrock/model/amazon.nova-canvas-v1%3A0/invoke", JSON, "bodyOmitted"),
        ("/models/images/embeddings?api-version=2024-05-01-preview", JSON, "bodyOmitted"),
        ("/openai/v1/videos/video_1/content", JSON, "bodyOmitted"),
    ],
)
def test_an_answer_that_may_not_fit_is_read_only_if_its_length_is_told(
    path: str, headers: dict[str, str], member: str
) -> None:
    content = bytes(range(256))

    response = response_of(a_vendor_call(path), Answer(200, content, headers))

    assert member in response
    if member == "bodyBase64":
        assert base64.b64decode(response["bodyBase64"]) == content


@pytest.mark.parametrize(
    "path",
    [
        f"{GEMINI}:generateContent",
        f"{GEMINI}:countTokens",
        f"{BEDROCK}/converse",
        f"{BEDROCK}/invoke",
        "/anthropic/v1/messages",
        "/content/openai/v1/chat/completions",
        "/images/openai/deployments/embed-text/chat/completions",
        "/models/chat/completions?api-version=2024-05-01-preview",
    ],
)
def test_an_answer_in_json_is_read_under_any_path(path: str) -> None:
    assert response_of(a_vendor_call(path), Answer(200, SAID, JSON))["body"] == SAID.decode()


def test_a_path_of_any_length_costs_little() -> None:
    path = "/model/embed:" * 20_000 + "!"

    assert response_of(a_vendor_call(path), Answer(200, SAID, JSON))["body"] == SAID.decode()


def test_a_call_of_a_wildcard_operation_is_one_complete_record(tmp_path: Path) -> None:
    record = recorded(a_vendor_gateway(an_answer(SAID)).run(a_vendor_call(f"{GEMINI}:generateContent")), tmp_path)

    assert (record.row["operation"], record.row["state"]) == ("generateContent", "complete")
    assert (record.row["model"], record.row["total_tokens"], record.row["deployment"]) == ("gemini-2.5-flash", 8, None)
    assert (record.content.prompt, record.content.completion) == ("2 + 2?", "4")


# Headers and secrets


def test_every_header_that_is_kept_is_sent() -> None:
    answer = an_answer(SAID, headers={**JSON, **dict.fromkeys(sorted(HEADERS), "7"), "Set-Cookie": SECRET})

    assert set(response_of(a_vendor_call(f"{BEDROCK}/invoke"), answer)["headers"]) == HEADERS


@pytest.mark.parametrize(
    "name",
    [
        "x-api-key", "x-goog-api-key", "api-key", "Authorization", "X-Amz-Security-Token", "X-Amz-Date",
        "X-Amz-Content-Sha256", "Cookie", "x-amz-api-key", "Ocp-Apim-Subscription-Key",
    ],
)  # fmt: skip
def test_no_event_holds_a_header_of_a_vendor_that_opens_doors(name: str) -> None:
    answer = an_answer(SAID)
    answer.headers |= {name: SECRET}
    told = {name: SECRET}

    calls = [
        a_vendor_gateway(answer).run(a_call(ASKED, url=f"{GEMINI}:generateContent", template="/*", headers=told)),
        a_vendor_gateway(token=None).run(a_call(ASKED, url=f"{GEMINI}:generateContent", template="/*", headers=told)),
    ]

    assert not any(SECRET.encode() in event for call in calls for _, _, event in call.events)


@pytest.mark.parametrize(
    "name",
    [
        "key", "x-goog-api-key", "x-api-key", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-Security-Token",
        "X-Amz-Date", "X-Amz-Algorithm", "gemini_api_key", "vendor-apikey",
    ],
)  # fmt: skip
@pytest.mark.parametrize("known", [True, False])
def test_no_url_holds_a_vendor_s_key(name: str, known: bool) -> None:  # noqa: FBT001
    url = f"{GEMINI}:generateContent?{name}={SECRET}&{name.upper()}={SECRET}&alt=json&pageToken=7"
    gateway = a_vendor_gateway(an_answer(SAID), named={"query-keys": "allow"}, **({} if known else {"token": None}))

    told = parts(gateway.run(a_vendor_call(url)))

    assert {one["url"] for one in told if "url" in one} == {f"{GEMINI}:generateContent?alt=json&pageToken=7"}
    assert SECRET not in json.dumps(told)


@pytest.mark.parametrize("name", ["key", "x-goog-api-key", "X-API-KEY"])
def test_a_vendor_s_key_in_the_url_is_refused(name: str) -> None:
    call = a_vendor_gateway().run(a_vendor_call(f"{GEMINI}:generateContent?{name}={SECRET}"))

    (error,) = parts(call)
    assert (call.status, call.forwarded, error["lastError"]["reason"]) == (400, [], "KeyInUrl")


def test_every_parameter_that_the_logs_hide_is_a_secret_to_the_app_too() -> None:
    masked = json.loads((FOLDER.parent / "masked.json").read_text(encoding="utf-8"))

    assert {"key", "x-goog-api-key", "x-amz-signature"} <= set(masked["queryParameters"])
    assert [name for name in masked["queryParameters"] if not is_query_secret(name)] == []
    assert {"x-api-key", "x-goog-api-key", "x-amz-security-token"} <= {name.lower() for name in masked["headers"]}


# Cache hits


def a_cache_hit(document: str) -> Call:
    return a_gateway(cached=an_answer(after_ms=0), document=document).run(a_call())


@pytest.mark.parametrize("document", ["api", "vendor-api"])
def test_an_answer_of_a_cache_names_no_backend(document: str, tmp_path: Path) -> None:
    call = a_cache_hit(document)

    response = parts(call)[-1]
    row = recorded(call, tmp_path).row
    assert call.forwarded == []
    assert (response["part"], response["status"], response["body"]) == ("response", 200, COMPLETION.decode())
    assert not {"backendId", "backendUrl", "attempts"} & set(response)
    assert (row["cached"], row["state"], row["backend_id"], row["backend_host"]) == (True, "complete", None, None)


@pytest.mark.parametrize(
    "answers",
    [[an_answer()], [an_answer(b"{}", 503), an_answer()], [a_stream()], [an_answer(b"{}", 404)]],
)
def test_an_answer_of_a_backend_names_it(answers: list[Answer], tmp_path: Path) -> None:
    call = a_gateway(*answers).run(a_call())

    assert {"backendId", "backendUrl", "attempts"} <= set(parts(call)[-1])
    assert recorded(call, tmp_path).row["cached"] is False


def test_a_policy_that_counts_no_tries_is_not_taken_for_a_cache() -> None:
    """The fragments may stand in a policy of another's: what is unknown is not said to be none."""
    counting = [(FOLDER / f"{name}.xml").read_text(encoding="utf-8") for name in ("api", "vendor-api")]
    fragment = (FOLDER / "fragments" / "capture-response.xml").read_text(encoding="utf-8")

    assert all(re.search(r'"capture-attempts" value=\'@\("\[\]"\)\' />[^/]*<base />', text) for text in counting)
    assert '|| !context.Variables.ContainsKey("capture-attempts")' in fragment


# The APIs of infra/


@pytest.mark.parametrize("api", ["anthropic", "model-inference", "gemini", "bedrock"])
def test_a_vendor_gets_none_of_the_caller_s_keys_and_only_foundry_the_gateway_s_identity(api: str) -> None:
    keys = ("api-key", "x-api-key", "x-goog-api-key", "Ocp-Apim-Subscription-Key", "X-Amz-Security-Token")
    sent = {**dict.fromkeys(keys, SECRET), "Authorization": f"Bearer {SECRET}", "Accept-Encoding": "gzip"}
    url = f"/any/v1/messages?key={SECRET}&x-goog-api-key={SECRET}&subscription-key={SECRET}&alt=json"
    context = a_call(ASKED, url=url, template="/*", headers=sent, api=Api(api))

    (forwarded,) = a_vendor_gateway(an_answer(SAID), named={"query-keys": "allow"}).run(context).forwarded

    identity = "Bearer gateway-1 for https://cognitiveservices.azure.com"
    assert forwarded.get("Authorization") == (identity if api in ("anthropic", "model-inference") else None)
    assert SECRET not in str(forwarded)
    assert (forwarded["backend"], forwarded["query"], forwarded["buffer-response"]) == (api, "alt", "false")
    assert "Accept-Encoding" not in forwarded


def test_a_vendor_s_answer_names_its_backend_and_its_one_try() -> None:
    response = response_of(a_vendor_call(f"{BEDROCK}/converse", api="bedrock"), an_answer(SAID, 503))

    assert response["attempts"] == [{"backendId": "bedrock", "status": 503, "ms": 700}]
    assert response["backendId"] == "bedrock"


def test_nobody_asks_a_vendor_before_the_caller_is_known() -> None:
    call = a_vendor_gateway(token=None).run(a_vendor_call(f"{GEMINI}:generateContent"))

    assert (call.status, call.forwarded) == (401, [])
    assert not any(b"2 + 2" in event for _, _, event in call.events)


@pytest.mark.parametrize("who", ["token_limit", "product_refusal"])
def test_a_call_beyond_what_is_allowed_has_its_question_and_its_refusal(who: str, tmp_path: Path) -> None:
    refusals: dict[str, Any] = {who: PolicyError(429, "rate-limit-by-key", "RateLimitExceeded", "Slow down.")}

    record = recorded(a_vendor_gateway(**refusals).run(a_vendor_call(f"{GEMINI}:generateContent")), tmp_path)

    assert (record.row["state"], record.row["error_code"]) == ("refused", "RateLimitExceeded")
    assert record.content.prompt == "2 + 2?"
