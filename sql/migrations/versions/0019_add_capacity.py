"""Add reservations, the hours of their capacity, and the parts that calls have of them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.stores.sql.types import COUNT, SERIAL, Money, UtcTime, exact_text, text

revision: str = "0019"
down_revision: str | None = "0018"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Add tables and columns; the release before neither reads nor writes any of them."""
    op.create_table(
        "reservation",
        sa.Column("host", exact_text(256), nullable=False),
        sa.Column("deployment", exact_text(128), nullable=False),
        sa.Column("kind", exact_text(16), nullable=False),
        sa.Column("valid_from", UtcTime(), nullable=False),
        sa.Column("valid_to", UtcTime(), nullable=True),
        sa.Column("model", exact_text(128), nullable=False),
        sa.Column("version", exact_text(32), nullable=False),
        sa.Column("units", sa.Integer, nullable=False),
        sa.Column("amount", exact_text(32), nullable=False),
        sa.Column("per", exact_text(8), nullable=False),
        sa.Column("currency", exact_text(3), nullable=False),
        sa.Column("source", text(256), nullable=False),
        sa.Column("book_version", sa.Integer, nullable=False),
        sa.Column("ended_version", sa.Integer, nullable=True),
        sa.PrimaryKeyConstraint("host", "deployment", "kind", "valid_from", name="pk_reservation"),
    )
    op.create_table(
        "capacity_hour",
        sa.Column("hour", UtcTime(), nullable=False),
        sa.Column("host", exact_text(256), nullable=False),
        sa.Column("deployment", exact_text(128), nullable=False),
        sa.Column("kind", exact_text(16), nullable=False),
        sa.Column("line", exact_text(16), nullable=False),
        sa.Column("basis", exact_text(16), nullable=False),
        sa.Column("amount", Money(), nullable=True),
        sa.Column("currency", exact_text(3), nullable=False),
        sa.Column("cost", Money(), nullable=True),
        sa.Column("units", sa.Integer, nullable=False),
        sa.Column("capacity", COUNT, nullable=True),
        *(sa.Column(name, COUNT, nullable=False) for name in ("used", "calls", "unmetered_calls")),
        sa.Column("price_version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("hour", "host", "deployment", "kind", name="pk_capacity_hour"),
    )
    op.create_table(
        "dirty_capacity",
        sa.Column("id", SERIAL, sa.Identity(), nullable=False),
        sa.Column("hour", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_dirty_capacity"),
    )
    op.add_column("charge", sa.Column("capacity", exact_text(400), nullable=True))
    op.add_column("charge", sa.Column("weight", COUNT, nullable=True))


def downgrade() -> None:
    """Forward only: a wrong migration is mended by the next one."""
    raise NotImplementedError
