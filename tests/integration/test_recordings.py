"""Recordings of the real service, sent by every source that can carry them, read back as recorded."""

import json
from typing import Any

import pytest

from shared.bootstrap import Services
from shared.services.audit import Reader
from tests.builders import events
from tests.builders.recordings import (
    Recording,
    choices_of,
    completion_of,
    enterprise_pair,
    error_of,
    facts_of,
    native_pair,
    operation_of,
    prompt_of,
    recordings,
    tokens_of,
    tool_calls_of,
    usage_record,
)

CALLS = recordings("/completions", "/embeddings")
ANSWERED = [one for one in CALLS if one.status == 200 and one.method == "POST" and "error" not in one.response]
REFUSED = [one for one in CALLS if one.status != 200 or "error" in one.response]
READER = Reader("test", "test")


def _stored(ledger: Services, interaction_id: str, *bodies: bytes) -> dict[str, Any]:
    """Ingest events; return the interaction's row with its JSON columns parsed."""
    outcome = ledger.ingest(events.deliveries(*bodies))
    assert outcome.stored == len(bodies), outcome
    row = ledger.audit.interaction(interaction_id, reader=READER)
    return {name: json.loads(value) if name in _JSON and value else value for name, value in row.items()}


_JSON = {"finish_reasons", "filter_categories", "parameters"}


@pytest.mark.parametrize("recording", ANSWERED, ids=lambda one: one.name)
def test_an_answered_call_by_the_native_envelope_equals_its_recording(recording: Recording, ledger: Services) -> None:
    row = _stored(ledger, recording.id, *native_pair(recording, recording.id))

    assert row["state"] == "complete"
    expected = facts_of(recording)
    assert {name: row[name] for name in expected} == expected
    content = ledger.audit.content_of(recording.id, reader=READER)
    assert content.prompt == prompt_of(recording)
    assert content.completion == completion_of(recording)
    assert content.request == recording.request
    if operation_of(recording.path) != "embeddings":
        assert content.response == recording.response
    assert row["prompt_preview"] == ((prompt_of(recording) or "")[:100] or None)


@pytest.mark.parametrize("recording", [one for one in ANSWERED if enterprise_pair(one, "x")], ids=lambda one: one.name)
def test_an_answered_call_by_enterprise_logging_equals_its_recording(recording: Recording, ledger: Services) -> None:
    pair = enterprise_pair(recording, recording.id)
    assert pair is not None

    row = _stored(ledger, recording.id, *pair)

    tokens = tokens_of(recording.response)
    assert row["state"] == "complete"
    assert row["operation"] == operation_of(recording.path)
    assert row["model"] == recording.response["model"]
    assert (row["input_tokens"], row["total_tokens"]) == (tokens["input_tokens"], tokens["total_tokens"])
    if operation_of(recording.path) == "embeddings":
        return  # format A carries neither the input nor more tokens
    assert row["output_tokens"] == tokens["output_tokens"]
    assert row["finish_reasons"] == [choice.get("finish_reason") for choice in choices_of(recording.response)]
    assert row["tool_calls"] == tool_calls_of(recording.response)
    content = ledger.audit.content_of(recording.id, reader=READER)
    assert content.prompt == prompt_of(recording)
    assert content.completion == completion_of(recording)


@pytest.mark.parametrize("recording", [one for one in ANSWERED if usage_record(one, "x")], ids=lambda one: one.name)
def test_an_answered_call_by_a_usage_record_has_the_recordedtokens_of(recording: Recording, ledger: Services) -> None:
    record = usage_record(recording, recording.id)
    assert record is not None
    interaction_id = recording.response.get("id", recording.id)

    row = _stored(ledger, interaction_id, record)

    tokens = tokens_of(recording.response)
    assert row["state"] == "complete"
    assert row["usage_provenance"] == "logged"
    assert row["model"] == recording.response["model"]
    assert row["total_tokens"] == tokens["total_tokens"]
    assert row["input_tokens"] == tokens["input_tokens"]
    assert row["output_tokens"] in {tokens["output_tokens"], 0}


@pytest.mark.parametrize("recording", REFUSED, ids=lambda one: one.name)
def test_an_error_becomes_an_interaction_with_its_status_and_code(recording: Recording, ledger: Services) -> None:
    row = _stored(ledger, recording.id, *native_pair(recording, recording.id))

    expected = error_of(recording)
    assert {name: row[name] for name in expected} == expected


def test_the_corpus_holds_what_these_tests_are_about() -> None:
    assert len(ANSWERED) > 40
    assert len(REFUSED) >= 8
