"""Record who changes the price book, and with which version an entry ended."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.stores.sql.types import text

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Add columns; the release before neither reads nor writes any of them."""
    op.add_column("price_book", sa.Column("actor", text(256), nullable=True))
    for table in ("price", "model_deployment"):
        op.add_column(table, sa.Column("ended_version", sa.Integer, nullable=True))


def downgrade() -> None:
    """Forward only: a wrong migration is mended by the next one."""
    raise NotImplementedError
