"""What the access log and what it guards need from storage."""

from dataclasses import dataclass
from typing import Any, Protocol

from shared.domain.access_log import AccessEntry
from shared.questions import ListKey

__all__ = ["AccessFilter", "AccessLogStore"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessFilter:
    """What the access log is narrowed to; None narrows nothing."""

    read_from: str | None = None
    """Canonical UTC, inclusive."""
    read_before: str | None = None
    reader: str | None = None
    """The object id; of entries of before, with the name behind it."""
    route: str | None = None
    purpose: str | None = None
    result: str | None = None
    request_id: str | None = None
    interaction: str | None = None
    """An id that the entry names one by one."""


class AccessLogStore(Protocol):
    """The access log. Every method raises StoreUnavailableError when the database does not answer."""

    def record_access(self, entry: AccessEntry) -> None:
        """Keep an entry; durable on return. Nothing changes or removes it."""

    def accesses(self, narrow: AccessFilter, *, after: ListKey | None, limit: int) -> list[dict[str, Any]]:
        """Return up to `limit` entries behind `after` in (read_at, id) order, newest first; ids are texts."""
