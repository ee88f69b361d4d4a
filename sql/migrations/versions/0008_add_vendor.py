"""Add whose model answered, of each call and in the rollups."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.stores.sql.types import exact_text

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Add the columns, nullable: the release before writes none of them.

    Rows of before keep null until they are written again: to fill them would rewrite the whole ledger at once.
    """
    for table in ("interaction", "usage_hour", "usage_day", "usage_month"):
        op.add_column(table, sa.Column("vendor", exact_text(16), nullable=True))
    # What was written since by this release, and summed by the one before, is summed again.
    op.execute("insert into dirty_hour (hour) select distinct interval_start from usage_hour")


def downgrade() -> None:
    """Forward only: a wrong migration is mended by the next one."""
    raise NotImplementedError
