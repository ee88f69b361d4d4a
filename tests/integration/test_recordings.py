"""Recordings of the real service, sent by every source that can carry them, read back as recorded."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.bootstrap import Services, reset, services
from shared.services.audit import Reader
from tests.builders import events
from tests.builders.databases import new_sqlite
from tests.builders.recordings import Recording, enterprise_pair, native_pair, recordings, usage_record

CALLS = recordings("/completions", "/embeddings")
ANSWERED = [one for one in CALLS if one.status == 200 and one.method == "POST" and "error" not in one.response]
REFUSED = [one for one in CALLS if one.status != 200 or "error" in one.response]
READER = Reader("test", "test")


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    new_sqlite(tmp_path).dispose()
    monkeypatch.setenv("PROMPTLEDGER_DATABASE", f"sqlite:///{tmp_path / 'ledger.db'}")
    reset()
    yield services()
    reset()


def _id(recording: Recording) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, recording.name))


def _stored(ledger: Services, interaction_id: str, *bodies: bytes) -> dict[str, Any]:
    """Ingest events; return the interaction's row with its JSON columns parsed."""
    outcome = ledger.ingest(events.deliveries(*bodies))
    assert outcome.stored == len(bodies), outcome
    row = ledger.audit.interaction(interaction_id, reader=READER)
    return {name: json.loads(value) if name in _JSON and value else value for name, value in row.items()}


_JSON = {"finish_reasons", "filter_categories", "parameters"}


# What the recording says, in this file's own words.


def _texts(content: Any) -> list[str]:
    if isinstance(content, str):
        return [content]
    return [part["text"] for part in content or [] if isinstance(part, dict) and isinstance(part.get("text"), str)]


def _prompt(request: Any) -> str | None:
    if not isinstance(request, dict):
        return None
    if "messages" in request:
        texts = [text for message in request["messages"] for text in _texts(message.get("content"))]
    else:
        given = request.get("prompt", request.get("input"))
        texts = [given] if isinstance(given, str) else [one for one in given or [] if isinstance(one, str)]
    return "\n".join(filter(None, texts)) or None


def _choices(response: dict[str, Any]) -> list[dict[str, Any]]:
    return sorted(response.get("choices", []), key=lambda choice: choice.get("index", 0))


def _completion(response: dict[str, Any]) -> str | None:
    for choice in _choices(response)[:1]:
        text = choice["text"] if "text" in choice else _said(choice.get("message") or {})
        return text or None
    return None


def _said(message: dict[str, Any]) -> str | None:
    return "\n".join(_texts(message.get("content"))) or message.get("refusal")


def _tool_calls(response: dict[str, Any]) -> int:
    messages = [choice.get("message") or {} for choice in _choices(response)]
    return sum(len(message.get("tool_calls") or []) + bool(message.get("function_call")) for message in messages)


def _tokens(response: dict[str, Any]) -> dict[str, int | None]:
    usage = response.get("usage") or {}
    prompt, completion = usage.get("prompt_tokens_details") or {}, usage.get("completion_tokens_details") or {}
    return {
        "input_tokens": usage.get("prompt_tokens"),
        "output_tokens": usage.get("completion_tokens"),
        "total_tokens": usage.get("total_tokens"),
        "cached_input_tokens": prompt.get("cached_tokens"),
        "audio_input_tokens": prompt.get("audio_tokens"),
        "reasoning_tokens": completion.get("reasoning_tokens"),
        "audio_output_tokens": completion.get("audio_tokens"),
    }


def _operation(path: str) -> str:
    if path.endswith("/chat/completions"):
        return "chat.completions"
    return "embeddings" if path.endswith("/embeddings") else "completions"


@pytest.mark.parametrize("recording", ANSWERED, ids=lambda one: one.name)
def test_an_answered_call_by_the_native_envelope_equals_its_recording(recording: Recording, ledger: Services) -> None:
    row = _stored(ledger, _id(recording), *native_pair(recording, _id(recording)))

    assert row["state"] == "complete"
    assert row["operation"] == _operation(recording.path)
    assert row["http_status"] == 200
    assert row["model"] == recording.response["model"]
    assert {name: row[name] for name in _tokens({})} == _tokens(recording.response)
    if recording.response.get("choices"):
        assert row["finish_reasons"] == [choice.get("finish_reason") for choice in _choices(recording.response)]
        assert row["tool_calls"] == _tool_calls(recording.response)
    content = ledger.audit.content_of(_id(recording), reader=READER)
    assert content.prompt == _prompt(recording.request)
    assert content.completion == _completion(recording.response)
    assert content.request == recording.request
    if _operation(recording.path) != "embeddings":
        assert content.response == recording.response
    assert row["prompt_preview"] == ((_prompt(recording.request) or "")[:100] or None)


@pytest.mark.parametrize("recording", [one for one in ANSWERED if enterprise_pair(one, "x")], ids=lambda one: one.name)
def test_an_answered_call_by_enterprise_logging_equals_its_recording(recording: Recording, ledger: Services) -> None:
    pair = enterprise_pair(recording, _id(recording))
    assert pair is not None

    row = _stored(ledger, _id(recording), *pair)

    tokens = _tokens(recording.response)
    assert row["state"] == "complete"
    assert row["operation"] == _operation(recording.path)
    assert row["model"] == recording.response["model"]
    assert (row["input_tokens"], row["total_tokens"]) == (tokens["input_tokens"], tokens["total_tokens"])
    if _operation(recording.path) == "embeddings":
        return  # format A carries neither the input nor more tokens
    assert row["output_tokens"] == tokens["output_tokens"]
    assert row["finish_reasons"] == [choice.get("finish_reason") for choice in _choices(recording.response)]
    assert row["tool_calls"] == _tool_calls(recording.response)
    content = ledger.audit.content_of(_id(recording), reader=READER)
    assert content.prompt == _prompt(recording.request)
    assert content.completion == _completion(recording.response)


@pytest.mark.parametrize("recording", [one for one in ANSWERED if usage_record(one, "x")], ids=lambda one: one.name)
def test_an_answered_call_by_a_usage_record_has_the_recorded_tokens(recording: Recording, ledger: Services) -> None:
    record = usage_record(recording, _id(recording))
    assert record is not None
    interaction_id = recording.response.get("id", _id(recording))

    row = _stored(ledger, interaction_id, record)

    tokens = _tokens(recording.response)
    assert row["state"] == "complete"
    assert row["usage_provenance"] == "logged"
    assert row["model"] == recording.response["model"]
    assert row["total_tokens"] == tokens["total_tokens"]
    assert row["input_tokens"] == tokens["input_tokens"]
    assert row["output_tokens"] in {tokens["output_tokens"], 0}


@pytest.mark.parametrize("recording", REFUSED, ids=lambda one: one.name)
def test_an_error_becomes_an_interaction_with_its_status_and_code(recording: Recording, ledger: Services) -> None:
    row = _stored(ledger, _id(recording), *native_pair(recording, _id(recording)))

    assert row["http_status"] == recording.status
    assert row["usage_provenance"] == "missing"
    error = recording.response.get("error", {}) if isinstance(recording.response, dict) else {}
    filtered = error.get("code") == "content_filter"
    assert row["state"] == ("refused" if filtered else "failed")
    if error.get("code") is not None:
        assert row["error_code"] == str(error["code"])
    if error.get("message"):
        assert row["error_message"] == error["message"][:1024].strip()


def test_the_corpus_holds_what_these_tests_are_about() -> None:
    assert len(ANSWERED) > 40
    assert len(REFUSED) >= 8
