"""Keep exports and how far they are."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.stores.sql.types import COUNT, JSON_TEXT, UtcTime, exact_text, text

revision: str = "0026"
down_revision: str | None = "0025"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Add two tables, which the release before neither reads nor writes."""
    op.create_table(
        "export",
        sa.Column("id", exact_text(32), nullable=False),
        sa.Column("reader", exact_text(256), nullable=False),
        sa.Column("asker", JSON_TEXT, nullable=False),
        sa.Column("kind", exact_text(16), nullable=False),
        sa.Column("format", exact_text(16), nullable=False),
        sa.Column("filters", JSON_TEXT, nullable=False),
        sa.Column("wanted_at", UtcTime(), nullable=False),
        sa.Column("until", UtcTime(), nullable=False),
        sa.Column("state", exact_text(16), nullable=False),
        sa.Column("part_count", COUNT, nullable=False),
        sa.Column("row_count", COUNT, nullable=False),
        sa.Column("byte_count", COUNT, nullable=False),
        sa.Column("next_key", JSON_TEXT, nullable=True),
        sa.Column("reason", text(256), nullable=True),
        sa.Column("finished_at", UtcTime(), nullable=True),
        sa.Column("remove_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_export"),
    )
    op.create_index("ix_export_reader", "export", ["reader", "wanted_at", "id"])
    op.create_index("ix_export_state", "export", ["state", "wanted_at", "id"])
    op.create_index("ix_export_remove", "export", ["remove_at"])
    op.create_table(
        "export_part",
        sa.Column("export_id", exact_text(32), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("row_count", COUNT, nullable=False),
        sa.Column("byte_count", COUNT, nullable=False),
        sa.Column("sha256", exact_text(64), nullable=False),
        sa.Column("interactions", JSON_TEXT, nullable=True),
        sa.PrimaryKeyConstraint("export_id", "number", name="pk_export_part"),
    )


def downgrade() -> None:
    """Forward only: a wrong migration is mended by the next one."""
    raise NotImplementedError
