"""The tables, in SQLAlchemy Core; what migrations must add up to (a test compares them)."""

from typing import Any

from sqlalchemy import Column, Identity, Index, Integer, PrimaryKeyConstraint, Table
from sqlalchemy.types import TypeEngine

from shared.domain.interaction import FIELDS, Field, Kind
from shared.stores.sql.access_tables import content_grant, content_read, export, export_part, forward_mark, reach
from shared.stores.sql.budget_tables import alert, alert_delivery, budget, budget_block, budget_state
from shared.stores.sql.capacity_tables import capacity_hour, dirty_capacity, reservation
from shared.stores.sql.cost_tables import adjustment, closed_line, closed_month, cost_day, cost_hour
from shared.stores.sql.indexes import derived_columns, interaction_indexes
from shared.stores.sql.payer_tables import assignment, money_change
from shared.stores.sql.price_tables import (
    charge,
    metadata,
    model_deployment,
    price,
    price_book,
    restated_amount,
    restatement,
)
from shared.stores.sql.types import (
    BLOB,
    BY_KEY,
    COUNT,
    FLAG,
    JSON_TEXT,
    NOT_CLUSTERED,
    NUMBER,
    SERIAL,
    UtcTime,
    exact_text,
    including,
    text,
    where,
)
from shared.stores.sql.usage_tables import (
    AMOUNT,
    CUTS,
    DIMENSIONS,
    KNOWN_AMOUNTS,
    MEASURES,
    SUMS,
    TRAITS,
    UNKNOWN,
    USAGE,
    dirty_hour,
    dirty_usage_key,
    trait_of_day,
    trait_of_hour,
    trait_of_month,
    usage_day,
    usage_group,
    usage_hour,
    usage_month,
    usage_of_day,
    usage_of_hour,
    usage_of_month,
    view_of,
)
from shared.stores.sql.word_tables import word_entry, word_mark, word_volume

__all__ = [
    "AMOUNT",
    "CUTS",
    "DIMENSIONS",
    "KNOWN_AMOUNTS",
    "MEASURES",
    "SUMS",
    "TRAITS",
    "UNKNOWN",
    "USAGE",
    "adjustment",
    "alert",
    "alert_delivery",
    "alias",
    "assignment",
    "budget",
    "budget_block",
    "budget_state",
    "capacity_hour",
    "charge",
    "claim",
    "closed_line",
    "closed_month",
    "content",
    "content_grant",
    "content_read",
    "cost_day",
    "cost_hour",
    "delivery",
    "delivery_count",
    "dirty_capacity",
    "dirty_hour",
    "dirty_usage_key",
    "export",
    "export_part",
    "finding",
    "forward_mark",
    "hub_partition",
    "interaction",
    "lease",
    "metadata",
    "model_deployment",
    "money_change",
    "price",
    "price_book",
    "quarantine",
    "quarantine_action",
    "reach",
    "reservation",
    "restated_amount",
    "restatement",
    "trait_of_day",
    "trait_of_hour",
    "trait_of_month",
    "usage_day",
    "usage_group",
    "usage_hour",
    "usage_month",
    "usage_of_day",
    "usage_of_hour",
    "usage_of_month",
    "view_of",
    "waiting",
    "word_entry",
    "word_mark",
    "word_volume",
]

# Prose is compared as the database likes; everything that is filtered or grouped by, exactly.
_PROSE = {"error_message", "prompt_preview", "completion_preview"}


def _type_of(field: Field) -> TypeEngine[Any]:
    if field.kind is Kind.TEXT:
        return text(field.limit) if field.name in _PROSE else exact_text(field.limit)
    kinds: dict[Kind, TypeEngine[Any]] = {
        Kind.JSON: JSON_TEXT,
        Kind.TIME: UtcTime(),
        Kind.COUNT: COUNT,
        Kind.NUMBER: NUMBER,
        Kind.FLAG: FLAG,
    }
    return kinds[field.kind]


def _position_columns() -> list[Column[object]]:
    return [
        Column("hub", exact_text(64), nullable=False),
        Column("partition_id", exact_text(32), nullable=False),
        Column("sequence", COUNT, nullable=False),
        Column("enqueued_at", UtcTime(), nullable=False),
    ]


_POSITION = ("hub", "partition_id", "sequence", "enqueued_at")

interaction = Table(
    "interaction",
    metadata,
    Column("id", exact_text(128), nullable=False),
    *(Column(field.name, _type_of(field), nullable=field.name != "occurred_at") for field in FIELDS),
    Column("state", text(16), nullable=False),
    Column("usage_provenance", text(16), nullable=False),
    Column("sources", JSON_TEXT, nullable=False),  # JSON array of source names
    Column("parts", JSON_TEXT, nullable=False),  # JSON array: record type and digest of each fragment
    Column("field_sources", text(128), nullable=False),  # letter of the record type of each field, in field order
    Column("awaited", JSON_TEXT, nullable=True),  # JSON array: what an interaction lacks, in words
    Column("strands", JSON_TEXT, nullable=True),  # JSON object: what the records under each id contribute
    Column("revision", Integer, nullable=False),  # counts the writes; guards against lost updates
    # Follows from model and operation; null too in rows that were written last before it came.
    Column("vendor", exact_text(16), nullable=True),
    # Ids are random: the rows lie in order of time instead, where ingest appends and rollups read.
    PrimaryKeyConstraint("id", name="pk_interaction", **NOT_CLUSTERED),
    *derived_columns(),
    *interaction_indexes(),
)
"""One row per interaction: what auditors read. Times UTC, durations in milliseconds."""

alias = Table(
    "alias",
    metadata,
    Column("name", exact_text(160), nullable=False),  # such as response-id:chatcmpl-...
    Column("interaction_id", exact_text(128), nullable=False),
    Column("claimed_at", UtcTime(), nullable=False),
    Column("revision", Integer, nullable=False),  # counts the writes; guards against lost updates
    PrimaryKeyConstraint("name", name="pk_alias"),
    **BY_KEY,
)
"""Which interaction other sources mean by a name of their own."""

delivery = Table(
    "delivery",
    metadata,
    *_position_columns(),
    Column("outcome", text(16), nullable=False),  # shared.domain.balance.Outcome
    Column("source", text(32), nullable=True),
    PrimaryKeyConstraint(*_POSITION, name="pk_delivery"),
    # What came in an hour: completeness is checked hour by hour.
    Index("ix_delivery_enqueued_at", "enqueued_at", "outcome"),
    **BY_KEY,
)
"""Every position ever received, and what became of its event the first time."""

waiting = Table(
    "waiting",
    metadata,
    Column("interaction_id", exact_text(128), nullable=False),
    *_position_columns(),
    Column("stored_at", UtcTime(), nullable=True),  # by our clock; null in rows of before there was one
    PrimaryKeyConstraint("interaction_id", *_POSITION, name="pk_waiting"),
    **BY_KEY,
)
"""The kept deliveries that speak of an interaction which is still pending."""

claim = Table(
    "claim",
    metadata,
    Column("interaction_id", exact_text(128), nullable=False),
    Column("document", exact_text(64), nullable=False),  # of the event that claims a body
    Column("noted_at", UtcTime(), nullable=False),
    Column("due_at", UtcTime(), nullable=False),  # when it is tried next
    PrimaryKeyConstraint("interaction_id", "document", name="pk_claim"),
    Index("ix_claim_due_at", "due_at"),
    **BY_KEY,
)
"""Events whose bodies were not in Blob storage when they came."""

hub_partition = Table(
    "hub_partition",
    metadata,
    Column("hub", exact_text(64), nullable=False),
    Column("partition_id", exact_text(32), nullable=False),
    Column("received", COUNT, nullable=False),  # events handed over, repeats included
    Column("redelivered", COUNT, nullable=False),  # of those, at a position seen before
    Column("last_sequence", COUNT, nullable=False),
    Column("last_enqueued_at", UtcTime(), nullable=False),
    PrimaryKeyConstraint("hub", "partition_id", name="pk_hub_partition"),
)

delivery_count = Table(
    "delivery_count",
    metadata,
    Column("hub", exact_text(64), nullable=False),
    Column("partition_id", exact_text(32), nullable=False),
    Column("outcome", text(16), nullable=False),
    Column("number", COUNT, nullable=False),
    PrimaryKeyConstraint("hub", "partition_id", "outcome", name="pk_delivery_count"),
)
"""How many deliveries of a partition have each outcome: kept by the transactions that write deliveries."""

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", exact_text(32), nullable=False),  # digest of the bytes: the same event is kept once
    *_position_columns(),
    Column("reason", text(512), nullable=False),
    Column("parser_version", text(32), nullable=False),
    Column("size", COUNT, nullable=False),  # bytes of the event as received
    Column("body", BLOB, nullable=False),  # the event, zstd; nothing once it is discarded
    Column("discarded_at", UtcTime(), nullable=True),
    PrimaryKeyConstraint("id", name="pk_quarantine"),
    # What is held, without its bytes. SQL Server wants the condition's column in the index too.
    Index("ix_quarantine_held", "enqueued_at", "id", **including("discarded_at"), **where("discarded_at is null")),
)
"""Events that cannot be understood. A discarded one stays, without its bytes: who sees it again, knows it."""

quarantine_action = Table(
    "quarantine_action",
    metadata,
    Column("id", SERIAL, Identity(), nullable=False),
    Column("acted_at", UtcTime(), nullable=False),
    Column("actor", text(256), nullable=False),
    Column("action", text(16), nullable=False),  # replay or discard
    Column("event_id", exact_text(32), nullable=False),
    *_position_columns(),
    Column("result", text(16), nullable=False),  # the class of the balance that the event is in now
    Column("reason", text(512), nullable=True),  # of a discard, or why a replay could not read it
    PrimaryKeyConstraint("id", name="pk_quarantine_action"),
)
"""What was done with quarantined events: by whom, when, with what result."""

finding = Table(
    "finding",
    metadata,
    Column("id", exact_text(128), nullable=False),  # hour, hub and kind: checking again finds the same row
    Column("hub", exact_text(64), nullable=False),  # "" where a kind is not of one hub
    Column("hour", UtcTime(), nullable=False),
    Column("kind", text(32), nullable=False),
    Column("number", COUNT, nullable=False),  # of events or interactions
    Column("detail", JSON_TEXT, nullable=True),
    Column("found_at", UtcTime(), nullable=False),
    Column("resolved_at", UtcTime(), nullable=True),  # when a check did not find it any more
    PrimaryKeyConstraint("id", name="pk_finding"),
    Index("ix_finding_hour", "hour", "id"),
    # What is unresolved, however much was found before.
    Index("ix_finding_unresolved", "hour", "kind", **including("resolved_at"), **where("resolved_at is null")),
)
"""What check_completeness found amiss, hour by hour."""

content = Table(
    "content",
    metadata,
    Column("interaction_id", exact_text(128), nullable=False),
    Column("document", exact_text(64), nullable=False),  # record type and digest of the fragment
    Column("body", BLOB, nullable=False),  # the fragment's document, zstd
    PrimaryKeyConstraint("interaction_id", "document", name="pk_content"),
)
"""The embedded content store: one document per fragment, written once."""

lease = Table(
    "lease",
    metadata,
    Column("name", text(64), nullable=False),
    Column("taken", COUNT, nullable=False),
    Column("ran_at", UtcTime()),
    PrimaryKeyConstraint("name", name="pk_lease"),
)
"""A row per job that must not run beside itself: the job's transaction updates it first. And one per timer
function: when it began to run last."""
