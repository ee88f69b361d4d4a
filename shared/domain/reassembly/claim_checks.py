"""Bodies that were too big for an event and wait in Blob storage: what is claimed, and why a claim is not met yet."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final, NamedTuple

__all__ = ["Claim", "ClaimFault", "weight"]


class Claim(NamedTuple):
    """Where a body is, and how it is known to be the right one."""

    container: str
    blob: str
    size: int | None
    """Bytes; None when nobody said."""
    sha256: str | None
    """As the event has it: hexadecimal or base64."""


class ClaimFault(StrEnum):
    """Why a claim is not met: by the letter that the parts of an interaction keep."""

    ABSENT = "n"
    UNREACHABLE = "u"
    FOREIGN = "f"
    SIZE = "s"
    CHECKSUM = "h"
    LARGE = "l"
    UNREADABLE = "x"

    @property
    def stays(self) -> bool:
        """Whether it is noted among the parts: the next try may meet the others."""
        return self not in (ClaimFault.ABSENT, ClaimFault.UNREACHABLE)

    @property
    def reason(self) -> str:
        """Return it in words, for those who read the audit API."""
        return _REASONS[self]


_REASONS = {
    ClaimFault.ABSENT: "it is not in Blob storage",
    ClaimFault.UNREACHABLE: "Blob storage did not answer",
    ClaimFault.FOREIGN: "it is claimed from a place that the settings do not name",
    ClaimFault.SIZE: "what is in Blob storage has another size",
    ClaimFault.CHECKSUM: "what is in Blob storage has another checksum",
    ClaimFault.LARGE: "it is larger than the settings allow",
    ClaimFault.UNREADABLE: "what is in Blob storage cannot be understood",
}


_BLOCK: Final = 256 * 1024
"""Bytes of a body that are looked at together."""
_RUN: Final = 1024
"""Backslashes in a row; more are no text of anybody's."""
_NARROW: Final = bytes(range(0xF0))
"""Bytes of UTF-8 that stand for letters of two bytes at most in memory."""


def weight(body: bytes) -> int:
    """Return about how many bytes a JSON body takes in memory once it is parsed, rather too many than too few."""
    widest = 1 if body.isascii() else 4 if body.translate(None, _NARROW) else 2
    return widest * len(body) + sum(map(_values_in, _blocks(body)))


def _blocks(body: bytes) -> Iterator[tuple[bytes, bool]]:
    """Yield the body in blocks without escaped quotes, and whether each begins inside a string."""
    start, inside = 0, False
    while start < len(body):
        end = start + _BLOCK
        while body[end - 1 : end] == b"\\" and end - start < _BLOCK + _RUN:
            end += 1
        block = body[start:end].replace(b"\\\\", b"").replace(b'\\"', b"")
        yield block, inside
        inside ^= block.count(b'"') % 2 == 1
        start = end


def _values_in(block: tuple[bytes, bool]) -> int:
    text, inside = block
    outside = b"".join(text.split(b'"')[inside::2])
    structure = 48 * outside.count(b",") + 240 * outside.count(b"{") + 88 * outside.count(b"[")
    return structure + 25 * text.count(b'"')
