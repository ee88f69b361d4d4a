"""Recordings of every operation but chat, completions and embeddings, as native events, read back as recorded."""

import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.bootstrap import Services, reset, services
from shared.services.audit import Reader
from tests.builders import events
from tests.builders.databases import new_sqlite
from tests.builders.recordings import Recording, native_pair, recordings

READER = Reader("test", "test")
_READ_ELSEWHERE = re.compile(r"/(chat/completions|completions|embeddings)$")
CALLS = [one for one in recordings("") if not _READ_ELSEWHERE.search(one.path) and "/chat/" not in one.path]
ANSWERED = [one for one in CALLS if one.status < 400]
REFUSED = [one for one in CALLS if one.status >= 400]

# What the recording says, in this file's own words.

_OPERATIONS = {
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


def _operation(path: str) -> str:
    path = path.partition("/v1")[2]
    return next(name for pattern, name in _OPERATIONS.items() if re.fullmatch(pattern, path))


def _fields(form: bytes) -> dict[str, Any]:
    """Return the text fields of a form, and the names of its files."""
    fields: dict[str, Any] = {}
    for part in form.split(b"--" + form.partition(b"\r\n")[0][2:]):
        head, _, value = part.partition(b"\r\n\r\n")
        name = re.search(rb'name="?([^";\r\n]+)', head)
        if name:
            fields[name[1].decode()] = None if b"filename=" in head else value.removesuffix(b"\r\n").decode()
    return fields


def _request(recording: Recording) -> dict[str, Any]:
    if isinstance(recording.request, bytes):
        return _fields(recording.request)
    return recording.request if isinstance(recording.request, dict) else {}


def _texts(content: Any, *kinds: str) -> list[str]:
    if isinstance(content, str):
        return [content]
    texts = [part["text"] for part in content or [] if "text" in part and (not kinds or part["type"] in kinds)]
    return [text["value"] if isinstance(text, dict) else text for text in texts]


def _prompt(operation: str, request: dict[str, Any]) -> str | None:
    texts: list[str] = []
    given = request.get("input")
    if operation.startswith("images.") or operation in {"audio.transcriptions", "audio.translations"}:
        texts = [request.get("prompt") or ""]
    elif isinstance(given, str):
        texts = [given]
    elif operation == "responses":
        texts = [text for item in given or [] for text in _texts(item.get("content"))]
    elif operation == "moderations":
        texts = list(given or [])
    elif operation == "conversations":
        texts = [text for item in request.get("items", []) for text in _texts(item.get("content"))]
    elif operation == "threads.messages":
        texts = _texts(request.get("content"))
    elif operation in {"threads", "threads.runs"}:
        messages = [*request.get("messages", []), *request.get("thread", {}).get("messages", [])]
        messages += request.get("additional_messages", [])
        texts = [text for message in messages for text in _texts(message["content"])]
    return "\n".join(filter(None, texts)) or None


def _completion(operation: str, response: dict[str, Any]) -> str | None:
    texts: list[str] = []
    if operation == "responses":
        said = [_texts(item.get("content"), "output_text") for item in response.get("output", [])]
        texts = ["".join(parts) for parts in said]
    elif operation.startswith("audio."):
        texts = [response.get("text", "")]
    elif operation.startswith("images."):
        texts = [image.get("revised_prompt", "") for image in response["data"]]
    elif operation == "threads.messages":
        messages = response["data"] if response.get("object") == "list" else [response]
        texts = [t for one in messages if one.get("role") == "assistant" for t in _texts(one.get("content"))]
    return "\n".join(filter(None, texts)) or None


def _tokens(response: dict[str, Any]) -> dict[str, Any]:
    usage = response.get("usage") or {}
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
        "image_output_tokens": second.get("image_tokens"),
    }


_KEYS = {"response": "id", "response.compaction": "id", "thread.run": "id", "thread.run.step": "run_id", "batch": "id"}


def _facts(operation: str, recording: Recording) -> dict[str, Any]:
    """Return the facts that the recording states, by the names of the ledger."""
    response = recording.response if isinstance(recording.response, dict) else {}
    request = _request(recording)
    session = response.get("session") or request.get("session") or {}
    if isinstance(session, str):
        session = json.loads(session)
    key = _KEYS.get(response.get("object", ""))
    facts = {
        "operation": operation,
        "http_status": recording.status,
        "model": response.get("model") or request.get("model") or session.get("model"),
        "usage_key": response[key] if key else None,
        "images": len(response["data"]) if operation.startswith("images.") else None,
        "characters": len(request["input"]) if operation == "audio.speech" else None,
        "seconds": (response.get("usage") or {}).get("seconds", response.get("duration")),
        "tool_calls": None,
        "finish_reasons": None,
        **_tokens(response),
    }
    if "output" in response:
        facts["tool_calls"] = len([item for item in response["output"] if item["type"].endswith("_call")])
    if response.get("object") == "thread.run.step" and "tool_calls" in response["step_details"]:
        facts["tool_calls"] = len(response["step_details"]["tool_calls"])
    if response.get("object") in {"response", "thread.run", "thread.run.step"}:
        details = response.get("incomplete_details") or {}
        ended = "status" in response and response["status"] not in {"queued", "in_progress"}
        facts["finish_reasons"] = [details.get("reason", response["status"])] if ended else None
    return facts


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    new_sqlite(tmp_path).dispose()
    monkeypatch.setenv("PROMPTLEDGER_DATABASE", f"sqlite:///{tmp_path / 'ledger.db'}")
    reset()
    yield services()
    reset()


def _stored(ledger: Services, interaction_id: str, *bodies: bytes) -> dict[str, Any]:
    outcome = ledger.ingest(events.deliveries(*bodies))
    assert outcome.stored == len(bodies), outcome
    row = ledger.audit.interaction(interaction_id, reader=READER)
    return {**row, "finish_reasons": json.loads(row["finish_reasons"]) if row["finish_reasons"] else None}


def _id(recording: Recording) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, recording.name))


@pytest.mark.parametrize("recording", ANSWERED, ids=str)
def test_an_answered_call_equals_its_recording(recording: Recording, ledger: Services) -> None:
    operation = _operation(recording.path)
    expected = _facts(operation, recording)

    row = _stored(ledger, _id(recording), *native_pair(recording, _id(recording)))

    assert {name: row[name] for name in expected} == expected
    assert row["state"] == "complete"
    content = ledger.audit.content_of(_id(recording), reader=READER)
    assert content.prompt == _prompt(operation, _request(recording))
    response = recording.response if isinstance(recording.response, dict) else {}
    assert content.completion == _completion(operation, response)


@pytest.mark.parametrize("recording", REFUSED, ids=str)
def test_an_error_becomes_an_interaction_with_its_status_and_code(recording: Recording, ledger: Services) -> None:
    error = recording.response["error"]

    row = _stored(ledger, _id(recording), *native_pair(recording, _id(recording)))

    assert row["operation"] == _operation(recording.path)
    assert row["http_status"] == recording.status
    assert row["state"] == "failed"
    assert row["usage_provenance"] == "missing"
    assert row["error_code"] == (error.get("code") or error["type"])
    assert row["error_message"] == error["message"][:1024].strip()


@pytest.mark.parametrize("recording", [one for one in ANSWERED if isinstance(one.response, dict)], ids=str)
def test_an_answer_without_a_path_is_told_by_its_shape(recording: Recording, ledger: Services) -> None:
    operation = _operation(recording.path)
    _, response = native_pair(recording, _id(recording))

    ledger.ingest(events.deliveries(response))

    told = ledger.audit.interaction(_id(recording), reader=READER)["operation"]
    alike = {"images.edits": "images.generations", "audio.translations": "audio.transcriptions"}
    assert told in {operation, alike.get(operation), None}
    assert told is not None or "object" not in recording.response or recording.response["object"] in _UNTOLD


_UNTOLD = {"list", "skill", "skill.version"}
"""A list without items, or with items of messages, is told by its path only."""


@pytest.mark.parametrize("recording", [one for one in CALLS if isinstance(one.request, bytes)], ids=str)
def test_of_a_form_the_fields_are_kept_and_of_files_their_name_and_size(recording: Recording, ledger: Services) -> None:
    fields = _fields(recording.request)

    _stored(ledger, _id(recording), *native_pair(recording, _id(recording)))

    kept = ledger.audit.content_of(_id(recording), reader=READER).request
    assert kept.keys() == {name.removesuffix("[]") for name in fields}
    for name, value in fields.items():
        told = kept[name.removesuffix("[]")]
        first = told[0] if isinstance(told, list) else told
        if value is None:
            assert first["size"] > 0
            assert first["filename"]
        else:
            assert first == (json.loads(value) if isinstance(first, dict) else value)


def test_the_corpus_holds_what_these_tests_are_about() -> None:
    assert len(ANSWERED) > 90
    assert len(REFUSED) >= 8
    assert {_operation(one.path) for one in CALLS} >= set(_OPERATIONS.values()) - {"other"}
