import json
import logging
from typing import Any

import pytest

import shared.sources as parsing
from shared.errors import EventError
from shared.sources import read_event
from shared.sources.record import Reading
from tests.builders.events import (
    ENQUEUED,
    a_metric,
    a_request,
    a_response,
    a_usage_record,
    an_enterprise_request,
)


def an_event(**members: Any) -> bytes:
    return json.dumps(members).encode()


@pytest.mark.parametrize(
    ("body", "source"),
    [
        (a_request(), "native"),
        (a_response(), "native"),
        (an_enterprise_request(), "enterprise-logging"),
        (a_usage_record(), "ai-hub-gateway"),
        (a_metric(), "azure-monitor"),
    ],
)
def test_sources_are_told_apart(body: bytes, source: str) -> None:
    assert read_event(body, ENQUEUED).source == source


def test_an_array_is_as_many_events() -> None:
    body = b"[" + b",".join([a_metric(), a_request("call-1"), a_usage_record("chatcmpl-2")]) + b"]"

    reading = read_event(body, ENQUEUED)

    assert [fragment.interaction_id for fragment in reading.fragments] == ["call-1", "chatcmpl-2"]
    assert reading.source == "native"
    assert reading.fragments[0].facts == read_event(a_request("call-1"), ENQUEUED).fragments[0].facts


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\n\n"])
def test_lines_of_json_are_as_many_events(ending: bytes) -> None:
    long = a_request("call-1", tags={f"tag-{number}": "x" * 200 for number in range(1200)})

    reading = read_event(ending.join([long, a_usage_record("chatcmpl-2")]) + ending, ENQUEUED)

    assert [fragment.interaction_id for fragment in reading.fragments] == ["call-1", "chatcmpl-2"]
    assert "truncated" not in reading.fragments[0].facts


@pytest.mark.parametrize("body", [a_metric(), b"[" + a_metric() + b"]", b"[]", b'{"records": []}'])
def test_metrics_and_emptiness_speak_of_no_call(body: bytes) -> None:
    reading = read_event(body, ENQUEUED)

    assert (reading.fragments, reading.skipped is None) == ((), False)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b"{}", "unknown shape", id="an empty object"),
        pytest.param(b"7", "not a JSON object", id="a number"),
        pytest.param(b"[[]]", "an array of something else", id="an array of arrays"),
        pytest.param(b"[" + a_request() + b", {}]", "unknown shape", id="an array with one stranger"),
        pytest.param(an_event(type="PII_Processing"), "id is missing", id="a PII record without an id"),
        pytest.param(
            an_event(records=[{"category": "GatewayLogs", "properties": {}}]),
            "correlationId is missing",
            id="a resource log of no call",
        ),
        pytest.param(an_event(category="RequestResponse"), "correlationId is missing", id="an unwrapped resource log"),
        pytest.param(
            an_event(records=[{"metricName": "Requests"}, {"category": "GatewayLogs"}]),
            "correlationId is missing",
            id="metrics and logs",
        ),
        pytest.param(an_event(records=[{"EventTime": "now"}]), "unknown shape", id="another's records"),
        pytest.param(
            an_event(Type="Message", TotalTokens="7"), "RequestId is missing", id="the toolkit's record without an id"
        ),
        pytest.param(
            an_event(chunkIndex=0, chunkTotal=2, payload="x", kind="request-body"), "not supported", id="a chunk"
        ),
        pytest.param(
            b"3/2/2026 9:29:58 AM,apim-example,0f0e0d0c-0b0a-4908-8706-050403020100,203.0.113.7,Chat, and more",
            "not supported: comma-joined",
            id="comma-joined text",
        ),
        pytest.param(a_request() + b"\n[]", "not JSON", id="a line that is no object"),
        pytest.param(a_request() + b"\n" + a_request()[:-1], "not JSON", id="a line that was cut"),
        pytest.param(b"request:no id\nGET / HTTP/1.1", "not JSON", id="an HTTP message without an id"),
    ],
)
def test_what_no_source_reads_is_refused_with_a_reason(body: bytes, reason: str) -> None:
    with pytest.raises(EventError, match=reason):
        read_event(body, ENQUEUED)


def test_a_fault_of_a_parser_is_logged_without_the_body_and_holds_up_no_one(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(body: bytes, _enqueued_at: str) -> Reading:
        raise KeyError(body.decode())

    monkeypatch.setattr(parsing, "parse_event", broken)

    with caplog.at_level(logging.ERROR), pytest.raises(EventError, match=r"^parser fault: KeyError$"):
        read_event(b"a prompt", ENQUEUED)

    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "a prompt" not in caplog.text


def test_want_of_memory_is_no_fault_of_the_event(monkeypatch: pytest.MonkeyPatch) -> None:
    def starved(_body: bytes, _enqueued_at: str) -> Reading:
        raise MemoryError

    monkeypatch.setattr(parsing, "parse_event", starved)

    with pytest.raises(MemoryError):
        read_event(b"{}", ENQUEUED)
