"""An event in quarantine, and what somebody does with it."""

from typing import NamedTuple

from shared.domain.delivery import Position

__all__ = ["Held", "QuarantineAction"]


class Held(NamedTuple):
    """An event in quarantine, with its bytes."""

    id: str
    position: Position
    body: bytes


class QuarantineAction(NamedTuple):
    """What somebody did with an event in quarantine."""

    acted_at: str
    actor: str
    action: str
    """`replay` or `discard`."""
    event_id: str
    position: Position
    result: str
    """The class of the balance that the event is in now."""
    reason: str | None
