"""The keys of documents that are pieces of a body, and the marks that joining leaves: how both are written.

A key says where its piece stands (`Q:0123abcd+Q.3.7.u`: group, index, count, kind). What is joined
leaves a mark (`Q=Q.7.u.89abcdef`, with a digest of the pieces' keys). Why a claimed body could not be
had so far leaves one too (`Q=0123abcd.1.s`: a `Flaw` in place of kind and digest).
"""

import hashlib
from typing import Final, NamedTuple

from shared.domain.claims import Flaw
from shared.domain.fragment import Piece

__all__ = [
    "ANSWER",
    "BESIDE",
    "CLAIM",
    "FIGURES",
    "GONE",
    "MOST_PIECES",
    "READ",
    "REQUEST",
    "Whole",
    "claim_mark",
    "flaw_mark",
    "is_claim",
    "is_mark",
    "is_piece",
    "mark_of",
    "place_of",
    "suffix",
]

MOST_PIECES: Final = 1_000_000
"""Of one whole; more is nonsense, and would not fit a document's key."""

REQUEST, ANSWER, FIGURES = "q", "a", "-"
"""Kinds of rows that nobody counted; in upper case when the row may be the last of its body."""
READ: Final = "r"
"""Added to the kind of a row whose messages were read by themselves: it only fills its place."""
BESIDE: Final = "b"
"""Added to the kind of both when one record holds messages of both kinds."""

CLAIM: Final = "c"
"""Kind of an event whose body waits in Blob storage."""

_PIECE, _MARK = "+", "="
GONE: Final = "w"
"""Ends the mark of a whole whose pieces must not be kept."""


class Whole(NamedTuple):
    """Pieces that may make a whole: in a group without count only their bodies can tell."""

    keys: tuple[str, ...]
    """Of the documents, in their order."""

    def mark(self, first: int, last: int, *, withheld: bool) -> str:
        """Return the part that says that the pieces from `first` to `last` were joined.

        When something was withheld of what they make, their documents must not be kept either.
        """
        keys = self.keys[first : last + 1]
        return mark_of(keys[-1], hashlib.sha256("".join(keys).encode())) + (GONE if withheld else "")


def suffix(piece: Piece) -> str:
    """Return what a piece adds to the key of its document."""
    count = "" if piece.total is None else piece.total
    return f"{_PIECE}{piece.group}.{piece.place}.{count}.{piece.kind}"


def is_piece(key: str) -> bool:
    """Return whether the document with this key is a piece."""
    return _PIECE in key


def is_mark(part: str) -> bool:
    """Return whether a part is a mark, and no key."""
    return _MARK in part


def place_of(key: str) -> tuple[str, int, str, str]:
    """Return group, place, count and kind of a piece; the count is empty where nobody says."""
    group, place, total, kind = key.partition(_PIECE)[2].split(".")
    return group, int(place), total, kind


def is_claim(key: str) -> bool:
    """Return whether the document with this key is an event whose body waits in Blob storage."""
    return _PIECE in key and key.endswith(f".{CLAIM}")


def flaw_mark(whole: Whole, flaw: Flaw) -> str:
    """Return the part that says why a claim is not met."""
    return claim_mark(whole.keys[0]) + flaw


def claim_mark(key: str) -> str:
    """Return how the marks of a claim begin."""
    return f"{key[0]}{_MARK}{key.partition(_PIECE)[2].split('.')[0]}.1."


def mark_of(last: str, digest: "hashlib._Hash") -> str:
    """Return the mark of joined pieces, by the key of the last and a digest of all keys."""
    group, place, total, kind = place_of(last)
    return f"{last[0]}{_MARK}{group}.{total or place}.{kind[0].lower()}.{digest.hexdigest()[:16]}"
