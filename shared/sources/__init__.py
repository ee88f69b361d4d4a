"""Event bytes -> fragments; pure. One module per source, one registry that tells them apart."""

import logging
from typing import Final

from shared.errors import EventError
from shared.sources.record import Reading
from shared.sources.registry import read

__all__ = ["PARSER_VERSION", "Reading", "read_event"]

logger = logging.getLogger(__name__)

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
    try:
        return read(body, enqueued_at)
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
