"""Conditions on interactions, in SQL: each filter of the API."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from shared.domain.interaction import Provenance
from shared.domain.reach import Reach
from shared.domain.record_types import Observer
from shared.domain.values import canonical
from shared.domain.verdicts import fields_of, texts_of
from shared.questions import FILTERS, Condition, Filter, InteractionFilter
from shared.sources import source_lists
from shared.stores.sql import tables
from shared.stores.sql.indexes import LISTS
from shared.stores.sql.types import ByteLength, PlaceOf

__all__ = [
    "BYPASSES",
    "condition_of",
    "conditions_of",
    "group_conditions",
    "groups_of",
    "is_behind",
    "is_equal",
    "is_unset",
    "is_within",
    "range_of",
    "reach_condition",
    "reaches_to",
]

_Condition = sa.ColumnElement[bool]

BYPASSES: Final = source_lists(Observer.SERVICE)
"""The sources of a call that the model service's own log alone knows of."""


def is_equal(column: sa.ColumnElement[Any], value: Any) -> _Condition:  # noqa: ANN401  # of any column
    """Return whether a column has exactly this value: of texts, the blanks at their ends count in both databases."""
    same: _Condition = column == value
    if not isinstance(value, str):
        return same
    return sa.and_(same, ByteLength(column) == ByteLength(sa.literal(value, column.type)))


def is_unset(flag: sa.ColumnElement[Any]) -> _Condition:
    """Return whether a flag is not set, or unknown."""
    return sa.or_(flag.is_(None), flag == sa.false())


def is_within(column: sa.ColumnElement[Any], start: str, end: str | None) -> _Condition:
    """Return whether a time lies from `start` until before `end`, or behind `start` where nothing ends it."""
    return column >= start if end is None else sa.and_(column >= start, column < end)


def is_behind(keys: Sequence[sa.ColumnElement[Any]], after: Sequence[Any]) -> _Condition:
    """Return whether the keys stand behind `after`, ascending; SQL Server compares no tuples."""
    condition: _Condition = sa.false()
    for key, value in reversed(list(zip(keys, after, strict=True))):
        condition = sa.or_(key > value, sa.and_(key == value, condition))
    return condition


def conditions_of(narrow: InteractionFilter, *, without: Collection[Filter] = ()) -> list[_Condition]:
    """Return what must hold, all of it, of the interactions that a filter finds; `without` some of its filters."""
    filters = [condition_of(some[0], narrow.values) for some in groups_of(narrow) if some[0] not in without]
    return [*filters, *map(reach_condition, narrow.reaches)]


def reach_condition(reach: Reach) -> _Condition:
    """Return whether an interaction is one of those that a role extends to."""
    call, charge = tables.interaction.c, tables.charge.alias("reached")
    found: list[_Condition] = [sa.false()]
    if reach.subscriptions:
        found.append(call.subscription_id.in_(reach.subscriptions))
    if reach.products:
        found.append(call.product_id.in_(reach.products))
    if reach.teams:
        same = sa.and_(charge.c.occurred_at == call.occurred_at, charge.c.interaction_id == call.id)
        paid = sa.select(sa.literal(1)).select_from(charge).where(same, charge.c.team.in_(reach.teams))
        found.append(paid.correlate(tables.interaction).exists())
    return sa.or_(*found)


def groups_of(narrow: InteractionFilter) -> list[list[Filter]]:
    """Return the filters, those together that speak of one thing: they are one condition."""
    groups: dict[tuple[Condition, str], list[Filter]] = {}
    for one in (FILTERS[name] for name in narrow.values):
        groups.setdefault((one.condition, one.column), []).append(one)
    return list(groups.values())


def condition_of(one: Filter, values: Mapping[str, Any]) -> _Condition:
    """Return what one of the filters in `values` asks, with all those that speak of the same thing."""
    return _CONDITIONS[one.condition](one, values)


def group_conditions(narrow: InteractionFilter) -> list[_Condition]:
    """Return what must hold, all of it, of the groups of usage that a filter by dimensions finds."""
    groups = tables.usage_group.c
    filters = [is_equal(groups[FILTERS[name].column], value) for name, value in narrow.values.items()]
    return [*filters, *(reaches_to(reach, groups) for reach in narrow.reaches)]


def reaches_to(reach: Reach, columns: sa.sql.base.ReadOnlyColumnCollection[str, Any]) -> _Condition:
    """Return whether a reach extends to what has these dimensions as columns."""
    return sa.or_(sa.false(), *(columns[name].in_(values) for name, values in reach.columns.items()))


def range_of(narrow: InteractionFilter, table: sa.FromClause = tables.interaction) -> list[_Condition]:
    """Return what a filter asks of the time, of the interactions or of another table that has it."""
    column, values = table.c.occurred_at, narrow.values
    start, end = values.get("occurred_from"), values.get("occurred_before")
    return [*([column >= start] if start is not None else ()), *([column < end] if end is not None else ())]


def _column(one: Filter) -> sa.Column[Any]:
    return tables.interaction.c[one.column]


def _operation(one: Filter, values: Mapping[str, Any]) -> _Condition:
    same: _Condition = tables.interaction.c.known_operation == values[one.name]
    return same


def _error(one: Filter, values: Mapping[str, Any]) -> _Condition:
    found: _Condition = tables.interaction.c.is_error == (sa.true() if values[one.name] else sa.false())
    return found


def _filtered(one: Filter, values: Mapping[str, Any]) -> _Condition:
    table = tables.interaction.c
    flags = (table.prompt_filtered, table.completion_filtered)
    if values[one.name]:
        return sa.and_(table.has_findings == sa.true(), sa.or_(*(flag == sa.true() for flag in flags)))
    return sa.and_(*map(is_unset, flags))


def _marked(one: Filter, values: Mapping[str, Any]) -> _Condition:
    flag = _column(one)
    return flag == sa.true() if values[one.name] else is_unset(flag)


def _found(_one: Filter, values: Mapping[str, Any]) -> _Condition:
    """Return whether the content filter found what is sought; to act on a side is to have found something."""
    table, side, category = tables.interaction.c, values.get("filter_side"), values.get("filter_category")
    severity = values.get("filter_severity")
    some = table.has_findings == sa.true()
    columns = [table[name] for name in fields_of(category=category, side=side)]
    if severity is not None:
        texts = texts_of(severity=severity)
        return sa.and_(some, sa.or_(sa.false(), *(column.in_(texts) for column in columns)))
    acted = [table[f"{side}_filtered"] == sa.true()] if side is not None and category is None else []
    return sa.and_(some, sa.or_(sa.false(), *(column.is_not(None) for column in columns), *acted))


def _used(one: Filter, values: Mapping[str, Any]) -> _Condition:
    return sa.and_(_column(one) >= values[one.name], is_unset(tables.interaction.c.cached))


def _charged(one: Filter, values: Mapping[str, Any]) -> _Condition:
    call, charge = tables.interaction.c, tables.charge.alias("payer")
    # By the time too, as `charges.charged` has it.
    same = sa.and_(charge.c.occurred_at == call.occurred_at, charge.c.interaction_id == call.id)
    found = sa.select(sa.literal(1)).select_from(charge).where(same, is_equal(charge.c[one.column], values[one.name]))
    return found.correlate(tables.interaction).exists()


def _costs(one: Filter, values: Mapping[str, Any]) -> _Condition:
    call, charge = tables.interaction.c, tables.charge.alias("payer")
    same = sa.and_(charge.c.occurred_at == call.occurred_at, charge.c.interaction_id == call.id)
    found = sa.select(sa.literal(1)).select_from(charge).where(same, charge.c[one.column] >= values[one.name])
    return found.correlate(tables.interaction).exists()


def _calls(one: Filter, values: Mapping[str, Any]) -> _Condition:
    # In the text, not as a parameter: only so does a database see that the index of such rows holds them all.
    some: _Condition = _column(one) > sa.literal_column("0")
    return some if values[one.name] else sa.or_(_column(one).is_(None), sa.not_(some))


def _estimated(one: Filter, values: Mapping[str, Any]) -> _Condition:
    same: _Condition = _column(one) == sa.literal_column(f"'{Provenance.ESTIMATED.value}'")
    return same if values[one.name] else sa.not_(same)


def _bypass(one: Filter, values: Mapping[str, Any]) -> _Condition:
    lists = tables.interaction.c.source_list
    same = lists == BYPASSES[0] if len(BYPASSES) == 1 else lists.in_(BYPASSES)
    return same if values[one.name] else sa.not_(same)


_CONDITIONS: Final[Mapping[Condition, Callable[[Filter, Mapping[str, Any]], _Condition]]] = {
    Condition.EQUAL: lambda one, values: is_equal(_column(one), values[one.name]),
    Condition.AT_LEAST: lambda one, values: _column(one) >= values[one.name],
    Condition.MEASURED: lambda one, values: _column(one) >= values[one.name],
    Condition.USED: _used,
    Condition.BEFORE: lambda one, values: _column(one) < values[one.name],
    Condition.MARKED: _marked,
    Condition.PRESENT: lambda one, values: _column(one).is_not(None) if values[one.name] else _column(one).is_(None),
    # The column is a JSON array, so the name as JSON has it is found in nothing else.
    Condition.LISTED: lambda one, values: (
        PlaceOf(tables.interaction.c[LISTS[one.column]], sa.literal(canonical(values[one.name]), sa.Unicode(400))) > 0
    ),
    Condition.OPERATION: _operation,
    Condition.ERROR: _error,
    Condition.FILTERED: _filtered,
    Condition.FOUND: _found,
    Condition.CHARGED: _charged,
    Condition.COSTS: _costs,
    Condition.ESTIMATED: _estimated,
    Condition.CALLS: _calls,
    Condition.BYPASS: _bypass,
}
