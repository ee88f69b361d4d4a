"""Mark calls that are to be told on."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.stores.sql.types import SERIAL, UtcTime, exact_text

revision: str = "0028"
down_revision: str | None = "0027"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Add a table, which the release before neither reads nor writes."""
    op.create_table(
        "forward_mark",
        sa.Column("id", SERIAL, sa.Identity(), nullable=False),
        sa.Column("interaction_id", exact_text(128), nullable=False),
        sa.Column("marked_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_forward_mark"),
    )


def downgrade() -> None:
    """Forward only: a wrong migration is mended by the next one."""
    raise NotImplementedError
