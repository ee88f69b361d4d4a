"""Charges in SQL: what each interaction costs, and what those of an hour add up to by meter."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared.pricing.book import Book
from shared.pricing.charge import PRICED_BY, Charge, charge_of
from shared.pricing.costs import COST_OF, Costs
from shared.pricing.payers import PAID_BY, Payers
from shared.stores.ports import Row
from shared.stores.sql import tables
from shared.stores.sql.conditions import is_within

__all__ = ["Terms", "charge_row", "charged", "costs_of"]

_AT_A_TIME: Final = 5_000
"""Interactions that are in memory at one time."""


class Terms(NamedTuple):
    """By what calls are charged."""

    book: Book
    payers: Payers
    used: Mapping[tuple[str, str], int]
    """Weighted tokens that share capacity, by its name and hour."""


def charge_row(call: Row, terms: Terms, *, counts: bool) -> tuple[Charge, Row]:
    """Return an interaction's charge, and the row of it, but for what it counts as.

    Args:
        call: an interaction: its id, and what its charge follows from.
        terms: prices, and who pays for whose calls.
        counts: whether its usage counts.
    """
    payer = terms.payers.payer(call)
    charge = charge_of(call, terms.book, counts=counts, used=terms.used)
    row = {
        "occurred_at": call["occurred_at"],
        "interaction_id": call["id"],
        "amount": charge.amount,
        "currency": charge.currency,
        "price_version": charge.price_version,
        "confidence": charge.confidence.value,
        "reason": charge.reason,
        "team": payer.team,
        "cost_centre": payer.cost_centre,
        "matched": payer.matched,
        "capacity": charge.capacity,
        "weight": charge.weight,
    }
    return charge, row


def costs_of(connection: Connection, terms: Terms, counts: sa.ColumnElement[int], start: str, end: str | None) -> Costs:
    """Return the cost lines that the interactions of an hour add up to: those that have a charge, as they are now.

    The lines of the others are added when they are charged.

    Args:
        connection: in a transaction.
        terms: prices, and who pays for whose calls.
        counts: 1 where an interaction's usage counts, else 0.
        start: of the hour, canonical UTC.
        end: of it; None: there is none.
    """
    costs = Costs()
    for calls in _calls(connection, counts, start, end):
        for call in calls:
            payer = terms.payers.payer(call)
            charge = charge_of(call, terms.book, counts=bool(call["counts"]), used=terms.used)
            costs.add(call, charge, team=payer.team, cost_centre=payer.cost_centre)
    return costs


def _calls(connection: Connection, counts: sa.ColumnElement[int], start: str, end: str | None) -> Iterator[list[Row]]:
    """Yield interactions in the order of their charges' keys, so many at a time."""
    table, charge = tables.interaction.c, tables.charge.c
    columns = [table[name] for name in dict.fromkeys((*PRICED_BY, *PAID_BY, *COST_OF))]
    charges = sa.exists().where(charge.occurred_at == table.occurred_at, charge.interaction_id == table.id)
    query = sa.select(table.id, *columns, counts.label("counts"))
    query = query.where(is_within(table.occurred_at, start, end), charges)
    ordered = query.order_by(table.occurred_at, table.id).limit(_AT_A_TIME)
    statement = ordered
    while page := list(map(dict, connection.execute(statement).mappings())):
        yield page
        if len(page) < _AT_A_TIME:
            return
        at, name = page[-1]["occurred_at"], page[-1]["id"]
        behind = sa.or_(table.occurred_at > at, sa.and_(table.occurred_at == at, table.id > name))
        # The first condition says no more than the second, but an index can seek by it.
        statement = ordered.where(table.occurred_at >= at, behind)


def charged(*columns: Any) -> sa.Select[Any]:  # noqa: ANN401  # whatever may be selected
    """Return a selection from interactions, each beside its charge where it has one."""
    call, charge = tables.interaction, tables.charge
    # By the time too: an interaction that moved to another hour has a charge in each until both are made anew.
    same = sa.and_(charge.c.occurred_at == call.c.occurred_at, charge.c.interaction_id == call.c.id)
    return sa.select(*columns).select_from(call.outerjoin(charge, same))
