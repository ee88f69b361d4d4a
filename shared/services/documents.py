"""What a fragment's document is called in the content store."""

import hashlib

from shared.domain.fragment import Fragment
from shared.domain.metadata import only_metadata
from shared.domain.piece_keys import suffix

__all__ = ["Keyed", "digest", "keyed"]

Keyed = tuple[str, Fragment]
"""A fragment and the key of its document."""


def keyed(fragment: Fragment) -> Keyed:
    """Return a fragment with its document's key: witness, digest, and where it stands if it is a piece.

    Every fragment passes here on its way to the ledger: its facts are metadata from here on.
    """
    facts = only_metadata(fragment.facts)
    if facts is not fragment.facts:
        fragment = fragment._replace(facts=facts)
    place = "" if fragment.piece is None else suffix(fragment.piece)
    return f"{fragment.code}:{digest(fragment.document)}{place}", fragment


def digest(data: bytes) -> str:
    """Return what tells documents and events apart."""
    return hashlib.sha256(data).hexdigest()[:32]
