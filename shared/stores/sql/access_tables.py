"""The table of the access log; `tables` has the others, and all of them."""

from sqlalchemy import Column, Identity, Index, PrimaryKeyConstraint, Table

from shared.stores.sql.price_tables import metadata
from shared.stores.sql.types import COUNT, JSON_TEXT, SERIAL, UtcTime, exact_text, text

__all__ = ["content_read"]

content_read = Table(
    "content_read",
    metadata,
    Column("id", SERIAL, Identity(), nullable=False),
    Column("read_at", UtcTime(), nullable=False),
    Column("reader", text(256), nullable=False),
    Column("route", text(64), nullable=False),
    Column("subject", text(1024), nullable=False),  # the interaction's id, or the query
    # All else is null in rows of a release that kept less.
    Column("reader_name", text(256), nullable=True),
    Column("app_id", exact_text(64), nullable=True),
    Column("roles", text(128), nullable=True),  # with commas between
    Column("purpose", text(256), nullable=True),
    Column("row_count", COUNT, nullable=True),
    Column("interactions", JSON_TEXT, nullable=True),
    Column("request_id", exact_text(64), nullable=True),
    Column("result", text(16), nullable=True),
    PrimaryKeyConstraint("id", name="pk_content_read"),
    Index("ix_content_read_time", "read_at", "id"),
    Index("ix_content_read_reader", "reader", "read_at", "id"),
)
"""The access log: rows are added, never changed or removed. Triggers hold it on SQLite, rights on Azure SQL."""
