"""Event bytes -> fragments; pure. One module per source, one registry that tells them apart."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

from shared.domain.fragment import Fragment
from shared.domain.pieces import Whole
from shared.errors import EventError
from shared.sources.joined import joined, salvaged
from shared.sources.record import Aside, Reading
from shared.sources.registry import read

__all__ = ["PARSER_VERSION", "Aside", "Reading", "join", "read_event", "salvage_pieces"]

logger = logging.getLogger(__name__)

_Parsed = TypeVar("_Parsed")

PARSER_VERSION: Final = "2"
"""Kept with quarantined events: which of them a newer parser may understand."""


def read_event(body: bytes, enqueued_at: str) -> Reading:
    """Return what one event says.

    Args:
        body: the event as Event Hubs delivered it; any bytes.
        enqueued_at: canonical UTC time, the authority where the event's own time is missing or
            ambiguous; a year 1 means unknown.

    Raises:
        EventError: the event can never be understood, or our parser is at fault.
    """
    return _guarded(lambda: read(body, enqueued_at))


def join(whole: Whole, documents: Mapping[str, bytes]) -> list[tuple[str, Fragment]]:
    """Return the fragments that joined pieces make, each with the mark of the pieces up to its end.

    None at all when the pieces turn out to be no whole yet, are not all there, or say nothing
    that can be understood together.

    Args:
        whole: the pieces.
        documents: what the content store keeps of them, by key.
    """
    try:
        return _guarded(lambda: joined(whole, documents))
    except EventError:
        return []


def salvage_pieces(keys: Sequence[str], documents: Mapping[str, bytes]) -> Fragment | None:
    """Return what pieces say as far as they are whole, marked as truncated; None when that is nothing.

    Args:
        keys: of pieces that stand side by side, from the first on; the last may be missing.
        documents: what the content store keeps of them, by key.
    """
    try:
        return _guarded(lambda: salvaged(keys, documents))
    except EventError:
        return None


def _guarded(parse: Callable[[], _Parsed]) -> _Parsed:
    try:
        return parse()
    except (EventError, MemoryError):
        raise
    except Exception as fault:  # noqa: BLE001
        # The product's only one. Parsers are total, and tests say so without this line; should one be
        # wrong all the same, its event must not hold up the partition for ever: it waits in quarantine,
        # under a version whose successor is tried on it. Neither message nor trace is logged: they may
        # quote the body.
        name = type(fault).__name__
        logger.error("sources.parser_fault %s", name)  # noqa: TRY400
        raise EventError(f"parser fault: {name}") from None
