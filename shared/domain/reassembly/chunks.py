"""Chunks of bodies, by the keys of their documents alone: which of them can be put together, and which still wait.

A key says where its chunk stands, so that no document is read until a body is there. What is joined
leaves a mark among the parts, and is never joined again.

Different chunks may claim one place. Then every choice among them that makes a body is joined: so
what is joined depends on the set of chunks, not on their order.

A body that waits in Blob storage has one chunk: the event that claims it.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice, product
from typing import Final, NamedTuple

from shared.domain.reassembly.claim_checks import ClaimFault
from shared.domain.reassembly.keys import (
    ChunkKey,
    LogRow,
    Side,
    chunk_key,
    claim_mark,
    digest_mark,
    is_chunk,
    is_mark,
    joined_mark,
    spent_mark,
)

__all__ = ["ChunkSet", "Reassembly", "awaited", "has_waiting_chunk"]

_MOST_WAYS: Final = 64
"""To choose among the chunks of a group. Only a fault, or malice, writes chunks with more of them."""


class ChunkSet(NamedTuple):
    """Chunks that may make a body: in a group without a total only what they hold can tell."""

    keys: tuple[ChunkKey, ...]
    """In their order."""

    @property
    def is_claim(self) -> bool:
        """Whether it is the one event whose body waits in Blob storage."""
        return self.keys[0].is_claim

    def mark(self, first: int, last: int, *, withheld: bool) -> str:
        """Return the part that says that the chunks from `first` to `last` were joined; `joined_mark` says the rest."""
        return joined_mark(self.keys[first : last + 1], withheld=withheld)


def has_waiting_chunk(parts: Iterable[str]) -> bool:
    """Return whether some chunk waits: for those before it, or to be joined."""
    return any(map(is_chunk, parts)) and bool(Reassembly(parts).waiting)


def awaited(parts: Collection[str]) -> set[tuple[str, ClaimFault | None]]:
    """Return of which record type, by its letter, a body waits; and why, where it is claimed: None for other chunks."""
    waits: set[tuple[str, ClaimFault | None]] = set()
    for key in Reassembly(parts).waiting:
        if key.is_claim:
            mark = claim_mark(key)
            faults = [fault for fault in ClaimFault if mark + fault in parts] or [ClaimFault.ABSENT]
            waits.update((key.letter, fault) for fault in faults)
        else:
            waits.add((key.letter, None))
    return waits


_Rows = Mapping[int, Sequence[ChunkKey]]
"""Place -> the rows that claim it."""


class Reassembly:
    """What the parts of one interaction tell of its chunks."""

    def __init__(self, parts: Iterable[str]) -> None:
        """Sort out `parts`: keys of documents, and marks of what was joined."""
        self.ready: list[ChunkSet] = []
        """What may be joined now and was not joined before."""
        self.waiting: set[ChunkKey] = set()
        """Chunks that were not joined yet, or have none before them."""
        self.spent: set[str] = set()
        """Keys of the chunks that were joined and whose documents must not be kept."""
        self.beginnings: list[tuple[str, ...]] = []
        """Keys of waiting chunks that stand side by side, from the first of each body on.

        Of rows that nobody counted the first there is may be the first of all: its body tells. Of several
        chunks of one place it is that with the smallest key.
        """
        self._marks: set[str] = set()
        counted: defaultdict[tuple[str, str, object, int], defaultdict[int, list[ChunkKey]]]
        counted = defaultdict(lambda: defaultdict(list))
        rows: defaultdict[str, defaultdict[int, list[ChunkKey]]] = defaultdict(lambda: defaultdict(list))
        for part in sorted(parts):
            if is_mark(part):
                self._marks.add(part)
            elif is_chunk(part):
                key = chunk_key(part)
                group, place, total, form = key.chunk
                if total is not None:
                    counted[key.letter, group, form, total][place].append(key)
                else:
                    rows[group][place].append(key)
        for (*_, total), places in counted.items():
            self._sort_counted(places, total)
        for numbered in rows.values():
            for side in (Side.REQUEST, Side.ANSWER):
                self._sort_rows(numbered, side)

    def _was_joined(self, mark: str) -> bool:
        """Return whether the chunks that would leave this mark left it."""
        return mark in self._marks or self._was_spent(mark)

    def _was_spent(self, mark: str) -> bool:
        return spent_mark(mark) in self._marks

    def _sort_counted(self, places: _Rows, total: int) -> None:
        waiting = {key for keys in places.values() for key in keys}
        if len(places) == total:
            for keys in islice(product(*(places[place] for place in range(total))), _MOST_WAYS):
                mark = joined_mark(keys, withheld=False)
                if not self._was_joined(mark):
                    self.ready.append(ChunkSet(keys))
                    continue
                waiting.clear()
                if self._was_spent(mark):
                    self.spent.update(key.text for key in keys)
        self.waiting |= waiting
        if waiting:
            self._begin({place: keys[0] for place, keys in places.items() if not keys[0].is_claim}, 0)

    def _sort_rows(self, group: _Rows, side: Side) -> None:
        """Find the runs of one side's rows, without a gap from the first, that end as a body may end."""
        own = {
            place: chosen
            for place, rows in group.items()
            if (chosen := [row for row in rows if _row(row).side is side and not _row(row).is_read])
        }
        end = _end(group)
        settled = {place for place, rows in group.items() if place < end and any(_is_read(row, side) for row in rows)}
        runs: dict[tuple[ChunkKey, ...], None] = {}
        for joined, run in self._runs(group, own, side):
            if joined:
                settled.update(range(run.rows()[0].place, run.place + 1))
                if self._was_spent(run.mark()):
                    self.spent.update(one.row.text for one in run.rows())
            else:
                runs[tuple(one.row for one in run.rows())] = None
        self.ready += map(ChunkSet, runs)
        waiting = {place: rows for place, rows in own.items() if place not in settled}
        self.waiting.update(row for rows in waiting.values() for row in rows)
        self._begin({place: rows[0] for place, rows in waiting.items()}, min(waiting, default=0))
        self.waiting.update(row for place, rows in group.items() if place >= end for row in rows if _is_read(row, side))

    def _begin(self, keys: Mapping[int, ChunkKey], first: int) -> None:
        end = first
        while end in keys:
            end += 1
        if end > first:
            self.beginnings.append(tuple(keys[place].text for place in range(first, end)))

    def _runs(self, group: _Rows, own: _Rows, side: Side) -> "Iterator[tuple[bool, _Run]]":
        """Yield each run that was joined, and each that was not, up to the last row that may end it.

        A run begins at the first place, and behind one that was joined. Where rows of the other side, or
        of figures, claim a place too, a run may also leave it out: it did so before its own row came.
        """
        end = _end(group)
        ways = _MOST_WAYS
        starts: set[int] = set()
        open_ends: list[tuple[int, _Run | None, _Run | None]] = [
            (place, None, None) for place in (1, 0) if place in group
        ]
        while open_ends:
            place, run, ending = open_ends.pop()
            if run is None:
                if place in starts:
                    continue
                starts.add(place)
            if place >= end:
                if ending is not None:
                    yield False, ending
                continue
            nexts: list[tuple[int, _Run | None, _Run | None]] = []
            for row in own.get(place, ()):
                longer = _Run(place, row, run)
                if longer.may_end and self._was_joined(longer.mark()):
                    yield True, longer
                    nexts.append((place + 1, None, None))
                else:
                    nexts.append((place + 1, longer, longer if longer.may_end else ending))
            if any(_lets_pass(row, side) for row in group[place]):
                nexts.append((place + 1, run, ending))
            kept = nexts[: 1 + ways]
            ways -= len(kept) - 1
            open_ends += reversed(kept)


class _Run:
    """Rows that were chosen one after the other: the last of them, and those before."""

    __slots__ = ("before", "digest", "may_end", "place", "row")

    def __init__(self, place: int, row: ChunkKey, before: "_Run | None") -> None:
        self.place = place
        self.row = row
        self.before = before
        self.may_end = _row(row).may_end
        self.digest: hashlib._Hash = before.digest.copy() if before else hashlib.sha256()
        self.digest.update(row.text.encode())

    def mark(self) -> str:
        return digest_mark(self.row, self.digest)

    def rows(self) -> list["_Run"]:
        rows = [self]
        while (before := rows[-1].before) is not None:
            rows.append(before)
        return rows[::-1]


def _row(key: ChunkKey) -> LogRow:
    form = key.chunk.form
    # A chunk without a total is a row, whatever a newer version may have written.
    return form if isinstance(form, LogRow) else LogRow(Side.FIGURES)


def _end(group: _Rows) -> int:
    end = 0 if 0 in group else 1
    while end in group:
        end += 1
    return end


def _is_read(key: ChunkKey, side: Side) -> bool:
    row = _row(key)
    return row.side is side and row.is_read


def _lets_pass(key: ChunkKey, side: Side) -> bool:
    """Return whether a run of this side may leave a place out because this row claims it."""
    row = _row(key)
    return row.is_read if row.side is side else not row.is_shared
