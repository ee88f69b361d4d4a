"""Event bytes -> fragments; pure. One module per source, one registry that tells them apart."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final, ParamSpec, TypeVar

from shared.domain.claims import Claim
from shared.domain.fragment import Fragment
from shared.domain.piece_keys import Whole
from shared.errors import EventError
from shared.sources.decoding import decode
from shared.sources.joined import joined, redeemed, salvaged
from shared.sources.native_pieces import claim_in
from shared.sources.record import Aside, Reading
from shared.sources.registry import read

__all__ = ["PARSER_VERSION", "Aside", "Reading", "claim_of", "join", "read_event", "redeem", "salvage_pieces"]

logger = logging.getLogger(__name__)

_Told = ParamSpec("_Told")
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
    return _guarded(read, body, enqueued_at)


def join(whole: Whole, documents: Mapping[str, bytes]) -> list[tuple[str, Fragment]]:
    """Return the fragments that joined pieces make, each with the mark of the pieces up to its end.

    None at all when the pieces turn out to be no whole yet, are not all there, or say nothing
    that can be understood together.

    Args:
        whole: the pieces.
        documents: what the content store keeps of them, by key.
    """
    try:
        return _guarded(joined, whole, documents)
    except EventError:
        return []


def salvage_pieces(keys: Sequence[str], documents: Mapping[str, bytes]) -> Fragment | None:
    """Return what pieces say as far as they are whole, marked as truncated; None when that is nothing.

    Args:
        keys: of pieces that stand side by side, from the first on; the last may be missing.
        documents: what the content store keeps of them, by key.
    """
    try:
        return _guarded(salvaged, keys, documents)
    except EventError:
        return None


def claim_of(document: bytes) -> Claim | None:
    """Return where the body is that an event, of which `document` is kept, has left in Blob storage."""
    try:
        return _guarded(_claim_in, document)
    except EventError:
        return None


def _claim_in(document: bytes) -> Claim | None:
    return claim_in(decode(document))


def redeem(document: bytes, body: list[bytes]) -> Fragment | None:
    """Return what an event says with the body that it claimed; None when that cannot be understood.

    Args:
        document: what the content store keeps of the event.
        body: the body alone, which is taken out: the caller should hold no other reference to it.
    """
    try:
        return _guarded(redeemed, document, body)
    except EventError:
        return None


def _guarded(parse: Callable[_Told, _Parsed], *told: _Told.args, **named: _Told.kwargs) -> _Parsed:
    try:
        return parse(*told, **named)
    except (EventError, MemoryError):
        raise
    except Exception as fault:  # noqa: BLE001
        # Parsers are total, and tests say so without this line; should one be
        # wrong all the same, its event must not hold up the partition for ever: it waits in quarantine,
        # under a version whose successor is tried on it. Neither message nor trace is logged: they may
        # quote the body.
        name = type(fault).__name__
        logger.error("sources.parser_fault %s", name)  # noqa: TRY400
        raise EventError(f"parser fault: {name}") from None
