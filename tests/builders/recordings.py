"""The recordings of the real service beside the checkout, and the events that sources would send of them.

Nothing here uses the product's parsers: what a test expects is taken straight from the recording.
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

__all__ = ["Recording", "enterprise_pair", "native_pair", "recordings", "usage_record"]

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

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    def __str__(self) -> str:
        """Return what names it among the tests."""
        return self.name


def recordings(*endings: str) -> list[Recording]:
    """Return the recorded calls, not streamed, whose path ends so; skip the test where there is no corpus."""
    if not CORPUS.is_dir():
        pytest.skip("the corpus of recordings is not beside the checkout", allow_module_level=True)
    return [one for one in _all() if one.path.endswith(endings)]


def _all() -> Iterator[Recording]:
    for meta in sorted(CORPUS.glob("*/*.meta.json")):
        call = json.loads(meta.read_text())
        stem = meta.name.removesuffix(".meta.json")
        if (meta.parent / f"{stem}.response.sse").exists():
            continue
        yield Recording(
            name=f"{meta.parent.name}/{stem}",
            method=call["method"],
            url=call["url"],
            status=call["status"],
            headers=call["response_headers"],
            request=_body(meta.parent, stem, "request"),
            response=_body(meta.parent, stem, "response"),
        )


def _body(folder: Path, stem: str, side: str) -> Any:
    for kind in ("json", "txt"):
        path = folder / f"{stem}.{side}.{kind}"
        if path.exists():
            text = path.read_text()
            return json.loads(text) if kind == "json" else text
    for kind in ("multipart.bin", "bin"):
        path = folder / f"{stem}.{side}.{kind}"
        if path.exists():
            return path.read_bytes()
    return None


def _native_body(body: Any) -> dict[str, Any]:
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
        "streamed": False,
        **_native_body(recording.response),
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
