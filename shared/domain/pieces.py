"""Pieces of a body, by the keys of their documents alone: which of them may make a whole.

A key says where its piece stands, so that no document is read until a whole is there. What is joined
leaves a mark among the parts, and is never joined again.

Different pieces may claim one place. Then every choice among them that makes a whole is joined: so
what is joined depends on the set of pieces, not on their order.

A body that waits in Blob storage is a whole of one piece: the event that claims it.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice, product
from typing import Final, NamedTuple

from shared.domain.claims import Flaw
from shared.domain.piece_keys import (
    ANSWER,
    BESIDE,
    GONE,
    READ,
    REQUEST,
    Whole,
    claim_mark,
    is_claim,
    is_mark,
    is_piece,
    mark_of,
    place_of,
)

__all__ = ["awaited", "beginnings", "missing", "spent", "wholes"]

_MOST_WAYS: Final = 64
"""To choose among the pieces of a group. Only a fault, or malice, writes pieces with more of them."""


def wholes(parts: Iterable[str]) -> list[Whole]:
    """Return what may be joined now and was not joined before."""
    return _sorted_out(parts).wholes


def missing(parts: Iterable[str]) -> bool:
    """Return whether some place waits: for those before it, or to be joined."""
    return any(map(is_piece, parts)) and bool(_sorted_out(parts).waiting)


def spent(parts: Iterable[str]) -> set[str]:
    """Return the keys of the pieces that were joined and whose documents must not be kept."""
    return _sorted_out(parts).spent


def beginnings(parts: Iterable[str]) -> list[tuple[str, ...]]:
    """Return the keys of waiting pieces that stand side by side, from the first of each whole on.

    Of rows that nobody counted the first there is may be the first of all: its body tells. Of several
    pieces of one place it is that with the smallest key.
    """
    return _sorted_out(parts).beginnings


def awaited(parts: Collection[str]) -> set[tuple[str, str | None]]:
    """Return of which witness, by its code, a body waits; and why, where it is claimed: None for pieces of it."""
    waits: set[tuple[str, str | None]] = set()
    for key in _sorted_out(parts).waiting:
        if is_claim(key):
            mark = claim_mark(key)
            flaws = [flaw for flaw in Flaw if mark + flaw in parts] or [Flaw.ABSENT]
            waits.update((key[0], flaw.reason) for flaw in flaws)
        else:
            waits.add((key[0], None))
    return waits


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
        self.beginnings: list[tuple[str, ...]] = []

    def was_joined(self, mark: str) -> bool:
        """Return whether the pieces that would leave this mark left it."""
        return mark in self.marks or mark + GONE in self.marks


_Rows = Mapping[int, Sequence[_Placed]]


def _sorted_out(parts: Iterable[str]) -> _Sorted:
    counted: defaultdict[tuple[str, ...], defaultdict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    rows: defaultdict[str, defaultdict[int, list[_Placed]]] = defaultdict(lambda: defaultdict(list))
    marks: set[str] = set()
    for part in sorted(parts):
        if is_mark(part):
            marks.add(part)
        elif is_piece(part):
            group, place, total, kind = place_of(part)
            if total:
                counted[part[0], group, kind, total][place].append(part)
            else:
                rows[group][place].append(_Placed(part, kind))
    result = _Sorted(marks)
    for (*_, total), places in counted.items():
        _sort_counted(result, places, int(total))
    for numbered in rows.values():
        for kind in (REQUEST, ANSWER):
            _sort_rows(result, numbered, kind)
    return result


def _sort_counted(result: _Sorted, places: Mapping[int, Sequence[str]], total: int) -> None:
    waiting = {key for keys in places.values() for key in keys}
    if len(places) == total:
        for keys in islice(product(*(places[place] for place in range(total))), _MOST_WAYS):
            mark = mark_of(keys[-1], hashlib.sha256("".join(keys).encode()))
            if not result.was_joined(mark):
                result.wholes.append(Whole(keys))
                continue
            waiting.clear()
            if mark + GONE in result.marks:
                result.spent.update(keys)
    result.waiting |= waiting
    if waiting:
        _begin(result, {place: keys[0] for place, keys in places.items() if not is_claim(keys[0])}, 0)


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
        return mark_of(self.row.key, self.digest)

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
            if run.mark() + GONE in result.marks:
                result.spent.update(one.row.key for one in run.rows())
        else:
            runs[tuple(one.row.key for one in run.rows())] = None
    result.wholes += map(Whole, runs)
    waiting = {place: rows for place, rows in own.items() if place not in told}
    result.waiting.update(row.key for rows in waiting.values() for row in rows)
    _begin(result, {place: rows[0].key for place, rows in waiting.items()}, min(waiting, default=0))
    result.waiting.update(
        row.key for place, rows in group.items() if place >= end for row in rows if _is_read(row, kind)
    )


def _begin(result: _Sorted, keys: Mapping[int, str], first: int) -> None:
    end = first
    while end in keys:
        end += 1
    if end > first:
        result.beginnings.append(tuple(keys[place] for place in range(first, end)))


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
