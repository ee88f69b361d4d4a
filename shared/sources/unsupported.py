"""Formats that we know but cannot read yet: their quarantine says which they are."""

from collections.abc import Callable
from typing import Final

from shared.domain.values import Json
from shared.errors import EventError
from shared.sources.record import Reading, Record, Source

__all__ = ["SOURCES"]


def _unsupported(name: str, recognises: Callable[[dict[str, Json]], bool]) -> Source:
    def read(_record: Record) -> Reading:
        raise EventError(f"source not supported yet: {name}")

    return Source(recognises, read)


SOURCES: Final = (
    _unsupported("PII record of AI Hub Gateway", lambda event: event.get("type") == "PII_Processing"),
    _unsupported(
        "usage record of apim-genai-gateway-toolkit",
        lambda event: event.get("Type") == "Message" and "TotalTokens" in event,
    ),
    _unsupported(
        "usage record of enterprise-azureai", lambda event: "appSubscriptionKey" in event and "promptTokens" in event
    ),
)
