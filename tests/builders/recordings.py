"""The recordings of the real service beside the checkout, and the events that sources would send of them.

Nothing here uses the product's parsers: what a test expects is taken straight from the recording.
"""

import base64
import json
import random
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.builders.azure_monitor import a_gateway_log, a_model_log, a_request_response

__all__ = [
    "LOGGED_BYTES",
    "OPERATIONS",
    "Recording",
    "answer_of",
    "body_text",
    "choices_of",
    "completion_of",
    "enterprise_pair",
    "error_of",
    "facts_of",
    "fields_of",
    "gateway_log",
    "model_log_rows",
    "native_pair",
    "operation_of",
    "prompt_of",
    "recordings",
    "service_log",
    "tokens_of",
    "tool_calls_of",
    "usage_record",
]

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "open"


@dataclass(frozen=True)
class Recording:
    """One recorded call."""

    name: str
    method: str
    url: str
    status: int
    headers: dict[str, str]
    request: Any
    response: Any
    """The body: JSON, or text where it is not JSON, or bytes where it is no text; None where there was none."""
    streamed: bool = False
    """Whether the answer is an event stream; `response` is its text then."""

    @property
    def id(self) -> str:
        """The call's id in the tests."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, self.name))

    @property
    def service_id(self) -> str:
        """Azure OpenAI's own id of the call in the tests."""
        return str(uuid.uuid5(uuid.NAMESPACE_OID, self.name))

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    def __str__(self) -> str:
        """Return what names it among the tests."""
        return self.name


_OTHERS = re.compile(r"//[^/]*(?:anthropic\.com|googleapis\.com|amazonaws\.com|api\.aws|mistral\.ai|deepseek\.com)/")


def recordings(*endings: str, streamed: bool | None = False, others: bool = False) -> list[Recording]:
    """Return the recorded calls whose path ends so; skip the test where there is no corpus.

    Args:
        endings: of the path.
        streamed: only those with an event stream, or only those without; None takes both.
        others: also those of other vendors' hosts, which `vendor_recordings` reads.
    """
    if not CORPUS.is_dir():
        pytest.skip("the corpus of recordings is not beside the checkout", allow_module_level=True)
    return [
        one
        for one in _all()
        if one.path.endswith(endings) and streamed in (None, one.streamed) and (others or not _OTHERS.search(one.url))
    ]


def _all() -> Iterator[Recording]:
    for meta in sorted(CORPUS.glob("*/*.meta.json")):
        call = json.loads(meta.read_text())
        stem = meta.name.removesuffix(".meta.json")
        stream = meta.parent / f"{stem}.response.sse"
        yield Recording(
            name=f"{meta.parent.name}/{stem}",
            method=call["method"],
            url=call["url"],
            status=call["status"],
            headers=call["response_headers"],
            request=_body(meta.parent, stem, "request"),
            response=stream.read_bytes().decode() if stream.exists() else _body(meta.parent, stem, "response"),
            streamed=stream.exists(),
        )


def _body(folder: Path, stem: str, side: str) -> Any:
    for kind in ("json", "jsonl", "txt"):
        path = folder / f"{stem}.{side}.{kind}"
        if path.exists():
            text = path.read_text()
            return json.loads(text) if kind == "json" else text
    for kind in ("multipart.bin", "bin"):
        path = folder / f"{stem}.{side}.{kind}"
        if path.exists():
            return path.read_bytes()
    return None


def _native_body(body: Any, *, streamed: bool = False) -> dict[str, Any]:
    if streamed:
        return {"contentType": "text/event-stream", "body": body}
    if isinstance(body, bytes):
        return {"contentType": "application/octet-stream", "bodyBase64": base64.b64encode(body).decode()}
    return {"contentType": "application/json", "body": body}


def native_pair(recording: Recording, interaction_id: str) -> tuple[bytes, bytes]:
    """Return the recording as the native envelope's request and response parts."""
    parts = urlsplit(recording.url)
    common = {"schema": "promptledger/1", "interactionId": interaction_id}
    request = common | {
        "part": "request",
        "time": "2026-03-02T09:00:00.000Z",
        "method": recording.method,
        "url": parts.path + (f"?{parts.query}" if parts.query else ""),
        **_native_body(recording.request),
    }
    response = common | {
        "part": "response",
        "time": "2026-03-02T09:00:01.000Z",
        "status": recording.status,
        "timings": {"totalMs": 1000},
        "streamed": recording.streamed,
        **_native_body(recording.response, streamed=recording.streamed),
    }
    return json.dumps(request).encode(), json.dumps(response).encode()


_OPERATIONS = {"chat/completions": "ChatCompletions_Create", "/completions": "Completions_Create"}


def _operation_id(path: str) -> str:
    return next((name for ending, name in _OPERATIONS.items() if path.endswith(ending)), "embeddings_create")


def _as_text(value: Any) -> str | None:
    """Return what the enterprise logging policy makes of a JSON member: Newtonsoft's ToString()."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, indent=2, ensure_ascii=False).replace("\n", "\r\n")


def enterprise_pair(recording: Recording, message_id: str) -> tuple[bytes, bytes] | None:
    """Return the recording as format A's pair, or None where A cannot carry it."""
    if recording.status != 200 or not isinstance(recording.request, dict) or not isinstance(recording.response, dict):
        return None
    operation = _operation_id(recording.path)
    usage = recording.response.get("usage")
    if not isinstance(usage, dict):
        return None
    request = {
        "event-type": "Request",
        "event-time": "3/2/2026 9:00:00 AM",
        "backend": "gw-example.azure-api.net",
        "message-id": message_id,
        "operation": operation,
        "model": recording.request.get("model"),
        "prompt": _as_text(recording.request.get("prompt")),
        "messages": _as_text(recording.request.get("messages")),
    }
    response = {
        "event-type": "Response",
        "event-time": "3/2/2026 9:00:01 AM",
        "backend": "aoai-example.openai.azure.com",
        "message-id": message_id,
        "operation": operation,
        "apiId": "azure-openai",
        "productId": "team-a",
        "model": recording.response.get("model"),
        "modeltime": "",
        "prompt_tokens": str(usage["prompt_tokens"]),
        "total_tokens": str(usage["total_tokens"]),
    }
    if operation != "embeddings_create":
        response["choices"] = _as_text(recording.response.get("choices"))
        response["completion_tokens"] = str(usage["completion_tokens"])
    return json.dumps(request, indent=2).encode(), json.dumps(response, indent=2).encode()


def usage_record(recording: Recording, fallback_id: str) -> bytes | None:
    """Return the recording as format B's usage record, or None where B sends nothing."""
    if recording.status != 200 or not isinstance(recording.response, dict):
        return None
    usage = recording.response.get("usage", {})
    if not isinstance(usage, dict):
        return None
    record = {
        "id": recording.response.get("id", fallback_id),
        "timestamp": "3/2/2026 9:00:01 AM",
        "appId": "NA",
        "subscriptionId": "team-a-sub",
        "productName": "OAI-Team-A",
        "targetService": recording.response.get("object", "NA"),
        "model": recording.response.get("model", "NA"),
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
        "promptTokens": usage.get("prompt_tokens", 1),
        "responseTokens": usage.get("completion_tokens", 0),
        "totalTokens": usage.get("total_tokens", 1),
    }
    return json.dumps(record, indent=2).encode()


LOGGED_BYTES = 8192
"""API Management logs no more of a body."""


def body_text(body: Any, most_bytes: int | None = None) -> str | None:
    """Return a body as API Management logs it: a text, of the first bytes only."""
    if body is None:
        return None
    if not isinstance(body, bytes):
        body = (body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)).encode()
    return str(body[:most_bytes].decode(errors="replace"))


def gateway_log(recording: Recording, most_bytes: int | None = None) -> dict[str, Any]:
    """Return the recording as a record of GatewayLogs, its bodies cut behind `most_bytes`."""
    asked, answered = body_text(recording.request, most_bytes), body_text(recording.response, most_bytes)
    properties = {
        "method": recording.method,
        "url": recording.url,
        "backendUrl": recording.url,
        "backendMethod": recording.method,
        "responseCode": recording.status,
        "backendResponseCode": recording.status,
        "responseHeaders": recording.headers | {"apim-request-id": recording.service_id},
        "backendRequestBody": asked,
        "backendResponseBody": answered,
    }
    record = a_gateway_log(recording.id, properties, isRequestSuccess=recording.status < 400)
    del record["properties"]["operationId"]
    record["properties"] = {name: value for name, value in record["properties"].items() if value is not None}
    return record


def model_log_rows(recording: Recording, chance: random.Random) -> list[dict[str, Any]]:
    """Return a chat call as rows of GatewayLlmLogs: texts cut anywhere, rows in any order."""
    answer = answer_of(recording)
    usage = answer.get("usage") or {}
    figures = {
        "sequenceNumber": 0,
        "deploymentName": "chat",
        "modelName": answer.get("model") or recording.request.get("model") or "chat",
        "isStreamCompletion": recording.streamed,
        "promptTokens": usage.get("prompt_tokens", 0),
        "completionTokens": usage.get("completion_tokens", 0),
        "totalTokens": usage.get("total_tokens", 0),
    }
    messages = [choice["message"] for choice in choices_of(answer) if choice.get("message")]
    pieces = [("requestMessages", piece) for piece in _pieces(recording.request["messages"], chance)]
    pieces += [("responseMessages", piece) for piece in (_pieces(messages, chance) if messages else [])]
    rows = [a_model_log(recording.id, **figures)]
    rows += [
        a_model_log(recording.id, sequenceNumber=number, **{side: piece})
        for number, (side, piece) in enumerate(pieces, 1)
    ]
    chance.shuffle(rows)
    return rows


def _pieces(messages: Any, chance: random.Random) -> list[str]:
    text = json.dumps(messages, ensure_ascii=chance.random() < 0.5)
    cuts = sorted(chance.sample(range(1, len(text)), min(chance.randint(0, 6), len(text) - 1)))
    return [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]


def service_log(recording: Recording, **properties: Any) -> dict[str, Any]:
    """Return the recording as a RequestResponse record of Azure OpenAI's own log."""
    streamed = "Streaming" if recording.streamed else "Non-Streaming"
    record = a_request_response(recording.service_id, streamType=streamed, **properties)
    return record | {"resultSignature": str(recording.status)}


# What a recording says.

_OPERATIONS_BY_PATH = {
    r"/chat/completions(/.*)?": "chat.completions",
    r"/completions": "completions",
    r"/embeddings": "embeddings",
    r"/responses(/.*)?": "responses",
    r"/images/generations": "images.generations",
    r"/images/edits": "images.edits",
    r"/audio/transcriptions": "audio.transcriptions",
    r"/audio/translations": "audio.translations",
    r"/audio/speech": "audio.speech",
    r"/assistants(/[^/]+)?": "assistants",
    r"/threads/runs": "threads.runs",
    r"/threads(/[^/]+)?": "threads",
    r"/threads/[^/]+/messages(/.*)?": "threads.messages",
    r"/threads/[^/]+/runs(/[^/]+(/submit_tool_outputs)?)?": "threads.runs",
    r"/threads/[^/]+/runs/[^/]+/steps(/.*)?": "threads.runs.steps",
    r"/files(/.*)?": "files",
    r"/uploads(/.*)?": "uploads",
    r"/vector_stores(/.*)?": "vector_stores",
    r"/fine_tuning/.*": "fine_tuning.jobs",
    r"/batches(/.*)?": "batches",
    r"/models(/.*)?": "models",
    r"/realtime/.*": "realtime",
    r"/containers(/.*)?": "containers",
    r"/conversations(/.*)?": "conversations",
    r"/moderations": "moderations",
    r"/skills(/.*)?": "other",
}
OPERATIONS = set(_OPERATIONS_BY_PATH.values())
_BASE = re.compile(r".*?(/v1(?=/)|/deployments/[^/]+|/models(?=/chat/|/embeddings$))|")
"""What stands before an operation's path: a version, a deployment, or the name of a service."""


def operation_of(path: str) -> str:
    path = path[_base_length(path) :]
    return next(name for pattern, name in _OPERATIONS_BY_PATH.items() if re.fullmatch(pattern, path))


def _base_length(path: str) -> int:
    base = _BASE.match(path)
    return base.end() if base else 0


def fields_of(form: bytes) -> dict[str, Any]:
    """Return the text fields of a form, and the names of its files."""
    fields: dict[str, Any] = {}
    for part in form.split(b"--" + form.partition(b"\r\n")[0][2:]):
        head, _, value = part.partition(b"\r\n\r\n")
        name = re.search(rb'name="?([^";\r\n]+)', head)
        if name:
            fields[name[1].decode()] = None if b"filename=" in head else value.removesuffix(b"\r\n").decode()
    return fields


def _request_of(recording: Recording) -> dict[str, Any]:
    if isinstance(recording.request, bytes):
        return fields_of(recording.request)
    return recording.request if isinstance(recording.request, dict) else {}


def answer_of(recording: Recording) -> dict[str, Any]:
    """Return the answer as one object: of a stream, what its events come to."""
    if not recording.streamed:
        return recording.response if isinstance(recording.response, dict) else {}
    events = _events_of(recording.response)
    for kind in ("thread.run", "thread.message"):
        runs = [event for event in events if event.get("object") == kind]
        if runs:
            return runs[-1] | {"messages": [one for one in events if one.get("object") == "thread.message"]}
    if "choices" in events[0]:
        return _answer_in_chunks(events)
    response: dict[str, Any] = events[-1].get("response", events[-1])
    return response


def _events_of(stream: str) -> list[dict[str, Any]]:
    data = [line[5:].strip() for line in stream.splitlines() if line.startswith("data:")]
    return [json.loads(line) for line in data if line != "[DONE]"]


def _answer_in_chunks(events: list[dict[str, Any]]) -> dict[str, Any]:
    answer: dict[str, Any] = {"choices": []}
    for name in ("model", "id", "usage"):
        told = [event[name] for event in events if event.get(name)]
        answer |= {name: told[-1 if name == "usage" else 0]} if told else {}
    pieces: dict[int, list[dict[str, Any]]] = {}
    for choice in [choice for event in events for choice in event["choices"]]:
        pieces.setdefault(choice["index"], []).append(choice)
    for index, choices in sorted(pieces.items()):
        finished = [choice["finish_reason"] for choice in choices if choice.get("finish_reason")]
        whole: dict[str, Any] = {"index": index, "finish_reason": finished[-1] if finished else None}
        if "text" in choices[0]:
            whole["text"] = "".join(choice["text"] for choice in choices)
        else:
            whole["message"] = _message_in([choice.get("delta") or {} for choice in choices])
        answer["choices"].append(whole)
    return answer


def _message_in(deltas: list[dict[str, Any]]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": "".join(delta.get("content") or "" for delta in deltas)}
    message["content"] = message["content"] or None
    calls: dict[int, dict[str, Any]] = {}
    for piece in [piece for delta in deltas for piece in delta.get("tool_calls") or []]:
        call = calls.setdefault(piece["index"], {"type": "function", "function": {"name": "", "arguments": ""}})
        call |= {"id": piece["id"]} if piece.get("id") else {}
        for name, value in (piece.get("function") or {}).items():
            call["function"][name] += value or ""
    return message | ({"tool_calls": list(calls.values())} if calls else {})


def texts_of(content: Any, *kinds: str) -> list[str]:
    if isinstance(content, str):
        return [content]
    parts = [part for part in content or [] if isinstance(part, dict) and "text" in part]
    texts = [part["text"] for part in parts if not kinds or part["type"] in kinds]
    return [told for text in texts if isinstance(told := text["value"] if isinstance(text, dict) else text, str)]


def prompt_of(recording: Recording) -> str | None:
    operation, request = operation_of(recording.path), _request_of(recording)
    texts: list[str] = []
    given = request.get("input")
    if operation == "chat.completions":
        texts = [text for message in request.get("messages", []) for text in texts_of(message.get("content"))]
    elif operation in {"completions", "embeddings"}:
        given = request.get("prompt", given)
        texts = [given] if isinstance(given, str) else [one for one in given or [] if isinstance(one, str)]
    elif operation.startswith("images.") or operation in {"audio.transcriptions", "audio.translations"}:
        texts = [request.get("prompt") or ""]
    elif isinstance(given, str):
        texts = [given]
    elif operation == "responses":
        texts = [text for item in given or [] for text in texts_of(item.get("content"))]
    elif operation == "moderations":
        texts = list(given or [])
    elif operation == "conversations":
        texts = [text for item in request.get("items", []) for text in texts_of(item.get("content"))]
    elif operation == "threads.messages":
        texts = texts_of(request.get("content"))
    elif operation in {"threads", "threads.runs"}:
        messages = [*request.get("messages", []), *request.get("thread", {}).get("messages", [])]
        messages += request.get("additional_messages", [])
        texts = [text for message in messages for text in texts_of(message["content"])]
    return "\n".join(filter(None, texts)) or None


def choices_of(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return sorted(answer.get("choices") or [], key=lambda choice: choice.get("index", 0))


def completion_of(recording: Recording) -> str | None:
    operation, answer = operation_of(recording.path), answer_of(recording)
    texts: list[str] = []
    if operation in {"chat.completions", "completions"}:
        for choice in choices_of(answer)[:1]:
            texts = [choice["text"] if "text" in choice else _said(choice.get("message") or {})]
    elif operation == "responses":
        said = [texts_of(item.get("content"), "output_text") for item in answer.get("output", [])]
        texts = ["".join(parts) for parts in said]
    elif operation.startswith("audio."):
        texts = [answer.get("text", "")]
    elif operation.startswith("images."):
        texts = [image.get("revised_prompt", "") for image in answer["data"]]
    elif operation == "threads.messages":
        messages = answer["data"] if answer.get("object") == "list" else [answer]
        texts = [t for one in messages if one.get("role") == "assistant" for t in texts_of(one.get("content"))]
    elif operation == "threads.runs" and recording.streamed:
        done = [one for one in answer["messages"] if one["status"] == "completed"]
        texts = [text for message in done for text in texts_of(message["content"])]
    return "\n".join(filter(None, texts)) or None


def _said(message: dict[str, Any]) -> str:
    return "\n".join(texts_of(message.get("content"))) or message.get("refusal") or ""


def tool_calls_of(answer: dict[str, Any]) -> int:
    messages = [choice.get("message") or {} for choice in choices_of(answer)]
    return sum(len(message.get("tool_calls") or []) + bool(message.get("function_call")) for message in messages)


def tokens_of(answer: dict[str, Any]) -> dict[str, int | None]:
    usage = answer.get("usage") or {}
    first = usage.get("prompt_tokens_details") or usage.get("prompt_token_details") or {}
    first = first or usage.get("input_tokens_details") or usage.get("input_token_details") or {}
    second = usage.get("completion_tokens_details") or usage.get("output_tokens_details") or {}
    return {
        "input_tokens": usage.get("input_tokens", usage.get("prompt_tokens")),
        "output_tokens": usage.get("output_tokens", usage.get("completion_tokens")),
        "total_tokens": usage.get("total_tokens"),
        "cached_input_tokens": first.get("cached_tokens"),
        "cache_write_tokens": first.get("cache_write_tokens"),
        "audio_input_tokens": first.get("audio_tokens"),
        "image_input_tokens": first.get("image_tokens"),
        "reasoning_tokens": second.get("reasoning_tokens"),
        "audio_output_tokens": second.get("audio_tokens"),
        "image_output_tokens": second.get("image_tokens"),
    }


_KEYS = {"response": "id", "response.compaction": "id", "thread.run": "id", "thread.run.step": "run_id", "batch": "id"}


def facts_of(recording: Recording) -> dict[str, Any]:
    """Return the facts that an answered recording states, by the names of the ledger."""
    operation, answer, request = operation_of(recording.path), answer_of(recording), _request_of(recording)
    session = answer.get("session") or request.get("session") or {}
    if isinstance(session, str):
        session = json.loads(session)
    key = _KEYS.get(answer.get("object", ""))
    facts = {
        "operation": operation,
        "http_status": recording.status,
        "model": answer.get("model") or request.get("model") or session.get("model"),
        "usage_key": answer[key] if key else None,
        "images": len(answer["data"]) if operation.startswith("images.") else None,
        "characters": len(request["input"]) if operation == "audio.speech" else None,
        "seconds": (answer.get("usage") or {}).get("seconds", answer.get("duration")),
        "tool_calls": None,
        "finish_reasons": None,
        **tokens_of(answer),
    }
    if answer.get("choices"):
        facts["tool_calls"] = tool_calls_of(answer)
        facts["finish_reasons"] = [choice.get("finish_reason") for choice in choices_of(answer)]
    if "output" in answer:
        facts["tool_calls"] = len([item for item in answer["output"] if item["type"].endswith("_call")])
    if answer.get("object") == "thread.run.step" and "tool_calls" in answer["step_details"]:
        facts["tool_calls"] = len(answer["step_details"]["tool_calls"])
    if operation == "threads.runs" and answer.get("required_action"):
        facts["tool_calls"] = len(answer["required_action"]["submit_tool_outputs"]["tool_calls"])
    if operation == "chat.completions" and recording.method == "GET":
        facts |= dict.fromkeys(tokens_of({}))  # What is read back was counted when it was made.
    if answer.get("object") in {"response", "thread.run", "thread.run.step"}:
        details = answer.get("incomplete_details") or {}
        ended = "status" in answer and answer["status"] not in {"queued", "in_progress"}
        facts["finish_reasons"] = [details.get("reason", answer["status"])] if ended else None
    return facts


def error_of(recording: Recording) -> dict[str, Any]:
    """Return the facts that a refused recording states, by the names of the ledger."""
    error = answer_of(recording).get("error") or {}
    facts = {
        "operation": operation_of(recording.path),
        "http_status": recording.status,
        "state": "refused" if error.get("code") == "content_filter" else "failed",
        "usage_provenance": "missing",
    }
    code = error.get("code") or error.get("type")
    facts |= {"error_code": str(code)} if code else {}
    return facts | ({"error_message": error["message"][:1024].strip()} if error.get("message") else {})
