"""Changes of the price book, by file and by request, and questions about it."""

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Final, Generic, NamedTuple, TypeVar

from shared.domain.values import hour_of, utc_now, utc_of
from shared.errors import InvalidFileError, InvalidRequestError, NotFoundError
from shared.pricing.capacity import Reservation
from shared.pricing.entries import Deployment, PriceEntry
from shared.pricing.files import Origin, PriceFile, digest_of, read_entries, read_file, shipped_text
from shared.questions import DeploymentFilter, PriceFilter
from shared.stores.price_ports import BookVersion, DeploymentKey, Loaded, PriceKey, Prices, ReservationKey

__all__ = ["BookPage", "PriceService", "entry_id", "load_file", "load_shipped_prices", "with_shipped_prices"]

logger = logging.getLogger(__name__)

_RELEASE = "release"
"""Who loads the shipped list."""
_MIDNIGHT: Final = "T00:00:00.000Z"
_Item = TypeVar("_Item")


def load_file(prices: Prices, origin: Origin, text: str, *, actor: str, now: Callable[[], datetime] = utc_now) -> int:
    """Load a CSV file into the price book; return how many entries it added or ended. Idempotent.

    Raises:
        InvalidFileError: a line cannot be read, or contradicts the price book; nothing was loaded.
        StoreUnavailableError: nothing was loaded.
    """
    loaded = _loaded(prices, read_file(origin, text), actor, now)
    return loaded.added + loaded.ended


def _loaded(prices: Prices, file: PriceFile, actor: str, now: Callable[[], datetime]) -> Loaded:
    loaded = prices.load(file, at=utc_of(now()), actor=actor)
    logger.info("prices.load origin=%s changed=%d", file.origin.value, loaded.added + loaded.ended)
    return loaded


def load_shipped_prices(prices: Prices, *, now: Callable[[], datetime] = utc_now) -> int:
    """Load the list that this release ships, unless it is in the price book; return how many entries changed.

    Raises:
        StoreUnavailableError: nothing was loaded.
    """
    if prices.digest(Origin.LIST) == _shipped_digest():
        return 0
    return load_file(prices, Origin.LIST, shipped_text(), actor=_RELEASE, now=now)


def with_shipped_prices(prices: Prices, rebuild: Callable[[], int]) -> int:
    """Load the list that this release ships, then rebuild the rollups; return what `rebuild` returns.

    Raises:
        InvalidFileError: the list contradicts the price book; the rollups were rebuilt all the same.
        StoreUnavailableError: as `rebuild` does.
    """
    try:
        load_shipped_prices(prices)
    finally:
        # Usage is not to stand still because a price is at fault.
        rebuilt = rebuild()
    return rebuilt


@cache
def _shipped_digest() -> str:
    return digest_of(shipped_text())


def entry_id(entry: PriceEntry | Deployment | Reservation) -> str:
    """Return the name by which a request may end an entry: the same as long as it stands in the price book."""
    return hashlib.sha256(repr(tuple(map(str, entry.key))).encode()).hexdigest()[:32]


class BookPage(NamedTuple, Generic[_Item]):
    """Part of a list, in the order of its keys."""

    items: Sequence[_Item]
    next: tuple[str, ...] | None
    """The key of its last item; None at the end."""


class PriceService:
    """The use cases of the API. Every method raises StoreUnavailableError when the database is down."""

    def __init__(self, prices: Prices, *, now: Callable[[], datetime] = utc_now) -> None:
        """Read and change `prices`."""
        self._prices = prices
        self._now = now

    def prices(self, narrow: PriceFilter, *, after: PriceKey | None, limit: int) -> BookPage[PriceEntry]:
        """Return prices, in the order of model, unit and where they hold."""
        found = self._prices.prices(narrow, after=after, limit=limit + 1)
        return _page(found, limit, _price_key)

    def deployments(self, narrow: DeploymentFilter, *, after: DeploymentKey | None, limit: int) -> BookPage[Deployment]:
        """Return what deployments are, in the order of their names."""
        found = self._prices.deployments(narrow, after=after, limit=limit + 1)
        return _page(found, limit, lambda one: (one.name, one.host, one.valid_from))

    def reservations(self, *, after: ReservationKey | None, limit: int) -> BookPage[Reservation]:
        """Return reservations, in the order of their deployments."""
        found = self._prices.reservations(after=after, limit=limit + 1)
        return _page(found, limit, lambda one: (one.deployment, one.host, one.kind, one.valid_from))

    def versions(self, *, before: int | None, limit: int) -> BookPage[BookVersion]:
        """Return the changes of the price book, newest first."""
        return _page(self._prices.versions(before=before, limit=limit + 1), limit, lambda one: (str(one.version),))

    def add(self, origin: Origin, entries: Sequence[Mapping[str, str]], *, actor: str) -> Loaded:
        """Add entries of the organisation's, each as the texts of a line; asking twice has the effect of asking once.

        Raises:
            InvalidRequestError: an entry cannot be read, or contradicts the price book; nothing was added.
        """
        try:
            return _loaded(self._prices, read_entries(origin, entries), actor, self._now)
        except InvalidFileError as error:
            raise InvalidRequestError("entries", str(error)) from error

    def end(self, origin: Origin, identifier: str, valid_to: str, *, actor: str) -> Loaded:
        """Let an entry of the organisation's hold no longer than until before `valid_to`, canonical UTC.

        Raises:
            NotFoundError: the organisation has no such entry.
            InvalidRequestError: it had ended, or begins later; or it is to end within a day (capacity: an hour).
        """
        found = next((one for one in self._prices.changeable(origin) if entry_id(one) == identifier), None)
        if found is None:
            raise NotFoundError("the organisation has no entry with this id in the price book")
        if found.valid_to not in {None, valid_to}:
            raise InvalidRequestError("validTo", "it has an end already, which stays as it is")
        if origin is Origin.OWN and not valid_to.endswith(_MIDNIGHT):
            raise InvalidRequestError("validTo", "give a day: prices begin and end with days")
        if origin is Origin.RESERVATIONS and hour_of(valid_to) != valid_to:
            raise InvalidRequestError("validTo", "give a whole hour")
        if valid_to <= found.valid_from:
            raise InvalidRequestError("validTo", "it must be later than validFrom")
        ended = replace(found, valid_to=valid_to)
        file = PriceFile(origin, digest_of(repr(ended)), [ended])  # type: ignore[arg-type]  # of one kind
        return _loaded(self._prices, file, actor, self._now)


def _price_key(one: PriceEntry) -> tuple[str, ...]:
    where = (one.model, one.unit, one.variant, one.scope, one.tier, one.version, one.region)
    return (*where, str(one.above_tokens), one.valid_from, str(int(one.is_own)))


def _page(found: Sequence[_Item], limit: int, key: Callable[[_Item], tuple[str, ...]]) -> BookPage[_Item]:
    """Return a page of `limit` items; one more than that tells that there is another page."""
    return BookPage(found[:limit], key(found[limit - 1]) if len(found) > limit else None)
