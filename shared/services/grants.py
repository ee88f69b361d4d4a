"""Leave to read texts for a case: a second person gives it, and it ends by itself."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from shared.domain.grants import Grant
from shared.domain.values import utc_of
from shared.errors import NotFoundError, NotPossibleError
from shared.questions import ListKey
from shared.stores.access_ports import GrantStore

__all__ = ["GrantPage", "GrantService"]


class GrantPage(NamedTuple):
    """Part of the list of grants, newest first."""

    grants: list[Grant]
    next: ListKey | None


class GrantService:
    """The use cases. Every method raises StoreUnavailableError when the database is down."""

    def __init__(self, store: GrantStore, now: Callable[[], datetime]) -> None:
        """Read and write `store`."""
        self._store = store
        self._now = now

    def is_given(self, reader: str, case_id: str) -> bool:
        """Return whether somebody may read texts for a case now."""
        return self._store.has_grant(reader, case_id, at=utc_of(self._now()))

    def grants(self, *, after: ListKey | None, limit: int) -> GrantPage:
        """Return grants, also those that are not given and those that have ended, newest first."""
        found = self._store.list_grants(after=after, limit=limit + 1)
        last = found[limit - 1] if len(found) > limit else None
        return GrantPage(found[:limit], None if last is None else ListKey(last.wanted_at, last.id))

    def want(self, *, reader: str, case_id: str, reason: str, hours: int, label: str) -> Grant:
        """Ask for a grant, of which nothing comes until somebody else gives it."""
        at = utc_of(self._now())
        grant = Grant(uuid.uuid4().hex, case_id, reader, reason, hours, wanted_by=label, wanted_at=at)
        self._store.add_grant(grant)
        return grant

    def give(self, grant_id: str, *, giver: str, label: str) -> Grant:
        """Give a grant: it counts from now on, for as many hours as were asked for. Given twice, it stays as it was.

        Raises:
            NotFoundError: there is no such grant.
            NotPossibleError: who gives it would get it, or it has ended.
        """
        grant = self._known(grant_id)
        if giver == grant.reader:
            raise NotPossibleError("somebody else must give this grant")
        if grant.ended_at is not None:
            raise NotPossibleError("this grant has ended: ask for another")
        now = self._now()
        until = utc_of(now + timedelta(hours=grant.hours))
        self._store.give_grant(grant_id, at=utc_of(now), valid_to=until, actor=label)
        return self._known(grant_id)

    def end(self, grant_id: str, *, label: str) -> Grant:
        """Let a grant count no longer, or never. Ended twice, it stays as it was.

        Raises:
            NotFoundError: there is no such grant.
        """
        self._known(grant_id)
        self._store.end_grant(grant_id, at=utc_of(self._now()), actor=label)
        return self._known(grant_id)

    def _known(self, grant_id: str) -> Grant:
        grant = self._store.grant(grant_id)
        if grant is None:
            raise NotFoundError("there is no grant with this id")
        return grant
