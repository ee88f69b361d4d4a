"""What Azure billed beside what the ledger charged: by day, account, kind of unit and model, with the causes. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final

from shared.pricing.bills import Billed, account_of
from shared.pricing.costs import CALL

__all__ = ["CAUSES", "Reconciled", "Variance", "reconcile"]

CAUSES: Final = {
    "rounding": "they differ by no more than the tolerance",
    "price": "as many units, at another price",
    "not-metered": "calls of that day and account told no usage, or have no price",
    "bypass": "the ledger knows no call of that account on that day: they passed by the gateway, and no log told",
    "missing": "the ledger knows fewer units than were billed, and no call that would explain it",
    "not-billed": "Azure billed nothing of what was charged: not yet, or on another meter",
    "more-charged": "the ledger charged more units than were billed",
    "currency": "the amounts are of two currencies",
}
"""Why a variance is there: word -> what it means."""
_LEAST: Final = Decimal("0.01")
"""Of a currency: less is rounding on any invoice."""
_PROVISIONED: Final = "provisioned"
"""How the meters of provisioned throughput begin, Azure's and those of its hours' rests."""

Key = tuple[str, str, str, str]
"""Day, account, kind of unit, model."""


@dataclass(slots=True)
class _Side:
    quantity: Decimal = Decimal(0)
    amount: Decimal = Decimal(0)
    names: set[str] = field(default_factory=set)
    """Meters that were billed; deployments that were charged."""
    currencies: set[str] = field(default_factory=set)

    def add(self, quantity: Decimal, amount: Decimal, name: str, currency: str) -> None:
        self.quantity += quantity
        self.amount += amount
        self.currencies.add(currency)
        if name:
            self.names.add(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variance:
    """One comparison."""

    day: str
    account: str
    kind: str
    model: str
    """Of the price book; where nothing that was charged fits, the name of the meter."""
    meters: list[str]
    deployments: list[str]
    currency: str | None
    billed_quantity: Decimal
    charged_quantity: Decimal
    billed_amount: Decimal
    charged_amount: Decimal
    cause: str | None
    """Of `CAUSES`; None: both are the same."""
    within_tolerance: bool
    bypass_calls: int
    """Calls of that day and account that only Azure OpenAI's own log knows: they are charged like all others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """All comparisons, in the order of day, account, kind and model."""

    variances: list[Variance]
    purchases: Decimal
    """What reservations cost that were bought: in no comparison."""


def reconcile(
    billed: Iterable[Billed],
    charged: Iterable[Mapping[str, Any]],
    *,
    tolerance: Decimal,
    bypasses: Mapping[tuple[str, str], int] = {},  # nobody writes to it
) -> Reconciled:
    """Return how what was billed compares to what was charged.

    An export names no deployment, but account and meter; a meter's name holds the model's, in spellings of its own. So
    both sides are added up by day, account, kind of unit and model, and the deployments stand beside.

    Args:
        billed: rows of an export.
        charged: cost lines of the same days: `day`, `host`, `deployment`, `unit`, `meter`, `currency`, `confidence`,
            `quantity`, `amount`.
        bypasses: day and account -> the calls that only Azure OpenAI's own log knows.
        tolerance: part of the billed amount, or number, by which the charged one may differ.
    """
    ours: dict[Key, _Side] = {}
    silent: set[tuple[str, str]] = set()
    known: set[tuple[str, str]] = set()
    for line in charged:
        account = account_of(line["host"])
        known.add((line["day"], account))
        if line["confidence"] in {"no-price", "unmetered"}:
            silent.add((line["day"], account))
        quantity = Decimal(0) if line["unit"] == CALL else line["quantity"]
        # Lines of calls bear an amount where calls share an hour of provisioned throughput, whose rest is a line too.
        if line["amount"] is not None and (line["unit"] != CALL or line["amount"]):
            model = line["meter"].partition(" ")[0] or _PROVISIONED
            key = (line["day"], account, _PROVISIONED if model == _PROVISIONED else line["unit"], model)
            ours.setdefault(key, _Side()).add(quantity, line["amount"], line["deployment"], line["currency"])
    theirs: dict[Key, _Side] = {}
    purchases = Decimal(0)
    models = sorted({key[3] for key in ours}, key=len, reverse=True)
    for row in billed:
        if row.purchase:
            purchases += row.amount
            continue
        key = (row.day, row.account, row.kind, _model(row.meter, models))
        theirs.setdefault(key, _Side()).add(row.quantity, row.amount, row.meter, row.currency)
    variances = [
        replace(
            _variance(key, theirs.get(key), ours.get(key), tolerance, known=key[:2] in known, silent=key[:2] in silent),
            bypass_calls=bypasses.get(key[:2], 0),
        )
        for key in sorted(ours.keys() | theirs.keys())
    ]
    return Reconciled(variances=variances, purchases=purchases)


def _model(meter: str, models: Sequence[str]) -> str:
    """Return the model that a meter's name begins with, the longest that does; else the meter's name."""
    bare = _bare(meter)
    return next((model for model in models if bare.startswith(_bare(model))), meter)


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower().removeprefix("azure openai"))


def _variance(
    key: Key, billed: _Side | None, charged: _Side | None, tolerance: Decimal, *, known: bool, silent: bool
) -> Variance:
    day, account, kind, model = key
    theirs, ours = billed or _Side(), charged or _Side()
    currencies = theirs.currencies | ours.currencies
    within = len(currencies) == 1 and abs(ours.amount - theirs.amount) <= max(_LEAST, tolerance * abs(theirs.amount))
    if len(currencies) > 1:
        cause = "currency"
    elif ours.amount == theirs.amount and ours.quantity == theirs.quantity:
        cause = None
    elif within:
        cause = "rounding"
    elif billed is None:
        cause = "not-billed"
    elif not known:
        cause = "bypass"
    elif abs(ours.quantity - theirs.quantity) <= tolerance * abs(theirs.quantity):
        cause = "price"
    elif ours.quantity > theirs.quantity:
        cause = "more-charged"
    else:
        cause = "not-metered" if silent else "missing"
    return Variance(
        day=day,
        account=account,
        kind=kind,
        model=model,
        meters=sorted(theirs.names),
        deployments=sorted(ours.names),
        currency=next(iter(currencies)) if len(currencies) == 1 else None,
        billed_quantity=theirs.quantity,
        charged_quantity=ours.quantity,
        billed_amount=theirs.amount,
        charged_amount=ours.amount,
        cause=cause,
        within_tolerance=within,
        bypass_calls=0,
    )
