"""Pieces of a body, by the keys of their documents alone: which of them may make a whole.

A key says where its piece stands (`Q:0123abcd+Q.3.7.u`: group, index, count, kind), so that no
document is read until a whole is there. What is joined leaves a mark among the parts
(`Q=Q.7.u.89abcdef`, with a digest of the pieces' keys), and is never joined again.

Different pieces may claim one place. Then every choice among them that makes a whole is joined: so
what is joined depends on the set of pieces, not on their order.

A body that waits in Blob storage is a whole of one piece, of kind `c`: the event that claims it. Why
it could not be had so far leaves marks too (`Q=0123abcd.1.s`: a `Flaw` in place of kind and digest).
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice, product
from typing import Final, NamedTuple

from shared.domain.claims import Flaw
from shared.domain.fragment import Piece

__all__ = [
    "ANSWER",
    "BESIDE",
    "CLAIM",
    "FIGURES",
    "MOST_PIECES",
    "READ",
    "REQUEST",
    "Whole",
    "awaited",
    "flaw_mark",
    "is_claim",
    "is_piece",
    "missing",
    "spent",
    "suffix",
    "wholes",
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
_GONE: Final = "w"
_MOST_WAYS: Final = 64
"""To choose among the pieces of a group. Only a fault, or malice, writes pieces with more of them."""


class Whole(NamedTuple):
    """Pieces that may make a whole: in a group without count only their bodies can tell."""

    keys: tuple[str, ...]
    """Of the documents, in their order."""

    def mark(self, first: int, last: int, *, withheld: bool) -> str:
        """Return the part that says that the pieces from `first` to `last` were joined.

        When something was withheld of what they make, their documents must not be kept either.
        """
        keys = self.keys[first : last + 1]
        return _mark(keys[-1], hashlib.sha256("".join(keys).encode())) + (_GONE if withheld else "")


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
    """Return whether some place waits: for those before it, or to be joined."""
    return any(map(is_piece, parts)) and bool(_sorted_out(parts).waiting)


def spent(parts: Iterable[str]) -> set[str]:
    """Return the keys of the pieces that were joined and whose documents must not be kept."""
    return _sorted_out(parts).spent


def is_claim(key: str) -> bool:
    """Return whether the document with this key is an event whose body waits in Blob storage."""
    return _PIECE in key and key.endswith(f".{CLAIM}")


def flaw_mark(whole: Whole, flaw: Flaw) -> str:
    """Return the part that says why a claim is not met."""
    return _claim_mark(whole.keys[0]) + flaw


def awaited(parts: Collection[str]) -> set[tuple[str, str | None]]:
    """Return of which witness, by its code, a body waits; and why, where it is claimed: None for pieces of it."""
    waits: set[tuple[str, str | None]] = set()
    for key in _sorted_out(parts).waiting:
        if is_claim(key):
            mark = _claim_mark(key)
            flaws = [flaw for flaw in Flaw if mark + flaw in parts] or [Flaw.ABSENT]
            waits.update((key[0], flaw.reason) for flaw in flaws)
        else:
            waits.add((key[0], None))
    return waits


def _claim_mark(key: str) -> str:
    return f"{key[0]}{_MARK}{key.partition(_PIECE)[2].split('.')[0]}.1."


class _Placed(NamedTuple):
    key: str
    kind: str


class _Sorted:
    """What is found out about the parts of one interaction."""

    def __init__(self, marks: set[str]) -> None:
        self.marks = marks
        self.wholes: list[Whole] = []
        self.spent: set[str] = set()
        self.waiting: set[str] = set()

    def was_joined(self, mark: str) -> bool:
        """Return whether the pieces that would leave this mark left it."""
        return mark in self.marks or mark + _GONE in self.marks


_Rows = Mapping[int, Sequence[_Placed]]


def _sorted_out(parts: Iterable[str]) -> _Sorted:
    counted: defaultdict[tuple[str, ...], defaultdict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    rows: defaultdict[str, defaultdict[int, list[_Placed]]] = defaultdict(lambda: defaultdict(list))
    marks: set[str] = set()
    for part in sorted(parts):
        if _MARK in part:
            marks.add(part)
        elif _PIECE in part:
            group, place, total, kind = part.partition(_PIECE)[2].split(".")
            if total:
                counted[part[0], group, kind, total][int(place)].append(part)
            else:
                rows[group][int(place)].append(_Placed(part, kind))
    result = _Sorted(marks)
    for (*_, total), places in counted.items():
        _sort_counted(result, places, int(total))
    for numbered in rows.values():
        for kind in (REQUEST, ANSWER):
            _sort_rows(result, numbered, kind)
    return result


def _mark(last: str, digest: "hashlib._Hash") -> str:
    group, place, total, kind = last.partition(_PIECE)[2].split(".")
    return f"{last[0]}{_MARK}{group}.{total or place}.{kind[0].lower()}.{digest.hexdigest()[:16]}"


def _sort_counted(result: _Sorted, places: Mapping[int, Sequence[str]], total: int) -> None:
    waiting = {key for keys in places.values() for key in keys}
    if len(places) == total:
        for keys in islice(product(*(places[place] for place in range(total))), _MOST_WAYS):
            mark = _mark(keys[-1], hashlib.sha256("".join(keys).encode()))
            if not result.was_joined(mark):
                result.wholes.append(Whole(keys))
                continue
            waiting.clear()
            if mark + _GONE in result.marks:
                result.spent.update(keys)
    result.waiting |= waiting


class _Run:
    """Rows that were chosen one after the other: the last of them, and those before."""

    __slots__ = ("before", "digest", "may_end", "place", "row")

    def __init__(self, place: int, row: _Placed, before: "_Run | None") -> None:
        self.place = place
        self.row = row
        self.before = before
        self.may_end = row.kind[0].isupper()
        self.digest: hashlib._Hash = before.digest.copy() if before else hashlib.sha256()
        self.digest.update(row.key.encode())

    def mark(self) -> str:
        return _mark(self.row.key, self.digest)

    def rows(self) -> list["_Run"]:
        rows = [self]
        while (before := rows[-1].before) is not None:
            rows.append(before)
        return rows[::-1]


def _sort_rows(result: _Sorted, group: _Rows, kind: str) -> None:
    """Find the runs of one kind's rows, without a gap from the first, that end as a body may end."""
    own = {
        place: chosen
        for place, rows in group.items()
        if (chosen := [row for row in rows if row.kind[0].lower() == kind and READ not in row.kind])
    }
    end = _end(group)
    told = {place for place, rows in group.items() if place < end and any(_is_read(row, kind) for row in rows)}
    runs: dict[tuple[str, ...], None] = {}
    for joined, run in _runs(result, group, own, kind):
        if joined:
            told.update(range(run.rows()[0].place, run.place + 1))
            if run.mark() + _GONE in result.marks:
                result.spent.update(one.row.key for one in run.rows())
        else:
            runs[tuple(one.row.key for one in run.rows())] = None
    result.wholes += map(Whole, runs)
    result.waiting.update(row.key for place, rows in own.items() if place not in told for row in rows)
    result.waiting.update(
        row.key for place, rows in group.items() if place >= end for row in rows if _is_read(row, kind)
    )


def _end(group: _Rows) -> int:
    end = 0 if 0 in group else 1
    while end in group:
        end += 1
    return end


def _is_read(row: _Placed, kind: str) -> bool:
    return row.kind[0] == kind and READ in row.kind


def _runs(result: _Sorted, group: _Rows, own: _Rows, kind: str) -> Iterator[tuple[bool, _Run]]:
    """Yield each run that was joined, and each that was not, up to the last row that may end it.

    A run begins at the first place, and behind one that was joined. Where rows of the other kind, or
    of figures, claim a place too, a run may also leave it out: it did so before its own row came.
    """
    end = _end(group)
    ways = _MOST_WAYS
    begun: set[int] = set()
    open_ends: list[tuple[int, _Run | None, _Run | None]] = [(place, None, None) for place in (1, 0) if place in group]
    while open_ends:
        place, run, ending = open_ends.pop()
        if run is None:
            if place in begun:
                continue
            begun.add(place)
        if place >= end:
            if ending is not None:
                yield False, ending
            continue
        nexts: list[tuple[int, _Run | None, _Run | None]] = []
        for row in own.get(place, ()):
            longer = _Run(place, row, run)
            if longer.may_end and result.was_joined(longer.mark()):
                yield True, longer
                nexts.append((place + 1, None, None))
            else:
                nexts.append((place + 1, longer, longer if longer.may_end else ending))
        if any(_lets_pass(row, kind) for row in group[place]):
            nexts.append((place + 1, run, ending))
        kept = nexts[: 1 + ways]
        ways -= len(kept) - 1
        open_ends += reversed(kept)


def _lets_pass(row: _Placed, kind: str) -> bool:
    """Return whether a run of this kind may leave a place out because this row claims it."""
    return READ in row.kind if row.kind[0].lower() == kind else BESIDE not in row.kind
