"""What one body says."""

from typing import NamedTuple

from shared.domain.interaction import PREVIEW_LENGTH, Facts
from shared.domain.values import Json

__all__ = ["Said", "preview"]


class Said(NamedTuple):
    """What a request or response body says of its interaction."""

    facts: Facts
    text: str | None = None
    """The whole prompt of a request, the whole completion of a response."""
    body: Json = None
    """The answer that a stream amounts to; None when the body is no stream."""


def preview(text: str) -> str:
    """Return the first characters of a prompt or completion, as the ledger keeps them."""
    # SQL Server's tools end a text at NUL.
    return text[:PREVIEW_LENGTH].replace("\x00", "\N{REPLACEMENT CHARACTER}")
