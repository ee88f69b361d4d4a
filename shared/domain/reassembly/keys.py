"""The keys of documents that are chunks of a body, and the marks that joining leaves: what they say and how.

A key says where its chunk stands (`Q:0123abcd+Q.3.7.u`: group, place, total, form). What is joined leaves a mark
(`Q=Q.7.u.89abcdef`, with a digest of the chunks' keys). Why a claim check is not met so far leaves one too
(`Q=0123abcd.1.s`: the letter of a `ClaimFault` in place of form and digest).
"""

import hashlib
from collections.abc import Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from shared.domain.reassembly.claim_checks import ClaimFault

__all__ = [
    "MOST_CHUNKS",
    "Chunk",
    "ChunkKey",
    "Form",
    "LogRow",
    "Side",
    "chunk_key",
    "claim_mark",
    "digest_mark",
    "document_key",
    "fault_mark",
    "is_chunk",
    "is_mark",
    "joined_mark",
    "spent_mark",
]

MOST_CHUNKS: Final = 1_000_000
"""Of one body; more is nonsense, and would not fit a document's key."""

# Digests and groups are letters and digits, so neither sign stands in them; forms and faults never share a place but in
# a mark's fourth field, where a fault is one letter alone.
_CHUNK, _MARK = "+", "="
_SPENT: Final = "w"
"""Ends the mark of chunks whose documents must not be kept."""
_READ: Final = "r"
_SHARED: Final = "b"


class Form(StrEnum):
    """How a chunk holds its part of the body, where its event says how many chunks there are."""

    TEXT = "u"
    BASE64 = "b"
    CLAIM = "c"
    """It does not: all of the body waits in Blob storage."""


class Side(StrEnum):
    """What a log row holds messages of."""

    REQUEST = "q"
    ANSWER = "a"
    FIGURES = "-"
    """Of none: it only takes a number."""


class LogRow(NamedTuple):
    """A chunk that is one of a log's rows, of which nobody says how many there are."""

    side: Side
    may_end: bool = False
    """Whether it may be the last of its body."""
    is_read: bool = False
    """Whether its messages were read by themselves: it only fills its place."""
    is_shared: bool = False
    """Whether its record holds messages of both sides."""


class Chunk(NamedTuple):
    """Where a document stands among those that make a body only together."""

    group: str
    """Tells one body of an interaction from another; letters and digits only."""
    place: int
    total: int | None
    """Chunks of the body; None where nobody says."""
    form: Form | LogRow


class ChunkKey(NamedTuple):
    """The key of a document that is a chunk."""

    text: str
    letter: str
    """Of its record type."""
    chunk: Chunk

    @property
    def is_claim(self) -> bool:
        """Whether the document is an event whose body waits in Blob storage."""
        return self.chunk.form is Form.CLAIM


def document_key(letter: str, digest: str, chunk: Chunk | None) -> str:
    """Return the key of a document: record type, digest of its bytes, and where it stands if it is a chunk."""
    if chunk is None:
        return f"{letter}:{digest}"
    total = "" if chunk.total is None else chunk.total
    return f"{letter}:{digest}{_CHUNK}{chunk.group}.{chunk.place}.{total}.{_letters(chunk.form)}"


def chunk_key(text: str) -> ChunkKey:
    """Return what the key of a chunk says."""
    group, place, total, letters = text.partition(_CHUNK)[2].split(".")
    return ChunkKey(text, text[0], Chunk(group, int(place), int(total) if total else None, _form(letters)))


def is_chunk(text: str) -> bool:
    """Return whether the document with this key is a chunk."""
    return _CHUNK in text


def is_mark(text: str) -> bool:
    """Return whether one of an interaction's parts is a mark, and no key."""
    return _MARK in text


def joined_mark(keys: Sequence[ChunkKey], *, withheld: bool) -> str:
    """Return the part that says that chunks were joined.

    When something was withheld of what they make, their documents must not be kept either.
    """
    mark = digest_mark(keys[-1], hashlib.sha256("".join([key.text for key in keys]).encode()))
    return spent_mark(mark) if withheld else mark


def digest_mark(last: ChunkKey, digest: "hashlib._Hash") -> str:
    """Return the mark of joined chunks, by the key of the last and a digest of all keys."""
    group, place, total, form = last.chunk
    side = form.side if isinstance(form, LogRow) else form
    return f"{last.letter}{_MARK}{group}.{total or place}.{side}.{digest.hexdigest()[:16]}"


def spent_mark(mark: str) -> str:
    """Return the mark of chunks that must not be kept."""
    return mark + _SPENT


def fault_mark(key: ChunkKey, fault: ClaimFault) -> str:
    """Return the part that says why a claim check is not met."""
    return claim_mark(key) + fault


def claim_mark(key: ChunkKey) -> str:
    """Return how the marks of a claim check begin."""
    return f"{key.letter}{_MARK}{key.chunk.group}.1."


def _letters(form: Form | LogRow) -> str:
    if isinstance(form, Form):
        return form
    side = form.side.upper() if form.may_end else form.side
    return side + (_READ if form.is_read else "") + (_SHARED if form.is_shared else "")


def _form(letters: str) -> Form | LogRow:
    if letters in _FORMS:
        return _FORMS[letters]
    side, rest = letters[0], letters[1:]
    return LogRow(Side(side.lower()), may_end=side.isupper(), is_read=_READ in rest, is_shared=_SHARED in rest)


_FORMS: Final = {str(form): form for form in Form}
