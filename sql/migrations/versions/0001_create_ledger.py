"""Create the ledger."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.stores.sql.types import BLOB, COUNT, FLAG, JSON_TEXT, NUMBER, SERIAL, UtcTime, exact_text, text

revision: str = "0001"
down_revision: str | None = None
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Create every table of the first release."""
    op.create_table(
        "alias",
        sa.Column("name", exact_text(160), nullable=False),
        sa.Column("interaction_id", exact_text(128), nullable=False),
        sa.Column("claimed_at", UtcTime(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_alias"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "content",
        sa.Column("interaction_id", exact_text(128), nullable=False),
        sa.Column("document", exact_text(64), nullable=False),
        sa.Column("body", BLOB, nullable=False),
        sa.PrimaryKeyConstraint("interaction_id", "document", name="pk_content"),
    )
    op.create_table(
        "content_read",
        sa.Column("id", SERIAL, sa.Identity(), nullable=False),
        sa.Column("read_at", UtcTime(), nullable=False),
        sa.Column("reader", text(256), nullable=False),
        sa.Column("route", text(64), nullable=False),
        sa.Column("subject", text(1024), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_content_read"),
    )
    op.create_table(
        "delivery",
        sa.Column("hub", exact_text(64), nullable=False),
        sa.Column("partition_id", exact_text(32), nullable=False),
        sa.Column("sequence", COUNT, nullable=False),
        sa.Column("enqueued_at", UtcTime(), nullable=False),
        sa.Column("outcome", text(16), nullable=False),
        sa.Column("source", text(32), nullable=True),
        sa.PrimaryKeyConstraint("hub", "partition_id", "sequence", "enqueued_at", name="pk_delivery"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "dirty_hour",
        sa.Column("id", SERIAL, sa.Identity(), nullable=False),
        sa.Column("hour", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_dirty_hour"),
    )
    op.create_table(
        "dirty_usage_key",
        sa.Column("id", SERIAL, sa.Identity(), nullable=False),
        sa.Column("usage_key", exact_text(128), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_dirty_usage_key"),
    )
    op.create_table(
        "hub_partition",
        sa.Column("hub", exact_text(64), nullable=False),
        sa.Column("partition_id", exact_text(32), nullable=False),
        sa.Column("received", COUNT, nullable=False),
        sa.Column("redelivered", COUNT, nullable=False),
        sa.Column("last_sequence", COUNT, nullable=False),
        sa.Column("last_enqueued_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("hub", "partition_id", name="pk_hub_partition"),
    )
    op.create_table(
        "interaction",
        sa.Column("id", exact_text(128), nullable=False),
        sa.Column("occurred_at", UtcTime(), nullable=False),
        sa.Column("has_request", FLAG, nullable=True),
        sa.Column("has_response", FLAG, nullable=True),
        sa.Column("gateway_refused", FLAG, nullable=True),
        sa.Column("http_status", COUNT, nullable=True),
        sa.Column("error_code", exact_text(128), nullable=True),
        sa.Column("error_message", text(1024), nullable=True),
        sa.Column("operation", exact_text(32), nullable=True),
        sa.Column("operation_id", exact_text(128), nullable=True),
        sa.Column("method", exact_text(16), nullable=True),
        sa.Column("path", exact_text(1024), nullable=True),
        sa.Column("api_version", exact_text(32), nullable=True),
        sa.Column("deployment", exact_text(128), nullable=True),
        sa.Column("model", exact_text(128), nullable=True),
        sa.Column("streamed", FLAG, nullable=True),
        sa.Column("parameters", JSON_TEXT, nullable=True),
        sa.Column("request_bytes", COUNT, nullable=True),
        sa.Column("prompt_preview", text(200), nullable=True),
        sa.Column("caller_ip", exact_text(64), nullable=True),
        sa.Column("subscription_id", exact_text(128), nullable=True),
        sa.Column("product_id", exact_text(128), nullable=True),
        sa.Column("api_id", exact_text(128), nullable=True),
        sa.Column("user_id", exact_text(128), nullable=True),
        sa.Column("app_id", exact_text(128), nullable=True),
        sa.Column("identity", JSON_TEXT, nullable=True),
        sa.Column("session_id", exact_text(128), nullable=True),
        sa.Column("end_user_id", exact_text(128), nullable=True),
        sa.Column("client_request_id", exact_text(128), nullable=True),
        sa.Column("tags", JSON_TEXT, nullable=True),
        sa.Column("gateway_name", exact_text(128), nullable=True),
        sa.Column("gateway_region", exact_text(64), nullable=True),
        sa.Column("backend_id", exact_text(256), nullable=True),
        sa.Column("backend_host", exact_text(256), nullable=True),
        sa.Column("attempts", JSON_TEXT, nullable=True),
        sa.Column("response_headers", JSON_TEXT, nullable=True),
        sa.Column("response_id", exact_text(128), nullable=True),
        sa.Column("response_bytes", COUNT, nullable=True),
        sa.Column("latency_ms", NUMBER, nullable=True),
        sa.Column("backend_ms", NUMBER, nullable=True),
        sa.Column("time_to_first_byte_ms", NUMBER, nullable=True),
        sa.Column("finish_reasons", JSON_TEXT, nullable=True),
        sa.Column("tool_calls", COUNT, nullable=True),
        sa.Column("completion_preview", text(200), nullable=True),
        sa.Column("prompt_filtered", FLAG, nullable=True),
        sa.Column("completion_filtered", FLAG, nullable=True),
        sa.Column("filter_categories", JSON_TEXT, nullable=True),
        sa.Column("truncated", FLAG, nullable=True),
        sa.Column("usage_key", exact_text(128), nullable=True),
        sa.Column("input_tokens", COUNT, nullable=True),
        sa.Column("cached_input_tokens", COUNT, nullable=True),
        sa.Column("cache_write_tokens", COUNT, nullable=True),
        sa.Column("output_tokens", COUNT, nullable=True),
        sa.Column("reasoning_tokens", COUNT, nullable=True),
        sa.Column("audio_input_tokens", COUNT, nullable=True),
        sa.Column("audio_output_tokens", COUNT, nullable=True),
        sa.Column("image_input_tokens", COUNT, nullable=True),
        sa.Column("image_output_tokens", COUNT, nullable=True),
        sa.Column("total_tokens", COUNT, nullable=True),
        sa.Column("images", COUNT, nullable=True),
        sa.Column("seconds", NUMBER, nullable=True),
        sa.Column("characters", COUNT, nullable=True),
        sa.Column("state", text(16), nullable=False),
        sa.Column("usage_provenance", text(16), nullable=False),
        sa.Column("sources", JSON_TEXT, nullable=False),
        sa.Column("parts", JSON_TEXT, nullable=False),
        sa.Column("field_sources", text(128), nullable=False),
        sa.Column("strands", JSON_TEXT, nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_interaction", mssql_clustered=False),
    )
    op.create_index(
        "ix_interaction_occurred_at", "interaction", ["occurred_at", "id"], unique=False, mssql_clustered=True
    )
    op.create_index("ix_interaction_usage_key", "interaction", ["usage_key"], unique=False)
    op.create_table(
        "lease",
        sa.Column("name", text(64), nullable=False),
        sa.Column("taken", COUNT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_lease"),
    )
    op.create_table(
        "quarantine",
        sa.Column("id", exact_text(32), nullable=False),
        sa.Column("hub", exact_text(64), nullable=False),
        sa.Column("partition_id", exact_text(32), nullable=False),
        sa.Column("sequence", COUNT, nullable=False),
        sa.Column("enqueued_at", UtcTime(), nullable=False),
        sa.Column("reason", text(512), nullable=False),
        sa.Column("parser_version", text(32), nullable=False),
        sa.Column("size", COUNT, nullable=False),
        sa.Column("body", BLOB, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_quarantine"),
    )
    op.create_table(
        "usage_day",
        sa.Column("interval_start", UtcTime(), nullable=False),
        sa.Column("operation", exact_text(32), nullable=True),
        sa.Column("model", exact_text(128), nullable=True),
        sa.Column("deployment", exact_text(128), nullable=True),
        sa.Column("subscription_id", exact_text(128), nullable=True),
        sa.Column("product_id", exact_text(128), nullable=True),
        sa.Column("caller_ip", exact_text(64), nullable=True),
        sa.Column("app_id", exact_text(128), nullable=True),
        sa.Column("user_id", exact_text(128), nullable=True),
        sa.Column("requests", COUNT, nullable=False),
        sa.Column("errors", COUNT, nullable=False),
        sa.Column("unmetered_requests", COUNT, nullable=False),
        sa.Column("input_tokens", COUNT, nullable=False),
        sa.Column("cached_input_tokens", COUNT, nullable=False),
        sa.Column("output_tokens", COUNT, nullable=False),
        sa.Column("reasoning_tokens", COUNT, nullable=False),
        sa.Column("total_tokens", COUNT, nullable=False),
    )
    op.create_index("ix_usage_day_interval_start", "usage_day", ["interval_start"], unique=False, mssql_clustered=True)
    op.create_table(
        "usage_hour",
        sa.Column("interval_start", UtcTime(), nullable=False),
        sa.Column("operation", exact_text(32), nullable=True),
        sa.Column("model", exact_text(128), nullable=True),
        sa.Column("deployment", exact_text(128), nullable=True),
        sa.Column("subscription_id", exact_text(128), nullable=True),
        sa.Column("product_id", exact_text(128), nullable=True),
        sa.Column("caller_ip", exact_text(64), nullable=True),
        sa.Column("app_id", exact_text(128), nullable=True),
        sa.Column("user_id", exact_text(128), nullable=True),
        sa.Column("requests", COUNT, nullable=False),
        sa.Column("errors", COUNT, nullable=False),
        sa.Column("unmetered_requests", COUNT, nullable=False),
        sa.Column("input_tokens", COUNT, nullable=False),
        sa.Column("cached_input_tokens", COUNT, nullable=False),
        sa.Column("output_tokens", COUNT, nullable=False),
        sa.Column("reasoning_tokens", COUNT, nullable=False),
        sa.Column("total_tokens", COUNT, nullable=False),
    )
    op.create_index(
        "ix_usage_hour_interval_start", "usage_hour", ["interval_start"], unique=False, mssql_clustered=True
    )
    op.create_table(
        "usage_month",
        sa.Column("interval_start", UtcTime(), nullable=False),
        sa.Column("operation", exact_text(32), nullable=True),
        sa.Column("model", exact_text(128), nullable=True),
        sa.Column("deployment", exact_text(128), nullable=True),
        sa.Column("subscription_id", exact_text(128), nullable=True),
        sa.Column("product_id", exact_text(128), nullable=True),
        sa.Column("caller_ip", exact_text(64), nullable=True),
        sa.Column("app_id", exact_text(128), nullable=True),
        sa.Column("user_id", exact_text(128), nullable=True),
        sa.Column("requests", COUNT, nullable=False),
        sa.Column("errors", COUNT, nullable=False),
        sa.Column("unmetered_requests", COUNT, nullable=False),
        sa.Column("input_tokens", COUNT, nullable=False),
        sa.Column("cached_input_tokens", COUNT, nullable=False),
        sa.Column("output_tokens", COUNT, nullable=False),
        sa.Column("reasoning_tokens", COUNT, nullable=False),
        sa.Column("total_tokens", COUNT, nullable=False),
    )
    op.create_index(
        "ix_usage_month_interval_start", "usage_month", ["interval_start"], unique=False, mssql_clustered=True
    )
    op.create_table(
        "waiting",
        sa.Column("interaction_id", exact_text(128), nullable=False),
        sa.Column("hub", exact_text(64), nullable=False),
        sa.Column("partition_id", exact_text(32), nullable=False),
        sa.Column("sequence", COUNT, nullable=False),
        sa.Column("enqueued_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("interaction_id", "hub", "partition_id", "sequence", "enqueued_at", name="pk_waiting"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Forward only: a wrong migration is mended by the next one."""
    raise NotImplementedError
