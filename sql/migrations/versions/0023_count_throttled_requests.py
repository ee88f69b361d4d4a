"""Count the calls that were answered with 429, beside all errors."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.stores.sql.types import COUNT
from shared.stores.sql.usage_tables import view_of

revision: str = "0023"
down_revision: str | None = "0022"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_DIMENSIONS = (
    "operation", "model", "deployment", "subscription_id", "product_id", "caller_ip", "app_id", "user_id", "vendor",
    "currency", "team", "cost_centre",
)  # fmt: skip
_MEASURES = (
    "requests", "errors", "unmetered_requests", "input_tokens", "cached_input_tokens", "output_tokens",
    "reasoning_tokens", "total_tokens", "filtered_requests", "prompt_filtered", "completion_filtered", "jailbreaks",
    "indirect_attacks", "protected_material", "blocklisted", "token_requests", "cached_requests", "filter_failures",
    "unpriced_requests", "throttled_requests",
)  # fmt: skip


def upgrade() -> None:
    """Add the column and make the views anew; the release before writes no such count, and reads none."""
    for length in ("hour", "day", "month"):
        table = f"usage_of_{length}"
        op.add_column(table, sa.Column("throttled_requests", COUNT, nullable=False, server_default="0"))
        # Not altered: plain TDS servers know no `alter view`. sql/roles.sql, run once more, says who may read it.
        op.execute(f"drop view usage_{length}")
        op.execute(f"create view usage_{length} as {view_of(length, _DIMENSIONS, _MEASURES)}")
    # Let the next rebuild count.
    op.execute("insert into dirty_hour (hour) select distinct interval_start from usage_of_hour where cut = 0")


def downgrade() -> None:
    """Forward only: a wrong migration is mended by the next one."""
    raise NotImplementedError
