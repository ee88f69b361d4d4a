"""Count the requests whose tokens are known in the rollups: what an average is over."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.stores.sql.types import COUNT

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Add the columns, nullable: the release before writes none of them."""
    for table in ("usage_hour", "usage_day", "usage_month"):
        op.add_column(table, sa.Column("token_requests", COUNT, nullable=True))
    # Let the next rebuild fill them.
    op.execute("insert into dirty_hour (hour) select distinct interval_start from usage_hour")


def downgrade() -> None:
    """Forward only: a wrong migration is mended by the next one."""
    raise NotImplementedError
