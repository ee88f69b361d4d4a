"""Bodies that were too big for an event and wait in Blob storage: what is claimed, and why a claim is not met yet."""

from enum import StrEnum
from typing import NamedTuple

__all__ = ["Claim", "Flaw", "weight"]


class Claim(NamedTuple):
    """Where a body is, and how it is known to be the right one."""

    container: str
    blob: str
    size: int | None
    """Bytes; None when nobody said."""
    sha256: str | None
    """As the event has it: hexadecimal or base64."""


class Flaw(StrEnum):
    """Why a claim is not met: in one letter, as the parts of an interaction keep it."""

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
        return self not in (Flaw.ABSENT, Flaw.UNREACHABLE)

    @property
    def reason(self) -> str:
        """Return it in words, for those who read the audit API."""
        return _REASONS[self]


_REASONS = {
    Flaw.ABSENT: "it is not in Blob storage",
    Flaw.UNREACHABLE: "Blob storage did not answer",
    Flaw.FOREIGN: "it is claimed from a place that the settings do not name",
    Flaw.SIZE: "what is in Blob storage has another size",
    Flaw.CHECKSUM: "what is in Blob storage has another checksum",
    Flaw.LARGE: "it is larger than the settings allow",
    Flaw.UNREADABLE: "what is in Blob storage cannot be understood",
}


def weight(body: bytes) -> int:
    """Return about how many bytes a JSON body takes in memory once it is parsed, rather too many than too few."""
    widest = 1 if body.isascii() else 4 if max(body) >= 0xF0 else 2
    values = 48 * body.count(b",") + 240 * body.count(b"{") + 88 * body.count(b"[") + 25 * body.count(b'"')
    return widest * len(body) + values
