"""The index of words in SQL: what it holds, and what it has still to take in; `word_search` asks it."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from shared.questions import ListKey
from shared.retry import RETRY_SECONDS, retried
from shared.stores.sql import bulk, tables
from shared.stores.sql.dialects import dialect_of
from shared.stores.sql.engine import reading, writing
from shared.stores.sql.full_text import FullText
from shared.stores.sql.word_numbers import BITS, bucket_of, numbers_of, week_of, weeks_of
from shared.stores.word_ports import Filling, Stand, WordMark

__all__ = [
    "SqlWordIndex",
    "older_than",
    "serving",
    "volumes_of",
]

_REMADE: Final = timedelta(hours=1)
"""A week is not made anew more often: a thousand erasures are one work."""

_Read = TypeVar("_Read")

_MARK: Final = tables.word_mark.c
_ENTRY: Final = tables.word_entry.c
_VOLUME: Final = tables.word_volume.c
_CALL: Final = tables.interaction.c


class SqlWordIndex:
    """`shared.stores.word_ports.WordIndex` on either database, but for `search`: see `word_search`."""

    def __init__(self, engine: Engine, *, content_days: int = 0, retry_seconds: float = RETRY_SECONDS) -> None:
        """Use `engine`, whose database is migrated to the newest revision.

        Args:
            engine: of the database.
            content_days: after which the content store forgets by itself; 0: it does not.
            retry_seconds: for so long it is tried again.
        """
        self._engine = engine
        self._content_days = content_days
        self._retry_seconds = retry_seconds
        self._text: FullText = dialect_of(engine).words

    def is_there(self) -> bool:
        """Return whether there is full text; see the port."""
        return self._read(self._text.is_there)

    def marks(self, *, after: int, limit: int) -> list[WordMark]:
        """Return marks; see the port."""
        joined = tables.word_mark.outerjoin(tables.interaction, _CALL.id == _MARK.interaction_id)
        query = sa.select(_MARK.id, _MARK.interaction_id, _CALL.occurred_at, _MARK.document).select_from(joined)
        ordered = query.where(_MARK.id > after).order_by(_MARK.id).limit(limit)
        rows = self._read(lambda connection: connection.execute(ordered).all())
        return [WordMark(number, name, moment, document is not None) for number, name, moment, document in rows]

    def stand(self) -> Stand:
        """Return how far it is behind; see the port."""
        first, last = sa.func.min(_MARK.id), sa.func.max(_MARK.id)
        oldest = sa.select(_MARK.marked_at).order_by(_MARK.id).limit(1)

        def read(connection: Connection) -> Stand:
            # Each by itself: together, SQLite reads all marks.
            low, high = connection.scalar(sa.select(first)), connection.scalar(sa.select(last))
            since = connection.scalar(oldest)
            waiting = 0 if low is None else high - low + 1
            volumes = volumes_of(connection)
            is_complete = len(serving(volumes)) == len({one.week for one in volumes})
            return Stand(waiting, since, is_complete=is_complete and older_than(connection, volumes) is None)

        return self._read(read)

    def filling(self, limit: int, *, at: str) -> Filling | None:
        """Return what comes next; see the port."""

        def found() -> Filling | None:
            with writing(self._engine) as connection:
                return self._filling(connection, limit, at)

        def is_due(connection: Connection) -> bool:
            volumes = volumes_of(connection)
            unfinished = not all(one.is_complete for one in volumes)
            return unfinished or older_than(connection, volumes) is not None or self._stale(volumes, at) is not None

        return retried(found) if self._read(is_due) else None

    def keep(
        self,
        words: Mapping[str, Collection[str]],
        *,
        marks: Sequence[int] = (),
        filling: Filling | None = None,
        erased: Collection[str] = (),
        at: str,
    ) -> None:
        """Take words in; see the port."""

        def transaction() -> None:
            with writing(self._engine) as connection:
                self._keep(connection, words, filling, at, erased)
                if filling is not None:
                    self._end(connection, filling)
                bulk.delete(connection, tables.word_mark, [{"id": number} for number in marks])

        retried(transaction)

    def _keep(
        self,
        connection: Connection,
        words: Mapping[str, Collection[str]],
        filling: Filling | None,
        at: str,
        erased: Collection[str],
    ) -> None:
        """Give each interaction that has words its number, and let the volumes of its week hold them."""
        moments = dict(_rows(connection, sa.select(_CALL.id, _CALL.occurred_at), _CALL.id, words))
        known = dict(_rows(connection, sa.select(_ENTRY.interaction_id, _ENTRY.number), _ENTRY.interaction_id, words))
        self._text.spoil(connection, {week_of(known[name] >> BITS) for name in erased if name in known})
        gone: list[int] = []
        entries: dict[int, str] = {}
        # A week without any words is held too.
        held: dict[int, list[tuple[int, str]]] = {week_of(bucket_of(moment)): [] for moment in moments.values()}
        next_numbers: dict[int, int] = {}
        for name, own in words.items():
            number = known.get(name)
            bucket = bucket_of(moments[name]) if name in moments and own else None
            if number is not None and (bucket is None or number >> BITS != bucket or self._text.keeps_words):
                gone.append(number)
            if bucket is None:
                continue
            if number is None or number >> BITS != bucket:
                number = next_numbers.get(bucket) or _next_number(connection, bucket)
                next_numbers[bucket] = number + 1
                entries[number] = name
            elif self._text.keeps_words:
                entries[number] = name
            held[week_of(bucket)].append((number, " ".join(own)))
        texts = {number: text for rows in held.values() for number, text in rows} if self._text.keeps_words else {}
        writes = bulk.Writes(connection)
        writes.delete(tables.word_entry, [{"number": number} for number in gone])
        writes.insert(tables.word_entry, [(number, name, texts.get(number)) for number, name in entries.items()])
        writes.run()
        self._add(connection, held, filling, at)

    def _add(
        self,
        connection: Connection,
        held: Mapping[int, Sequence[tuple[int, str]]],
        filling: Filling | None,
        at: str,
    ) -> None:
        volumes = volumes_of(connection)
        for week, rows in sorted(held.items()):
            generations = [one.generation for one in volumes if one.week == week]
            if filling is not None and week == filling.week:
                generations = [filling.generation]
            if not generations:
                # The first of its week; others may have come meanwhile without a mark that was seen: it is filled.
                self._make(connection, week, 1, at)
                generations = [1]
            for generation in generations:
                self._text.add(connection, (week, generation), rows)

    def _make(self, connection: Connection, week: int, generation: int, at: str) -> None:
        values = {"week": week, "generation": generation, "is_complete": False, "made_at": at, "is_erased": False}
        connection.execute(sa.insert(tables.word_volume).inline().values(values))
        self._text.make(connection, (week, generation))

    def _filling(self, connection: Connection, limit: int, at: str) -> Filling | None:
        chosen = self._chosen(connection, at)
        if chosen is None:
            return None
        week, generation, place = chosen
        start, end = weeks_of(week)
        inside = [_CALL.occurred_at >= start] + ([] if end is None else [_CALL.occurred_at < end])
        if place is not None:
            behind = sa.and_(_CALL.occurred_at == place.moment, _CALL.id < place.id)
            inside += [_CALL.occurred_at <= place.moment, sa.or_(_CALL.occurred_at < place.moment, behind)]
        ordered = sa.select(_CALL.id, _CALL.occurred_at).where(*inside)
        rows = connection.execute(ordered.order_by(_CALL.occurred_at.desc(), _CALL.id.desc()).limit(limit)).all()
        reaches = ListKey(rows[-1].occurred_at, rows[-1].id) if len(rows) == limit else None
        held: set[str] = set()
        if generation == 1:
            # In by their marks already.
            names = [row.id for row in rows]
            held = set(_rows(connection, sa.select(_ENTRY.interaction_id), _ENTRY.interaction_id, names))
        return Filling(week, generation, [(one.id, one.occurred_at) for one in rows if one.id not in held], reaches)

    def _chosen(self, connection: Connection, at: str) -> tuple[int, int, ListKey | None] | None:
        """Return week and generation of what is filled next, made where it is new, and how far it is filled."""
        volumes = volumes_of(connection)
        for one in volumes:
            if not one.is_complete:
                place = None if one.filled_at is None else ListKey(one.filled_at, one.filled_id)
                return one.week, one.generation, place
        if (moment := older_than(connection, volumes)) is not None:
            made = (week_of(bucket_of(moment)), 1)
        elif (stale := self._stale(volumes, at)) is not None:
            made = (stale.week, stale.generation + 1)
        else:
            return None
        self._make(connection, *made, at)
        return *made, None

    def _end(self, connection: Connection, filling: Filling) -> None:
        """Note how far a week is filled; where it is whole, the generation before it goes."""
        own = sa.and_(_VOLUME.week == filling.week, _VOLUME.generation == filling.generation)
        if filling.reaches is not None:
            place = {"filled_at": filling.reaches.moment, "filled_id": filling.reaches.id}
            connection.execute(sa.update(tables.word_volume).where(own).values(place))
            return
        connection.execute(sa.update(tables.word_volume).where(own).values(is_complete=True))
        for one in volumes_of(connection):
            if one.week == filling.week and one.generation < filling.generation:
                self._text.drop(connection, (one.week, one.generation))
        older = sa.and_(_VOLUME.week == filling.week, _VOLUME.generation < filling.generation)
        connection.execute(sa.delete(tables.word_volume).where(older))

    def _stale(self, volumes: Iterable[sa.Row[Any]], at: str) -> sa.Row[Any] | None:
        """Return a volume that holds words of content that is not kept any more, and is not all too new."""
        now = datetime.fromisoformat(at)
        for one in volumes:
            made_at = datetime.fromisoformat(one.made_at)
            if one.is_complete and one.is_erased and now - made_at >= _REMADE:
                return one
            if self._content_days:
                expired = timedelta(days=self._content_days + 1)
                start, end = weeks_of(one.week)
                # Once a day, as long as more of it expires.
                last = min(now - expired, datetime.fromisoformat(end or at))
                is_older = datetime.fromisoformat(start) < last
                if one.is_complete and is_older and made_at - expired + timedelta(days=1) <= last:
                    return one
        return None

    def _read(self, work: Callable[[Connection], _Read]) -> _Read:
        def read() -> _Read:
            with reading(self._engine) as connection:
                return work(connection)

        return retried(read, seconds=self._retry_seconds)


def volumes_of(connection: Connection) -> Sequence[sa.Row[Any]]:
    """Return all volumes, the newest weeks first, of each the first generation first."""
    newest = sa.select(tables.word_volume).order_by(_VOLUME.week.desc(), _VOLUME.generation)
    return connection.execute(newest).all()


def serving(volumes: Iterable[sa.Row[Any]]) -> dict[int, int]:
    """Return the generation by which each week is searched, of those that are whole; the newest weeks first."""
    return {one.week: one.generation for one in volumes if one.is_complete}


def older_than(connection: Connection, volumes: Sequence[sa.Row[Any]]) -> str | None:
    """Return when the newest interaction occurred that is older than all volumes."""
    newest = sa.select(sa.func.max(_CALL.occurred_at))
    if volumes:
        newest = newest.where(_CALL.occurred_at < weeks_of(volumes[-1].week)[0])
    moment: str | None = connection.scalar(newest)
    return moment


def _next_number(connection: Connection, bucket: int) -> int:
    low, high = numbers_of(bucket, bucket)
    last = connection.scalar(sa.select(sa.func.max(_ENTRY.number)).where(_ENTRY.number.between(low, high)))
    return low if last is None else last + 1


def _rows(
    connection: Connection, query: sa.Select[Any], column: sa.ColumnElement[str], names: Collection[str]
) -> Sequence[Any]:
    """Return the rows of a query whose `column` is one of `names`; of one column its values."""
    members = dialect_of(connection).members(column.type)
    found = connection.execute(query.where(column.in_(members)), bulk.listed(names))
    return found.all() if len(query.selected_columns) > 1 else found.scalars().all()
