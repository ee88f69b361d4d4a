"""How far roles extend: asked for with each request, and changed by administrators."""

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple

from shared.domain.reach import Reach, ReachEntry, ReachKind, reaches_of
from shared.domain.values import utc_of
from shared.errors import InvalidRequestError, NotFoundError
from shared.questions import ListKey
from shared.stores.access_ports import ReachStore

__all__ = ["ReachPage", "ReachService"]


class ReachPage(NamedTuple):
    """Part of the list of entries, newest first."""

    entries: list[ReachEntry]
    next: ListKey | None


class ReachService:
    """The use cases. Every method raises StoreUnavailableError when the database is down."""

    def __init__(self, store: ReachStore, now: Callable[[], datetime]) -> None:
        """Read and write `store`."""
        self._store = store
        self._now = now

    def of(self, caller_id: str, groups: frozenset[str] | None) -> Mapping[str, Reach]:
        """Return role -> reach of the caller's limited roles.

        Where it is not known in which groups the caller is, every role that some group's entry limits extends to no
        more than the caller's own entries say.
        """
        holders = {caller_id, *(groups or ())}
        entries = self._store.reach_entries(holders, any_group=groups is None)
        return reaches_of(entries, holders, utc_of(self._now()))

    def entries(self, *, after: ListKey | None, limit: int) -> ReachPage:
        """Return entries, those that have ended too, newest first."""
        found = self._store.list_reaches(after=after, limit=limit + 1)
        last = found[limit - 1] if len(found) > limit else None
        return ReachPage(found[:limit], None if last is None else ListKey(last.added_at, last.id))

    def add(  # noqa: PLR0913  # one for each member of an entry
        self,
        *,
        role: str,
        holder: str,
        is_group: bool,
        matched: ReachKind,
        value: str,
        valid_from: str | None,
        valid_to: str | None,
        actor: str,
    ) -> ReachEntry:
        """Add an entry: from then on the role is limited.

        Raises:
            InvalidRequestError: a value where all are meant, none where some are, or an end before the start.
        """
        if (matched is ReachKind.ALL) != (value == ""):
            raise InvalidRequestError("value", "give one, but for `all`")
        at = utc_of(self._now())
        start = valid_from or at
        if valid_to is not None and valid_to <= start:
            raise InvalidRequestError("validTo", "it does not stand behind `validFrom`")
        entry = ReachEntry(
            uuid.uuid4().hex, role, holder, is_group, matched.value, value, start, valid_to, added_by=actor, added_at=at
        )
        self._store.add_reach(entry)
        return entry

    def end(self, entry_id: str, *, actor: str) -> ReachEntry:
        """Let an entry be valid no longer. What has ended before stays as it is.

        Raises:
            NotFoundError: there is no such entry.
        """
        at = utc_of(self._now())
        self._store.end_reach(entry_id, at=at, actor=actor)
        entry = self._store.reach_entry(entry_id)
        if entry is None:
            raise NotFoundError("there is no entry with this id")
        return entry
