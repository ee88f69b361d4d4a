"""Amazon's binary event stream is read whole, cut, and where a log turned it into text; other bytes are none."""

import json
import time
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.operations.streams.event_stream import text_of_bytes, text_of_logged
from tests.builders.event_stream import a_message, an_event_stream, chunks_of

EVENTS = [
    ("messageStart", {"role": "assistant"}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Ein Fluß: die Elbe 🌊"}}),
    ("messageStop", {"stopReason": "end_turn"}),
    ("metadata", {"usage": {"inputTokens": 3}, "trace": {"guardrail": {"modelOutput": ["masked"]}}}),
]
TEXT = (
    'event: messageStart\ndata: {"role":"assistant"}\n\n'
    'event: contentBlockDelta\ndata: {"contentBlockIndex":0,"delta":{"text":"Ein Fluß: die Elbe 🌊"}}\n\n'
    'event: messageStop\ndata: {"stopReason":"end_turn"}\n\n'
    'event: metadata\ndata: {"usage":{"inputTokens":3}}\n\n'
)


def test_a_stream_becomes_server_sent_events_without_padding_and_trace() -> None:
    assert text_of_bytes(an_event_stream(EVENTS)) == TEXT


def test_the_published_example_is_read() -> None:
    message = bytes.fromhex(
        "00000084000000513d28a859" + "0b3a6576656e742d74797065" + "07000b6d65737361676553746f70"
        "0d3a636f6e74656e742d74797065" + "0700106170706c69636174696f6e2f6a736f6e" + "0d3a6d6573736167652d74797065"
        "0700056576656e74" + "7b2270223a22616263222c2273746f70526561736f6e223a22656e645f7475726e227d" + "8a7bbdd0"
    )

    assert text_of_bytes(message) == 'event: messageStop\ndata: {"stopReason":"end_turn"}\n\n'


def test_a_chunk_is_the_json_that_it_carries() -> None:
    stream = an_event_stream(chunks_of({"outputText": "Elbe", "amazon-bedrock-trace": {"input": "masked"}}))

    assert text_of_bytes(stream) == 'event: chunk\ndata: {"outputText":"Elbe"}\n\n'


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param(
            a_message(b'{"message":"Slow down"}', message_type="exception", exception_type="throttlingException"),
            {"message": "Slow down", "code": "throttlingException"},
            id="an exception",
        ),
        pytest.param(
            a_message(b"", message_type="error", error_code="InternalError", error_message="It broke"),
            {"code": "InternalError", "message": "It broke"},
            id="an error",
        ),
    ],
)
def test_what_ends_a_stream_early_is_an_error_event(message: bytes, expected: dict[str, str]) -> None:
    text = text_of_bytes(message)

    assert text is not None
    assert json.loads(text.removeprefix("event: error\ndata: ")) == {"error": expected}


@given(st.integers(min_value=0, max_value=len(an_event_stream(EVENTS))))
def test_any_cut_leaves_the_messages_before_it(end: int) -> None:
    text = text_of_bytes(an_event_stream(EVENTS)[:end])

    assert text is None or TEXT.startswith(text)


@given(st.integers(min_value=0, max_value=len(an_event_stream(EVENTS)) - 1), st.integers(min_value=1, max_value=255))
def test_any_spoilt_byte_ends_the_stream_before_its_message(place: int, change: int) -> None:
    spoilt = bytearray(an_event_stream(EVENTS))
    spoilt[place] ^= change

    text = text_of_bytes(bytes(spoilt))

    assert text is None or (TEXT.startswith(text) and text != TEXT)


@given(st.binary(max_size=400))
@example(b"")
@example(b"\x00\x00\x00\x10\x00\x00\x00\x00" + b"\x05\xc2\x48\xeb" * 2)
def test_any_other_bytes_are_no_stream(data: bytes) -> None:
    assert text_of_bytes(data) is None


def test_a_header_of_any_type_is_passed_over() -> None:
    others = (
        b"\x01a\x00\x01b\x01\x01c\x02\x07\x01d\x03\x00\x07\x01e\x04" + bytes(4) + b"\x01f\x05" + bytes(8)
        + b"\x01g\x06\x00\x02hi\x01h\x08" + bytes(8) + b"\x01i\x09" + bytes(16)
    )  # fmt: skip

    message = a_message(b'{"role":"assistant"}', others, event_type="messageStart", message_type="event")

    assert text_of_bytes(message) == 'event: messageStart\ndata: {"role":"assistant"}\n\n'


@pytest.mark.parametrize("errors", ["replace", "ignore", "backslashreplace"])
def test_a_log_that_made_text_of_the_bytes_says_the_same(errors: str) -> None:
    assert text_of_logged(an_event_stream(EVENTS).decode(errors=errors)) == TEXT


def test_a_log_that_dropped_control_characters_says_the_same() -> None:
    logged = an_event_stream(EVENTS).decode(errors="ignore")

    assert text_of_logged("".join(letter for letter in logged if letter >= " ")) == TEXT


def test_a_logged_exception_is_an_error_event() -> None:
    stream = an_event_stream(EVENTS[:2]) + a_message(
        b'{"message":"Slow down"}',
        exception_type="throttlingException",
        content_type="application/json",
        message_type="exception",
    )

    text = text_of_logged(stream.decode(errors="replace"))

    assert text is not None
    assert text.endswith('event: error\ndata: {"error":{"message":"Slow down","code":"throttlingException"}}\n\n')


_STRANGE = [
    pytest.param('{"text":"\\ud800"}', id="half a character"),
    pytest.param('{"text":1' + "0" * 400 + "}", id="a number without end"),
    pytest.param('{"text":' + "[" * 600 + "]" * 600 + "}", id="a deep one"),
    pytest.param('{"text":"a\nb"}', id="a line end inside a text"),
]


@pytest.mark.parametrize("payload", _STRANGE)
def test_a_strange_payload_spoils_no_event(payload: str) -> None:
    message = a_message(payload.encode(), event_type="chunk", message_type="event")

    texts = [text_of_bytes(message), text_of_logged(message.decode(errors="replace"))]

    assert texts[0] is not None
    assert texts[1] is not None
    assert json.loads(texts[0].partition("data: ")[2]) == json.loads(payload, strict=False)


@given(st.lists(st.tuples(st.binary(max_size=60), st.binary(max_size=30), st.text(max_size=20)), max_size=4))
def test_any_headers_and_payloads_are_read_into_no_more_than_they_hold(
    messages: list[tuple[bytes, bytes, str]],
) -> None:
    data = b"".join(a_message(payload, others, event_type=name) for payload, others, name in messages)

    for text in (text_of_bytes(data), text_of_logged(data.decode(errors="replace"))):
        assert len(text or "") <= _MOST_GROWTH * len(data)


_MOST_GROWTH = 8
"""Characters of text per byte: a short number may be written at length."""

_HOSTILE = [
    pytest.param(":event-typeabc", id="marks alone"),
    pytest.param(":event-type" + "a" * 40, id="long names"),
    pytest.param(":event-type" + "." * 8 + "abc" + "." * 60 + ":message-type", id="no end"),
    pytest.param(":exception-type....abc:message-type....exception", id="exceptions without a payload"),
    pytest.param(":event-typeabc:message-typeevent{}", id="tiny events"),
    pytest.param(":event-typeabc:message-typeevent[", id="events that are no objects"),
    pytest.param(':event-typeabc:message-typeevent{"a":', id="events inside events"),
]


@pytest.mark.parametrize("piece", _HOSTILE)
def test_a_hostile_log_is_read_in_a_time_that_its_size_bounds(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))

    assert _seconds(lambda: text_of_logged(text)) < _SECONDS_PER_MEGABYTE


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(a_message(b""), id="nothing in them"),
        pytest.param(a_message(b"{}", event_type="x", message_type="event"), id="tiny events"),
        pytest.param(a_message(b"{}", b"\x01a\x00" * 400), id="many headers"),
        pytest.param(a_message(b"[" * 900), id="deep ones"),
    ],
)
def test_a_hostile_stream_is_read_in_a_time_that_its_size_bounds(message: bytes) -> None:
    data = message * (1_000_000 // len(message))

    assert _seconds(lambda: text_of_bytes(data)) < _SECONDS_PER_MEGABYTE


_SECONDS_PER_MEGABYTE = 0.3


def _seconds(work: Callable[[], object]) -> float:
    """Return the CPU time of the quickest of three tries."""
    taken = []
    for _ in range(3):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return min(taken)


@given(st.text(max_size=300))
def test_any_other_text_is_no_logged_stream(text: str) -> None:
    assert ":event-type" in text or ":exception-type" in text or text_of_logged(text) is None
