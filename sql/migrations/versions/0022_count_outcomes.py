"""Count deliveries by outcome, and find unresolved findings without the others."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.stores.sql.types import COUNT, exact_text, text

revision: str = "0022"
down_revision: str | None = "0021"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Add a table, filled from the deliveries; what the release before writes later, `check_completeness` counts."""
    op.create_table(
        "delivery_count",
        sa.Column("hub", exact_text(64), nullable=False),
        sa.Column("partition_id", exact_text(32), nullable=False),
        sa.Column("outcome", text(16), nullable=False),
        sa.Column("number", COUNT, nullable=False),
        sa.PrimaryKeyConstraint("hub", "partition_id", "outcome", name="pk_delivery_count"),
    )
    op.execute(
        "insert into delivery_count (hub, partition_id, outcome, number)"
        " select hub, partition_id, outcome, count(*) from delivery group by hub, partition_id, outcome"
    )
    only = sa.text("resolved_at is null")
    op.create_index(
        "ix_finding_unresolved", "finding", ["hour", "kind"],
        mssql_include=["resolved_at"], mssql_where=only, sqlite_where=only,
    )  # fmt: skip


def downgrade() -> None:
    """Forward only: a wrong migration is mended by the next one."""
    raise NotImplementedError
