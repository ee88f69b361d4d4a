"""The tables of the access log, of how far roles extend, of what leaves; `tables` has all."""

from sqlalchemy import Column, Identity, Index, Integer, PrimaryKeyConstraint, Table

from shared.stores.sql.price_tables import metadata
from shared.stores.sql.types import COUNT, FLAG, JSON_TEXT, SERIAL, UtcTime, exact_text, text

__all__ = ["content_grant", "content_read", "export", "export_part", "forward_mark", "reach"]

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

reach = Table(
    "reach",
    metadata,
    Column("id", exact_text(32), nullable=False),
    Column("role", exact_text(32), nullable=False),
    Column("holder", exact_text(64), nullable=False),  # object id of a person, an application or a group
    Column("is_group", FLAG, nullable=False),
    Column("matched", exact_text(16), nullable=False),  # subscription, product, team or all
    Column("value", exact_text(128), nullable=False),  # "" for all
    Column("valid_from", UtcTime(), nullable=False),
    Column("valid_to", UtcTime(), nullable=True),
    Column("added_by", text(256), nullable=False),
    Column("added_at", UtcTime(), nullable=False),
    Column("ended_by", text(256), nullable=True),
    Column("ended_at", UtcTime(), nullable=True),
    PrimaryKeyConstraint("id", name="pk_reach"),
    Index("ix_reach_holder", "holder"),
    Index("ix_reach_added", "added_at", "id"),
)
"""How far roles of people and groups extend: rows are added and ended, never removed."""

content_grant = Table(
    "content_grant",
    metadata,
    Column("id", exact_text(32), nullable=False),
    Column("case_id", exact_text(128), nullable=False),
    Column("reader", exact_text(256), nullable=False),
    Column("reason", text(512), nullable=False),
    Column("hours", Integer, nullable=False),
    Column("wanted_by", text(256), nullable=False),
    Column("wanted_at", UtcTime(), nullable=False),
    Column("given_by", text(256), nullable=True),
    Column("given_at", UtcTime(), nullable=True),
    Column("valid_to", UtcTime(), nullable=True),
    Column("ended_by", text(256), nullable=True),
    Column("ended_at", UtcTime(), nullable=True),
    PrimaryKeyConstraint("id", name="pk_content_grant"),
    Index("ix_content_grant_reader", "reader", "case_id"),
    Index("ix_content_grant_wanted", "wanted_at", "id"),
)
"""Leave to read texts for a case, by a second person and for some hours."""

export = Table(
    "export",
    metadata,
    Column("id", exact_text(32), nullable=False),
    Column("reader", exact_text(256), nullable=False),
    Column("asker", JSON_TEXT, nullable=False),  # all of the reader, and how far their roles extended
    Column("kind", exact_text(16), nullable=False),
    Column("format", exact_text(16), nullable=False),
    Column("filters", JSON_TEXT, nullable=False),
    Column("wanted_at", UtcTime(), nullable=False),
    Column("until", UtcTime(), nullable=False),
    Column("state", exact_text(16), nullable=False),
    Column("part_count", COUNT, nullable=False),
    Column("row_count", COUNT, nullable=False),
    Column("byte_count", COUNT, nullable=False),
    Column("next_key", JSON_TEXT, nullable=True),  # null: the beginning
    Column("reason", text(256), nullable=True),
    Column("finished_at", UtcTime(), nullable=True),
    Column("remove_at", UtcTime(), nullable=True),  # null once its files are removed
    PrimaryKeyConstraint("id", name="pk_export"),
    Index("ix_export_reader", "reader", "wanted_at", "id"),
    Index("ix_export_state", "state", "wanted_at", "id"),
    Index("ix_export_remove", "remove_at"),
)
"""Exports that were asked for, and how far they are; rows are never removed."""

export_part = Table(
    "export_part",
    metadata,
    Column("export_id", exact_text(32), nullable=False),
    Column("number", Integer, nullable=False),
    Column("row_count", COUNT, nullable=False),
    Column("byte_count", COUNT, nullable=False),
    Column("sha256", exact_text(64), nullable=False),
    Column("interactions", JSON_TEXT, nullable=True),
    PrimaryKeyConstraint("export_id", "number", name="pk_export_part"),
)
"""The files of exports; rows are added, never changed."""

forward_mark = Table(
    "forward_mark",
    metadata,
    Column("id", SERIAL, Identity(), nullable=False),
    Column("interaction_id", exact_text(128), nullable=False),
    Column("marked_at", UtcTime(), nullable=False),
    PrimaryKeyConstraint("id", name="pk_forward_mark"),
)
"""Calls that have become complete and were not told on yet: written with the facts, where somebody is told."""
