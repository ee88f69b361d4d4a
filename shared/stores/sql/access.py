"""By which index a list of interactions is read: the filter that finds the fewest leads, the others are checked.

Azure SQL knows how often each value occurs, and chooses by itself. SQLite keeps averages alone, which say nothing of a
user who makes half of all calls: it is told, after a look at the first entries of each index. docs/queries.md has the
table, docs/adr/0011-find-by-index.md the reasons.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.sql.visitors import replacement_traverse

from shared.domain.values import canonical
from shared.questions import Condition, Filter, InteractionFilter
from shared.stores.sql import tables
from shared.stores.sql.conditions import BYPASSES, condition_of, groups_of, is_equal, range_of
from shared.stores.sql.dialects import by_index, dialect_of
from shared.stores.sql.indexes import LISTS, SOURCE_LIST, index_of
from shared.stores.sql.types import PlaceOf

__all__ = ["PAYER", "Access", "Look", "Way", "accesses_of", "chosen", "in_index", "look_statement", "way_of"]

_TABLE: Final = tables.interaction.c
_OTHER: Final = tables.interaction.alias("other")
PAYER: Final = tables.charge.alias("payer")
_OTHER_PAYER: Final = tables.charge.alias("other")

_FEW: Final = 1_000
"""Entries that are looked at, of an index in the order of the list."""
_SORTED: Final = 20_000
"""Entries that are sorted, rather than that the list is read row by row until enough are found."""


class Access(NamedTuple):
    """An index by which the rows of some filters are found."""

    index_name: str
    conditions: tuple[sa.ColumnElement[bool], ...]
    """What the index alone tells: all that its filters ask."""
    filters: tuple[Filter, ...] = ()
    in_order: bool = True
    """Whether the index finds the rows in the order of the list."""
    table: sa.FromClause = tables.interaction
    """Whose index it is: `PAYER` finds interactions by their charges."""
    is_ranged: bool = True
    """Whether a range of time leaves less of the index to read; not where it is sought by all values from one on."""

    @property
    def most(self) -> int:
        """How many entries are looked at."""
        return _FEW if self.in_order else _SORTED


class Way(NamedTuple):
    """How rows are read that several filters find."""

    first: Access
    """Finds the fewest."""
    others: tuple[Access, ...] = ()
    """Whose indexes tell, without the row, whether it is found by them too."""


class Look(NamedTuple):
    """What the first entries of an index tell."""

    entries: int
    """`Access.most`, or all there are."""
    reaches: str | None
    """The time of the last of them, where they are in order."""


def accesses_of(narrow: InteractionFilter) -> list[Access]:
    """Return the indexes of what a filter finds, each once; what most rows are, such as not cut, has none."""
    together: dict[str, Access] = {}
    for filters in groups_of(narrow):
        access = _ACCESSES[filters[0].condition](filters[0], narrow.values)
        if access is None:
            continue
        known = together.get(access.index_name, access._replace(conditions=(), filters=()))
        together[access.index_name] = Access(
            access.index_name,
            (*known.conditions, *access.conditions),
            (*known.filters, *filters),
            known.in_order and access.in_order,
            access.table,
            known.is_ranged and access.is_ranged,
        )
    for reach in narrow.reaches:
        for column, values in (("subscription_id", reach.subscriptions), ("product_id", reach.products)):
            # Where one kind alone tells the calls, its index finds them.
            if values and not reach.teams and len(values) == len(reach.subscriptions) + len(reach.products):
                known = together.get(index_of(column), Access(index_of(column), ()))
                together[known.index_name] = known._replace(
                    conditions=(*known.conditions, _TABLE[column].in_(values)),
                    in_order=known.in_order and len(values) == 1,
                )
    return list(together.values())


def look_statement(accesses: Sequence[Access], narrow: InteractionFilter, before: str | None) -> sa.CompoundSelect[Any]:
    """Return the statement of a `Look` at each, with its number.

    Args:
        accesses: what to look at.
        narrow: whose range of time counts.
        before: where the page begins.
    """
    looks = []
    for number, access in enumerate(accesses):
        at = access.table.c.occurred_at
        entries = sa.select(at).where(*access.conditions)
        if access.is_ranged:
            entries = entries.where(*range_of(narrow, access.table))
        if access.is_ranged and before is not None:
            entries = entries.where(at <= before)
        if access.in_order:
            entries = entries.order_by(at.desc())
        first = by_index(entries, access.table, access.index_name).limit(access.most).subquery(f"look_{number}")
        reaches = sa.func.min(first.c.occurred_at) if access.in_order else sa.null()
        looks.append(
            sa.select(sa.literal_column(str(number)).label("number"), sa.func.count(), reaches).select_from(first)
        )
    return sa.union_all(*looks)


def chosen(accesses: Sequence[Access], looks: Mapping[int, Look]) -> Way | None:
    """Return the way that reads the fewest rows, None where that is the list itself, in order of time."""
    ordered = [number for number, one in enumerate(accesses) if one.in_order]
    if rare := [number for number, one in enumerate(accesses) if looks[number].entries < one.most]:
        first = min(rare, key=lambda number: looks[number].entries)
    elif ordered:
        # As many entries reach furthest back where they are rarest.
        first = min(ordered, key=lambda number: looks[number].reaches or "")
    else:
        return None
    return Way(accesses[first], tuple(accesses[number] for number in ordered if number != first))


def way_of(connection: Connection, narrow: InteractionFilter, before: str | None) -> Way | None:
    """Return by which indexes to read; None leaves it to the database, which goes by time if it knows no better."""
    accesses = accesses_of(narrow)
    if len(accesses) == 1 and accesses[0].in_order:
        return Way(accesses[0])
    if not accesses:
        return None
    statement = look_statement(accesses, narrow, before)
    looks: Sequence[Any] = dialect_of(connection).look(connection, statement)
    return chosen(accesses, {number: Look(entries, reaches) for number, entries, reaches in looks}) if looks else None


def in_index(access: Access) -> sa.ColumnElement[bool]:
    """Return whether an index has an entry for the row: on SQLite, where that costs a quarter of reading the row."""
    other = _OTHER_PAYER if access.table is PAYER else _OTHER
    columns = set(access.table.c)

    def moved(element: Any, **_: object) -> Any:  # noqa: ANN401  # SQLAlchemy's elements of every kind
        return other.c[element.key] if element in columns else None

    there: list[sa.ColumnElement[bool]] = [replacement_traverse(one, {}, moved) for one in access.conditions]
    entries = by_index(sa.select(sa.literal(1)).select_from(other), other, access.index_name)
    if other is _OTHER:
        row: sa.ColumnElement[bool] = sa.literal_column("other.rowid = interaction.rowid")
    else:
        row = other.c.interaction_id == _TABLE.id
    same = (other.c.occurred_at == _TABLE.occurred_at, row)
    return entries.where(*there, *same).correlate(tables.interaction).exists()


_Accessible = Callable[[Filter, Mapping[str, Any]], Access | None]


def _by(column: str = "") -> _Accessible:
    """Return what finds a filter's rows by the index of a column, its own unless another is named."""

    def access(one: Filter, values: Mapping[str, Any]) -> Access:
        return Access(index_of(column or one.column), (condition_of(one, values),))

    return access


def _by_mark(column: str = "") -> _Accessible:
    """Return the same of a filter whose index holds the marked rows alone; all others have no index."""
    marked = _by(column)
    return lambda one, values: marked(one, values) if values[one.name] else None


def _at_least(column: str = "") -> _Accessible:
    """Return the same by all values from one on: to count those of a range, all of the index would be read."""

    def access(one: Filter, values: Mapping[str, Any]) -> Access:
        found = (condition_of(one, values),)
        return Access(index_of(column or one.column), found, in_order=False, is_ranged=False)

    return access


def _charged(one: Filter, values: Mapping[str, Any]) -> Access:
    """Return what finds interactions by the index of a column of their charges."""
    return Access(f"ix_charge_{one.column}", (is_equal(PAYER.c[one.column], values[one.name]),), table=PAYER)


def _costs(one: Filter, values: Mapping[str, Any]) -> Access:
    condition = PAYER.c[one.column] >= values[one.name]
    return Access(f"ix_charge_{one.column}", (condition,), in_order=False, table=PAYER)


def _bypass(one: Filter, values: Mapping[str, Any]) -> Access | None:
    if not values[one.name]:
        return None
    return Access(index_of(SOURCE_LIST), (condition_of(one, values),), in_order=len(BYPASSES) == 1)


def _listed(one: Filter, values: Mapping[str, Any]) -> Access:
    """Return the way by all lists that hold a word: there are few, and the index is asked for one after the other."""
    column = _TABLE[LISTS[one.column]]
    lists = sa.select(sa.func.min(column).label("list")).cte(f"lists_{column.name}", recursive=True)
    following = sa.select(sa.func.min(column)).where(column > lists.c.list).scalar_subquery()
    lists = lists.union_all(sa.select(following).where(lists.c.list.is_not(None)))
    word = sa.literal(canonical(values[one.name]), sa.Unicode(400))
    holding = sa.select(lists.c.list).where(PlaceOf(lists.c.list, word) > 0)
    return Access(index_of(column.name), (column.in_(holding),), in_order=False)


_ACCESSES: Final[Mapping[Condition, _Accessible]] = {
    Condition.EQUAL: _by(),
    Condition.AT_LEAST: lambda _one, _values: None,
    Condition.MEASURED: _at_least(),
    Condition.USED: _at_least("total_tokens"),
    Condition.BEFORE: lambda _one, _values: None,
    Condition.MARKED: _by_mark(),
    Condition.PRESENT: _by_mark(),
    Condition.LISTED: _listed,
    Condition.OPERATION: _by("known_operation"),
    Condition.ERROR: _by_mark("is_error"),
    Condition.FILTERED: _by_mark("has_findings"),
    Condition.FOUND: _by_mark("has_findings"),
    Condition.CHARGED: _charged,
    Condition.COSTS: _costs,
    Condition.ESTIMATED: _by_mark(),
    Condition.CALLS: _by_mark(),
    Condition.BYPASS: _bypass,
}
