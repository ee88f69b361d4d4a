"""What loading prices needs from storage."""

from typing import Protocol

from shared.pricing.files import Origin, PriceFile

__all__ = ["Prices"]


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
