"""What completeness is judged by, and what is found amiss."""

from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Finding", "Gap", "Standing", "Unpriced"]


class Gap(NamedTuple):
    """Sequence numbers of a partition that never came."""

    hub: str
    partition: str
    after: int
    before: int


@dataclass(frozen=True, slots=True)
class Finding:
    """Something amiss in an hour, of one kind."""

    hub: str
    """"" where the kind is not of one hub."""
    hour: str
    kind: str
    number: int
    detail: str | None = None
    """JSON."""

    @property
    def id(self) -> str:
        """Return what tells one finding from another."""
        return f"{self.hour[:13]} {self.kind} {self.hub}"


class Unpriced(NamedTuple):
    """Calls of one deployment and model whose charge lacks something."""

    is_unmapped: bool
    """Nobody said what the deployment is."""
    has_price: bool
    deployment: str | None
    model: str | None
    number: int


class Standing(NamedTuple):
    """How the ledger stands at one moment."""

    pending: int
    """Interactions that wait."""
    oldest_pending_at: str | None
    """When the oldest waiting delivery was stored."""
    quarantined: int
    newest: list[tuple[str, str, str]]
    """Hub, partition, and when its last stored event was enqueued."""
