"""What interactions are found by: the columns that the database derives itself, and an index for every filter.

An index holds what is equal, then the time, so that its entries lie in the order of the list: a page costs what it
holds. Rare flags have entries for the marked rows alone. Which filter goes by which index: docs/queries.md.
"""

from typing import Any, Final

from sqlalchemy import Column, Computed, Index
from sqlalchemy.types import TypeEngine

from shared.domain.call_errors import SIGNS, Sign, Test
from shared.domain.verdicts import fields_of
from shared.stores.sql.types import CLUSTERED, FLAG, exact_text, including, where, where_on_sqlite

__all__ = ["BY_TIME", "LISTS", "SOURCE_LIST", "derived_columns", "index_of", "interaction_indexes"]

BY_TIME: Final = "occurred_at"
SOURCE_LIST: Final = "source_list"
LISTS: Final = {"sources": SOURCE_LIST, "finish_reasons": "finish_list"}
"""The JSON lists that are sought by what they hold: their column -> the derived one that an index can hold."""

_FINDINGS: Final = ("prompt_filtered", "completion_filtered", *fields_of())
"""What tells of the content filter; its index holds them all, so that no row is read in vain."""
_EQUAL: Final = (
    "model",
    "caller_ip",
    "deployment",
    "subscription_id",
    "product_id",
    "user_id",
    "app_id",
    "http_status",
    "streamed",
    "cached",
    "requested_model",
    "vendor",
    "session_id",
    "end_user_id",
    "api_id",
    "backend_id",
    "gateway_region",
    "error_code",
)
_MARKED: Final = ("truncated", "filter_failed", "possible_refusal", "callers_differ")


def index_of(column: str) -> str:
    """Return the name of the index by which a column is sought."""
    return f"ix_interaction_{column}"


def derived_columns() -> tuple[Column[Any], ...]:
    """Return the columns that nobody writes: the database derives them from the others."""
    findings = (f"{name} = 1" if name.endswith("_filtered") else f"{name} is not null" for name in _FINDINGS)
    return (
        _derived("is_error", FLAG, _either(*map(_condition_of, SIGNS))),
        _derived("has_findings", FLAG, _either(*findings)),
        _derived("known_operation", exact_text(32), "coalesce(operation, 'other')"),
        # SQL Server has no index on texts without a limit. The longest list is that of all sources.
        *(_derived(name, exact_text(400), f"cast({column} as nvarchar(400))") for column, name in LISTS.items()),
    )


def interaction_indexes() -> tuple[Index, ...]:
    """Return the indexes of the interactions, without that of the primary key."""
    return (
        # SQL Server keeps the rows in this order, and adds what it goes by, the id too, to all other indexes.
        _index(BY_TIME, "occurred_at", "id", unique=True, **CLUSTERED),
        _index("known_operation", "known_operation", "occurred_at"),
        _index("state", "state", "occurred_at"),
        *(_index(name, name, "occurred_at", **where(f"{name} is not null")) for name in _EQUAL),
        *(_index(name, name, "occurred_at", **where(f"{name} = 1")) for name in _MARKED),
        _index("unreadable", "occurred_at", "unreadable", **where("unreadable is not null")),
        _index("tool_calls", "occurred_at", "tool_calls", **where("tool_calls > 0")),
        _index("usage_provenance", "usage_provenance", "occurred_at", **where("usage_provenance = 'estimated'")),
        # SQL Server has no filtered index by a derived column.
        _index("is_error", "is_error", "occurred_at", **where_on_sqlite("is_error = 1")),
        _index("has_findings", "has_findings", "occurred_at", *_FINDINGS, **where_on_sqlite("has_findings = 1")),
        # These are sought by several values: what they find is sorted, from the index alone.
        _index("total_tokens", "total_tokens", "occurred_at", "id", "cached", **where("total_tokens is not null")),
        _index("latency_ms", "latency_ms", "occurred_at", "id", **where("latency_ms is not null")),
        *(_index(name, name, "occurred_at", "id") for name in LISTS.values()),
        # Which answers repeat the usage of one response, run or batch, and which of them counts.
        _index(
            "usage_key",
            "usage_key",
            **including("total_tokens", "cached", "usage_provenance"),
            **where("usage_key is not null"),
        ),
    )


def _index(name: str, *columns: str, **options: Any) -> Index:  # noqa: ANN401  # the dialects' options
    return Index(index_of(name), *columns, **options)


def _derived(name: str, kind: TypeEngine[Any], formula: str) -> Column[Any]:
    return Column(name, kind, Computed(formula), nullable=True)


def _either(*conditions: str) -> str:
    return f"case when {' or '.join(conditions)} then 1 else 0 end"


def _condition_of(sign: Sign) -> str:
    match sign.test, sign.values:
        case Test.OUTSIDE, (first, behind):
            return f"{sign.column} < {first} or {sign.column} >= {behind}"
        case Test.PRESENT, _:
            return f"{sign.column} is not null"
        case Test.TRUE, _:
            return f"{sign.column} = 1"
        case _, words:
            listed = ", ".join(f"'{word}'" for word in words)
            return f"{sign.column} in ({listed})"
