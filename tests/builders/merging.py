"""Fragments of the gateway's own witnesses -> a row, without a ledger."""

from collections.abc import Iterable

from shared.domain.fragment import Fragment
from shared.merge import OWN, Row, Strand, fold, strands_of

__all__ = ["merge"]


def merge(interaction_id: str, row: Row | None, fragments: Iterable[tuple[str, Fragment]]) -> Row:
    """Return the row after `fragments`, each with its document key, as ingest folds it."""
    strands = strands_of(row)
    own = strands.setdefault(OWN, Strand({}, {}, set()))
    for key, fragment in fragments:
        own.add(key, fragment)
    return fold(interaction_id, strands, 0 if row is None else row["revision"])
