"""How far a role extends: to all calls, or to those of some subscriptions, products and teams."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

__all__ = ["Reach", "ReachEntry", "ReachKind", "reaches_of"]


class ReachKind(StrEnum):
    """By what calls are told."""

    SUBSCRIPTION = "subscription"
    PRODUCT = "product"
    TEAM = "team"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Reach:
    """Calls that have one of these; none where all are empty."""

    subscriptions: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()

    @property
    def columns(self) -> Mapping[str, tuple[str, ...]]:
        """Return dimension -> values, of those that there are."""
        named = {"subscription_id": self.subscriptions, "product_id": self.products, "team": self.teams}
        return {name: values for name, values in named.items() if values}


class ReachEntry(NamedTuple):
    """A role of somebody, or of a group, and calls that it extends to while it is valid."""

    id: str
    role: str
    holder: str
    """Object id."""
    is_group: bool
    matched: str
    """A `ReachKind`."""
    value: str
    """Empty for all."""
    valid_from: str
    """Canonical UTC, inclusive."""
    valid_to: str | None
    """Exclusive; None: until it is ended."""
    added_by: str
    added_at: str
    ended_by: str | None = None
    ended_at: str | None = None


def reaches_of(entries: Sequence[ReachEntry], holders: Collection[str], at: str) -> dict[str, Reach]:
    """Return role -> reach of those roles that are limited.

    One entry limits its role for good: when it has expired the role extends to nothing, not to everything again. Only
    an entry for all lifts that.

    Args:
        entries: of the caller, and of groups that the caller may be in.
        holders: the caller's id, and those of groups that the caller is known to be in.
        at: the moment, canonical UTC.
    """
    found: dict[str, dict[str, set[str]]] = {}
    for entry in entries:
        kinds = found.setdefault(entry.role, {})
        if entry.holder in holders and entry.valid_from <= at and (entry.valid_to is None or at < entry.valid_to):
            kinds.setdefault(entry.matched, set()).add(entry.value)
    return {
        role: Reach(
            *(
                tuple(sorted(kinds.get(kind, ())))
                for kind in (ReachKind.SUBSCRIPTION, ReachKind.PRODUCT, ReachKind.TEAM)
            )
        )
        for role, kinds in found.items()
        if ReachKind.ALL not in kinds
    }
