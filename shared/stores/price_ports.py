"""What loading prices needs from storage."""

from collections.abc import Sequence
from typing import Protocol

from shared.pricing.files import Origin, PriceFile
from shared.pricing.payers import Assignment

__all__ = ["AssignmentStore", "Prices"]


class Prices(Protocol):
    """The price book. Every method raises StoreUnavailableError when the database is down."""

    def digest(self, origin: Origin) -> str | None:
        """Return the digest of the file of this kind that was loaded last; None when none was."""

    def load(self, file: PriceFile, *, at: str) -> int:
        """Add what is new in a file to the price book, and end what it ends; return how many entries that are.

        The hours that they speak of are charged anew. The file that was loaded last changes nothing.

        Raises:
            InvalidFileError: an entry says something else than it did before; nothing was loaded.
        """


class AssignmentStore(Protocol):
    """Who pays for whose calls. Every method raises StoreUnavailableError when the database is down."""

    def change(self, assignments: Sequence[Assignment], *, actor: str, at: str) -> int:
        """Add the assignments that are new, and end those that have an end now; return how many that are.

        Each change is recorded, with who made it. The hours that it concerns are charged anew.

        Raises:
            InvalidFileError: one says something else than it did before; nothing was changed.
        """

    def assignments(self, *, after: tuple[str, ...] | None, limit: int) -> list[Assignment]:
        """Return up to `limit` assignments behind `after`, in the order of `matched`, `name`, `value`, `valid_from`."""
