"""Let the record of content reads say more, and of more: it becomes the access log, and all that it holds stays."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.stores.sql.types import COUNT, JSON_TEXT, exact_text, text

revision: str = "0017"
down_revision: str | None = "0016"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Add columns that may be null: a ledger table takes them, and the release before writes rows without them."""
    for column in (
        sa.Column("reader_name", text(256), nullable=True),
        sa.Column("app_id", exact_text(64), nullable=True),
        sa.Column("roles", text(128), nullable=True),
        sa.Column("purpose", text(256), nullable=True),
        sa.Column("row_count", COUNT, nullable=True),
        sa.Column("interactions", JSON_TEXT, nullable=True),
        sa.Column("request_id", exact_text(64), nullable=True),
        sa.Column("result", text(16), nullable=True),
    ):
        op.add_column("content_read", column)
    op.create_index("ix_content_read_time", "content_read", ["read_at", "id"])
    op.create_index("ix_content_read_reader", "content_read", ["reader", "read_at", "id"])
    if op.get_context().dialect.name == "sqlite":
        # On Azure SQL the app's role has no right to change rows, and the option `ledger` shows who did.
        for act in ("update", "delete"):
            op.execute(
                f"create trigger content_read_no_{act} before {act} on content_read "
                "begin select raise(abort, 'the access log is never changed'); end"
            )


def downgrade() -> None:
    """Forward only: a wrong migration is mended by the next one."""
    raise NotImplementedError
