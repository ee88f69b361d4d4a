"""The index of words on Azure SQL: its own full-text index, where the option `fulltext` has been turned on."""

from collections.abc import Collection, Iterable, Sequence
from typing import Final, Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared.domain.words import WordQuery
from shared.stores.sql import tables

__all__ = ["AzureFullText", "FullText"]


class FullText(Protocol):
    """A database's way to find words; a volume is a week and its generation."""

    @property
    def keeps_words(self) -> bool:
        """Whether the words stand in `word_entry`."""

    @property
    def is_marked_by_stores(self) -> bool:
        """Whether the stores mark the interactions whose words change, and not the database itself."""

    def is_there(self, connection: Connection) -> bool:
        """Return whether the database can find words."""

    def make(self, connection: Connection, volume: tuple[int, int]) -> None:
        """Make what holds the words of a volume."""

    def drop(self, connection: Connection, volume: tuple[int, int]) -> None:
        """Drop it, with all words in it."""

    def add(self, connection: Connection, volume: tuple[int, int], rows: Sequence[tuple[int, str]]) -> None:
        """Add words, by number."""

    def spoil(self, connection: Connection, weeks: Collection[int]) -> None:
        """Note that all volumes of some weeks hold words that must go, where those do not go with their entries."""

    def numbers(
        self, connection: Connection, volume: tuple[int, int], query: WordQuery, within: tuple[int, int], most: int
    ) -> list[int]:
        """Return up to `most` numbers within two, both included, that have all that is asked, falling."""

    def among(
        self, connection: Connection, volume: tuple[int, int], query: WordQuery, numbers: Iterable[int]
    ) -> list[int]:
        """Return those of the numbers that have all that is asked."""

    def condition(self, query: WordQuery) -> sa.ColumnElement[bool] | None:
        """Return what asks for interactions by their words, where a search does not go by numbers."""


_INDEXED: Final = (
    sa.select(sa.func.count())
    .select_from(sa.table("fulltext_indexes", schema="sys"))
    .where(sa.column("object_id") == sa.func.object_id(sa.literal_column("N'dbo.word_entry'")))
)


class AzureFullText:
    """`FullText` on Azure SQL: the words stand in `word_entry`, and the index follows them."""

    keeps_words: Final = True
    is_marked_by_stores: Final = False
    """Triggers of the option do it: without the option nobody would take the marks away."""

    def is_there(self, connection: Connection) -> bool:
        """Return whether the option is on."""
        return bool(connection.scalar(_INDEXED))

    def make(self, connection: Connection, volume: tuple[int, int]) -> None:
        """Make nothing: there is one index for all weeks."""

    def drop(self, connection: Connection, volume: tuple[int, int]) -> None:
        """Drop nothing: words leave with the row that holds them."""

    def add(self, connection: Connection, volume: tuple[int, int], rows: Sequence[tuple[int, str]]) -> None:
        """Add nothing: the words stand in the entry."""

    def spoil(self, connection: Connection, weeks: Collection[int]) -> None:
        """Note nothing: words leave with the row that holds them."""

    def numbers(
        self, connection: Connection, volume: tuple[int, int], query: WordQuery, within: tuple[int, int], most: int
    ) -> list[int]:
        """Return nothing: a search goes by the condition."""
        del connection, volume, query, within, most
        return []

    def among(
        self, connection: Connection, volume: tuple[int, int], query: WordQuery, numbers: Iterable[int]
    ) -> list[int]:
        """Return nothing: as `numbers`."""
        del connection, volume, query, numbers
        return []

    def condition(self, query: WordQuery) -> sa.ColumnElement[bool] | None:
        """Return whether an interaction's entry holds all that is asked; the server chooses which filter leads."""
        words = (f'"{word}{"*" if is_prefix else ""}"' for word, is_prefix in query.index_terms())
        # It takes no nvarchar(max).
        sought = sa.bindparam("sought", " and ".join(words), type_=sa.Unicode(4000))
        holding = sa.select(tables.word_entry.c.interaction_id).where(
            sa.text("contains(word_entry.words, :sought)").bindparams(sought)
        )
        found: sa.ColumnElement[bool] = tables.interaction.c.id.in_(holding)
        return found
