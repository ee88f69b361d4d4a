"""Every recording of another vendor's model, by every source that can carry it, read back as recorded."""

import base64
import json
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest

from shared.bootstrap import Services, reset, services
from shared.services.audit import Reader
from shared.sources import read_event
from tests.builders import events
from tests.builders.azure_monitor import an_envelope
from tests.builders.databases import new_sqlite
from tests.builders.other_events import a_pii_record
from tests.builders.recordings import LOGGED_BYTES, Recording, body_text, gateway_log
from tests.builders.vendor_recordings import truth_of, vendor_of, vendor_recordings

READER: Final = Reader("test", "test")
CALLS: Final = vendor_recordings()
_RAW_CHARACTERS: Final = 1024
"""The sample policy of raw HTTP sends no more of a body."""
_PART: Final = 3_000
_TEXTS: Final = ("prompt", "completion")


def _native(recording: Recording, **changes: Any) -> list[dict[str, Any]]:
    """Return the two native events without bodies."""
    url = urlsplit(recording.url)
    common = {"schema": "promptledger/1", "interactionId": recording.id, "operationId": "wildcard-post"}
    asked = {
        "part": "request",
        "time": "2026-03-02T09:00:00.000Z",
        "method": recording.method,
        "url": url.path + (f"?{url.query}" if url.query else ""),
        "contentType": "application/json",
    }
    answered = {
        "part": "response",
        "time": "2026-03-02T09:00:01.000Z",
        "status": recording.status,
        "streamed": recording.streamed,
        "backendUrl": recording.url,
        "timings": {"totalMs": 1000},
        "headers": recording.headers,
        "contentType": recording.headers.get("content-type") or ("text/event-stream" if recording.streamed else None),
    }
    return [common | asked | changes, common | answered | changes]


def by_native(recording: Recording) -> list[bytes]:
    """Return native events with JSON as JSON, texts as texts and bytes in base64."""
    sent = []
    for event, body in zip(_native(recording), (recording.request, recording.response), strict=True):
        held = {"bodyBase64": base64.b64encode(body).decode()} if isinstance(body, bytes) else {"body": body}
        sent.append(json.dumps(event | held).encode())
    return sent


def by_base64(recording: Recording) -> list[bytes]:
    """Return native events with every body in base64."""
    sent = []
    for event, body in zip(_native(recording), (recording.request, recording.response), strict=True):
        held = {} if body is None else {"bodyBase64": base64.b64encode(_bytes_of(body)).decode()}
        sent.append(json.dumps(event | held).encode())
    return sent


def by_parts(recording: Recording) -> list[bytes]:
    """Return native events with bodies in pieces of base64, cut through characters and messages; the last first."""
    sent = []
    for event, body in zip(_native(recording), (recording.request, recording.response), strict=True):
        data = b"" if body is None else _bytes_of(body)
        pieces = [data[start : start + _PART] for start in range(0, len(data), _PART)]
        if len(pieces) < 2:
            held = {} if body is None else {"bodyBase64": base64.b64encode(data).decode()}
            sent.append(json.dumps(event | held).encode())
            continue
        for number, piece in enumerate(pieces):
            told = {"index": number, "count": len(pieces), "encoding": "base64"}
            part = told | {"data": base64.b64encode(piece).decode()}
            sent.append(json.dumps(event | {"bodyPart": part}).encode())
    return sent[::-1]


def _bytes_of(body: Any) -> bytes:
    if isinstance(body, bytes):
        return body
    return (body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)).encode()


def by_gateway_log(recording: Recording) -> list[bytes]:
    return [an_envelope(_log(recording))]


def by_gateway_log_without_controls(recording: Recording) -> list[bytes] | None:
    """Return the log of a binary stream in which even control characters are lost."""
    if not isinstance(recording.response, bytes):
        return None
    record = _log(recording)
    logged = record["properties"]["backendResponseBody"]
    record["properties"]["backendResponseBody"] = "".join(letter for letter in logged if letter >= " ")
    return [an_envelope(record)]


def by_cut_gateway_log(recording: Recording) -> list[bytes] | None:
    bodies = [body for body in (recording.request, recording.response) if body is not None]
    if all(len(_bytes_of(body)) <= LOGGED_BYTES for body in bodies):
        return None
    return [an_envelope(_log(recording, LOGGED_BYTES))]


def _log(recording: Recording, most_bytes: int | None = None) -> dict[str, Any]:
    record = gateway_log(recording, most_bytes)
    record["properties"]["operationId"] = "wildcard-post"
    record["properties"].pop("apimSubscriptionId", None)
    return record


def by_raw_http(recording: Recording) -> list[bytes] | None:
    bodies = [body_text(body) or "" for body in (recording.request, recording.response)]
    if max(map(len, bodies)) >= _RAW_CHARACTERS or "�" in bodies[1]:
        return None
    url = urlsplit(recording.url)
    headers = "".join(f"{name}: {value}\r\n" for name, value in recording.headers.items())
    asked = f"request:{recording.id}\n{recording.method} {url.path}?{url.query} HTTP/1.1\r\nHost: gw\r\n\r\n{bodies[0]}"
    answered = f"response:{recording.id}\nHTTP/1.1 {recording.status} Word\r\n{headers}\r\n{bodies[1]}"
    return [asked.encode(), answered.encode()]


def by_pii_record(recording: Recording) -> list[bytes] | None:
    """Return the record of personal data: it tells the operation and shows the texts, nothing more."""
    if isinstance(recording.response, bytes) or recording.status >= 400:
        return None
    bodies = {"originalRequest": body_text(recording.request), "originalResponse": body_text(recording.response)}
    record = json.loads(a_pii_record(recording.id, bodies))
    record["context"]["api"]["operation"] = {"id": "wildcard-post", "method": "POST", "urlTemplate": recording.path}
    return [json.dumps(record).encode()]


Sender = Callable[[Recording], list[bytes] | None]
SOURCES: Final[dict[str, Sender]] = {
    "native": by_native,
    "native, base64": by_base64,
    "native, in parts": by_parts,
    "GatewayLogs": by_gateway_log,
    "GatewayLogs, no controls": by_gateway_log_without_controls,
    "raw-http": by_raw_http,
    "personal data": by_pii_record,
}
_KNOWN_BY: Final = {"personal data": ("operation", *_TEXTS)}
SENT: Final = [(source, one) for source, sender in SOURCES.items() for one in CALLS if sender(one) is not None]


@pytest.fixture(scope="module")
def ledgers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Services]]:
    """Give a ledger per source that has received all its events."""
    open_ones: dict[str, Services] = {}

    def ledger_of(source: str) -> Services:
        if source not in open_ones:
            sender = SOURCES.get(source, by_cut_gateway_log)
            bodies = [body for one in CALLS for body in sender(one) or ()]
            open_ones[source] = _filled(tmp_path_factory.mktemp("ledger"), bodies)
        return open_ones[source]

    yield ledger_of
    for ledger in open_ones.values():
        ledger.close()


def _filled(path: Path, bodies: list[bytes]) -> Services:
    new_sqlite(path).dispose()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PROMPTLEDGER_DATABASE", f"sqlite:///{path / 'ledger.db'}")
        reset()
        ledger = services()
        outcome = ledger.ingest(events.deliveries(*bodies))
    assert outcome.quarantined == outcome.skipped == 0, outcome
    return ledger


def _stored(ledger: Services, recording: Recording) -> dict[str, Any]:
    row = dict(ledger.audit.interaction(recording.id, reader=READER))
    reasons = row["finish_reasons"]
    content = ledger.audit.content_of(recording.id, reader=READER)
    return {
        **row,
        "finish_reasons": json.loads(reasons) if isinstance(reasons, str) else reasons,
        "prompt": content.prompt,
        "completion": content.completion,
    }


def _expected(source: str, recording: Recording) -> dict[str, Any]:
    truth = truth_of(recording)
    known = _KNOWN_BY.get(source, truth)
    return {name: value for name, value in truth.items() if name in known}


def _wrong(expected: dict[str, Any], stored: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {name: (value, stored[name]) for name, value in expected.items() if stored[name] != value}


@pytest.mark.parametrize(("source", "recording"), SENT, ids=str)
def test_a_call_equals_its_recording(source: str, recording: Recording, ledgers: Callable[[str], Services]) -> None:
    stored = _stored(ledgers(source), recording)

    assert _wrong(_expected(source, recording), stored) == {}


@pytest.mark.parametrize("recording", [one for one in CALLS if by_cut_gateway_log(one)], ids=str)
def test_of_a_log_that_was_cut_nothing_wrong_is_read(recording: Recording, ledgers: Callable[[str], Services]) -> None:
    stored = _stored(ledgers("cut"), recording)

    expected = _expected("cut", recording)
    assert stored["truncated"]
    for name in _TEXTS:
        assert (expected.pop(name) or "").startswith(stored[name] or "")
    surely: dict[str, Any] = {
        name: expected[name] for name in ("operation", "http_status", "requested_model") if name in expected
    }
    if recording.request is not None and len(_bytes_of(recording.request)) > LOGGED_BYTES:
        surely.pop("requested_model", None)
    assert _wrong(surely, stored) == {}
    # What came in is known from the beginning of a stream, or so far; all else is whole or unknown.
    so_far = (
        {"input_tokens", "cached_input_tokens", "cache_write_tokens"} if truth_of(recording).get("streamed") else set()
    )
    names = {name for name in expected if name.endswith("_tokens") and stored[name] is not None} - so_far
    assert _wrong({name: expected[name] for name in names}, stored) == {}


@pytest.mark.parametrize(("source", "sender"), [one for one in SOURCES.items() if one[0] != "native, in parts"])
def test_no_vector_and_no_trace_of_a_guardrail_is_kept(source: str, sender: Sender) -> None:
    for recording in CALLS:
        for body in sender(recording) or ():
            kept = read_event(body, events.ENQUEUED)
            for fragment in kept.fragments:
                document = json.loads(fragment.document)
                encoded = document.get("bodyBase64") if isinstance(document, dict) else None
                text = fragment.document.decode() + (
                    base64.b64decode(encoded).decode(errors="replace") if encoded else ""
                )
                assert not _NEVER_KEPT.search(text), (source, recording.name)


_NEVER_KEPT: Final = re.compile(r"modelOutput|amazon-bedrock-trace|(?:-?0\.\d{4,}(?:e-\d+)?,\s*){20}")


def test_of_each_vendor_and_source_nearly_all_is_right(
    ledgers: Callable[[str], Services], capsys: pytest.CaptureFixture[str]
) -> None:
    counts: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for source, recording in SENT:
        expected = _expected(source, recording)
        wrong = _wrong(expected, _stored(ledgers(source), recording))
        cell = counts[vendor_of(recording) or "", source]
        cell[0] += len(expected) - len(wrong)
        cell[1] += len(expected)

    with capsys.disabled():
        sys.stdout.write(f"\n{_table(counts)}\n")
    assert {key: right / total for key, (right, total) in counts.items() if right < 0.99 * total} == {}


def _table(counts: dict[tuple[str, str], list[int]]) -> str:
    rows = [f"| vendor | {' | '.join(SOURCES)} |", "|---" * (len(SOURCES) + 1) + "|"]
    for vendor in sorted({vendor for vendor, _ in counts}):
        cells = ["{}/{}".format(*counts[vendor, source]) if (vendor, source) in counts else "-" for source in SOURCES]
        rows.append(f"| {vendor} | {' | '.join(cells)} |")
    return "\n".join(rows)


def test_the_corpus_holds_what_these_tests_are_about() -> None:
    assert {vendor_of(one) for one in CALLS} == {"Anthropic", "Azure AI", "Bedrock", "DeepSeek", "Gemini", "Mistral"}
    assert len(CALLS) > 130
    assert len([one for one in CALLS if isinstance(one.response, bytes)]) >= 9
