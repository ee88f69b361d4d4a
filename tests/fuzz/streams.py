"""Binary event streams that are wrong somewhere, and what holds for any of them."""

import json
import struct
from typing import Final

from shared.operations.streams.event_stream import text_of_bytes, text_of_logged
from tests.builders.event_stream import a_message, an_event_stream, chunks_of
from tests.fuzz.mutations import Chooser, mutated

__all__ = ["check_stream", "mutated_stream"]

_MOST_GROWTH: Final = 8
"""Characters of text per byte: a short number may be written at length."""
_NAMES: Final = (
    "messageStart",
    "contentBlockStart",
    "contentBlockDelta",
    "messageStop",
    "metadata",
    "chunk",
    "",
    "x\n",
)
_KINDS: Final = ("event", "exception", "error", "", "what")
_HEADERS: Final = (b"", b"\x00", b"\x01a\x00", b"\x01a\x06\xff\xff", b"\xff", b"\x01a\x07\x00\x01\xff", b"\x01a\x0a")
_PAYLOADS: Final = tuple(
    json.dumps(payload).encode()
    for _, payload in (
        ("messageStart", {"role": "assistant"}),
        ("contentBlockStart", {"contentBlockIndex": 1, "start": {"toolUse": {"toolUseId": "t", "name": "f"}}}),
        ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Grüße \N{GRINNING FACE}"}}),
        ("messageStop", {"stopReason": "end_turn"}),
        ("metadata", {"usage": {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5}, "trace": {"a": ["b"]}}),
        *chunks_of({"outputText": "Elbe", "amazon-bedrock-invocationMetrics": {"inputTokenCount": 3}}),
    )
)
_WHOLE: Final = an_event_stream([("messageStart", {"role": "assistant"}), ("messageStop", {"stopReason": "end_turn"})])


def mutated_stream(choose: Chooser) -> bytes:
    """Return messages with payloads and headers that are wrong somewhere, and now and then wrong bytes."""
    data = b"".join(_a_wrong_message(choose) for _ in range(1 + choose.below(4)))
    if choose.below(3) == 0:
        data = mutated(_WHOLE + data, choose)
    if choose.below(4) == 0:
        place = choose.below(len(data) + 1)
        data = data[:place] + struct.pack(">I", choose.below(2**32)) + data[place + 4 :]
    return data


def _a_wrong_message(choose: Chooser) -> bytes:
    payload = mutated(_PAYLOADS[choose.below(len(_PAYLOADS))], choose)
    name, kind = _NAMES[choose.below(len(_NAMES))], _KINDS[choose.below(len(_KINDS))]
    others = _HEADERS[choose.below(len(_HEADERS))] if choose.below(4) == 0 else b""
    return a_message(payload, others, event_type=name, exception_type=name, error_code=name, message_type=kind)


def check_stream(data: bytes) -> None:
    """Read bytes as a stream, and as the text that a log makes of them.

    Raises:
        AssertionError: more came out than went in, or it is no text of events.
    """
    for text in (text_of_bytes(data), text_of_logged(data.decode(errors="replace"))):
        if text is None:
            continue
        assert len(text) <= _MOST_GROWTH * len(data), "more text than the bytes can hold"
        for event in text.removesuffix("\n\n").split("\n\n"):
            assert event.startswith("event: "), "no event"
            json.loads(event.partition("\ndata: ")[2])
    if data[:4] > b"\x7f":
        assert text_of_bytes(data) is None, "taken for a stream"
