"""What one body says."""

from typing import NamedTuple

from shared.domain.interaction import PREVIEW_LENGTH, Facts

__all__ = ["Said", "preview"]


class Said(NamedTuple):
    """What a request or response body says of its interaction."""

    facts: Facts
    text: str | None = None
    """The whole prompt of a request, the whole completion of a response."""


def preview(text: str) -> str:
    """Return the first characters of a prompt or completion, as the ledger keeps them."""
    # SQL Server's tools end a text at NUL.
    return text[:PREVIEW_LENGTH].replace("\x00", "\N{REPLACEMENT CHARACTER}")
