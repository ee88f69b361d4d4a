"""Fragments of the gateway's own records -> a row, without a ledger."""

from collections.abc import Iterable

from shared.domain.fragment import Fragment
from shared.merge import OWN, Contribution, Row, contributions_of, fold

__all__ = ["merge"]


def merge(interaction_id: str, row: Row | None, fragments: Iterable[Fragment]) -> Row:
    """Return the row after `fragments` as ingest folds it."""
    contributions = contributions_of(row)
    own = contributions.setdefault(OWN, Contribution({}, {}, set()))
    for fragment in fragments:
        own.add(fragment)
    return fold(interaction_id, contributions, 0 if row is None else row["revision"])
