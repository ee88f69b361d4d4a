"""The index of words on SQLite: FTS5, a table for each week, without texts and without positions.

A week of its own keeps the work of a merge bounded, and lets the words of erased content go by making that week anew:
SQLite 3.40 cannot take them out one by one. The table's names are made here, of numbers; every value is bound. Hence
the S608s.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared.domain.words import WordQuery
from shared.stores.sql import tables

__all__ = ["Fts5"]


class Fts5:
    """`shared.stores.sql.full_text.FullText` on SQLite."""

    keeps_words: Final = False
    is_marked_by_stores: Final = True
    """Triggers would cost a tenth of ingest: with one, SQLite gathers all columns of each row, old and new."""

    def is_there(self, connection: Connection) -> bool:
        """Return whether this SQLite has FTS5."""
        modules = "select count(*) from pragma_module_list where name = 'fts5'"
        return bool(connection.exec_driver_sql(modules).scalar())

    def make(self, connection: Connection, volume: tuple[int, int]) -> None:
        """Make the table of a week."""
        # The words come folded, with blanks between: `ascii` leaves all else as it is.
        options = "content='', detail=none, columnsize=0, tokenize='ascii'"
        connection.exec_driver_sql(f"create virtual table if not exists {_table(volume)} using fts5(words, {options})")

    def drop(self, connection: Connection, volume: tuple[int, int]) -> None:
        """Drop the table of a week, with all words in it."""
        connection.exec_driver_sql(f"drop table if exists {_table(volume)}")

    def add(self, connection: Connection, volume: tuple[int, int], rows: Sequence[tuple[int, str]]) -> None:
        """Add words to what the table holds by the same numbers."""
        if rows:
            connection.exec_driver_sql(f"insert into {_table(volume)} (rowid, words) values (?, ?)", list(rows))  # noqa: S608

    def spoil(self, connection: Connection, weeks: Collection[int]) -> None:
        """Note that all volumes of some weeks hold words that must go: they will be made anew."""
        if weeks:
            volume = tables.word_volume
            connection.execute(sa.update(volume).where(volume.c.week.in_(weeks)).values(is_erased=True))

    def numbers(
        self, connection: Connection, volume: tuple[int, int], query: WordQuery, within: tuple[int, int], most: int
    ) -> list[int]:
        """Return up to `most` numbers within two, both included, that have all that is asked, falling."""
        table = _table(volume)
        found = connection.exec_driver_sql(
            f"select rowid from {table} where {table} match ? and rowid between ? and ? order by rowid desc limit ?",  # noqa: S608
            (_match(query), *within, most),
        )
        return list(found.scalars())

    def among(
        self, connection: Connection, volume: tuple[int, int], query: WordQuery, numbers: Iterable[int]
    ) -> list[int]:
        """Return those of the numbers by which the table holds all that is asked."""
        table = _table(volume)
        found = connection.exec_driver_sql(
            f"select asked.value from json_each(?) as asked cross join {table}"  # noqa: S608
            f" where {table}.rowid = asked.value and {table} match ?",
            (orjson.dumps(list(numbers)).decode(), _match(query)),
        )
        return list(found.scalars())

    def condition(self, query: WordQuery) -> sa.ColumnElement[bool] | None:
        """Return nothing: a search goes by numbers."""
        del query
        return None


def _table(volume: tuple[int, int]) -> str:
    week, generation = volume
    return f"words_{week:d}_{generation:d}"


def _match(query: WordQuery) -> str:
    return " ".join(f'"{word}"{"*" if is_prefix else ""}' for word, is_prefix in query.index_terms())
