"""Searching by words in SQL: week by week, from the newest on.

A week that the index does not hold yet is read as the other filters find it.
"""

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy.engine import Connection, Engine

from shared.domain.words import WordQuery
from shared.questions import InteractionFilter, ListKey
from shared.retry import QUICK_SECONDS, retried
from shared.stores.sql.audit import interactions_statement, read_interactions
from shared.stores.sql.dialects import dialect_of
from shared.stores.sql.engine import reading
from shared.stores.sql.full_text import FullText
from shared.stores.sql.number_search import NumberSearch, Span, last_of, within
from shared.stores.sql.word_numbers import weeks_of
from shared.stores.sql.words import SqlWordIndex, older_than, serving, volumes_of
from shared.stores.word_ports import Candidates, WordSearch

__all__ = ["SearchableWords"]


class SearchableWords(SqlWordIndex):
    """`shared.stores.word_ports.WordIndex` on either database."""

    def search(self, query: WordQuery, narrow: InteractionFilter) -> WordSearch:
        """Return the search; see the port."""
        return _Search(self._engine, query, narrow)


class _Search:
    """`shared.stores.word_ports.WordSearch`."""

    def __init__(self, engine: Engine, query: WordQuery, narrow: InteractionFilter) -> None:
        self._engine = engine
        self._query = query
        self._narrow = narrow
        self._text: FullText = dialect_of(engine).words
        self._condition = self._text.condition(query)
        self._by_number = NumberSearch(self._text, query, narrow)
        self._is_there: bool | None = None
        self._do_filters_lead: bool | None = None

    def find(self, after: ListKey | None, *, limit: int, is_over: Callable[[], bool]) -> Candidates:
        """Return candidates; see the port."""

        def read() -> Candidates:
            with reading(self._engine) as connection:
                return self._find(connection, after, limit, is_over)

        return retried(read, seconds=QUICK_SECONDS)

    def _find(
        self, connection: Connection, after: ListKey | None, limit: int, is_over: Callable[[], bool]
    ) -> Candidates:
        if self._is_there is None:
            self._is_there = self._text.is_there(connection)
        if not self._is_there:
            return _listed(connection, self._narrow, after, limit)
        spans = self._spans(connection, after)
        if self._do_filters_lead is None:
            self._do_filters_lead = self._condition is None and self._by_number.are_filters_rarer(
                connection, spans, after
            )
        if self._do_filters_lead:
            return self._by_number.by_filters(connection, spans, after, limit)
        for number, span in enumerate(spans):
            if number and is_over():
                return Candidates([], _behind(spans[number - 1]), is_degraded=False)
            found = self._in(connection, span, after, limit)
            if found.rows or found.next:
                is_last = number == len(spans) - 1
                return found._replace(next=found.next or (None if is_last else _behind(span)))
        return Candidates([], None, is_degraded=False)

    def _spans(self, connection: Connection, after: ListKey | None) -> list[Span]:
        """Return the parts of what is left of the range, the newest first."""
        volumes = volumes_of(connection)
        complete = serving(volumes)
        spans: list[Span] = []
        for week in dict.fromkeys(one.week for one in volumes):
            start, end = weeks_of(week)
            volume = (week, complete[week]) if week in complete else None
            if self._condition is not None and spans and volume and spans[-1].volume:
                spans[-1] = replace(spans[-1], start=start)
            else:
                spans.append(Span(start, end, volume))
        if older_than(connection, volumes) is not None:
            spans.append(Span(None, spans[-1].start if spans else None, None))
        first, last = self._narrow.values.get("occurred_from"), self._narrow.values.get("occurred_before")
        last = min((one for one in (last, after and after.moment) if one), default=None)
        return [
            span
            for span in spans
            if (first is None or span.end is None or span.end > first)
            and (last is None or span.start is None or span.start <= last)
        ]

    def _in(self, connection: Connection, span: Span, after: ListKey | None, limit: int) -> Candidates:
        if span.volume is None:
            return _listed(connection, within(self._narrow, span), after, limit)
        if self._condition is None:
            return self._by_number.by_words(connection, span, after, limit)
        narrow = within(self._narrow, span)
        statement = interactions_statement(narrow, after=after, limit=limit).where(self._condition)
        rows = [dict(row) for row in connection.execute(statement).mappings()]
        return Candidates(rows, last_of(rows) if len(rows) == limit else None, is_degraded=False)


def _listed(connection: Connection, narrow: InteractionFilter, after: ListKey | None, limit: int) -> Candidates:
    rows = read_interactions(connection, narrow, after=after, limit=limit)
    return Candidates(rows, last_of(rows) if len(rows) == limit else None, is_degraded=True)


def _behind(span: Span) -> ListKey | None:
    return None if span.start is None else ListKey(span.start, "")
