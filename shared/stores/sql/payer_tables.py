"""The tables of who pays: assignments to teams and cost centres, and who changed what of it; `tables` has all."""

from sqlalchemy import Column, Identity, Index, Integer, PrimaryKeyConstraint, Table

from shared.stores.sql.price_tables import metadata
from shared.stores.sql.types import JSON_TEXT, SERIAL, UtcTime, exact_text, text

__all__ = ["assignment", "money_change"]

assignment = Table(
    "assignment",
    metadata,
    Column("matched", exact_text(16), nullable=False),  # tag, user, application, subscription or product
    Column("name", exact_text(128), nullable=False),  # of the tag; else ""
    Column("value", exact_text(128), nullable=False),
    Column("valid_from", UtcTime(), nullable=False),
    Column("valid_to", UtcTime(), nullable=True),
    Column("team", exact_text(128), nullable=False),  # "": none
    Column("cost_centre", exact_text(64), nullable=False),
    Column("version", Integer, nullable=False),  # of the change by which it was added or ended
    PrimaryKeyConstraint("matched", "name", "value", "valid_from", name="pk_assignment"),
    Index("ix_assignment_version", "version"),
)
"""Who pays for whose calls: rows are added and ended, never changed."""

money_change = Table(
    "money_change",
    metadata,
    Column("id", SERIAL, Identity(), nullable=False),
    Column("changed_at", UtcTime(), nullable=False),
    Column("actor", text(256), nullable=False),
    Column("subject", text(16), nullable=False),  # assignment or budget
    Column("old_value", JSON_TEXT, nullable=True),  # JSON object; null: there was none
    Column("new_value", JSON_TEXT, nullable=True),  # null: there is none any more
    PrimaryKeyConstraint("id", name="pk_money_change"),
)
"""Who changed assignments and budgets, when, from what to what: written, and never changed."""
