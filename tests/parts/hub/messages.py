"""Event Hubs messages: what a producer sent, taken apart without decoding bodies, and what a consumer gets."""

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from proton import Data

from tests.parts.hub.encoding import described, skip

__all__ = ["Sent", "deliver", "events_of"]

_ANNOTATIONS: Final = 0x72
_PROPERTIES: Final = 0x73
_DATA: Final = 0x75
_SECTIONS: Final = range(0x70, 0x79)
_KEY: Final = "x-opt-partition-key"


class Sent(NamedTuple):
    """One event, as a producer sent it."""

    key: str | None
    rest: bytes
    """Its sections from the properties on, as they came."""


def events_of(message: bytes) -> Iterator[Sent]:
    """Return the events of a message: one, or those of a batch.

    A batch is told by its looks: every body is a message. (The format number that says so does not
    come through the library.)
    """
    key, rest, bodies = _apart(message)
    if bodies and all(described(body, 0) in _SECTIONS for body in bodies):
        for body in bodies:
            own_key, own_rest, _ = _apart(body)
            yield Sent(own_key or key, own_rest)
    else:
        yield Sent(key, rest)


def deliver(sent: Sent, *, sequence: int, offset: str, enqueued: int) -> bytes:
    """Return the message that a consumer gets.

    Args:
        sent: the event.
        sequence: its number in the partition.
        offset: opaque to clients.
        enqueued: milliseconds since 1970, UTC.
    """
    fields = [
        _symbol("x-opt-sequence-number") + struct.pack(">Bq", 0x81, sequence),
        _symbol("x-opt-offset") + _string(offset),
        _symbol("x-opt-enqueued-time") + struct.pack(">Bq", 0x83, enqueued),
    ]
    if sent.key is not None:
        fields.append(_symbol(_KEY) + _string(sent.key))
    body = b"".join(fields)
    head = b"\x00\x53" + bytes([_ANNOTATIONS]) + b"\xd1" + struct.pack(">II", len(body) + 4, 2 * len(fields))
    return head + body + sent.rest


def _apart(message: bytes) -> tuple[str | None, bytes, list[bytes]]:
    """Return the partition key, the sections from the properties on, and the bodies that are bytes."""
    key, at, bodies, rest = None, 0, [], len(message)
    while at < len(message):
        code, end = described(message, at), skip(message, at)
        if code is None or code not in _SECTIONS:
            raise ValueError("not a message of AMQP 1.0")
        if code == _ANNOTATIONS:
            key = _key(message[at:end])
        elif code >= _PROPERTIES:
            rest = min(rest, at)
        if code == _DATA:
            width = 1 if message[at + 3] == 0xA0 else 4
            bodies.append(message[at + 4 + width : end])
        at = end
    return key, message[rest:], bodies


def _key(section: bytes) -> str | None:
    data = Data()
    data.decode(section)
    data.next()
    annotations = data.get_object().value
    key = annotations.get(_KEY)
    return None if key is None else str(key)


def _symbol(text: str) -> bytes:
    return b"\xa3" + bytes([len(text)]) + text.encode()


def _string(text: str) -> bytes:
    data = text.encode()
    return b"\xb1" + struct.pack(">I", len(data)) + data
