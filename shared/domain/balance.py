"""Where every event received is: what is stored of a delivery, and the classes that add up to what was received."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import NamedTuple

__all__ = ["Balance", "BalanceClass", "IngestOutcome", "Outcome", "PartitionCounts", "balance_of", "class_of", "sum_of"]


class Outcome(StrEnum):
    """What became of an event when it came to its position the first time; stored with the delivery."""

    KEPT = "kept"
    """It says something new."""
    DUPLICATE = "duplicate"
    """It says nothing that was not known."""
    SKIPPED = "skipped"
    """It speaks of no call, or was discarded from quarantine."""
    QUARANTINED = "quarantined"
    """It cannot be understood."""


class BalanceClass(StrEnum):
    """Where an event received is now; each is in exactly one class."""

    STORED = "stored"
    """Kept, and nothing that it speaks of is awaited."""
    DUPLICATE = "duplicate"
    """Known already: by what it says, or by its position."""
    PENDING = "pending"
    """Kept, and an interaction that it speaks of lacks a part."""
    SKIPPED = "skipped"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Balance:
    """Events received, and how many of them are in each class; a field is named as its class is."""

    received: int = 0
    stored: int = 0
    duplicate: int = 0
    pending: int = 0
    skipped: int = 0
    quarantined: int = 0

    @staticmethod
    def of(classes: Mapping[BalanceClass, int], *, received: int | None = None) -> "Balance":
        """Return a balance: `received` is the sum of the classes, unless somebody counted it."""
        total = sum(classes.values()) if received is None else received
        return Balance(received=total, **{one.value: classes.get(one, 0) for one in BalanceClass})

    @property
    def classes(self) -> dict[BalanceClass, int]:
        """Return the number of events in each class."""
        return {one: getattr(self, one.value) for one in BalanceClass}

    @property
    def unaccounted(self) -> int:
        """Return how far the classes are from what was received; anything but 0 is a fault of ours."""
        return abs(self.received - sum(self.classes.values()))


def class_of(outcome: Outcome, *, waits: bool) -> BalanceClass:
    """Return the class of an event whose delivery has `outcome`; `waits`: an interaction it speaks of is pending."""
    if outcome is Outcome.KEPT:
        return BalanceClass.PENDING if waits else BalanceClass.STORED
    return BalanceClass(outcome.value)


def balance_of(
    outcomes: Mapping[Outcome, int], *, waiting: int, redelivered: int, received: int | None = None
) -> Balance:
    """Add up the balance.

    Args:
        outcomes: numbers of deliveries.
        waiting: of those kept, how many speak of an interaction that is pending now.
        redelivered: events that came to a position where one had come before.
        received: as counted when they came; None where nobody did: the sum of the classes.
    """
    classes = dict.fromkeys(BalanceClass, 0)
    for outcome, number in outcomes.items():
        classes[class_of(outcome, waits=False)] += number
    classes[BalanceClass.STORED] -= waiting
    classes[BalanceClass.PENDING] += waiting
    classes[BalanceClass.DUPLICATE] += redelivered
    return Balance.of(classes, received=received)


class PartitionCounts(NamedTuple):
    """What the ledger holds about one partition of one hub."""

    hub: str
    partition: str
    received: int
    redelivered: int
    outcomes: Mapping[Outcome, int]
    """Of the others."""
    waiting: int
    """Of the kept, those that speak of an interaction which is pending now."""
    last_sequence: int | None
    last_enqueued_at: str | None

    @property
    def balance(self) -> Balance:
        """Return where the events are, as the ledger counts them."""
        return balance_of(self.outcomes, waiting=self.waiting, redelivered=self.redelivered, received=self.received)


def sum_of(balances: Iterable[Balance]) -> Balance:
    """Return the balance of all of them together."""
    received = 0
    classes = dict.fromkeys(BalanceClass, 0)
    for balance in balances:
        received += balance.received
        for one, number in balance.classes.items():
            classes[one] += number
    return Balance.of(classes, received=received)


@dataclass(frozen=True, slots=True)
class IngestOutcome(Balance):
    """The balance of a batch, and what else is worth telling of it."""

    retries: int = field(default=0, compare=False)
    """Times that the batch was begun again: another writer was first, or the database did not do it."""
    input_tokens: int = field(default=0, compare=False)
    """Of the batch's interactions, more than the ledger knew before."""
    output_tokens: int = field(default=0, compare=False)
    unknown_words: Counter[str] = field(default_factory=Counter, compare=False)
    """`kind:word` (`shared.domain.unknown_words`) -> interactions of the batch, or events that speak of none, that
    have it and had it not before."""
    secrets: int = field(default=0, compare=False)
    """Taken out of the events before anything was stored."""

    def __add__(self, other: "IngestOutcome") -> "IngestOutcome":
        """Return what became of both batches' events."""
        return IngestOutcome(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))

    def __str__(self) -> str:
        """Return the counts as `name=value` pairs, for the log."""
        names = [one.name for one in fields(self) if one.name != "unknown_words"]
        return " ".join(f"{name}={getattr(self, name)}" for name in names)
