"""What one body says."""

from typing import Final, NamedTuple

from shared.domain.interaction import PREVIEW_LENGTH, Facts
from shared.domain.redaction import redacted_text
from shared.domain.values import Json

__all__ = ["Said", "preview"]


_LOOKED_AT: Final = 4 * PREVIEW_LENGTH
"""Of a text: a secret that begins in the preview may end behind it."""


class Said(NamedTuple):
    """What a request or response body says of its interaction."""

    facts: Facts
    text: str | None = None
    """The whole prompt of a request, the whole completion of a response."""
    body: Json = None
    """The answer that a stream amounts to; None when the body is no stream."""


def preview(text: str) -> str:
    """Return the first characters of a prompt or completion, as the ledger keeps them."""
    # Secrets go before the text is cut, for half of one looks like none. A stream's may stand in many of its events.
    # SQL Server's tools end a text at NUL.
    return redacted_text(text[:_LOOKED_AT])[:PREVIEW_LENGTH].replace("\x00", "\N{REPLACEMENT CHARACTER}")
