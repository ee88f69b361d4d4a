"""What a charge is."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

from shared.pricing.entries import PriceEntry

__all__ = ["TOOLS_EXTRA", "Charge", "Confidence", "Part"]

TOOLS_EXTRA: Final = "tools-extra"
"""A reason: tools are billed beside the call, and the amount is without them."""


class Confidence(StrEnum):
    """How far a charge is to be trusted."""

    EXACT = "exact"
    """Reported usage at the list's or the organisation's price."""
    ESTIMATED = "estimated"
    """Something was assumed; the reason says what."""
    NO_PRICE = "no-price"
    """Used, and the book has no price for it."""
    UNMETERED = "unmetered"
    """Nothing tells what it used."""
    FREE = "free"
    """Nothing is charged for it."""


class Part(NamedTuple):
    """So much of a charge is for so many units at one price."""

    entry: PriceEntry
    number: Decimal
    """Of the entry's unit."""
    price: Decimal
    """Of 1,000,000: the entry's, or a tier's part of it."""
    amount: Decimal
    """The parts of a charge add up to its amount, to the last digit."""


@dataclass(frozen=True, slots=True)
class Charge:
    """What a call costs; without an amount where that is not known."""

    confidence: Confidence
    reason: str | None = None
    """Why it is not exact, in one word."""
    amount: Decimal | None = None
    """To `_PLACES`."""
    currency: str | None = None
    """None where nothing was priced."""
    price_version: int | None = None
    """The version of the price book that the newest of its prices came with."""
    capacity: str | None = None
    """The provisioned throughput that it has a part of; None where it has a price of its own."""
    weight: int | None = None
    """Its weighted tokens, where it has a part of that; None: not known."""
    parts: tuple[Part, ...] = field(default=(), compare=False)
    """What the amount is made of: it follows from the call and the book, as the amount does."""
