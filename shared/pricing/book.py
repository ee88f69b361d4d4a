"""The price book: which price holds for a model, where and how it ran, and when."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, NamedTuple, TypeVar

from shared.domain.values import hour_of
from shared.pricing.capacity import CapacityKind, Reservation, ReservedHour, reserved_hours
from shared.pricing.entries import Deployment, PriceEntry, Restatement, Scope, Tier, Unit

__all__ = ["Book", "Model", "Place", "Rates", "model_of"]

_VERSION: Final = re.compile(r"(?P<name>.+?)-(?P<version>[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8}|[0-9]{4})(?:-preview)?")
_Entry = TypeVar("_Entry", PriceEntry, Deployment, Reservation)
_OTHER_NAMES: Final = {
    "gpt-3.5-turbo": "gpt-35-turbo",
    "gpt-3.5-turbo-instruct": "gpt-35-turbo-instruct",
    "whisper-1": "whisper",
    "tts-1": "tts",
    "tts-1-hd": "tts-hd",
}
"""How OpenAI names models -> how Azure does."""


class Model(NamedTuple):
    """A model, and which version of it; an unknown version is empty."""

    name: str
    version: str = ""


class Place(NamedTuple):
    """Where and how a call ran."""

    scope: Scope
    tier: Tier
    region: str = ""


@lru_cache(maxsize=4096)
def model_of(name: str | None) -> Model | None:
    """Return the model that an answer names, such as `gpt-4o-2024-08-06`; None for none."""
    if not name:
        return None
    bare = name.lower()
    found = _VERSION.fullmatch(bare)
    model, version = (found["name"], found["version"]) if found else (bare, "")
    return Model(_OTHER_NAMES.get(model, model), version)


@dataclass(frozen=True, slots=True)
class Rates:
    """The prices of one model in one place on one day."""

    entries: Mapping[tuple[Unit, str], Sequence[PriceEntry]]
    """Of each unit and variant, the best first."""
    is_newest_version: bool
    """The version is not known, or not listed, and the newest listed one stands in."""
    differs_by_region: bool
    """The region is not known, and prices differ by it."""

    def find(self, unit: Unit, variant: str, tokens: int) -> PriceEntry | None:
        """Return the price for a call with so many input tokens."""
        held = self.entries.get((unit, variant), ())
        return next((one for one in held if one.above_tokens == 0 or tokens > one.above_tokens), None)

    def only_output(self) -> Unit:
        """Return the one kind of output that the model has; text where it has several, or none."""
        kinds = {unit for unit, _ in self.entries} & {Unit.OUTPUT, Unit.AUDIO_OUTPUT, Unit.IMAGE_OUTPUT}
        return kinds.pop() if len(kinds) == 1 else Unit.OUTPUT


class Book:
    """All prices and deployments of one version of the price book."""

    def __init__(
        self,
        entries: Iterable[PriceEntry],
        deployments: Iterable[Deployment] = (),
        version: int = 0,
        restatements: Sequence[Restatement] = (),
        reservations: Iterable[Reservation] = (),
    ) -> None:
        """Hold entries of any days; of several restatements of an hour the last one counts."""
        self.version = version
        self._restatements = restatements
        self._all = tuple(entries), tuple(deployments), tuple(reservations)
        self._as_of: dict[int, Book] = {}
        self._reserved: dict[str, list[ReservedHour]] = {}
        entries, deployments, _ = self._all
        self._models: dict[str, list[PriceEntry]] = {}
        for entry in entries:
            self._models.setdefault(entry.model, []).append(entry)
        self._deployments: dict[tuple[str, str], list[Deployment]] = {}
        for one in deployments:
            self._deployments.setdefault((one.host, one.name.lower()), []).append(one)
        self._known: dict[tuple[Model, Place, str], Rates] = {}
        self._offered: dict[tuple[str, str], frozenset[Scope]] = {}

    def holding(self, at: str) -> "Book":
        """Return the book by which a call is charged that began at a time: this one, or as an older version had it."""
        if not self._restatements:
            return self
        periods = (one for one in reversed(self._restatements) if one.starts_from <= at < one.starts_before)
        version = next((one.price_version for one in periods), None)
        if version is None:
            return self
        if version not in self._as_of:
            entries, deployments, reservations = self._all
            self._as_of[version] = Book(
                _as_of(entries, version), _as_of(deployments, version), version, (), _as_of(reservations, version)
            )
        return self._as_of[version]

    def knows(self, model: str, at: str) -> bool:
        """Return whether a model has a price at a time."""
        return bool(self._scopes(model, at))

    def deployment(self, name: str | None, host: str | None, at: str) -> Deployment | None:
        """Return what a deployment is at a time: of its own resource, else of any."""
        if not self._deployments:
            return None
        for owner in dict.fromkeys([(host or "").lower(), ""]):
            held = [one for one in self._deployments.get((owner, (name or "").lower()), ()) if _holds(one, at)]
            if held:
                return max(held, key=lambda one: one.valid_from)
        return None

    def reserved(self, hour: str) -> list[ReservedHour]:
        """Return the capacity that is paid for in an hour, canonical UTC."""
        *_, reservations = self._all
        if not reservations:
            return []
        if hour not in self._reserved:

            def model_of(host: str, name: str) -> tuple[str, str]:
                mapped = self.deployment(name, host, hour)
                return (mapped.model, mapped.version) if mapped else ("", "")

            self._reserved[hour] = reserved_hours(reservations, hour, model_of)
        return self._reserved[hour]

    def throughput(self, name: str | None, host: str | None, at: str) -> ReservedHour | None:
        """Return the provisioned throughput of a deployment in the hour of a time: of its resource, else of any."""
        reserved = self.reserved(hour_of(at))
        if not reserved:
            return None
        held = {(one.host, one.deployment): one for one in reserved if one.kind is CapacityKind.PROVISIONED}
        key = (name or "").lower()
        return held.get(((host or "").lower(), key)) or held.get(("", key))

    def scope_of(self, model: str, at: str) -> Scope | None:
        """Return the first scope, from the widest on, in which a model has a price at a time."""
        held = self._scopes(model, at)
        return next((scope for scope in Scope if scope in held), None)

    def _scopes(self, model: str, at: str) -> frozenset[Scope]:
        """Return the scopes in which a model has a price at a time: the same all day, as prices begin with days."""
        key = (model, at[:10])
        if key not in self._offered:
            self._offered[key] = frozenset(one.scope for one in self._models.get(model, ()) if _holds(one, at))
        return self._offered[key]

    def rates(self, model: Model, place: Place, at: str) -> Rates:
        """Return the prices of a model in a place at a time; none where there are none.

        Prices begin and end with days, so those of a day are the same.
        """
        key = (model, place, at[:10])
        if key not in self._known:
            self._known[key] = self._rates(model, place, at)
        return self._known[key]

    def _rates(self, model: Model, place: Place, at: str) -> Rates:
        held = [one for one in self._models.get(model.name, ()) if _holds(one, at)]
        version, is_newest = _listed(model.version, {one.version for one in held})
        fitting = [
            one for one in held if (one.scope, one.tier) == (place.scope, place.tier) and one.version in {version, ""}
        ]
        here = [one for one in fitting if one.region in {place.region, ""}]
        # The highest threshold first; then the organisation's own, the more exact, and what came last.
        here.sort(
            key=lambda one: (one.above_tokens, one.is_own, bool(one.version), bool(one.region), one.valid_from),
            reverse=True,
        )
        entries: dict[tuple[Unit, str], list[PriceEntry]] = {}
        for one in here:
            entries.setdefault((one.unit, one.variant), []).append(one)
        differs = not place.region and any(one.region for one in fitting)
        return Rates(entries, is_newest, differs)


def _as_of(entries: Iterable[_Entry], version: int) -> Iterator[_Entry]:
    """Yield entries as they stood in a version: those that came with it or before, without later ends."""
    for one in entries:
        if one.book_version <= version:
            is_later = one.ended_version is not None and one.ended_version > version
            yield replace(one, valid_to=None, ended_version=None) if is_later else one


def _holds(one: PriceEntry | Deployment, at: str) -> bool:
    return one.valid_from <= at and (one.valid_to is None or at < one.valid_to)


def _listed(version: str, listed: set[str]) -> tuple[str, bool]:
    """Return the listed version whose prices hold, and whether it only stands in for the one that ran."""
    if version in listed or not listed:
        return version, False
    if "" in listed:
        return "", False
    return max(listed), bool(version) or len(listed) > 1
