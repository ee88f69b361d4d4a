"""Differences of usage on their way into the sums: of groups in hours, and from those of every cut, day and month."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from operator import add
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared.stores.sql import bulk, tables
from shared.stores.sql.dialects import dialect_of

__all__ = ["NOTHING", "Counted", "Differences", "Group", "Groups", "digest_of", "group_of"]

Group = tuple[str, ...]
"""A value for each of `tables.DIMENSIONS`, "" where a cut does not tell them apart."""
Counted = tuple[Any, ...]
"""A number for each of `tables.MEASURES`, then how many amounts are known, and their sum."""

_WIDTH: Final = len(tables.MEASURES)
NOTHING: Final[Counted] = (*([0] * (_WIDTH + 1)), Decimal(0))
_PLACES: Final = {
    cut: tuple(name in dimensions for name in tables.DIMENSIONS) for cut, dimensions in tables.CUTS.items()
}
_ADDED: Final = (*tables.MEASURES, tables.KNOWN_AMOUNTS, tables.AMOUNT)
_FLOORS: Final = {"hour": (13, ":00:00.000Z"), "day": (10, "T00:00:00.000Z"), "month": (7, "-01T00:00:00.000Z")}
_KEYS: Final = ("cut", "interval_start", "group_id")
_TRAIT_KEYS: Final = (*_KEYS, "trait")


def group_of(values: Mapping[str, Any]) -> Group:
    """Return the group that dimensions' values are in; None is unknown."""
    return tuple(tables.UNKNOWN.get(name, "") if values[name] is None else values[name] for name in tables.DIMENSIONS)


class Groups:
    """The numbers of groups, within one transaction under the lease of the rollups."""

    def __init__(self, connection: Connection) -> None:
        """Look them up over `connection`."""
        self._connection = connection

    def numbers(self, groups: Collection[tuple[int, Group]]) -> dict[tuple[int, Group], int]:
        """Return the number of each group of a cut; one that is new gets one."""
        digests = {digest_of(cut, group): (cut, group) for cut, group in groups}
        found = self._found(digests)
        new = digests.keys() - found.keys()
        if new:
            table = tables.usage_group
            rows = [(digests[digest][0], digest, *digests[digest][1]) for digest in sorted(new)]
            bulk.insert(self._connection, table, rows)
            found |= self._found(new)
        return {place: found[digest] for digest, place in digests.items()}

    def known(self, numbers: Collection[int]) -> dict[int, Group]:
        """Return the groups that have these numbers."""
        table = tables.usage_group.c
        chosen = dialect_of(self._connection).members(table.id.type)
        query = sa.select(table.id, *(table[name] for name in tables.DIMENSIONS)).where(table.id.in_(chosen))
        return {row[0]: tuple(row[1:]) for row in self._connection.execute(query, bulk.listed(numbers))}

    def _found(self, digests: Iterable[str]) -> dict[str, int]:
        table = tables.usage_group.c
        chosen = dialect_of(self._connection).members(table.digest.type)
        query = sa.select(table.digest, table.id).where(table.digest.in_(chosen))
        return {row[0]: row[1] for row in self._connection.execute(query, bulk.listed(digests))}


class Differences:
    """What is to be added to the sums of groups in hours."""

    def __init__(self) -> None:
        """Begin with none."""
        self._sums: dict[tuple[str, Group], Counted] = {}
        self._traits: Counter[tuple[str, Group, str]] = Counter()

    def add(self, time: str, group: Group, counted: Counted, traits: Sequence[str] = (), *, sign: int = 1) -> None:
        """Add, or take away, what one call of that time counts as, and its traits."""
        hour = _floor(time, "hour")
        _add(self._sums, (hour, group), counted if sign > 0 else tuple(-one for one in counted))
        for trait in traits:
            self._traits[hour, group, trait] += sign

    def write(self, connection: Connection, groups: Groups) -> None:
        """Add the differences to the sums of every cut, hour, day and month."""
        hours = {key: counted for key, counted in self._sums.items() if any(counted)}
        by_cut = {cut: _narrowed(hours, kept) for cut, kept in _PLACES.items()}
        traits = self._traits_by_table()
        named = {(cut, group) for cut, sums in by_cut.items() for _, group in sums}
        numbers = groups.numbers(named | {(cut, group) for rows in traits.values() for cut, _, group, _ in rows})
        amount_of = dialect_of(connection).amount
        writes = bulk.Writes(connection)
        for length, table in tables.SUMS.items():
            rows: list[tuple[Any, ...]] = []
            by_cut = {cut: _floored(sums, length) for cut, sums in by_cut.items()}
            for cut, sums in by_cut.items():
                rows += (
                    (cut, start, numbers[cut, group], *counted[:-1], amount_of(counted[-1]))
                    for (start, group), counted in sums.items()
                )
            writes.add(table, rows, _ADDED)
            # What nothing is left of is no group of the interval any more.
            less = [dict(zip(_KEYS, row, strict=False)) | {"requests": 0} for row in rows if row[3] < 0]
            writes.delete(table, less, by=(*_KEYS, "requests"))
        for length, counts in traits.items():
            table = tables.TRAITS[length]
            rows = [(cut, at, numbers[cut, group], trait, n) for (cut, at, group, trait), n in counts.items() if n]
            writes.add(table, rows, ["calls"])
            none = [dict(zip(_TRAIT_KEYS, row, strict=False)) | {"calls": 0} for row in rows if row[-1] < 0]
            writes.delete(table, none, by=(*_TRAIT_KEYS, "calls"))
        writes.run()

    def _traits_by_table(self) -> dict[str, Counter[tuple[int, str, Group, str]]]:
        """Return the differences of traits in every cut, hour, day and month."""
        tallies: dict[str, Counter[tuple[int, str, Group, str]]] = {length: Counter() for length in tables.TRAITS}
        narrowed: dict[Group, list[tuple[int, Group]]] = {}
        for (hour, group, trait), number in self._traits.items():
            if group not in narrowed:
                narrowed[group] = [(cut, _narrow(group, kept)) for cut, kept in _PLACES.items()]
            for length, tally in tallies.items():
                start = _floor(hour, length)
                for cut, narrow in narrowed[group]:
                    tally[cut, start, narrow, trait] += number
        return tallies


def _narrowed(sums: Mapping[tuple[str, Group], Counted], kept: Sequence[bool]) -> dict[tuple[str, Group], Counted]:
    if all(kept):
        return dict(sums)
    narrow: dict[tuple[str, Group], Counted] = {}
    for (hour, group), counted in sums.items():
        _add(narrow, (hour, _narrow(group, kept)), counted)
    return narrow


def _narrow(group: Group, kept: Sequence[bool]) -> Group:
    return tuple(value if one else "" for value, one in zip(group, kept, strict=True))


def _floored(sums: Mapping[tuple[str, Group], Counted], length: str) -> dict[tuple[str, Group], Counted]:
    if length == "hour":
        return dict(sums)
    floored: dict[tuple[str, Group], Counted] = {}
    for (start, group), counted in sums.items():
        _add(floored, (_floor(start, length), group), counted)
    return floored


def _add(sums: dict[tuple[str, Group], Counted], key: tuple[str, Group], counted: Counted) -> None:
    known = sums.get(key)
    sums[key] = counted if known is None else tuple(map(add, known, counted))


def _floor(time: str, length: str) -> str:
    digits, rest = _FLOORS[length]
    return time[:digits] + rest


@lru_cache(maxsize=4096)
def digest_of(cut: int, group: Group) -> str:
    """Return by what a group of a cut is found."""
    # Unknown values are left out: a dimension that is added later leaves the groups as they are.
    known = {name: value for name, value in zip(tables.DIMENSIONS, group, strict=True) if value}
    return blake2b(orjson.dumps([cut, known]), digest_size=16).hexdigest()
