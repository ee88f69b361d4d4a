"""Recordings of every operation but chat, completions and embeddings, as native events, read back as recorded."""

import json
import re
from typing import Any

import pytest

from shared.bootstrap import Services
from shared.services.audit import Reader
from tests.builders import events
from tests.builders.recordings import (
    OPERATIONS,
    Recording,
    completion_of,
    error_of,
    facts_of,
    fields_of,
    native_pair,
    operation_of,
    prompt_of,
    recordings,
)

READER = Reader("test", "test")
_READ_ELSEWHERE = re.compile(r"/(chat/completions|completions|embeddings)$")
CALLS = [one for one in recordings("") if not _READ_ELSEWHERE.search(one.path) and "/chat/" not in one.path]
ANSWERED = [one for one in CALLS if one.status < 400]
REFUSED = [one for one in CALLS if one.status >= 400]


def _stored(ledger: Services, interaction_id: str, *bodies: bytes) -> dict[str, Any]:
    outcome = ledger.ingest(events.deliveries(*bodies))
    assert outcome.stored == len(bodies), outcome
    row = ledger.audit.interaction(interaction_id, reader=READER)
    return {**row, "finish_reasons": json.loads(row["finish_reasons"]) if row["finish_reasons"] else None}


@pytest.mark.parametrize("recording", ANSWERED, ids=str)
def test_an_answered_call_equals_its_recording(recording: Recording, ledger: Services) -> None:
    expected = facts_of(recording)

    row = _stored(ledger, recording.id, *native_pair(recording, recording.id))

    assert {name: row[name] for name in expected} == expected
    assert row["state"] == "complete"
    content = ledger.audit.content_of(recording.id, reader=READER)
    assert content.prompt == prompt_of(recording)
    assert content.completion == completion_of(recording)


@pytest.mark.parametrize("recording", REFUSED, ids=str)
def test_an_error_becomes_an_interaction_with_its_status_and_code(recording: Recording, ledger: Services) -> None:
    expected = error_of(recording)

    row = _stored(ledger, recording.id, *native_pair(recording, recording.id))

    assert {"error_code", "error_message"} < expected.keys()
    assert {name: row[name] for name in expected} == expected


@pytest.mark.parametrize("recording", [one for one in ANSWERED if isinstance(one.response, dict)], ids=str)
def test_an_answer_without_a_path_is_told_by_its_shape(recording: Recording, ledger: Services) -> None:
    operation = operation_of(recording.path)
    _, response = native_pair(recording, recording.id)

    ledger.ingest(events.deliveries(response))

    told = ledger.audit.interaction(recording.id, reader=READER)["operation"]
    alike = {"images.edits": "images.generations", "audio.translations": "audio.transcriptions"}
    assert told in {operation, alike.get(operation), None}
    assert told is not None or "object" not in recording.response or recording.response["object"] in _UNTOLD


_UNTOLD = {"list", "skill", "skill.version"}
"""A list without items, or with items of messages, is told by its path only."""


@pytest.mark.parametrize("recording", [one for one in CALLS if isinstance(one.request, bytes)], ids=str)
def test_of_a_form_the_fields_are_kept_and_of_files_their_name_and_size(recording: Recording, ledger: Services) -> None:
    fields = fields_of(recording.request)

    _stored(ledger, recording.id, *native_pair(recording, recording.id))

    kept = ledger.audit.content_of(recording.id, reader=READER).request
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
    assert {operation_of(one.path) for one in CALLS} >= OPERATIONS - {
        "other",
        "chat.completions",
        "completions",
        "embeddings",
    }
