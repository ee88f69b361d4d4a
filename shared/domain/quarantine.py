"""An event in quarantine, and what somebody does with it."""

from typing import NamedTuple

from shared.domain.balance import BalanceClass
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
    result: BalanceClass
    """Where the event is now."""
    reason: str | None
