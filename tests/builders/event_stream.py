"""Amazon's binary event streams, written as the service writes them."""

import base64
import json
import struct
import zlib
from collections.abc import Iterable
from typing import Any

__all__ = ["a_message", "an_event_stream", "chunks_of"]


def a_message(payload: bytes, others: bytes = b"", **headers: str) -> bytes:
    """Return one message; headers by their names without the colon, dashes as underscores, behind `others`."""
    named = others + b"".join(_header(f":{name.replace('_', '-')}", value) for name, value in headers.items())
    prelude = struct.pack(">II", len(named) + len(payload) + 16, len(named))
    head = prelude + struct.pack(">I", zlib.crc32(prelude)) + named + payload
    return head + struct.pack(">I", zlib.crc32(head))


def _header(name: str, value: str) -> bytes:
    text = value.encode()
    return bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(text)) + text


def an_event_stream(events: Iterable[tuple[str, Any]]) -> bytes:
    """Return the stream of these events, each a name and its payload."""
    return b"".join(
        a_message(
            json.dumps(payload | {"p": "abc"}).encode(),
            event_type=name,
            content_type="application/json",
            message_type="event",
        )
        for name, payload in events
    )


def chunks_of(*payloads: Any) -> list[tuple[str, Any]]:
    """Return the events that carry these JSON values in base64, as InvokeModelWithResponseStream does."""
    return [("chunk", {"bytes": base64.b64encode(json.dumps(payload).encode()).decode()}) for payload in payloads]
