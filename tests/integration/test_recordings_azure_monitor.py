"""Every recording as Azure Monitor's logs of it: whole, cut at the gateway's limit, in rows, beside other sources."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.bootstrap import Services, reset, services
from shared.questions import InteractionFilter
from shared.services.audit import Reader
from tests.builders import events
from tests.builders.azure_monitor import an_envelope
from tests.builders.databases import new_sqlite
from tests.builders.recordings import (
    LOGGED_BYTES,
    Recording,
    answer_of,
    body_text,
    completion_of,
    error_of,
    facts_of,
    gateway_log,
    model_log_rows,
    native_pair,
    operation_of,
    prompt_of,
    recordings,
    service_log,
    tokens_of,
)
from tests.builders.streams import RecordedStream, recorded_streams

READER = Reader("test", "test")
_PATHS = {
    "chat.completion.chunk": "chat/completions",
    "text_completion": "completions",
    "response.created": "responses",
}
# No HTTP streams, or examples that leave out what makes them whole (tests/unit/operations/streams reads them).
_ODD = ("realtime", "openai-openapi/", "with_data", "parallel-tool-call-wrapper", "reasoning-encrypted-content")


def _call_of(stream: RecordedStream) -> Recording:
    """Return a call that got a stream whose request nobody recorded."""
    (path,) = (path for label, path in _PATHS.items() if label in stream.labels)
    url = f"https://aoai.example.org/openai/v1/{path}"
    return Recording(stream.name, "POST", url, 200, {}, None, stream.text, streamed=True)


CALLS = recordings("", streamed=None)
_WITH_REQUEST = {f"{one.name}.response.sse" for one in recordings("", streamed=None, others=True)}
_STREAMS = [one for one in recorded_streams() if one.name not in _WITH_REQUEST]
CALLS += [
    _call_of(one)
    for one in _STREAMS
    if not _PATHS.keys().isdisjoint(one.labels) and not any(name in one.name for name in _ODD)
]
_NO_ERROR_OF_THEIR_OWN = {"chat.completions", "completions", "embeddings"}
REFUSED = [
    one
    for one in CALLS
    if one.status >= 400 or (operation_of(one.path) in _NO_ERROR_OF_THEIR_OWN and answer_of(one).get("error"))
]
ANSWERED = [one for one in CALLS if one not in REFUSED]
CHATS = [one for one in CALLS if one.path.endswith("/chat/completions") and one.request and "messages" in one.request]

Row = dict[str, Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ledgers")


def _ledger(folder: Path, name: str, *batches: list[bytes]) -> Iterator[Services]:
    """Give a ledger of its own that has received the batches."""
    path = folder / name
    path.mkdir()
    new_sqlite(path).dispose()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PROMPTLEDGER_DATABASE", f"sqlite:///{path / 'ledger.db'}")
        reset()
        ledger = services()
        first = 0
        for bodies in batches:
            outcome = ledger.ingest(events.deliveries(*bodies, first=first))
            assert outcome.received == len(bodies)
            assert outcome.quarantined == outcome.skipped == 0, outcome
            first += len(bodies)
    yield ledger
    ledger.close()


def _in_envelopes(records: list[Row], size: int = 20) -> list[bytes]:
    return [an_envelope(*records[start : start + size]) for start in range(0, len(records), size)]


@pytest.fixture(scope="module")
def whole(folder: Path) -> Iterator[Services]:
    yield from _ledger(folder, "whole", _in_envelopes([gateway_log(one) for one in CALLS]))


@pytest.fixture(scope="module")
def cut(folder: Path) -> Iterator[Services]:
    yield from _ledger(folder, "cut", _in_envelopes([gateway_log(one, LOGGED_BYTES) for one in CALLS]))


@pytest.fixture(scope="module")
def in_rows(folder: Path) -> Iterator[Services]:
    chance = random.Random(20260302)
    rows = [row for one in CHATS for row in model_log_rows(one, chance)]
    chance.shuffle(rows)
    bodies = _in_envelopes(rows, 7)
    half = len(bodies) // 2
    yield from _ledger(folder, "rows", bodies[:half], bodies[half:])


@pytest.fixture(scope="module")
def seen_by_three(folder: Path) -> Iterator[Services]:
    chance = random.Random(20260303)
    bodies = [body for one in CHATS for body in _three_views(one)]
    chance.shuffle(bodies)
    third = len(bodies) // 3
    yield from _ledger(folder, "three", bodies[:third], bodies[third : 2 * third], bodies[2 * third :])


def _three_views(recording: Recording) -> list[bytes]:
    usage = answer_of(recording).get("usage")
    # Had the counts of Azure OpenAI's own log been taken, or been added, the test would see it.
    counts = {"promptTokens": 70001, "completionTokens": 70002} if usage else {}
    return [
        *native_pair(recording, recording.id),
        an_envelope(gateway_log(recording)),
        an_envelope(service_log(recording, **counts)),
    ]


def _row(ledger: Services, recording: Recording) -> Row:
    row = ledger.audit.interaction(recording.id, reader=READER)
    for name in ("finish_reasons", "sources"):
        row = row | {name: json.loads(row[name]) if isinstance(row[name], str) else row[name]}
    return row


def _is_cut(body: Any) -> bool:
    """Return whether 8,192 bytes don't hold a body."""
    return body_text(body) != body_text(body, LOGGED_BYTES)


def _has_long_text(recording: Recording) -> bool:
    """Return whether a body is no JSON and so long that the gateway would have cut it: it is taken to be cut."""
    bodies = [body for body in (recording.request, recording.response) if isinstance(body, str | bytes)]
    return any(len((body_text(body) or "").encode()) >= LOGGED_BYTES for body in bodies)


def _without_estimates(row: Row, expected: Row) -> Row:
    """Return what to expect of a row whose usage nobody reported: estimates are marked, and are no report."""
    if row["usage_provenance"] != "estimated":
        return expected
    return {name: value for name, value in expected.items() if name not in tokens_of({})}


@pytest.mark.parametrize("recording", ANSWERED, ids=str)
def test_an_answered_call_by_a_gateway_log_equals_its_recording(recording: Recording, whole: Services) -> None:
    row = _row(whole, recording)

    reported = any(value is not None for value in tokens_of(answer_of(recording)).values())
    expected = facts_of(recording)
    if not reported:
        assert row["usage_provenance"] in {"estimated", "missing"} or expected["images"] or expected["characters"]
    expected = _without_estimates(row, expected)
    assert {name: row[name] for name in expected} == expected
    assert row["state"] == "complete"
    assert row["sources"] == ["azure-monitor"]
    content = whole.audit.content_of(recording.id, reader=READER)
    assert content.prompt == prompt_of(recording)
    assert content.completion == completion_of(recording)
    if not _has_long_text(recording) and "not_complete" not in recording.name:
        assert not row["truncated"]


@pytest.mark.parametrize("recording", REFUSED, ids=str)
def test_an_error_by_a_gateway_log_equals_its_recording(recording: Recording, whole: Services) -> None:
    row = _row(whole, recording)

    expected = error_of(recording)
    assert {name: row[name] for name in expected} == expected
    assert whole.audit.content_of(recording.id, reader=READER).prompt == prompt_of(recording)


@pytest.mark.parametrize("recording", CALLS, ids=str)
def test_of_a_gateway_log_cut_at_its_limit_what_is_there_equals_the_recording(
    recording: Recording, cut: Services
) -> None:
    row = _row(cut, recording)

    expected = facts_of(recording) if recording in ANSWERED else error_of(recording)
    content = cut.audit.content_of(recording.id, reader=READER)
    asked_cut, answered_cut = _is_cut(recording.request), _is_cut(recording.response)
    if "not_complete" not in recording.name:
        assert bool(row["truncated"]) == (asked_cut or answered_cut)
    # Never a wrong number.
    if row["usage_provenance"] != "estimated":
        for name, value in tokens_of(answer_of(recording)).items():
            assert row[name] in {value, None}
    assert (row["operation"], row["http_status"]) == (expected["operation"], recording.status)
    assert (prompt_of(recording) or "").startswith(content.prompt or "")
    if not asked_cut:
        assert content.prompt == prompt_of(recording)
    if recording in REFUSED:
        assert {name: row[name] for name in expected} == expected
    elif answered_cut:
        assert (completion_of(recording) or "").startswith(content.completion or "")
        assert row["finish_reasons"] in (expected["finish_reasons"], None) or set(row["finish_reasons"]) == {None}
        assert (row["tool_calls"] or 0) <= (expected["tool_calls"] or 0)
    else:
        expected = _without_estimates(row, expected)
        if asked_cut and not answer_of(recording).get("model"):
            # Only the request names it, perhaps behind the cut.
            assert row["model"] in {expected.pop("model"), None}
        assert {name: row[name] for name in expected} == expected
        assert content.completion == completion_of(recording)


@pytest.mark.parametrize("recording", CHATS, ids=str)
def test_a_chat_by_the_rows_of_the_model_log_equals_its_recording(recording: Recording, in_rows: Services) -> None:
    row = _row(in_rows, recording)

    tokens = tokens_of(answer_of(recording))
    if tokens["total_tokens"]:
        assert row["usage_provenance"] == "logged"
        names = ("input_tokens", "output_tokens", "total_tokens")
        assert {name: row[name] for name in names} == {name: tokens[name] for name in names}
    else:
        assert row["usage_provenance"] in {"estimated", "missing"}
    assert row["operation"] == "chat.completions"
    assert row["state"] == "complete"  # These rows don't tell the status.
    content = in_rows.audit.content_of(recording.id, reader=READER)
    assert content.prompt == prompt_of(recording)
    assert content.completion == (completion_of(recording) if recording in ANSWERED else None)


@pytest.mark.parametrize("recording", CHATS, ids=str)
def test_a_chat_that_three_sources_saw_is_one_interaction(recording: Recording, seen_by_three: Services) -> None:
    row = _row(seen_by_three, recording)

    assert row["sources"] == ["azure-monitor", "azure-openai", "native"]
    assert seen_by_three.audit.interaction(recording.service_id, reader=READER)["id"] == recording.id
    content = seen_by_three.audit.content_of(recording.id, reader=READER)
    assert content.prompt == prompt_of(recording)
    if recording in REFUSED:
        expected = error_of(recording)
    else:
        expected = _without_estimates(row, facts_of(recording))
        assert content.completion == completion_of(recording)
        if answer_of(recording).get("usage"):
            assert row["usage_provenance"] == "reported"
    assert {name: row[name] for name in expected} == expected


def test_a_chat_that_three_sources_saw_is_counted_once(seen_by_three: Services) -> None:
    page = seen_by_three.audit.interactions(InteractionFilter(), after=None, limit=1000, reader=READER)

    assert {row["id"] for row in page.rows} == {one.id for one in CHATS}


def test_the_corpus_holds_what_these_tests_are_about() -> None:
    assert len(ANSWERED) > 200
    assert len(REFUSED) >= 20
    assert len([one for one in CALLS if one.streamed]) > 40
    assert len(CHATS) > 70
    assert len([one for one in CALLS if _is_cut(one.request) or _is_cut(one.response)]) > 35
