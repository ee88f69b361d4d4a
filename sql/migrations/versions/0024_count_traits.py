"""Count calls by how long they took and by how they failed, beside the sums of usage."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.stores.sql.types import BY_KEY, COUNT, JSON_TEXT, UtcTime, exact_text

revision: str = "0024"
down_revision: str | None = "0023"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Add tables and a column, which the release before leaves alone: it names its columns."""
    op.add_column("charge", sa.Column("traits", JSON_TEXT, nullable=True))
    for length in ("hour", "day", "month"):
        table = f"trait_of_{length}"
        op.create_table(
            table,
            sa.Column("cut", sa.SmallInteger(), nullable=False),
            sa.Column("interval_start", UtcTime(), nullable=False),
            sa.Column("group_id", COUNT, nullable=False),
            sa.Column("trait", exact_text(80), nullable=False),
            sa.Column("calls", COUNT, nullable=False),
            sa.PrimaryKeyConstraint("cut", "interval_start", "group_id", "trait", name=f"pk_{table}"),
            **BY_KEY,
        )
        op.create_index(f"ix_{table}_group_id", table, ["group_id", "interval_start"], mssql_include=["trait", "calls"])
    # Let the next rebuild count.
    op.execute("insert into dirty_hour (hour) select distinct interval_start from usage_of_hour where cut = 0")


def downgrade() -> None:
    """Forward only: a wrong migration is mended by the next one."""
    raise NotImplementedError
