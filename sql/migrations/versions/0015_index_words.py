"""Keep which interactions the index of words holds; on SQLite note erased content."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.stores.sql.types import COUNT, FLAG, JSON_TEXT, SERIAL, UtcTime, exact_text

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Make the tables; the release before knows none of it. A timer takes in what the ledger holds."""
    op.create_table(
        "word_mark",
        sa.Column("id", SERIAL, sa.Identity(), nullable=False),
        sa.Column("interaction_id", exact_text(128), nullable=False),
        sa.Column("document", exact_text(64), nullable=True),
        sa.Column("marked_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_word_mark"),
    )
    op.create_table(
        "word_entry",
        sa.Column("number", SERIAL, nullable=False, autoincrement=False),
        sa.Column("interaction_id", exact_text(128), nullable=False),
        sa.Column("words", JSON_TEXT, nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_word_entry"),
    )
    op.create_index("ix_word_entry_interaction_id", "word_entry", ["interaction_id"], unique=True)
    op.create_table(
        "word_volume",
        sa.Column("week", COUNT, nullable=False),
        sa.Column("generation", COUNT, nullable=False),
        sa.Column("is_complete", FLAG, nullable=False),
        sa.Column("filled_at", UtcTime(), nullable=True),
        sa.Column("filled_id", exact_text(128), nullable=True),
        sa.Column("made_at", UtcTime(), nullable=False),
        sa.Column("is_erased", FLAG, nullable=False),
        sa.PrimaryKeyConstraint("week", "generation", name="pk_word_volume"),
    )
    if op.get_context().dialect.name == "sqlite":
        _mark_erasures()


def _mark_erasures() -> None:
    """Whoever erases content, the index is told. Azure SQL's option `fulltext` has the same for all changes."""
    # A chunk, told by its key, goes when it was joined: what it said stays.
    op.execute(
        "create trigger word_mark_erased after delete on content when instr(old.document, '+') = 0 begin"
        " insert into word_mark (interaction_id, document, marked_at)"
        " values (old.interaction_id, old.document, strftime('%Y-%m-%dT%H:%M:%fZ', 'now')); end"
    )


def downgrade() -> None:
    """Forward only: a wrong migration is mended by the next one."""
    raise NotImplementedError
