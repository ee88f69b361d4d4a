"""How many interactions a filter finds, counted no further than a bound."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared.questions import CallCount, InteractionFilter
from shared.stores.sql import tables
from shared.stores.sql.access import PAYER, Way, way_of
from shared.stores.sql.conditions import conditions_of, range_of
from shared.stores.sql.dialects import by_index, by_key, by_value
from shared.stores.sql.indexes import BY_TIME, index_of

__all__ = ["count_statement", "read_count"]


def read_count(connection: Connection, narrow: InteractionFilter, *, most: int) -> CallCount:
    """Return what `AuditStore.count` does."""
    statement = count_statement(narrow, most=most, way=way_of(connection, narrow, None))
    looked_at, count = connection.execute(statement).first() or (0, 0)
    return CallCount(min(count, most), looked_at > most)


def count_statement(narrow: InteractionFilter, *, most: int, way: Way | None) -> sa.Select[Any]:
    """Return the statement of how many entries were looked at, `most` and one more, and how many calls are among them.

    What is looked at is what the rarest filter finds. Where no index is known to find few, it is what all of them
    find together, as of the list.
    """
    facts = tables.interaction
    number = sa.func.count()
    if way is None:
        together = sa.select(facts.c.id).where(*conditions_of(narrow)).order_by(facts.c.occurred_at.desc())
        found = by_index(together, facts, index_of(BY_TIME)).limit(most + 1).subquery("found")
        both: list[Any] = [number, sa.func.count(found.c.id)]
        return by_value(sa.select(*both).select_from(found))
    first = way.first
    key = PAYER.c.interaction_id if first.table is PAYER else facts.c.id
    entries: sa.Select[Any] = sa.select(key.label("id")).where(*first.conditions, *range_of(narrow, first.table))
    if first.in_order:
        entries = entries.order_by(first.table.c.occurred_at.desc())
    found = by_index(entries, first.table, first.index_name).limit(most + 1).subquery("found")
    # A charge may be of where a call was before it moved: what it says is asked of the call once more.
    known = () if first.table is PAYER else first.filters
    held = sa.select(facts.c.id).where(facts.c.id.in_(sa.select(found.c.id)), *conditions_of(narrow, without=known))
    count = sa.select(number).select_from(by_key(held, facts).subquery("held")).scalar_subquery()
    return by_value(sa.select(number, count).select_from(found))
