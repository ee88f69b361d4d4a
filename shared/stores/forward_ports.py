"""What forwarding needs: marks in the ledger, and somebody who takes calls."""

from collections.abc import Sequence
from typing import Any, Protocol

from shared.domain.forwarding import ForwardedCall, ForwardMark

__all__ = ["CallReceiver", "ForwardStore"]


class ForwardStore(Protocol):
    """Marks of calls. Every method raises StoreUnavailableError when the database does not answer."""

    def forward_marks(self, limit: int) -> list[ForwardMark]:
        """Return up to `limit` marks, the oldest first."""

    def forwarded_rows(self, interaction_ids: Sequence[str]) -> list[dict[str, Any]]:
        """Return the rows of those interactions that are there."""

    def forget_marks(self, marks: Sequence[ForwardMark]) -> None:
        """Take marks out. Idempotent."""


class CallReceiver(Protocol):
    """Somebody who is told of calls."""

    def send(self, calls: Sequence[ForwardedCall]) -> None:
        """Tell of calls; a call may be told of again.

        Raises:
            ForwardingError: it is not sure that they were taken.
        """
