"""Add what the content filter found as columns, and count it in the rollups."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.stores.sql.types import COUNT, exact_text

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

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
_MEASURES = (
    "filtered_requests",
    "prompt_filtered",
    "completion_filtered",
    "jailbreaks",
    "indirect_attacks",
    "protected_material",
    "blocklisted",
)


def upgrade() -> None:
    """Add the columns, all of them nullable: the release before writes none of them."""
    for name in _VERDICTS:
        op.add_column("interaction", sa.Column(name, exact_text(32), nullable=True))
    for table in ("usage_hour", "usage_day", "usage_month"):
        for name in _MEASURES:
            op.add_column(table, sa.Column(name, COUNT, nullable=True))
    # Let the next rebuild fill them.
    op.execute("insert into dirty_hour (hour) select distinct interval_start from usage_hour")
