"""As much of AMQP's type system as it takes to find where values begin and end, and to write frames out in full."""

import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Final

__all__ = ["Padder", "described", "fields_of", "performative", "skip", "symbol"]

_NULL: Final = b"\x40"
_WIDTHS: Final = {0x4: 0, 0x5: 1, 0x6: 2, 0x7: 4, 0x8: 8, 0x9: 16}
"""Bytes of a value by the upper half of its constructor; all others say their size themselves."""

_FIELDS: Final = {
    0x10: 10,  # open
    0x11: 8,  # begin
    0x12: 14,  # attach
    0x13: 11,  # flow
    0x14: 11,  # transfer
    0x15: 6,  # disposition
    0x16: 3,  # detach
    0x17: 1,  # end
    0x18: 1,  # close
    0x1D: 3,  # error
    0x28: 11,  # source
    0x29: 7,  # target
}
_HOLDS_OTHERS: Final = frozenset({0x12, 0x16, 0x17, 0x18})
_HEADER: Final = 8
_AMQP_FRAME: Final = 0


def described(data: bytes | bytearray, at: int) -> int | None:
    """Return the code of the described value at `at`; None when what stands there is none of a small code."""
    return data[at + 2] if data[at : at + 2] == b"\x00\x53" else None


def skip(data: bytes | bytearray, at: int) -> int:
    """Return where the value that begins at `at` ends."""
    constructor = data[at]
    at += 1
    if constructor == 0:  # described: the descriptor, then the value
        return skip(data, skip(data, at))
    kind = constructor >> 4
    if kind in _WIDTHS:
        return at + _WIDTHS[kind]
    if kind in (0xA, 0xC, 0xE):
        return at + 1 + data[at]
    return at + 4 + int.from_bytes(data[at : at + 4])


def symbol(name: bytes) -> bytes:
    """Return a short symbol, encoded."""
    return b"\xa3" + bytes([len(name)]) + name


def performative(code: int, fields: Sequence[bytes]) -> bytes:
    """Return one of the protocol's own lists, encoded, of fields that are."""
    body = b"".join(fields)
    return b"\x00\x53" + bytes([code]) + b"\xd0" + struct.pack(">II", len(body) + 4, len(fields)) + body


def fields_of(data: bytes | bytearray, at: int) -> list[bytes]:
    """Return the fields of the performative at `at`, encoded."""
    return [bytes(data[start:end]) for start, end in _items(data, at + 3)]


class Padder:
    """Rewrites a connection's outgoing bytes so that each performative has all its fields.

    AMQP lets a sender leave out trailing nulls, which proton does. The client of Azure's SDK reads
    the fields by their places without asking how many there are.
    """

    def __init__(self, login: Callable[[bytes], bytes] = bytes) -> None:
        """Begin a connection; `login` rewrites the bodies of the frames that come before it is open."""
        self._login = login
        self._raw = bytearray()
        self.ready = bytearray()
        """What may be sent."""

    def feed(self, data: bytes) -> None:
        """Take bytes as the library wrote them."""
        self._raw += data
        while len(self._raw) >= _HEADER:
            if self._raw.startswith(b"AMQP"):
                self._pass_on(_HEADER)
                continue
            size = int.from_bytes(self._raw[:4])
            if len(self._raw) < size:
                return
            start = self._raw[4] * 4
            body = bytes(self._raw[start:size])
            if body:
                body = self._login(body) if self._raw[5] != _AMQP_FRAME else _full(body, 0) + body[skip(body, 0) :]
            self.ready += (start + len(body)).to_bytes(4) + self._raw[4:start] + body
            del self._raw[:size]

    def _pass_on(self, size: int) -> None:
        self.ready += self._raw[:size]
        del self._raw[:size]


def _full(data: bytes, at: int) -> bytes:
    """Return the value at `at`, with all its fields when it is one of the protocol's own lists."""
    code = described(data, at)
    if code not in _FIELDS:
        return bytes(data[at : skip(data, at)])
    fields = [_full(field, 0) if code in _HOLDS_OTHERS else field for field in fields_of(data, at)]
    fields += [_NULL] * (_FIELDS[code] - len(fields))
    return performative(code, fields)


def _items(data: bytes | bytearray, at: int) -> Iterator[tuple[int, int]]:
    constructor = data[at]
    if constructor == 0x45:
        return
    width = 1 if constructor == 0xC0 else 4
    count = int.from_bytes(data[at + 1 + width : at + 1 + 2 * width])
    at += 1 + 2 * width
    for _ in range(count):
        end = skip(data, at)
        yield at, end
        at = end
