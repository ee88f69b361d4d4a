"""The tables of the price book and of charges; `tables` has the others, and all of them."""

from sqlalchemy import Column, Index, Integer, MetaData, PrimaryKeyConstraint, Table

from shared.stores.sql.types import COUNT, FLAG, JSON_TEXT, Money, UtcTime, exact_text, text, where

__all__ = ["charge", "metadata", "model_deployment", "price", "price_book", "restated_amount", "restatement"]

metadata = MetaData()

price_book = Table(
    "price_book",
    metadata,
    Column("version", Integer, nullable=False, autoincrement=False),
    Column("loaded_at", UtcTime(), nullable=False),
    Column("origin", text(16), nullable=False),  # list, own or deployments
    Column("digest", exact_text(64), nullable=False),  # of the file, or of the entries that a request sent
    Column("actor", text(256), nullable=True),  # null in rows of before it was kept
    PrimaryKeyConstraint("version", name="pk_price_book"),
)
"""Each change of the price book, by a file or by a request: when, by whom, and of what; rows of it bear its number."""

price = Table(
    "price",
    metadata,
    Column("is_own", FLAG, nullable=False),  # the organisation's, not the shipped list's
    Column("model", exact_text(128), nullable=False),
    Column("version", exact_text(32), nullable=False),
    Column("scope", exact_text(32), nullable=False),
    Column("tier", exact_text(32), nullable=False),
    Column("region", exact_text(32), nullable=False),
    Column("unit", exact_text(32), nullable=False),
    Column("variant", exact_text(32), nullable=False),
    Column("above_tokens", COUNT, nullable=False),
    Column("valid_from", UtcTime(), nullable=False),
    Column("valid_to", UtcTime(), nullable=True),
    Column("amount", exact_text(32), nullable=False),  # of 1,000,000 units, as the file writes it
    Column("currency", exact_text(3), nullable=False),
    Column("source", text(256), nullable=False),
    Column("dated", UtcTime(), nullable=False),
    Column("book_version", Integer, nullable=False),  # with which it came
    Column("ended_version", Integer, nullable=True),  # with which its end came, where that was later
    PrimaryKeyConstraint(
        "is_own", "model", "version", "scope", "tier", "region", "unit", "variant", "above_tokens", "valid_from",
        name="pk_price",
    ),
)  # fmt: skip
"""The price book: rows are added and ended, never changed."""

model_deployment = Table(
    "model_deployment",
    metadata,
    Column("host", exact_text(256), nullable=False),
    Column("name", exact_text(128), nullable=False),
    Column("valid_from", UtcTime(), nullable=False),
    Column("valid_to", UtcTime(), nullable=True),
    Column("model", exact_text(128), nullable=False),
    Column("version", exact_text(32), nullable=False),
    Column("sku", exact_text(32), nullable=False),
    Column("region", exact_text(32), nullable=False),
    Column("book_version", Integer, nullable=False),
    Column("ended_version", Integer, nullable=True),
    PrimaryKeyConstraint("host", "name", "valid_from", name="pk_model_deployment"),
)
"""What deployments are: rows are added and ended, never changed."""

restatement = Table(
    "restatement",
    metadata,
    Column("version", Integer, nullable=False, autoincrement=False),  # of the price book: it says when and by whom
    Column("starts_from", UtcTime(), nullable=False),  # hours
    Column("starts_before", UtcTime(), nullable=False),
    Column("price_version", Integer, nullable=True),  # by which they are charged; null: by the newest, whatever comes
    Column("reason", text(512), nullable=False),
    Column("finished_at", UtcTime(), nullable=True),  # when all its hours had been charged anew
    PrimaryKeyConstraint("version", name="pk_restatement"),
)
"""Periods that are charged by another version of the price book. Of several for an hour, the last one counts."""

restated_amount = Table(
    "restated_amount",
    metadata,
    Column("version", Integer, nullable=False),  # of the restatement
    Column("stage", exact_text(8), nullable=False),  # before or after
    Column("currency", exact_text(3), nullable=False),  # "" where nothing is priced
    Column("amount", Money(), nullable=True),
    Column("requests", COUNT, nullable=False),
    Column("unpriced_requests", COUNT, nullable=False),
    PrimaryKeyConstraint("version", "stage", "currency", name="pk_restated_amount"),
)
"""What the calls of a restated period came to when it was asked for, and when it was done."""

charge = Table(
    "charge",
    metadata,
    Column("occurred_at", UtcTime(), nullable=False),  # of the interaction as it was charged
    Column("interaction_id", exact_text(128), nullable=False),
    Column("amount", Money(), nullable=True),
    Column("currency", exact_text(3), nullable=True),
    Column("price_version", Integer, nullable=True),
    Column("confidence", text(16), nullable=False),
    Column("reason", text(32), nullable=True),
    Column("team", exact_text(128), nullable=True),
    Column("cost_centre", exact_text(64), nullable=True),
    Column("matched", text(16), nullable=True),  # by what of the call they were found
    Column("capacity", exact_text(400), nullable=True),  # that it has a part of, as host/deployment
    Column("weight", COUNT, nullable=True),  # its weighted tokens then
    # What the interaction counts as in usage: its group of all dimensions, and a JSON array of the measures in their
    # order, without the zeros at its end. Null: in no sum yet.
    Column("group_id", COUNT, nullable=True),
    Column("counted", JSON_TEXT, nullable=True),
    Column("traits", JSON_TEXT, nullable=True),  # JSON array; null: of a release of before, or it has none
    PrimaryKeyConstraint("occurred_at", "interaction_id", name="pk_charge"),
    *(
        Index(f"ix_charge_{name}", name, "occurred_at", "interaction_id", **where(f"{name} is not null"))
        for name in ("team", "cost_centre", "amount")
    ),
)
"""What each interaction costs, and who pays; written with its usage, in the order of time."""
