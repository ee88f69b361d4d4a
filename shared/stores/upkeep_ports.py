"""What upkeep needs from storage: quarantine and completeness."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from shared.domain.quarantine import Held, QuarantineAction
from shared.domain.questions import ListKey

__all__ = ["CompletenessStore", "Finding", "Gap", "QuarantineStore", "Standing"]


class QuarantineStore(Protocol):
    """The events that cannot be understood. Every method raises StoreUnavailableError when the database is down."""

    def held(self, ids: Collection[str]) -> list[Held]:
        """Return those of `ids` that are in quarantine, and not discarded."""

    def held_between(self, start: str | None, end: str | None, *, after: ListKey | None, limit: int) -> list[Held]:
        """Return up to `limit` events enqueued from `start` until before `end`, newest first, behind `after`."""

    def discard(self, action: QuarantineAction) -> None:
        """Forget the bytes of the event that `action` names, count it as skipped, keep `action`.

        Does nothing when it is not in quarantine any more, or discarded already.
        """


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


class Standing(NamedTuple):
    """How the ledger stands at one moment."""

    pending: int
    """Interactions that wait."""
    oldest_pending_at: str | None
    """When the oldest waiting delivery was stored."""
    quarantined: int
    newest: list[tuple[str, str, str]]
    """Hub, partition, and when its last stored event was enqueued."""


class CompletenessStore(Protocol):
    """What completeness is told from, and what was found. `start` is inclusive, `end` exclusive; None ends nothing."""

    def events_in(self, start: str, end: str | None) -> list[tuple[str, str, int]]:
        """Return hub, outcome and number of the deliveries enqueued then; outcome `waiting` counts those that wait."""

    def gaps_in(self, start: str, end: str | None, *, limit: int) -> list[Gap]:
        """Return up to `limit` gaps that end with a delivery enqueued then."""

    def calls_in(self, start: str, end: str | None) -> Mapping[str, int]:
        """Return how many interactions that occurred then lack what; see `shared.services.completeness`."""

    def words_in(self, start: str, end: str | None, *, limit: int) -> list[tuple[str, int]]:
        """Return the traces of unknown words of interactions that occurred then, and how many have each.

        Up to `limit` of them, those of the most interactions first.
        """

    def unresolved_hours(self, limit: int) -> list[str]:
        """Return up to `limit` hours with findings that still hold, the newest first."""

    def record(self, hours: Collection[str], findings: Collection[Finding], *, at: str) -> None:
        """Make `findings` those of `hours`: new ones are added, vanished ones resolved, the same stay as they are."""

    def unresolved(self) -> dict[str, int]:
        """Return the number of findings that still hold, by kind."""

    def standing(self) -> Standing:
        """Return how the ledger stands."""
