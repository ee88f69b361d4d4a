"""A text that people, models or services wrote: whoever may not read content sees it nowhere."""

import json
import logging
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shared.domain.delivery import NO_LIMIT
from shared.domain.interaction import CONTENT_FIELDS, FIELDS
from shared.services.ingest import ingest
from shared.stores.sql.content import SqlContentStore
from shared.stores.sql.ledger import SqlLedger
from tests.builders import events
from tests.builders.databases import new_sqlite
from tests.builders.samples import SAMPLES
from tests.unit.api.rows import Client, Ledger, client_of

MARKER: Final = "Grandmother's plum jam and the long way home"
WORD: Final = "Grandmother"
_ROLES: Final = Path(__file__).parents[2] / "sql" / "roles.sql"
_NAMES: Final = {"id", "object", "type", "role", "status", "finish_reason"}
"""Where the sample's own word must stand, or the body is another one."""


def places(body: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every text in a body."""
    if isinstance(body, dict):
        for name, item in body.items():
            yield from places(item, (*path, name))
    elif isinstance(body, list):
        for place, item in enumerate(body):
            yield from places(item, (*path, place))
    elif isinstance(body, str) and path and path[-1] not in _NAMES:
        yield path


def planted(body: Any, path: tuple[Any, ...], text: str) -> Any:
    """Return a copy of `body` with `text` at `path`."""
    copy = json.loads(json.dumps(body))
    holder = copy
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = text
    return copy


_ASKED: Final[dict[str, Any]] = {
    "model": "gpt-4o",
    "messages": [{"role": "user", "content": "x", "name": "x"}],
    "prompt": "x",
    "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "x"}]}],
    "instructions": "x",
    "suffix": "x",
    "stop": ["x", "y"],
    "user": "x",
    "metadata": {"a": "x"},
    "audio": {"voice": "x", "format": "x", "other": "x"},
    "reasoning": {"effort": "x", "summary": "x", "other": "x"},
    "stream_options": {"include_usage": True, "other": "x"},
    "text": {"format": {"type": "json_schema", "name": "x", "schema": {"title": "x"}}, "verbosity": "x"},
    "response_format": {"type": "x"},
    "tools": [{"type": "function", "function": {"name": "x", "description": "x"}}],
    "tool_choice": {"type": "function", "function": {"name": "x"}},
    "truncation_strategy": {"type": "x", "other": "x"},
    "expires_after": {"anchor": "x", "other": "x"},
    "hyperparameters": {"n_epochs": "x", "other": "x"},
    "voice": "x",
    "language": "x",
    "purpose": "x",
    "include": ["x"],
    "conversation": {"id": "c", "title": "x"},
    "previous_response_id": "x",
    "session": {"model": "x", "voice": "x", "instructions": "x"},
    "known_speaker_names": ["x"],
    "prediction": {"type": "content", "content": "x"},
    "web_search_options": {"user_location": {"approximate": {"city": "x"}}},
    "service_tier": "x",
    "reasoning_effort": "x",
}
_THEIRS_ASKED: Final[dict[str, Any]] = {
    "anthropic_version": "x",
    "system": [{"type": "text", "text": "x"}],
    "contents": [
        {"role": "user", "parts": [{"text": "x"}, {"functionResponse": {"name": "x", "response": {"a": "x"}}}]}
    ],
    "systemInstruction": {"parts": [{"text": "x"}]},
    "generationConfig": {
        "topK": "x",
        "stopSequences": ["x"],
        "responseMimeType": "x",
        "responseSchema": {"title": "x"},
        "thinkingConfig": {"thinkingBudget": "x", "thinkingLevel": "x"},
        "speechConfig": {"languageCode": "x"},
    },
    "safetySettings": [{"category": "x", "threshold": "x"}],
    "messages": [
        {
            "role": "user",
            "content": [{"text": "x"}, {"type": "text", "text": "x"}, {"guardContent": {"text": {"text": "x"}}}],
        }
    ],
    "inferenceConfig": {"topP": "x", "stopSequences": ["x"]},
    "additionalModelRequestFields": {"top_k": "x", "thinking": {"type": "x", "budget_tokens": "x"}},
    "guardrailConfig": {"guardrailIdentifier": "x", "trace": "x"},
    "promptVariables": {"a": {"text": "x"}},
    "requestMetadata": {"a": "x"},
    "performanceConfig": {"latency": "x"},
    "stop_sequences": ["x"],
    "top_k": "x",
    "thinking": {"type": "x", "budget_tokens": "x", "display": "x"},
    "output_config": {"effort": "x", "format": {"title": "x"}},
    "metadata": {"user_id": "x"},
    "container": "x",
    "inference_geo": "x",
    "mcp_servers": [{"url": "x", "name": "x"}],
    "toolConfig": {"tools": [{"toolSpec": {"name": "x", "description": "x"}}], "toolChoice": {"tool": {"name": "x"}}},
    "inputText": "x",
    "texts": ["x"],
    "text_prompts": [{"text": "x"}],
    "seconds": "x",
    "size": "x",
    "input_reference": "x",
    "instances": [{"prompt": "x"}],
}
_THEIRS_ANSWERED: Final[dict[str, Any]] = {
    "id": "msg_1",
    "model": "x",
    "modelVersion": "x",
    "responseId": "x",
    "content": [{"type": "text", "text": "x"}, {"type": "tool_use", "name": "x", "input": {"a": "x"}}],
    "stop_reason": "x",
    "stop_sequence": "x",
    "stop_details": {"category": "x", "explanation": "x"},
    "candidates": [
        {
            "content": {"role": "model", "parts": [{"text": "x"}]},
            "finishReason": "x",
            "finishMessage": "x",
            "safetyRatings": [{"category": "x", "probability": "x"}],
        }
    ],
    "promptFeedback": {"blockReason": "x", "blockReasonMessage": "x"},
    "usageMetadata": {"promptTokenCount": 1, "trafficType": "x", "serviceTier": "x"},
    "output": {"message": {"role": "assistant", "content": [{"text": "x"}]}},
    "stopReason": "x",
    "trace": {"guardrail": {"modelOutput": ["x"]}},
    "usage": {"input_tokens": 1, "output_tokens": 1, "service_tier": "x", "inference_geo": "x"},
    "results": [{"outputText": "x", "completionReason": "x"}],
    "generations": [{"text": "x", "finish_reason": "x"}],
    "generation": "x",
    "completion": "x",
    "container": {"id": "x"},
    "failure_reason": "x",
    "prompt": "x",
    "seconds": "x",
    "name": "x",
    "error": None,
}
_THEIRS_REFUSED: Final[dict[str, Any]] = {
    "error": {
        "code": "x",
        "type": "x",
        "status": "x",
        "message": "x",
        "details": [{"reason": "x", "metadata": {"a": "x"}}],
    },
    "message": "x",
    "__type": "x",
    "request_id": "x",
}
_THEIR_PATHS: Final = (
    "/anthropic/v1/messages",
    "/anthropic/v1/messages/batches",
    "/v1beta/models/gemini-2.5-flash:generateContent",
    "/v1beta/models/gemini-2.5-flash:streamGenerateContent",
    "/v1beta/models/gemini-embedding-001:embedContent",
    "/v1beta/interactions",
    "/model/amazon.nova-lite-v1%3A0/converse",
    "/model/anthropic.claude-3-haiku-20240307-v1%3A0/invoke",
    "/model/cohere.command-r-v1%3A0/invoke",
    "/model/amazon.titan-embed-text-v2%3A0/invoke",
    "/openai/v1/videos",
    "/models/chat/completions",
)
_ANSWERED: Final[dict[str, Any]] = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "x",
    "system_fingerprint": "x",
    "service_tier": "x",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": "x", "refusal": "x"},
            "content_filter_results": {"hate": {"filtered": False, "severity": "x"}, "x": {"filtered": True}},
        }
    ],
    "output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "x"}]}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2, "x": "x"},
    "incomplete_details": {"reason": "x"},
    "metadata": {"a": "x"},
}
_REFUSED: Final[dict[str, Any]] = {
    "error": {
        "code": "x",
        "type": "x",
        "message": "x",
        "param": "x",
        "innererror": {"code": "x", "content_filter_result": {"hate": {"filtered": True, "severity": "x"}}},
    }
}
_PATHS: Final = sorted(
    {
        "/openai/deployments/chat/chat/completions",
        "/openai/deployments/chat/completions",
        "/openai/deployments/chat/embeddings",
        "/openai/responses",
        "/openai/deployments/chat/images/generations",
        "/openai/deployments/chat/audio/speech",
        "/openai/deployments/chat/audio/transcriptions",
        "/openai/threads/t/runs",
        "/openai/threads/t/messages",
        "/openai/assistants",
        "/openai/files",
        "/openai/vector_stores",
        "/openai/fine_tuning/jobs",
        "/openai/batches",
        "/openai/realtime/client_secrets",
        "/openai/conversations",
        "/openai/evals",
        "/openai/unheard/of",
        *(sample.path for sample in SAMPLES.values()),
    }
)
_ROUTES: Final = (
    "/api/v1/interactions/call-1",
    "/api/v1/interactions/call-1/content",
    "/api/v1/interactions?q=Grandmother",
    "/api/v1/usage",
    "/api/v1/completeness",
    "/api/v1/quarantine",
    "/api/v1/interactions/nothing",
)
_SIDES: Final = (
    ("request", _ASKED, 200, _PATHS),
    ("response", _ANSWERED, 200, _PATHS),
    ("response", _REFUSED, 400, _PATHS),
    ("request", _THEIRS_ASKED, 200, _THEIR_PATHS),
    ("response", _THEIRS_ANSWERED, 200, _THEIR_PATHS),
    ("response", _THEIRS_REFUSED, 400, _THEIR_PATHS),
)


def a_pair(call: str, url: str, side: str, body: Any, status: int) -> list[bytes]:
    """Return a call whose `side` has `body`."""
    asked = body if side == "request" else {"model": "gpt-4o", "messages": []}
    answered = body if side == "response" else {"id": "r", "object": "chat.completion", "choices": []}
    return [
        events.a_request(call, url=url + "?api-version=1", operationId="x", body=asked),
        events.a_response(call, status=status, body=answered, backendUrl="https://h" + url),
    ]


def seen_by_analysts(engine: Engine) -> str:
    """Return every value of the columns that the role of analysts may read."""
    grants = re.findall(r"grant select on dbo\.(\w+)(?: \(([^)]*)\))? to promptledger_analyst", _ROLES.read_text())
    told: list[str] = []
    with engine.connect() as connection:
        for name, columns in grants:
            # A table or a view.
            chosen = sa.select(sa.text(columns or "*")).select_from(sa.table(name))
            told += [str(tuple(row)) for row in connection.execute(chosen)]
    assert told
    return "\n".join(told)


def seen_in_api(client: Client, roles: str) -> str:
    """Return every answer that somebody with these roles gets."""
    headers = {"X-Local-Roles": roles}
    told = [client.get(route, headers=headers).text for route in _ROUTES]
    for route in ("/api/v1/interactions", "/api/v1/prompts"):
        cursor: str | None = ""
        while cursor is not None:
            page = client.get(f"{route}?limit=200{cursor}", headers=headers)
            told.append(page.text)
            following = page.json().get("nextCursor")
            cursor = None if following is None else f"&cursor={following}"
    return "\n".join(told)


@pytest.mark.parametrize(
    ("side", "body", "status", "paths"),
    _SIDES,
    ids=("asked", "answered", "refused", "asked of others", "answered by others", "refused by others"),
)
def test_any_text_of_any_call_is_shown_to_readers_of_content_alone(  # noqa: PLR0917  # a table's columns, and fixtures
    side: str, body: Any, status: int, paths: Sequence[str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    engine = new_sqlite(tmp_path)
    batch = [b'{"what": "' + MARKER.encode() + b'"}']
    planted_in: dict[str, tuple[Any, ...]] = {}
    for url in paths:
        for path in places(body):
            call = f"call-{len(planted_in)}"
            planted_in[call] = (url, *path)
            batch += a_pair(call, url, side, planted(body, path, MARKER), status)
    ingest(events.deliveries(*batch), ledger=SqlLedger(engine), content=SqlContentStore(engine), limit=NO_LIMIT)
    ledger = Ledger(engine)
    client = client_of(ledger.audit(), ledger.quarantine())

    answers = {roles: seen_in_api(client, roles) for roles in ("Audit.Read,Usage.Read", "Usage.Read")}
    analysts = seen_by_analysts(engine)
    shown = seen_in_api(client, "Audit.Read,Usage.Read,Content.Read")
    engine.dispose()

    assert WORD in shown
    logged = "\n".join(one.getMessage() for one in caplog.records if one.name.startswith("shared"))
    for told in (*answers.values(), analysts, logged):
        leaks = {planted_in.get(found) for found in re.findall(r"call-\d+(?=[^\n]{0,3000}?" + WORD + ")", told)}
        assert WORD not in told, sorted(map(str, leaks))[:5]


def test_roles_grant_columns_of_content_to_readers_of_texts_alone() -> None:
    (columns,) = re.findall(r"grant select on dbo\.interaction \(([^)]*)\) to promptledger_analyst", _ROLES.read_text())
    (texts,) = re.findall(r"grant select on dbo\.interaction \(([^)]*)\)\s+to promptledger_texts", _ROLES.read_text())

    assert not set(CONTENT_FIELDS) & {column.strip() for column in columns.split(",")}
    assert set(CONTENT_FIELDS) <= {column.strip() for column in texts.split(",")}
    assert {field.name for field in FIELDS if field.content} == {
        "prompt_preview",
        "completion_preview",
        "error_message",
    }


@pytest.mark.parametrize(
    ("written", "code"), [("DeploymentNotFound", "DeploymentNotFound"), (MARKER, "other"), ("429", "429")]
)
def test_the_code_of_an_error_is_a_word(tmp_path: Path, written: str, code: str) -> None:
    engine = new_sqlite(tmp_path)
    refused = events.a_response(status=400, body={"error": {"code": written, "message": "Because."}})
    ingest(events.deliveries(events.a_request(), refused), ledger=SqlLedger(engine), content=SqlContentStore(engine))
    ledger = Ledger(engine)
    client = client_of(ledger.audit(), ledger.quarantine())

    def error(roles: str) -> Any:
        return client.get("/api/v1/interactions/call-1", headers={"X-Local-Roles": roles}).json()["error"]

    assert error("Audit.Read") == {"code": code, "message": None}
    assert ledger.reads() == []
    assert error("Audit.Read,Content.Read") == {"code": code, "message": "Because."}
    assert len(ledger.reads()) == 1
    content = client.get("/api/v1/interactions/call-1/content").json()
    assert content["response"]["error"]["code"] == written
    engine.dispose()
