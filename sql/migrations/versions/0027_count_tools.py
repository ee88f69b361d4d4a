"""Count searches in files, and sessions of the code interpreter, of each interaction."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.stores.sql.types import COUNT

revision: str = "0027"
down_revision: str | None = "0026"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Add columns, which the release before leaves alone: it names its columns."""
    for name in ("file_searches", "code_sessions"):
        op.add_column("interaction", sa.Column(name, COUNT, nullable=True))


def downgrade() -> None:
    """Forward only: a wrong migration is mended by the next one."""
    raise NotImplementedError
