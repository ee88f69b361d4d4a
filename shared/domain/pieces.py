"""Pieces of a body, by the keys of their documents alone: which of them may make a whole.

A key says where its piece stands (`Q:0123abcd+Q.3.7.u`: group, index, count, kind), so that no
document is read until a whole is there. What is joined leaves a mark among the parts
(`Q=Q.7.u`), and is never joined again. Both depend on the set of pieces only, not on their order.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final, NamedTuple

from shared.domain.fragment import Piece

__all__ = ["ANSWER", "MOST_PIECES", "REQUEST", "Whole", "is_piece", "missing", "suffix", "wholes"]

MOST_PIECES: Final = 1_000_000
"""Of one whole; more is nonsense, and would not fit a document's key."""

REQUEST, ANSWER, _METADATA = "q", "a", "-"
"""Kinds in a group that nobody counted; in upper case when the piece may be the last of its body."""

_PIECE, _MARK = "+", "="


class Whole(NamedTuple):
    """Pieces that may make a whole: in a group without count only their bodies can tell."""

    keys: tuple[str, ...]
    """Of the documents, in their order."""
    marks: tuple[str, ...]
    """For each of `keys` the part that says: up to here it was joined. Of a counted group only the last counts."""


class _Placed(NamedTuple):
    place: int
    key: str
    kind: str


def suffix(piece: Piece) -> str:
    """Return what a piece adds to the key of its document."""
    count = "" if piece.total is None else piece.total
    return f"{_PIECE}{piece.group}.{piece.place}.{count}.{piece.kind}"


def is_piece(key: str) -> bool:
    """Return whether the document with this key is a piece."""
    return _PIECE in key


def wholes(parts: Iterable[str]) -> list[Whole]:
    """Return what may be joined now and was not joined before."""
    return _sorted_out(parts)[0]


def missing(parts: Iterable[str]) -> bool:
    """Return whether some piece waits: for others, or to be joined."""
    return _sorted_out(parts)[1]


def _sorted_out(parts: Iterable[str]) -> tuple[list[Whole], bool]:
    counted: defaultdict[tuple[str, str, str, int], list[_Placed]] = defaultdict(list)
    rows: defaultdict[tuple[str, str], list[_Placed]] = defaultdict(list)
    marks: set[str] = set()
    for part in sorted(parts):
        if _MARK in part:
            marks.add(part)
        elif _PIECE in part:
            group, index, count, kind = part.partition(_PIECE)[2].split(".")
            placed = _Placed(int(index), part, kind)
            if count:
                counted[part[0], group, kind, int(count)].append(placed)
            else:
                rows[part[0], group].append(placed)
    found: list[Whole] = []
    waits = False
    for (code, group, kind, total), counted_pieces in counted.items():
        mark = f"{code}{_MARK}{group}.{total}.{kind}"
        if mark not in marks:
            waits = True
            by_index = {piece.place: piece.key for piece in counted_pieces}
            if len(by_index) == total:
                found.append(Whole(tuple(by_index[index] for index in range(total)), (mark,)))
    for (code, group), numbered_rows in rows.items():
        some, left = _of_rows(f"{code}{_MARK}{group}", numbered_rows, marks)
        found += some
        waits |= left
    return found, waits


def _of_rows(prefix: str, pieces: list[_Placed], marks: set[str]) -> tuple[list[Whole], bool]:
    """Return the runs of rows, without a gap from the first, that end as a body may end."""
    by_index = {piece.place: piece for piece in pieces}
    end = 0 if 0 in by_index else 1
    while end in by_index:
        end += 1
    found: list[Whole] = []
    waits = False
    for kind in (REQUEST, ANSWER):
        own = [by_index[index] for index in sorted(by_index) if by_index[index].kind.lower() == kind]
        done = max((piece.place for piece in own if f"{prefix}.{piece.place}.{kind}" in marks), default=-1)
        rest = [piece for piece in own if piece.place > done]
        waits |= bool(rest)
        run = [piece for piece in rest if piece.place < end]
        while run and run[-1].kind == kind:
            run.pop()
        if run:
            keys = tuple(piece.key for piece in run)
            found.append(Whole(keys, tuple(f"{prefix}.{piece.place}.{kind}" for piece in run)))
    return found, waits
