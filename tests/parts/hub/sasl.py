"""The mechanism by which Azure's .NET clients begin: no password, but a token for each link later on.

proton knows no mechanisms but SASL's own. `MSSBCBS` says as little as ANONYMOUS does, so one stands for the other.
"""

from typing import Final

from tests.parts.hub.encoding import described, fields_of, performative, symbol

__all__ = ["Greeting", "with_tokens"]

_TOKENS: Final = b"MSSBCBS"
_ANONYMOUS: Final = b"ANONYMOUS"
_MECHANISMS: Final = 0x40
_INIT: Final = 0x41
_PROTOCOL: Final = b"AMQP\x03"
_HEADER: Final = 8


def with_tokens(frame_body: bytes) -> bytes:
    """Return a frame's body; the list of mechanisms with `MSSBCBS` among them."""
    if described(frame_body, 0) != _MECHANISMS:
        return frame_body
    names = b"".join(bytes([len(name)]) + name for name in (_ANONYMOUS, _TOKENS))
    array = b"\xe0" + bytes([len(names) + 2, 2]) + b"\xa3" + names
    return performative(_MECHANISMS, [array])


class Greeting:
    """A connection's first bytes: the client's choice of `MSSBCBS` passed on as one that proton knows."""

    def __init__(self) -> None:
        """Begin a connection."""
        self._held = bytearray()
        self._read = [self._protocol, self._choice]

    def feed(self, data: bytes) -> bytes:
        """Take bytes as they came; return those to pass on, which may be none yet."""
        self._held += data
        passed = b""
        while self._read and (part := self._read[0]()):
            passed += part
            del self._read[:1]
        if not self._read:
            passed += self._held
            self._held.clear()
        return passed

    def _protocol(self) -> bytes:
        if len(self._held) < _HEADER:
            return b""
        header = self._taken(_HEADER)
        if not header.startswith(_PROTOCOL):
            self._read = self._read[:1]  # no login: this is the connection itself
        return header

    def _choice(self) -> bytes:
        size = int.from_bytes(self._held[:4]) if len(self._held) >= _HEADER else 0
        if not size or len(self._held) < size:
            return b""
        frame = self._taken(size)
        start = 4 * frame[4]
        if described(frame, start) != _INIT:
            return frame
        chosen, *rest = fields_of(frame, start)
        if chosen != symbol(_TOKENS):
            return frame
        body = performative(_INIT, [symbol(_ANONYMOUS), *rest])
        return (start + len(body)).to_bytes(4) + frame[4:start] + body

    def _taken(self, size: int) -> bytes:
        taken = bytes(self._held[:size])
        del self._held[:size]
        return taken
