"""Charges -> cost lines: what the calls of one payer used of one meter, and what that costs. Pure, in decimals."""

from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from typing import Any, Final, NamedTuple

from shared.pricing.charge import Charge
from shared.pricing.entries import PriceEntry

__all__ = ["CALL", "COST_OF", "CostKey", "CostKind", "Costs"]

CALL: Final = "call"
"""The unit of the lines that count calls; they bear no amount, or 0 where all of them are free."""
COST_OF: Final = ("subscription_id", "product_id", "model", "served_deployment", "deployment", "backend_host")
"""The fields of an interaction that its cost lines follow from, beside those of its charge."""

_PLACES: Final = Decimal("1e-6")
_ONE: Final = Decimal(1)
_NOTHING: Final = Decimal(0)


class CostKind(StrEnum):
    """What a cost line is for."""

    CHARGE = "charge"
    """Calls."""
    IDLE = "idle"
    """Provisioned capacity that no call used."""


class CostKey(NamedTuple):
    """What a cost line is of; what is not known is empty."""

    kind: CostKind
    team: str
    cost_centre: str
    subscription_id: str
    product_id: str
    model: str
    deployment: str
    """The one that served."""
    host: str
    confidence: str
    currency: str
    unit: str
    meter: str
    """Which price it is, in words."""
    price: Decimal
    """Of 1,000,000 units."""


class Costs:
    """The cost lines of some calls."""

    def __init__(self) -> None:
        """Hold none yet."""
        self._sums: dict[CostKey, tuple[Decimal, Decimal | None]] = {}
        self._meters: dict[int, tuple[PriceEntry, str]] = {}
        self.calls = 0
        """How many were added."""

    def add(self, call: Mapping[str, Any], charge: Charge, *, team: str | None, cost_centre: str | None) -> None:
        """Add a call: one to the calls, and each part of its charge.

        Args:
            call: an interaction, at least `COST_OF`.
            charge: of it.
            team: that pays for it; None: nobody knows.
            cost_centre: likewise.
        """
        calls = CostKey(
            CostKind.CHARGE,
            team or "",
            cost_centre or "",
            call.get("subscription_id") or "",
            call.get("product_id") or "",
            call.get("model") or "",
            call.get("served_deployment") or call.get("deployment") or "",
            call.get("backend_host") or "",
            charge.confidence.value,
            charge.currency or "",
            CALL,
            "",
            _NOTHING,
        )
        self.calls += 1
        # Free is known to be 0; a charge without parts is otherwise one that is not known.
        rest = charge.amount if not charge.parts else None
        self._add(calls, _ONE, rest)
        for part in charge.parts:
            key = calls._replace(unit=part.entry.unit.value, meter=self._meter(part.entry), price=part.price)
            self._add(key, part.number, part.amount)

    def lines(self) -> Iterator[tuple[CostKey, Decimal, Decimal | None]]:
        """Yield key, quantity to six places, and amount of each line; an amount that is not known is None."""
        for key, (quantity, amount) in self._sums.items():
            yield key, quantity.quantize(_PLACES, ROUND_HALF_EVEN), amount

    def _add(self, key: CostKey, quantity: Decimal, amount: Decimal | None) -> None:
        before, spent = self._sums.get(key, (_NOTHING, None))
        self._sums[key] = (before + quantity, spent if amount is None else (spent or _NOTHING) + amount)

    def _meter(self, entry: PriceEntry) -> str:
        # By identity: the book holds each entry once, and to hash one takes longer than all the rest.
        known = self._meters.get(id(entry))
        if known is None:
            known = self._meters[id(entry)] = (entry, _words(entry))
        return known[1]


def _words(entry: PriceEntry) -> str:
    """Return which price an entry is: `gpt-4o 2024-11-20 global standard input`, and what else tells it apart."""
    above = f"above {entry.above_tokens}" if entry.above_tokens else ""
    own = "own" if entry.is_own else ""
    words = (
        *(entry.model, entry.version, entry.scope.value, entry.tier.value, entry.region),
        *(entry.unit.value, entry.variant, above, own),
    )
    return " ".join(filter(None, words))
