"""Pieces of a body, by the keys of their documents alone: which of them may make a whole.

A key says where its piece stands (`Q:0123abcd+Q.3.7.u`: group, index, count, kind), so that no
document is read until a whole is there. What is joined leaves a mark among the parts
(`Q=Q.7.u`), and is never joined again. Both depend on the set of pieces only, not on their order.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final, NamedTuple

from shared.domain.fragment import Piece

__all__ = [
    "ANSWER",
    "FIGURES",
    "MOST_PIECES",
    "REQUEST",
    "Whole",
    "beginnings",
    "is_piece",
    "joined",
    "missing",
    "suffix",
    "wholes",
]

MOST_PIECES: Final = 1_000_000
"""Of one whole; more is nonsense, and would not fit a document's key."""

REQUEST, ANSWER, FIGURES = "q", "a", "-"
"""Kinds of rows that nobody counted; in upper case when the row may be the last of its body."""

_PIECE, _MARK = "+", "="


class Whole(NamedTuple):
    """Pieces that may make a whole: in a group without count only their bodies can tell."""

    keys: tuple[str, ...]
    """Of the documents, in their order."""
    marks: tuple[str, ...]
    """The parts that say that it was joined: of numbered rows, one for each row at which a body may end."""


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
    return _sorted_out(parts).wholes


def missing(parts: Iterable[str]) -> bool:
    """Return whether some piece waits: for others, or to be joined."""
    return any(map(is_piece, parts)) and bool(_sorted_out(parts).waiting)


def joined(parts: Iterable[str]) -> set[str]:
    """Return the keys of the pieces that were joined: their documents are not needed any more."""
    return _sorted_out(parts).joined


def beginnings(parts: Iterable[str]) -> list[tuple[str, ...]]:
    """Return the keys of waiting pieces that stand side by side, from the first of each whole on.

    Of rows that nobody counted the first there is may be the first of all: its body tells.
    """
    return _sorted_out(parts).beginnings


class _Sorted(NamedTuple):
    wholes: list[Whole]
    waiting: set[str]
    joined: set[str]
    beginnings: list[tuple[str, ...]]


def _sorted_out(parts: Iterable[str]) -> _Sorted:
    counted: defaultdict[tuple[str, str, str, int], list[_Placed]] = defaultdict(list)
    rows: defaultdict[str, list[_Placed]] = defaultdict(list)
    marks: set[str] = set()
    for part in sorted(parts):
        if _MARK in part:
            marks.add(part)
        elif _PIECE in part:
            group, place, total, kind = part.partition(_PIECE)[2].split(".")
            placed = _Placed(int(place), part, kind)
            if total:
                counted[part[0], group, kind, int(total)].append(placed)
            else:
                rows[group].append(placed)
    result = _Sorted([], set(), set(), [])
    for (code, group, kind, number), pieces in counted.items():
        _sort_counted(result, f"{code}{_MARK}{group}.{number}.{kind}", pieces, number, marks)
    for group, pieces in rows.items():
        _sort_rows(result, group, pieces, marks)
    return result


def _sort_counted(result: _Sorted, mark: str, pieces: list[_Placed], number: int, marks: set[str]) -> None:
    keys = [piece.key for piece in pieces]
    if mark in marks:
        result.joined.update(keys)
        return
    result.waiting.update(keys)
    by_place = {piece.place: piece.key for piece in pieces}
    if len(by_place) == number:
        result.wholes.append(Whole(tuple(by_place[place] for place in range(number)), (mark,)))
    _begin(result, by_place, 0)


def _sort_rows(result: _Sorted, group: str, rows: list[_Placed], marks: set[str]) -> None:
    """Find the runs of rows, without a gap from the first, that end as a body may end."""
    places = {row.place for row in rows}
    end = 0 if 0 in places else 1
    while end in places:
        end += 1
    for kind in (REQUEST, ANSWER):
        own = {row.place: row for row in rows if row.kind.lower() == kind}
        named = {place: f"{row.key[0]}{_MARK}{group}.{place}.{kind}" for place, row in own.items()}
        done = max((place for place, mark in named.items() if mark in marks), default=-1)
        for row in rows:
            if row.kind.lower() == kind:
                (result.joined if row.place <= done else result.waiting).add(row.key)
        waiting = {place: row.key for place, row in own.items() if place > done}
        _begin(result, waiting, min(waiting, default=0))
        run = [own[place] for place in sorted(own) if done < place < end]
        while run and run[-1].kind == kind:
            run.pop()
        if run:
            result.wholes.append(Whole(tuple(row.key for row in run), tuple(named[row.place] for row in run)))


def _begin(result: _Sorted, keys: dict[int, str], first: int) -> None:
    end = first
    while end in keys:
        end += 1
    if end > first:
        result.beginnings.append(tuple(keys[place] for place in range(first, end)))
