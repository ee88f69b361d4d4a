"""Conditions on interactions, in SQL: each filter of the API, and what counts as an error."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from shared.domain.call_errors import SIGNS, Test
from shared.domain.record_types import Observer
from shared.domain.verdicts import fields_of, texts_of
from shared.questions import FILTERS, Condition, Filter, InteractionFilter
from shared.sources import source_lists
from shared.stores.sql import tables
from shared.stores.sql.dialects import ByteLength

__all__ = ["BYPASSES", "conditions_of", "is_equal", "is_error", "is_unset", "is_within"]

_Condition = sa.ColumnElement[bool]
_Columns = ReadOnlyColumnCollection[str, sa.Column[Any]]

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


def is_error(columns: _Columns) -> _Condition:
    """Return whether a call counts as an error, by `shared.domain.call_errors`."""
    return sa.or_(*(_TESTS[sign.test](columns[sign.column], sign.values) for sign in SIGNS))


_TESTS: Final[Mapping[Test, Callable[[sa.Column[Any], tuple[Any, ...]], _Condition]]] = {
    Test.OUTSIDE: lambda column, values: sa.or_(column < values[0], column >= values[1]),
    Test.PRESENT: lambda column, _: column.is_not(None),
    Test.TRUE: lambda column, _: column == sa.true(),
    Test.ONE_OF: lambda column, values: column.in_(values),
}


def conditions_of(narrow: InteractionFilter) -> list[_Condition]:
    """Return what must hold, all of it, of the interactions that a filter finds."""
    filters = [FILTERS[name] for name in narrow.values]
    # What speaks of one thing together is one condition.
    unique = {(one.condition, one.column): one for one in filters}
    return [_CONDITIONS[one.condition](one, narrow.values) for one in unique.values()]


def _unless(condition: _Condition, *, holds: bool) -> _Condition:
    """Return `condition` or, where it must not hold, all else: what is unknown too."""
    return condition if holds else sa.case((condition, 0), else_=1) == 1


def _column(one: Filter) -> sa.Column[Any]:
    return tables.interaction.c[one.column]


def _operation(one: Filter, values: Mapping[str, Any]) -> _Condition:
    same = _column(one) == values[one.name]
    return sa.or_(same, _column(one).is_(None)) if values[one.name] == "other" else same


def _filtered(one: Filter, values: Mapping[str, Any]) -> _Condition:
    flags = (tables.interaction.c.prompt_filtered, tables.interaction.c.completion_filtered)
    if values[one.name]:
        return sa.or_(*(flag == sa.true() for flag in flags))
    return sa.and_(*map(is_unset, flags))


def _marked(one: Filter, values: Mapping[str, Any]) -> _Condition:
    flag = _column(one)
    return flag == sa.true() if values[one.name] else is_unset(flag)


def _found(_one: Filter, values: Mapping[str, Any]) -> _Condition:
    """Return whether the content filter found what is sought; to act on a side is to have found something."""
    table, side, category = tables.interaction.c, values.get("filter_side"), values.get("filter_category")
    severity = values.get("filter_severity")
    columns = [table[name] for name in fields_of(category=category, side=side)]
    if severity is not None:
        texts = texts_of(severity=severity)
        return sa.or_(sa.false(), *(column.in_(texts) for column in columns))
    acted = [table[f"{side}_filtered"] == sa.true()] if side is not None and category is None else []
    return sa.or_(sa.false(), *(column.is_not(None) for column in columns), *acted)


def _used(one: Filter, values: Mapping[str, Any]) -> _Condition:
    return sa.and_(_column(one) >= values[one.name], _unless(tables.interaction.c.cached == sa.true(), holds=False))


_CONDITIONS: Final[Mapping[Condition, Callable[[Filter, Mapping[str, Any]], _Condition]]] = {
    Condition.EQUAL: lambda one, values: is_equal(_column(one), values[one.name]),
    Condition.AT_LEAST: lambda one, values: _column(one) >= values[one.name],
    Condition.USED: _used,
    Condition.BEFORE: lambda one, values: _column(one) < values[one.name],
    Condition.MARKED: _marked,
    Condition.PRESENT: lambda one, values: _column(one).is_not(None) if values[one.name] else _column(one).is_(None),
    # The column is a JSON array of known names, so the quoted name is found in nothing else.
    Condition.LISTED: lambda one, values: _column(one).contains(f'"{values[one.name]}"', autoescape=True),
    Condition.OPERATION: _operation,
    Condition.ERROR: lambda one, values: _unless(is_error(tables.interaction.c), holds=values[one.name]),
    Condition.FILTERED: _filtered,
    Condition.FOUND: _found,
    Condition.BYPASS: lambda one, values: (_column(one).in_ if values[one.name] else _column(one).not_in)(BYPASSES),
}
