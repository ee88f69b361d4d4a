"""What services need from the store of texts and bodies; `ports` has all the others, and this one too."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

__all__ = ["ContentDocument", "ContentStore", "PackedDocument"]


class ContentDocument(NamedTuple):
    """All that one fragment says."""

    interaction_id: str
    document: str
    """Letter of the record type and digest: the same fragment is the same document."""
    body: bytes


PackedDocument = tuple[str, str, bytes]
"""A document as the ledger's database holds it: id, key and compressed body."""


class ContentStore(Protocol):
    """Texts and bodies, kept apart from the facts."""

    def put(self, documents: Sequence[ContentDocument]) -> None:
        """Keep documents. Idempotent: a document that is there already stays as it is.

        Raises:
            StoreUnavailableError: some or none were kept; put them all again.
        """

    def drop(self, documents: Sequence[tuple[str, str]]) -> None:
        """Forget documents, given as id and `document`. Idempotent: one that is not there is passed over.

        Raises:
            StoreUnavailableError: some or none were dropped; drop them all again.
        """

    def get(self, interaction_ids: Collection[str]) -> Mapping[str, Sequence[ContentDocument]]:
        """Return each interaction's documents, ordered by `document`; none for an unknown id."""

    def check(self) -> None:
        """Return if the store answers.

        Raises:
            StoreUnavailableError: it does not.
        """
