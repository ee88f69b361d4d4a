"""What each interaction counts as, in SQL: read call by call to add it up, and all at once to prove the sums."""

from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from shared.domain.interaction import Provenance
from shared.domain.traits import TRAIT_OF
from shared.domain.verdicts import SIDES, fields_of
from shared.pricing.charge import PRICED_BY, Confidence
from shared.pricing.costs import COST_OF
from shared.pricing.payers import PAID_BY
from shared.stores.sql import tables
from shared.stores.sql.charges import charged
from shared.stores.sql.conditions import is_unset, is_within
from shared.stores.sql.dialects import Dialect

__all__ = [
    "CHARGED_BY",
    "CHARGE_MEASURES",
    "FACT_DIMENSIONS",
    "FACT_MEASURES",
    "USED",
    "alike_statement",
    "calls_of_keys",
    "calls_statement",
    "recount_statement",
    "sums_statement",
    "traits_statement",
    "usage_counts",
]

_Columns = ReadOnlyColumnCollection[str, sa.Column[Any]]

CHARGED_BY: Final = tuple(dict.fromkeys((*PRICED_BY, *PAID_BY, *COST_OF)))
"""The fields of an interaction that its charge and its cost lines follow from."""
CHARGE_MEASURES: Final = {"unpriced_requests": Confidence.NO_PRICE}
"""The measures that count charges: measure -> their confidence."""
FACT_MEASURES: Final = tuple(name for name in tables.MEASURES if name not in CHARGE_MEASURES)
"""The measures that follow from the interactions."""
FACT_DIMENSIONS: Final = tuple(name for name in tables.DIMENSIONS if name in tables.interaction.c)
"""The dimensions that are columns of the interaction; the others are of its charge."""
_THROTTLED: Final = 429
"""The status of a call that exceeded a limit, of the gateway's or of the service's."""
_TOKENS: Final = tuple(name for name in FACT_MEASURES if name.endswith("_tokens"))
USED: Final = (*_TOKENS, "token_requests")
"""What is used counts once, however many calls repeat it."""


@cache
def calls_statement(dialect: Dialect) -> sa.Select[Any]:
    """Return id, whether the usage counts, `CHARGED_BY`, `FACT_DIMENSIONS`, `TRAIT_OF`, `FACT_MEASURES` of ids listed.

    What was used is told whether it counts or not.
    """
    call = tables.interaction.c
    counting = {one.name: one for one in _counting()}
    priced = [call[name] for name in CHARGED_BY]
    dimensions = [call[name].label(f"by_{name}") for name in FACT_DIMENSIONS]
    used = {name: call[name] for name in _TOKENS}
    measures = [(used | counting)[name].label(f"sum_{name}") for name in FACT_MEASURES]
    traits = [call[name].label(f"trait_{name}") for name in TRAIT_OF]
    listed = call.id.in_(dialect.members(call.id.type))
    return sa.select(call.id, counting["counts"], *priced, *dimensions, *traits, *measures).where(listed)


@cache
def calls_of_keys(dialect: Dialect) -> sa.Select[Any]:
    """Return time and id of the interactions that have one of the usage keys listed."""
    call = tables.interaction.c
    keys = call.usage_key.in_(dialect.members(call.usage_key.type))
    # Not null: the index holds no other rows, which SQL Server must be told.
    return sa.select(call.occurred_at, call.id).where(keys, call.usage_key.is_not(None))


def recount_statement(start: str, end: str | None) -> sa.Select[Any]:
    """Return the sums over the interactions from `start` until before `end`: dimensions, measures, amounts.

    From the facts and the charges alone, whatever the rollups say.
    """
    call, charge = tables.interaction.c, tables.charge.c
    known = sa.case((charge.amount.is_not(None), 1), else_=0).label(tables.KNOWN_AMOUNTS)
    confident = [
        sa.case((charge.confidence == confidence.value, 1), else_=0).label(name)
        for name, confidence in CHARGE_MEASURES.items()
    ]
    # SQL Server sums no expression that holds a subquery: whether usage counts is decided one level below.
    facts = (
        charged(*map(_dimension, tables.DIMENSIONS), *(call[name] for name in _TOKENS), charge.amount, known)
        .add_columns(*confident, *_counting())
        .where(is_within(call.occurred_at, start, end))
        .subquery("facts")
    )
    # Counted as bigint: SQL Server sums ints into an int.
    measures = [
        sa.func.coalesce(sa.func.sum(sa.cast(_counted(facts, name), sa.BigInteger())), 0)
        for name in (*tables.MEASURES, tables.KNOWN_AMOUNTS)
    ]
    dimensions = [facts.c[name] for name in tables.DIMENSIONS]
    return sa.select(*dimensions, *measures, sa.func.coalesce(sa.func.sum(facts.c.amount), 0)).group_by(*dimensions)


def alike_statement(start: str, end: str | None) -> sa.Select[Any]:
    """Return dimensions, `TRAIT_OF` and number of the interactions of a range, of those alike."""
    call = tables.interaction.c
    keys = [*map(_dimension, tables.DIMENSIONS), *(call[name] for name in TRAIT_OF)]
    facts = charged(*keys).where(is_within(call.occurred_at, start, end)).subquery("facts").c
    return sa.select(*facts, sa.func.count()).group_by(*facts)


def traits_statement(hour: str) -> sa.Select[Any]:
    """Return dimensions, trait and number of calls, as the rollups have them of an hour."""
    counts, groups = tables.trait_of_hour.c, tables.usage_group.c
    here = (counts.cut == 0, counts.interval_start == hour, groups.id == counts.group_id)
    return sa.select(*(groups[name] for name in tables.DIMENSIONS), counts.trait, counts.calls).where(*here)


def sums_statement(hour: str) -> sa.Select[Any]:
    """Return what `recount_statement` does, as the rollups have it of an hour."""
    sums, groups = tables.usage_of_hour.c, tables.usage_group.c
    dimensions = [groups[name] for name in tables.DIMENSIONS]
    measures = [sa.func.sum(sums[name]) for name in (*tables.MEASURES, tables.KNOWN_AMOUNTS, tables.AMOUNT)]
    here = (sums.cut == 0, sums.interval_start == hour, groups.id == sums.group_id)
    return sa.select(*dimensions, *measures).where(*here).group_by(*dimensions)


def _dimension(name: str) -> sa.ColumnElement[Any]:
    column = (tables.interaction if name in FACT_DIMENSIONS else tables.charge).c[name]
    unknown = sa.literal(tables.UNKNOWN.get(name, ""), column.type)
    return sa.func.coalesce(column, unknown).label(name)


def _counted(facts: sa.Subquery, name: str) -> sa.ColumnElement[Any]:
    return sa.case((facts.c.counts == 1, facts.c[name])) if name in USED else facts.c[name]


def _counting() -> list[sa.ColumnElement[Any]]:
    """Return what each interaction counts as, and `counts`: whether what it used does."""
    call = tables.interaction.c
    known = sa.case((call.total_tokens.is_not(None), 1), else_=0).label("token_requests")
    return [known, *(flag.label(name) for name, flag in _flags(call).items()), usage_counts().label("counts")]


def _flags(call: _Columns) -> dict[str, sa.ColumnElement[int]]:
    """Return the measures that count requests: 1 or 0 of each interaction."""
    unmetered = call.usage_provenance == Provenance.MISSING.value
    return {
        "requests": sa.literal(1),
        "errors": sa.case((call.is_error == sa.true(), 1), else_=0),
        "unmetered_requests": sa.case((_is_cached(call), 0), (unmetered, 1), else_=0),
        "cached_requests": sa.case((_is_cached(call), 1), else_=0),
        "throttled_requests": sa.case((call.http_status == _THROTTLED, 1), else_=0),
        "filter_failures": sa.case((call.filter_failed == sa.true(), 1), else_=0),
        **{name: sa.case((sa.or_(*found), 1), else_=0) for name, found in _findings(call).items()},
    }


def _findings(call: _Columns) -> dict[str, list[sa.ColumnElement[bool]]]:
    """Return the measures of the content filter, each with the conditions of which one must hold."""
    acted = {side: call[f"{side}_filtered"] == sa.true() for side in SIDES}

    def found(*categories: str) -> list[sa.ColumnElement[bool]]:
        return [call[name].is_not(None) for category in categories for name in fields_of(category=category)]

    return {
        "filtered_requests": list(acted.values()),
        "prompt_filtered": [acted["prompt"]],
        "completion_filtered": [acted["completion"]],
        "jailbreaks": found("jailbreak"),
        "indirect_attacks": found("indirect_attack"),
        "protected_material": found("protected_material_text", "protected_material_code"),
        "blocklisted": found("blocklist"),
    }


def usage_counts() -> sa.ColumnElement[int]:
    """Return 1 where the interaction's usage counts, 0 where another one's counts instead.

    What a cache answered repeats the usage of the call that filled it. Polls and cancellations repeat
    the usage of the one response, run or batch that `usage_key` names: the best account of it counts,
    reported before estimated, then the largest, because usage only grows until the thing is done; then
    the earliest interaction. Videos have seconds instead of tokens. All are facts, so the order of arrival makes no
    difference.
    """
    mine, other = tables.interaction.c, tables.interaction.alias("other")
    ranks = [
        (_is_estimate(other.c), _is_estimate(mine)),
        (sa.func.coalesce(mine.total_tokens, -1), sa.func.coalesce(other.c.total_tokens, -1)),
        (sa.func.coalesce(mine.seconds, -1), sa.func.coalesce(other.c.seconds, -1)),
        (other.c.occurred_at, mine.occurred_at),
        (other.c.id, mine.id),
    ]
    better: sa.ColumnElement[bool] = sa.false()
    for smaller, larger in reversed(ranks):
        better = sa.or_(smaller < larger, sa.and_(smaller == larger, better))
    repeated = sa.exists(sa.literal(1)).where(
        other.c.usage_key == mine.usage_key,
        other.c.usage_key.is_not(None),
        sa.or_(other.c.total_tokens.is_not(None), other.c.seconds.is_not(None)),
        is_unset(other.c.cached),
        better,
    )
    return sa.case((_is_cached(mine), 0), (mine.usage_key.is_(None), 1), (repeated, 0), else_=1)


def _is_cached(columns: _Columns) -> sa.ColumnElement[bool]:
    return columns.cached == sa.true()


def _is_estimate(columns: _Columns) -> sa.ColumnElement[int]:
    return sa.case((columns.usage_provenance == Provenance.ESTIMATED.value, 1), else_=0)
