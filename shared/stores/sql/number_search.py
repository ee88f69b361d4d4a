"""Searching by the numbers of the index of words: the narrower side leads.

Where the words are rarer than what the other filters find, the index leads, and the rows that it finds are checked;
else the filters lead, and the index is asked for their rows alone.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared.domain.words import WordQuery
from shared.questions import InteractionFilter, ListKey
from shared.stores.ports import Row
from shared.stores.sql import bulk, tables
from shared.stores.sql.access import Look, accesses_of, chosen, look_statement
from shared.stores.sql.audit import found_statement, read_interactions
from shared.stores.sql.dialects import dialect_of
from shared.stores.sql.full_text import FullText
from shared.stores.sql.word_numbers import BITS, bucket_of, numbers_of, start_of, week_of
from shared.stores.word_ports import Candidates

__all__ = ["NumberSearch", "Span", "last_of", "within"]

_AT_A_TIME: Final = 512
"""Numbers that are in memory at one time; five minutes are never cut in two."""
_CHECKED: Final = 200
"""Rows of other filters for which the index is asked at one time."""
_COMMON: Final = 5
"""Entries of the index of words that cost as much as one row of another filter for which it is asked."""
_LAST: Final = bucket_of("9999-12-31T23:59:59.999Z")

_ENTRY: Final = tables.word_entry.c


@dataclass(frozen=True, slots=True)
class Span:
    """Part of the range of a search."""

    start: str | None
    end: str | None
    """Exclusive; None: for ever."""
    volume: tuple[int, int] | None
    """None: the index does not hold it."""


class NumberSearch:
    """One question, of an index that answers in numbers."""

    def __init__(self, text: FullText, query: WordQuery, narrow: InteractionFilter) -> None:
        """Ask `text`."""
        self._text = text
        self._query = query
        self._narrow = narrow

    # The words lead

    def by_words(self, connection: Connection, span: Span, after: ListKey | None, limit: int) -> Candidates:
        """Return candidates of a span that the index holds, found by the words."""
        volume = span.volume or (0, 0)
        low, high = _numbers(span, self._narrow, after)
        while low <= high:
            found, rest = self._next(connection, volume, low, high)
            rows = self._checked(connection, found, after, limit)
            if len(rows) == limit:
                return Candidates(rows, last_of(rows), is_degraded=False)
            if rows:
                following = None if rest < low else ListKey(start_of((rest + 1) >> BITS), "")
                return Candidates(rows, following, is_degraded=False)
            high = rest
        return Candidates([], None, is_degraded=False)

    def _next(self, connection: Connection, volume: tuple[int, int], low: int, high: int) -> tuple[list[int], int]:
        """Return the highest numbers that are found, five minutes always wholly, and from where on others are left."""
        found = self._text.numbers(connection, volume, self._query, (low, high), _AT_A_TIME)
        if len(found) < _AT_A_TIME:
            return found, low - 1
        first, last = numbers_of(found[-1] >> BITS, found[-1] >> BITS)
        if last < found[0]:
            return [number for number in found if number > last], last
        return self._text.numbers(connection, volume, self._query, (max(low, first), high), 1 << BITS), first - 1

    def _checked(self, connection: Connection, numbers: Sequence[int], after: ListKey | None, limit: int) -> list[Row]:
        """Return the rows of the numbers that the other filters find too."""
        if not numbers:
            return []
        ids = sa.select(_ENTRY.interaction_id).where(
            _ENTRY.number.in_(dialect_of(connection).members(_ENTRY.number.type))
        )
        statement = found_statement(self._narrow, ids, after=after, limit=limit)
        rows = [dict(row) for row in connection.execute(statement, bulk.listed(numbers)).mappings()]
        # One that has moved since is found where it is now, once the index knows.
        first, last = numbers[-1] >> BITS, numbers[0] >> BITS
        return [row for row in rows if first <= bucket_of(row["occurred_at"]) <= last]

    # The other filters lead

    def are_filters_rarer(self, connection: Connection, spans: Sequence[Span], after: ListKey | None) -> bool:
        """Return whether fewer rows have to be read where the other filters lead."""
        accesses = accesses_of(self._narrow)
        if not accesses:
            return False
        statement = look_statement(accesses, self._narrow, after.moment if after else None)
        found: Sequence[Any] = dialect_of(connection).look(connection, statement)
        looks = {number: Look(entries, reaches) for number, entries, reaches in found}
        way = chosen(accesses, looks)
        if way is None:
            return False
        look = looks[accesses.index(way.first)]
        if look.entries <= _CHECKED:
            return True
        reaches = look.reaches if look.entries == way.first.most else None
        most, words = look.entries * _COMMON, 0
        for span in spans:
            if span.volume is None or words >= most or (reaches and span.end and span.end <= reaches):
                break
            low, high = _numbers(span, self._narrow, after)
            low = max(low, numbers_of(bucket_of(reaches), 0)[0]) if reaches else low
            words += len(self._text.numbers(connection, span.volume, self._query, (low, high), most - words))
        return words >= most

    def by_filters(
        self, connection: Connection, spans: Sequence[Span], after: ListKey | None, limit: int
    ) -> Candidates:
        """Return candidates among the rows that the other filters find."""
        rows = read_interactions(connection, self._narrow, after=after, limit=_CHECKED)
        named = sa.select(_ENTRY.interaction_id, _ENTRY.number).where(
            _ENTRY.interaction_id.in_(dialect_of(connection).members(_ENTRY.interaction_id.type))
        )
        entries = connection.execute(named, bulk.listed([row["id"] for row in rows]))
        numbers: dict[str, int] = {entry.interaction_id: entry.number for entry in entries}
        volumes = {span.volume[0]: span.volume for span in spans if span.volume}
        wanted: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
        for number in numbers.values():
            if (week := week_of(number >> BITS)) in volumes:
                wanted[volumes[week]].append(number)
        found = {
            number for volume, some in wanted.items()
            for number in self._text.among(connection, volume, self._query, some)
        }  # fmt: skip
        unknown = [week_of(bucket_of(row["occurred_at"])) not in volumes for row in rows]
        chosen_rows = [
            row for row, is_unknown in zip(rows, unknown, strict=True) if is_unknown or numbers.get(row["id"]) in found
        ]
        is_end = len(rows) < _CHECKED and len(chosen_rows) <= limit
        following = None if is_end else last_of(chosen_rows[:limit] if len(chosen_rows) > limit else rows)
        return Candidates(chosen_rows[:limit], following, is_degraded=any(unknown))


def within(narrow: InteractionFilter, span: Span) -> InteractionFilter:
    """Return what a filter asks of a span."""
    values: dict[str, Any] = dict(narrow.values)
    first, last = values.get("occurred_from"), values.get("occurred_before")
    values["occurred_from"] = max((one for one in (first, span.start) if one), default=None)
    values["occurred_before"] = min((one for one in (last, span.end) if one), default=None)
    return InteractionFilter(**values).within(narrow.reaches)


def _numbers(span: Span, narrow: InteractionFilter, after: ListKey | None) -> tuple[int, int]:
    """Return the least and the largest number of what is left of the range within a span."""
    values = within(narrow, span).values
    first = bucket_of(values["occurred_from"]) if "occurred_from" in values else 0
    last = bucket_of(values["occurred_before"]) if "occurred_before" in values else _LAST
    if after is not None:
        bucket = bucket_of(after.moment)
        is_before = after.id == "" and start_of(bucket) == after.moment
        last = min(last, bucket - is_before)
    return numbers_of(first, last)


def last_of(rows: Sequence[Row]) -> ListKey:
    """Return where a list goes on behind its last row."""
    return ListKey(rows[-1]["occurred_at"], rows[-1]["id"])
