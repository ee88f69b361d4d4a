"""The tables of the index of words; `tables` has the others.

On SQLite the words themselves stand in a table of FTS5 for each week (`fts5`), made and dropped as weeks come and go.
"""

from typing import Final

from sqlalchemy import Column, Identity, Index, PrimaryKeyConstraint, Table

from shared.stores.sql.price_tables import metadata
from shared.stores.sql.types import COUNT, FLAG, JSON_TEXT, SERIAL, UtcTime, exact_text

__all__ = ["word_entry", "word_mark", "word_volume"]

word_mark: Final = Table(
    "word_mark",
    metadata,
    Column("id", SERIAL, Identity(), nullable=False),
    Column("interaction_id", exact_text(128), nullable=False),
    Column("document", exact_text(64), nullable=True),  # that was taken away
    Column("marked_at", UtcTime(), nullable=False),
    PrimaryKeyConstraint("id", name="pk_word_mark"),
)
"""Interactions whose words are not in the index as they are now: written with the facts."""

word_entry: Final = Table(
    "word_entry",
    metadata,
    # Five minutes since the year 1, and a number within them: in order of time, and dense.
    Column("number", SERIAL, nullable=False, autoincrement=False),
    Column("interaction_id", exact_text(128), nullable=False),
    Column("words", JSON_TEXT, nullable=True),  # each once, with blanks between; null on SQLite
    PrimaryKeyConstraint("number", name="pk_word_entry"),
    Index("ix_word_entry_interaction_id", "interaction_id", unique=True),
)
"""By which number the index knows an interaction."""

word_volume: Final = Table(
    "word_volume",
    metadata,
    Column("week", COUNT, nullable=False),  # since the year 1
    Column("generation", COUNT, nullable=False),
    Column("is_complete", FLAG, nullable=False),
    Column("filled_at", UtcTime(), nullable=True),  # the calls behind this one, in the order of lists, are to come
    Column("filled_id", exact_text(128), nullable=True),
    Column("made_at", UtcTime(), nullable=False),
    Column("is_erased", FLAG, nullable=False),  # holds words of content that is not kept any more
    PrimaryKeyConstraint("week", "generation", name="pk_word_volume"),
)
"""Which weeks the index holds, wholly or so far; a second generation is made where words must go, beside the first."""
