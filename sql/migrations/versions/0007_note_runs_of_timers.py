"""Note when each timer ran last: readiness tells a timer that does not run."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.stores.sql.types import UtcTime

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Add the column; the release before neither reads nor writes it."""
    op.add_column("lease", sa.Column("ran_at", UtcTime(), nullable=True))


def downgrade() -> None:
    """Forward only: a wrong migration is mended by the next one."""
    raise NotImplementedError
