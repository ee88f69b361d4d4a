"""Keep to which calls the roles of people and groups extend."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.stores.sql.types import FLAG, UtcTime, exact_text, text

revision: str = "0020"
down_revision: str | None = "0019"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Add a table, which the release before neither reads nor writes: its roles extend to all calls."""
    op.create_table(
        "reach",
        sa.Column("id", exact_text(32), nullable=False),
        sa.Column("role", exact_text(32), nullable=False),
        sa.Column("holder", exact_text(64), nullable=False),
        sa.Column("is_group", FLAG, nullable=False),
        sa.Column("matched", exact_text(16), nullable=False),
        sa.Column("value", exact_text(128), nullable=False),
        sa.Column("valid_from", UtcTime(), nullable=False),
        sa.Column("valid_to", UtcTime(), nullable=True),
        sa.Column("added_by", text(256), nullable=False),
        sa.Column("added_at", UtcTime(), nullable=False),
        sa.Column("ended_by", text(256), nullable=True),
        sa.Column("ended_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_reach"),
    )
    op.create_index("ix_reach_holder", "reach", ["holder"])
    op.create_index("ix_reach_added", "reach", ["added_at", "id"])


def downgrade() -> None:
    """Forward only: a wrong migration is mended by the next one."""
    raise NotImplementedError
