"""What the price book needs from storage."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from shared.pricing.capacity import Reservation
from shared.pricing.entries import Deployment, PriceEntry, Restatement
from shared.pricing.files import Origin, PriceFile
from shared.pricing.payers import Assignment
from shared.questions import DeploymentFilter, PriceFilter

__all__ = [
    "AssignmentStore",
    "BookVersion",
    "DeploymentKey",
    "Loaded",
    "PriceKey",
    "Prices",
    "ReservationKey",
    "Restated",
    "RestatedAmount",
    "RestatementStore",
    "RetailPrices",
]


class Loaded(NamedTuple):
    """What a change of the price book came to."""

    version: int
    """Of the price book since."""
    added: int
    ended: int


class BookVersion(NamedTuple):
    """A change of the price book."""

    version: int
    loaded_at: str
    """Canonical UTC."""
    origin: str
    actor: str | None
    """None: nobody kept it."""


PriceKey = tuple[str, str, str, str, str, str, str, int, str, bool]
"""Model, unit, variant, scope, tier, version, region, above_tokens, valid_from, is_own: their order in lists."""
DeploymentKey = tuple[str, str, str]
"""Name, host, valid_from."""
ReservationKey = tuple[str, str, str, str]
"""Deployment, host, kind, valid_from."""


class Prices(Protocol):
    """The price book. Every method raises StoreUnavailableError when the database is down."""

    def digest(self, origin: Origin) -> str | None:
        """Return the digest of the last change of this kind; None when there was none."""

    def load(self, file: PriceFile, *, at: str, actor: str) -> Loaded:
        """Add what is new in a file to the price book, and end what it ends.

        The hours that they speak of are charged anew. What changes nothing makes no version, but for the shipped list.

        Raises:
            InvalidFileError: an entry says something else than it did before; nothing was loaded.
        """

    def prices(self, narrow: PriceFilter, *, after: PriceKey | None, limit: int) -> list[PriceEntry]:
        """Return up to `limit` prices behind `after`."""

    def deployments(self, narrow: DeploymentFilter, *, after: DeploymentKey | None, limit: int) -> list[Deployment]:
        """Return up to `limit` entries of the table of deployments behind `after`."""

    def reservations(self, *, after: ReservationKey | None, limit: int) -> list[Reservation]:
        """Return up to `limit` reservations behind `after`."""

    def listed(self) -> Sequence[PriceEntry]:
        """Return all prices that are not the organisation's own."""

    def changeable(self, origin: Origin) -> Sequence[PriceEntry] | Sequence[Deployment] | Sequence[Reservation]:
        """Return the entries that the organisation may end: its own prices, its deployments, or its reservations."""

    def versions(self, *, before: int | None, limit: int) -> list[BookVersion]:
        """Return up to `limit` versions of the price book before `before`, newest first."""


class AssignmentStore(Protocol):
    """Who pays for whose calls. Every method raises StoreUnavailableError when the database is down."""

    def change(self, assignments: Sequence[Assignment], *, actor: str, at: str) -> int:
        """Add the assignments that are new, and end those that have an end now; return how many that are.

        Each change is recorded, with who made it. The hours that it concerns are charged anew.

        Raises:
            InvalidFileError: one says something else than it did before; nothing was changed.
        """

    def assignments(self, *, after: tuple[str, ...] | None, limit: int) -> list[Assignment]:
        """Return up to `limit` assignments behind `after`, in the order of `matched`, `name`, `value`, `valid_from`."""


class RestatedAmount(NamedTuple):
    """What the calls of a restated period come to, in one currency."""

    currency: str | None
    """None: of those without a price."""
    amount: Decimal | None
    requests: int
    unpriced_requests: int


class Restated(NamedTuple):
    """A restatement, as it is kept."""

    version: int
    """Of the price book, that it made."""
    restated_at: str
    """Canonical UTC."""
    actor: str | None
    period: Restatement
    reason: str
    finished_at: str | None
    """When all hours had been charged anew; None until then."""
    before: Sequence[RestatedAmount]
    after: Sequence[RestatedAmount]
    """As of `finished_at`."""


class RetailPrices(Protocol):
    """Microsoft's list of retail prices."""

    def items(self, currency: str) -> Iterator[Mapping[str, Any]]:
        """Yield the meters of models with their prices, in the members of the API, numbers as decimals.

        Raises:
            StoreUnavailableError: a page cannot be had, or is none.
        """


class RestatementStore(Protocol):
    """Restated periods. Every method raises StoreUnavailableError when the database is down."""

    def add(self, period: Restatement, *, reason: str, at: str, actor: str) -> int:
        """Keep a restatement and have the hours charged anew; return the version of the price book that it makes.

        Raises:
            NotFoundError: the price book has no such version.
        """

    def restatements(self, *, before: int | None, limit: int) -> list[Restated]:
        """Return up to `limit` restatements of versions before `before`, newest first."""

    def finish(self, *, at: str) -> int:
        """Keep what periods come to whose hours are all charged anew; return how many periods that are."""
