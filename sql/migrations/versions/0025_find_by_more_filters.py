"""Find interactions by further filters: session, end user, API, backend, region, error, reason, time, money, tools."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from shared.stores.sql.types import exact_text

revision: str = "0025"
down_revision: str | None = "0024"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_KNOWN = ("session_id", "end_user_id", "api_id", "backend_id", "gateway_region", "error_code")


def upgrade() -> None:
    """Derive a column, which is not stored, and make the indexes; the release before works with all of it."""
    finish_list = sa.Computed("cast(finish_reasons as nvarchar(400))")
    op.add_column("interaction", sa.Column("finish_list", exact_text(400), finish_list, nullable=True))
    for name in _KNOWN:
        _index("interaction", name, name, "occurred_at", where=f"{name} is not null")
    _index("interaction", "finish_list", "finish_list", "occurred_at", "id")
    _index("interaction", "latency_ms", "latency_ms", "occurred_at", "id", where="latency_ms is not null")
    _index("interaction", "tool_calls", "occurred_at", "tool_calls", where="tool_calls > 0")
    estimated = "usage_provenance = 'estimated'"
    _index("interaction", "usage_provenance", "usage_provenance", "occurred_at", where=estimated)
    _index("charge", "amount", "amount", "occurred_at", "interaction_id", where="amount is not null")


def _index(table: str, name: str, *columns: str, where: str | None = None) -> None:
    condition = None if where is None else sa.text(where)
    options: dict[str, Any] = {} if condition is None else {"mssql_where": condition, "sqlite_where": condition}
    op.create_index(f"ix_{table}_{name}", table, [*columns], **options)


def downgrade() -> None:
    """Forward only: a wrong migration is mended by the next one."""
    raise NotImplementedError
