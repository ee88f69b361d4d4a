"""Find interactions by an index for every filter, and what is held or came in an hour without reading the rest."""

import logging
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from shared.stores.sql.types import FLAG, exact_text

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

logger = logging.getLogger("promptledger.migrations")

_ERROR = (
    "case when http_status < 100 or http_status >= 400 or error_code is not null or gateway_refused = 1"
    " or state in ('failed', 'refused') then 1 else 0 end"
)
_VERDICTS = (
    "filter_prompt_hate",
    "filter_completion_hate",
    "filter_prompt_sexual",
    "filter_completion_sexual",
    "filter_prompt_violence",
    "filter_completion_violence",
    "filter_prompt_self_harm",
    "filter_completion_self_harm",
    "filter_prompt_profanity",
    "filter_completion_profanity",
    "filter_prompt_blocklist",
    "filter_completion_blocklist",
    "filter_jailbreak",
    "filter_indirect_attack",
    "filter_protected_text",
    "filter_protected_code",
)
_FINDINGS = (
    "case when prompt_filtered = 1 or completion_filtered = 1 or "
    + " or ".join(f"{name} is not null" for name in _VERDICTS)
    + " then 1 else 0 end"
)
_KNOWN = (
    "model",
    "caller_ip",
    "deployment",
    "subscription_id",
    "product_id",
    "user_id",
    "app_id",
    "http_status",
    "streamed",
    "cached",
    "requested_model",
    "vendor",
)
_MARKED = ("truncated", "filter_failed", "possible_refusal", "callers_differ")


def upgrade() -> None:
    """Derive four columns, none of them stored, and make the indexes; the release before works with all of it."""
    for name, kind, formula in (
        ("is_error", FLAG, _ERROR),
        ("has_findings", FLAG, _FINDINGS),
        ("known_operation", exact_text(32), "coalesce(operation, 'other')"),
        ("source_list", exact_text(400), "cast(sources as nvarchar(400))"),
    ):
        op.add_column("interaction", sa.Column(name, kind, sa.Computed(formula), nullable=True))
    _order_by_time()
    _index("known_operation", "known_operation", "occurred_at")
    _index("state", "state", "occurred_at")
    for name in _KNOWN:
        _index(name, name, "occurred_at", where=f"{name} is not null")
    for name in _MARKED:
        _index(name, name, "occurred_at", where=f"{name} = 1")
    _index("unreadable", "occurred_at", "unreadable", where="unreadable is not null")
    _index("is_error", "is_error", "occurred_at", sqlite_where="is_error = 1")
    findings = ("prompt_filtered", "completion_filtered", *_VERDICTS)
    _index("has_findings", "has_findings", "occurred_at", *findings, sqlite_where="has_findings = 1")
    _index("total_tokens", "total_tokens", "occurred_at", "id", "cached", where="total_tokens is not null")
    _index("source_list", "source_list", "occurred_at", "id")
    op.drop_index("ix_interaction_usage_key", "interaction")
    included = ["total_tokens", "cached", "usage_provenance"]
    _index("usage_key", "usage_key", where="usage_key is not null", mssql_include=included)
    _make(
        "ix_quarantine_held",
        "quarantine",
        "enqueued_at",
        "id",
        where="discarded_at is null",
        mssql_include=["discarded_at"],
    )
    op.drop_index("ix_delivery_enqueued_at", "delivery")
    _make("ix_delivery_enqueued_at", "delivery", "enqueued_at", "outcome")


def _order_by_time() -> None:
    # Dropped first: plain TDS servers do not take `drop_existing`, which would save making the other indexes twice.
    name = "ix_interaction_occurred_at"
    op.drop_index(name, "interaction")
    op.create_index(name, "interaction", ["occurred_at", "id"], unique=True, mssql_clustered=True)


def _index(name: str, *columns: str, **options: Any) -> None:  # noqa: ANN401  # the dialects' options
    _make(f"ix_interaction_{name}", "interaction", *columns, **options)


def _make(name: str, table: str, *columns: str, where: str | None = None, **options: Any) -> None:  # noqa: ANN401  # as above
    # A large ledger takes a while: who waits sees that it goes on.
    logger.info("migration.index name=%s", name)
    if where is not None:
        options = {"mssql_where": where, "sqlite_where": where} | options
    texts: dict[str, Any] = {key: sa.text(value) if key.endswith("_where") else value for key, value in options.items()}
    op.create_index(name, table, [*columns], **texts)


def downgrade() -> None:
    """Forward only: a wrong migration is mended by the next one."""
    raise NotImplementedError
