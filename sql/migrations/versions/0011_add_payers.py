"""Add who pays: assignments, the record of their changes, team and cost centre of charges and of the rollups."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.stores.sql.types import JSON_TEXT, SERIAL, UtcTime, exact_text, text

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_TEXTS = {"team": 128, "cost_centre": 64}


def upgrade() -> None:
    """Add tables and columns; the release before neither reads nor writes any of them."""
    op.create_table(
        "assignment",
        sa.Column("matched", exact_text(16), nullable=False),
        *(sa.Column(name, exact_text(128), nullable=False) for name in ("name", "value")),
        sa.Column("valid_from", UtcTime(), nullable=False),
        sa.Column("valid_to", UtcTime(), nullable=True),
        *(sa.Column(name, exact_text(limit), nullable=False) for name, limit in _TEXTS.items()),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("matched", "name", "value", "valid_from", name="pk_assignment"),
    )
    op.create_index("ix_assignment_version", "assignment", ["version"])
    op.create_table(
        "money_change",
        sa.Column("id", SERIAL, sa.Identity(), nullable=False),
        sa.Column("changed_at", UtcTime(), nullable=False),
        sa.Column("actor", text(256), nullable=False),
        sa.Column("subject", text(16), nullable=False),
        sa.Column("old_value", JSON_TEXT, nullable=True),
        sa.Column("new_value", JSON_TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_money_change"),
    )
    for name, limit in _TEXTS.items():
        op.add_column("charge", sa.Column(name, exact_text(limit), nullable=True))
        for table in ("usage_hour", "usage_day", "usage_month"):
            op.add_column(table, sa.Column(name, exact_text(limit), nullable=True))
        only = sa.text(f"{name} is not null")
        columns = [name, "occurred_at", "interaction_id"]
        op.create_index(f"ix_charge_{name}", "charge", columns, mssql_where=only, sqlite_where=only)
    op.add_column("charge", sa.Column("matched", text(16), nullable=True))


def downgrade() -> None:
    """Forward only: a wrong migration is mended by the next one."""
    raise NotImplementedError
