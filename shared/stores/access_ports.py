"""What the access log and what it guards need from storage."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Protocol

from shared.domain.access_log import AccessEntry
from shared.domain.grants import Grant
from shared.domain.reach import ReachEntry
from shared.questions import ListKey

__all__ = ["AccessFilter", "AccessLogStore", "GrantStore", "ReachStore"]


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


class ReachStore(Protocol):
    """How far roles extend. Every method raises StoreUnavailableError when the database does not answer."""

    def reach_entries(self, holders: Collection[str], *, any_group: bool) -> list[ReachEntry]:
        """Return the entries of `holders`, and with `any_group` those of all groups; a bounded number of them."""

    def reach_entry(self, entry_id: str) -> ReachEntry | None:
        """Return one entry."""

    def list_reaches(self, *, after: ListKey | None, limit: int) -> list[ReachEntry]:
        """Return up to `limit` entries behind `after` in (added_at, id) order, newest first."""

    def add_reach(self, entry: ReachEntry) -> None:
        """Keep an entry."""

    def end_reach(self, entry_id: str, *, at: str, actor: str) -> None:
        """Let an entry be valid until `at` at the latest, and keep who ended it. Once ended, it stays so."""


class GrantStore(Protocol):
    """Grants to read texts. Every method raises StoreUnavailableError when the database does not answer."""

    def has_grant(self, reader: str, case_id: str, *, at: str) -> bool:
        """Return whether a grant of `reader` for the case counts at `at`."""

    def grant(self, grant_id: str) -> Grant | None:
        """Return one grant."""

    def list_grants(self, *, after: ListKey | None, limit: int) -> list[Grant]:
        """Return up to `limit` grants behind `after` in (wanted_at, id) order, newest first."""

    def add_grant(self, grant: Grant) -> None:
        """Keep a grant that is asked for."""

    def give_grant(self, grant_id: str, *, at: str, valid_to: str, actor: str) -> None:
        """Let a grant count. One that was given or has ended stays as it is."""

    def end_grant(self, grant_id: str, *, at: str, actor: str) -> None:
        """Let a grant count no longer. One that has ended stays as it is."""
