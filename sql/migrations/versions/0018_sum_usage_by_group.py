"""Sum usage by numbered groups, in cuts; what was summed by rows becomes views of the same names."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from shared.stores.sql.types import BY_KEY, COUNT, JSON_TEXT, SERIAL, Money, UtcTime, exact_text
from shared.stores.sql.usage_tables import view_of

revision: str = "0018"
down_revision: str | None = "0017"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_DIMENSIONS = {
    "operation": 32,
    "model": 128,
    "deployment": 128,
    "subscription_id": 128,
    "product_id": 128,
    "caller_ip": 64,
    "app_id": 128,
    "user_id": 128,
    "vendor": 16,
    "currency": 3,
    "team": 128,
    "cost_centre": 64,
}
_MEASURES = (
    "requests",
    "errors",
    "unmetered_requests",
    "input_tokens",
    "cached_input_tokens",
    "output_tokens",
    "reasoning_tokens",
    "total_tokens",
    "filtered_requests",
    "prompt_filtered",
    "completion_filtered",
    "jailbreaks",
    "indirect_attacks",
    "protected_material",
    "blocklisted",
    "token_requests",
    "cached_requests",
    "filter_failures",
    "unpriced_requests",
)


def upgrade() -> None:
    """Make the new tables, and mark every hour: what brings usage up to date fills them, the newest hours first.

    The release before goes on reading what was usage's tables, now views; its rebuild fails at them and leaves its
    marks, which the release after works off.
    """
    op.add_column("charge", sa.Column("group_id", COUNT, nullable=True))
    op.add_column("charge", sa.Column("counted", JSON_TEXT, nullable=True))
    op.add_column("dirty_hour", sa.Column("calls", JSON_TEXT, nullable=True))
    op.create_table(
        "usage_group",
        sa.Column("id", SERIAL, sa.Identity(), nullable=False),
        sa.Column("cut", sa.SmallInteger, nullable=False),
        sa.Column("digest", exact_text(32), nullable=False),
        *(sa.Column(name, exact_text(size), nullable=False, server_default="") for name, size in _DIMENSIONS.items()),
        sa.PrimaryKeyConstraint("id", name="pk_usage_group"),
    )
    op.create_index("ix_usage_group_digest", "usage_group", ["digest"], unique=True)
    for name in ("caller_ip", "app_id", "user_id", "subscription_id", "team", "cost_centre"):
        op.create_index(f"ix_usage_group_{name}", "usage_group", ["cut", name])
    for length in ("hour", "day", "month"):
        _create_sums(length)
    op.execute(
        "insert into dirty_hour (hour) select interval_start from usage_hour"
        " group by interval_start order by interval_start desc"
    )
    for length in ("hour", "day", "month"):
        op.drop_table(f"usage_{length}")
        op.execute(f"create view usage_{length} as {view_of(length, tuple(_DIMENSIONS), _MEASURES)}")


def _create_sums(length: str) -> None:
    counts = (*_MEASURES, "known_amounts")
    columns: list[Any] = [
        sa.Column("cut", sa.SmallInteger, nullable=False),
        sa.Column("interval_start", UtcTime(), nullable=False),
        sa.Column("group_id", COUNT, nullable=False),
        *(sa.Column(name, COUNT, nullable=False, server_default="0") for name in counts),
        sa.Column("amount", Money(), nullable=False, server_default="0"),
    ]
    largest = " and ".join(f"{name} <= 9223372036854775807" for name in (*counts, "amount"))
    op.create_table(
        f"usage_of_{length}",
        *columns,
        sa.PrimaryKeyConstraint("cut", "interval_start", "group_id", name=f"pk_usage_of_{length}"),
        sa.CheckConstraint(largest, name=f"ck_usage_of_{length}"),
        **BY_KEY,
    )
    op.create_index(f"ix_usage_of_{length}_group_id", f"usage_of_{length}", ["group_id", "interval_start"])


def downgrade() -> None:
    """Forward only: a wrong migration is mended by the next one."""
    raise NotImplementedError
