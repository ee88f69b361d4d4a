"""What services need from storage. Contract suites in tests/contracts hold for every store."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from shared.domain.balance import Outcome, PartitionCounts
from shared.domain.delivery import Position
from shared.domain.findings import Finding, Gap, Standing, Unpriced
from shared.domain.quarantine import Held, QuarantineAction
from shared.domain.reach import Reach
from shared.domain.reassembly.claim_checks import Claim, ClaimFault
from shared.domain.values import NO_TIME
from shared.questions import CallCount, FindingFilter, InteractionFilter, ListKey, UsageQuery
from shared.stores.access_ports import AccessLogStore, GrantStore, ReachStore
from shared.stores.content_ports import ContentDocument, ContentStore, PackedDocument

__all__ = [
    "Alias",
    "AuditStore",
    "Changes",
    "ClaimQueue",
    "ClaimedBodies",
    "CompletenessStore",
    "ContentDocument",
    "ContentStore",
    "Ledger",
    "LedgerTransaction",
    "PackedDocument",
    "QuarantineStore",
    "Quarantined",
    "ReadinessStore",
    "Row",
    "WaitingClaim",
]

Row = dict[str, Any]
"""One row of a table: column name -> value. A column left out is null."""


class ClaimedBodies(Protocol):
    """Bodies that API Management wrote to Blob storage, because they were too big for an event."""

    def fetch(self, claims: Sequence[Claim]) -> list[bytes | ClaimFault]:
        """Return each claim's body, verified, or why it cannot be had. Never raises: the claims are tried again."""


class WaitingClaim(NamedTuple):
    """A claim that was not met."""

    interaction_id: str
    document: str
    """Of the event that claims."""
    noted_at: str
    """Canonical UTC, by our clock."""


class ClaimQueue(Protocol):
    """The claims that `Changes.claims` noted. Every method raises StoreUnavailableError when the database is down."""

    def due(self, moment: str, limit: int) -> list[WaitingClaim]:
        """Return up to `limit` claims that are to be tried at `moment`, those that are due longest first."""

    def postpone(self, claims: Sequence[tuple[WaitingClaim, str]]) -> None:
        """Let claims be due at another time, canonical UTC."""

    def forget(self, claims: Sequence[WaitingClaim]) -> None:
        """Take claims out. Idempotent."""


class Alias(NamedTuple):
    """Which interaction a correlation id means: of all that have it, the one that had it at the earliest time."""

    name: str
    """The correlation id, such as `response-id:chatcmpl-...`."""
    interaction_id: str
    claimed_at: str
    """Since when, canonical UTC. A record whose correlation id means no interaction yet gets it at the end of time."""
    revision: int
    """As it was read; 0 for a new one."""


class Quarantined(NamedTuple):
    """An event that cannot be understood."""

    id: str
    position: Position
    reason: str
    parser_version: str
    body: bytes


@dataclass(slots=True)
class Changes:
    """Everything that one batch of deliveries changes in the ledger; all committed, or nothing."""

    hub: str
    partition: str
    received: int
    redelivered: int
    last_sequence: int
    last_enqueued_at: str
    new_interactions: list[Row] = field(default_factory=list)
    changed_interactions: list[Row] = field(default_factory=list)
    """With the `revision` that was read."""
    before: dict[str, Row] = field(default_factory=dict)
    """Of those, by id, as they were read: what is the same need not be written."""
    documents: Sequence[PackedDocument] = ()
    removed_interactions: list[tuple[str, int]] = field(default_factory=list)
    """Ids, with the `revision` that was read, of those that became part of others."""
    new_aliases: list[Alias] = field(default_factory=list)
    changed_aliases: list[Alias] = field(default_factory=list)
    """With the `revision` that was read."""
    deliveries: list[tuple[Position, Outcome, str | None]] = field(default_factory=list)
    """New positions, with outcome and source."""
    waiting: list[tuple[str, Position]] = field(default_factory=list)
    """Kept deliveries of interactions that are pending now; `NOWHERE` for one that began to wait without any."""
    settled: list[str] = field(default_factory=list)
    """Interactions that were pending and are not any more."""
    quarantined: list[Quarantined] = field(default_factory=list)
    dirty_hours: set[str] = field(default_factory=set)
    """Hours of which any call's usage may be out of date."""
    dirty_calls: set[tuple[str, str]] = field(default_factory=set)
    """Time and id, before and after, of the interactions that changed."""
    dirty_usage_keys: set[str] = field(default_factory=set)
    """Keys whose usage the batch's interactions state, or stated before it."""
    claims: list[tuple[str, str]] = field(default_factory=list)
    """Events, as id and key, whose bodies were not in Blob storage: to be tried again."""
    met_claims: list[tuple[str, str]] = field(default_factory=list)
    """Those whose bodies were."""

    released: list[str] = field(default_factory=list)
    """Events that leave quarantine."""
    reclassified: list[tuple[Position, Outcome, str | None]] = field(default_factory=list)
    """Where those stand, with the outcome and source that take the place of `quarantined`."""
    unreleased: list[Quarantined] = field(default_factory=list)
    """Events that stay in quarantine, with what a newer parser says of them."""
    actions: list[QuarantineAction] = field(default_factory=list)

    @classmethod
    def unbooked(cls) -> "Changes":
        """Return changes that no delivery brought: nothing is counted as received."""
        return cls(hub="", partition="", received=0, redelivered=0, last_sequence=0, last_enqueued_at=NO_TIME)


class LedgerTransaction(Protocol):
    """One transaction; a constant number of statements, whatever the size of the batch."""

    def known_positions(self, positions: Collection[Position]) -> set[Position]:
        """Return those of one partition's positions that were received before."""

    def known_quarantine(self, ids: Collection[str]) -> set[str]:
        """Return those ids that are in quarantine already."""

    def interactions(self, ids: Collection[str]) -> dict[str, Row]:
        """Return the rows of those interactions that exist."""

    def aliases(self, names: Collection[str]) -> dict[str, Alias]:
        """Return those correlation ids that mean an interaction."""

    def overdue(self, before: str, limit: int) -> list[str]:
        """Return up to `limit` interactions for which no waiting delivery was stored since `before`, by their id."""

    def end_waits(self, interaction_ids: Collection[str], before: str) -> None:
        """Forget those waiting deliveries of the interactions that were stored before `before`."""

    def take_lease(self, name: str) -> None:
        """Make a second transaction that takes the lease `name` wait here until this one has ended."""

    def store(self, batch: Changes) -> None:
        """Write the batch.

        Raises:
            ConflictError: another transaction was first with one of the interactions or aliases.
        """


class Ledger(Protocol):
    """The facts and the accounting."""

    def transaction(self) -> AbstractContextManager[LedgerTransaction]:
        """Open a transaction that commits on leaving and rolls back on an exception.

        Raises:
            StoreUnavailableError: nothing was written.
            ConflictError: nothing was written; the same batch may succeed at once.
        """

    def packed(self, documents: Sequence[ContentDocument], content: ContentStore) -> Sequence[PackedDocument] | None:
        """Return documents as `Changes` takes them, to be kept with the facts; None where `content` is elsewhere."""


class AuditStore(AccessLogStore, ReachStore, GrantStore, Protocol):
    """The reading side. Every method raises StoreUnavailableError when the database does not answer."""

    def interactions(self, narrow: InteractionFilter, *, after: ListKey | None, limit: int) -> list[Row]:
        """Return up to `limit` rows behind `after` in (occurred_at, id) order, newest first.

        Beside each stand the columns of its charge, as `charge_amount` and so on; null until its hour is summed.
        """

    def count(self, narrow: InteractionFilter, *, most: int) -> CallCount:
        """Return how many interactions `interactions` lists, of the first `most` that an index finds."""

    def interaction(self, interaction_id: str, names: Sequence[str] = (), reaches: Sequence[Reach] = ()) -> Row | None:
        """Return one row: by its id, else by a name that it is known by; None when none within `reaches` is there."""

    def prompts(self, narrow: InteractionFilter, *, after: ListKey | None, limit: int) -> list[Row]:
        """Return id, occurred_at, model, input_tokens and prompt_preview, as `interactions` does."""

    def usage(self, query: UsageQuery, *, after: tuple[str, ...] | None, limit: int) -> list[Row]:
        """Return up to `limit` groups behind `after`, in the order of their keys.

        A row has the group's dimensions (an unknown value is ""), `interval_start` when the query
        has an interval, and all measures; `amount`, and the first and the last of its currencies as
        `currency_of_amount` and `other_currency`. Its key is interval start, then dimensions.
        """

    def largest(self, query: UsageQuery, *, measure: str, limit: int) -> list[Row]:
        """Return up to `limit` groups as `usage` does, without an interval: those of which `measure` is largest, first.

        `measure` is one of the measures, or `amount`.
        """

    def traits(self, query: UsageQuery, *, after: tuple[str, ...] | None, until: tuple[str, ...]) -> list[Row]:
        """Return how many calls have which trait, of the groups behind `after` up to `until` with it.

        A row has the key of its group in `usage`, `trait` and `calls`; what a trait says: `shared.domain.traits`.
        """

    def partitions(self) -> list[PartitionCounts]:
        """Return the counts of every hub and partition, all as of one moment."""

    def timer_runs(self) -> Mapping[str, str]:
        """Return when each timer function began to run last, canonical UTC."""

    def quarantined(self, *, after: ListKey | None, limit: int) -> list[Row]:
        """Return up to `limit` rows, without bodies, behind `after` in (enqueued_at, id) order, newest first.

        What was discarded is not among them.
        """

    def findings(self, narrow: FindingFilter, *, after: ListKey | None, limit: int) -> list[Row]:
        """Return up to `limit` rows behind `after` in (hour, id) order, newest first."""

    def check(self) -> None:
        """Return if the database answers and holds the ledger's tables."""


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


class CompletenessStore(Protocol):
    """What completeness is judged by, and what was found. `start` is inclusive, `end` exclusive; None ends nothing."""

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

    def unpriced_in(self, start: str, end: str | None, *, limit: int) -> list[Unpriced]:
        """Return calls that occurred then without a price or on a deployment nobody described, most first."""

    def ambiguous_in(self, start: str, end: str | None, *, limit: int) -> list[tuple[str, int]]:
        """Return tags that name several payers, and how many interactions that occurred then have each, most first."""

    def recount(self, hub: str, partition: str) -> bool:
        """Count the deliveries of a partition again; return False if some came meanwhile, and nothing was changed."""

    def unresolved_hours(self, limit: int) -> list[str]:
        """Return up to `limit` hours with findings that still hold, the newest first."""

    def record(self, hours: Collection[str], findings: Collection[Finding], *, at: str) -> None:
        """Make `findings` those of `hours`: new ones are added, vanished ones resolved, the same stay as they are."""

    def unresolved(self) -> dict[str, int]:
        """Return the number of findings that still hold, by kind."""

    def standing(self) -> Standing:
        """Return how the ledger stands."""


class ReadinessStore(Protocol):
    """Marks in the ledger. Every method raises StoreUnavailableError when the database is down."""

    def note(self, name: str, at: str) -> None:
        """Keep that the timer function `name` began to run at `at`, canonical UTC."""

    def last(self) -> Mapping[str, str]:
        """Return when each timer function began to run last."""

    def stored(self, hub: str) -> Mapping[str, int]:
        """Return the last sequence number that was stored of each partition of `hub`."""
