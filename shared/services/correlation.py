"""Correlation ids -> the interactions that they belong to, as a batch finds and changes them.

Records that know a call by another id than the gateway's say something of the interaction that has this id, or of one
of their own until some interaction does. Of all that have it, it belongs to the one of the earliest time.
"""

from collections.abc import Iterable
from typing import Final

from shared.domain.fragment import Fragment
from shared.stores.ports import Alias, Changes, LedgerTransaction

__all__ = ["Correlation"]

_LAST: Final = "9999-12-31T23:59:59.999Z"
"""From when a foreign id belongs to its own record's interaction: later than to anybody else's."""
_TIMELESS: Final = "9999-12-31T00:00:00.000Z"


class Correlation:
    """Whose each correlation id of a batch is."""

    def __init__(self, transaction: LedgerTransaction, fragments: Iterable[Fragment]) -> None:
        """Load what the ledger knows of the ids in `fragments`, and settle to whom they belong now."""
        earliest = _earliest_owners(fragments)
        known = transaction.aliases(earliest.keys())
        self._aliases = dict(known)
        self._changed: dict[str, Alias] = {}
        for correlation_id, (since, owner) in earliest.items():
            held = known.get(correlation_id)
            if held is None or (since, owner) < (held.claimed_at, held.interaction_id):
                alias = Alias(correlation_id, owner, since, 0 if held is None else held.revision)
                self._aliases[correlation_id] = self._changed[correlation_id] = alias
        self._new = self._aliases.keys() - known.keys()
        self.owners = {alias.interaction_id for alias in (*known.values(), *self._aliases.values())}
        """Every interaction that one of the ids belongs to, or belonged to before."""
        self.moves = [
            (correlation_id, alias.interaction_id, self.owner_of(correlation_id))
            for correlation_id, alias in known.items()
            if alias.interaction_id != self.owner_of(correlation_id)
        ]
        """Ids that change their interaction: id, from, to."""

    def owner_of(self, correlation_id: str) -> str:
        """Return the interaction that an id of the batch belongs to."""
        return self._aliases[correlation_id].interaction_id

    def guard(self, correlation_id: str) -> None:
        """Let another transaction that moves this id now, not knowing of what joins under it, meet a conflict."""
        self._changed.setdefault(correlation_id, self._aliases[correlation_id])

    def plan(self, changes: Changes) -> None:
        """Put what changed into `changes`."""
        for correlation_id, alias in self._changed.items():
            (changes.new_aliases if correlation_id in self._new else changes.changed_aliases).append(alias)


def _earliest_owners(fragments: Iterable[Fragment]) -> dict[str, tuple[str, str]]:
    """Return for each correlation id since when it belongs to whom: of all that have it, the earliest."""
    owners: dict[str, tuple[str, str]] = {}
    for fragment in fragments:
        if fragment.foreign_id is not None:
            ids: tuple[str, ...] = (fragment.foreign_id,)
            since = _LAST
        else:
            # When an event was enqueued, where it has no time of its own, is not when the call began.
            has_time = "time_replaced" not in fragment.facts and "occurred_at" in fragment.facts
            ids = fragment.correlation_ids
            since = fragment.facts["occurred_at"] if has_time else _TIMELESS
        owner = since, fragment.interaction_id
        for correlation_id in ids:
            owners[correlation_id] = min(owner, owners.get(correlation_id, owner))
    return owners
