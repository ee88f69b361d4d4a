"""Raw values -> facts: each field takes values of its own kind and is left out when there is none."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

import orjson

from shared.domain.interaction import FIELDS, Facts, Field, Kind
from shared.domain.values import Json, canonical, count, flag, number, text_of, utc

__all__ = ["Members", "members", "remembered", "state", "state_members"]

_Normalise = Callable[[Json], Any]

Members = tuple[tuple[str, str, _Normalise], ...]
"""Member of a JSON object, field that it fills, how its value becomes the field's."""


def _json(value: Json) -> str | None:
    return canonical(value) if value else None


_OF_KIND: Final[Mapping[Kind, _Normalise]] = {
    Kind.JSON: _json,
    Kind.TIME: utc,
    Kind.COUNT: count,
    Kind.NUMBER: number,
    Kind.FLAG: flag,
}


def _normalise(field: Field) -> _Normalise:
    return text_of(field.limit) if field.kind is Kind.TEXT else _OF_KIND[field.kind]


_NORMALISE: Final = {field.name: _normalise(field) for field in FIELDS}


def state(facts: Facts, name: str, value: Json) -> None:
    """Put `value` into field `name` of `facts`, or nothing when it is not of the field's kind."""
    if value is None:
        return
    normal = _NORMALISE[name](value)
    if normal is not None:
        facts[name] = normal


def members(**fields: str) -> Members:
    """Return the table `field name = member name`, for `state_members`."""
    return tuple((member, name, _NORMALISE[name]) for name, member in fields.items())


def state_members(facts: Facts, told: Mapping[str, Json], table: Members) -> None:
    """State every field of `table` that the JSON object `told` has a value for."""
    for member, name, normalise in table:
        value = told.get(member)
        if value is not None:
            normal = normalise(value)
            if normal is not None:
                facts[name] = normal


_REMEMBERED: Final = 4096
_REMEMBERED_BYTES: Final = 1024


def remembered(read: Callable[[dict[str, Json]], Facts]) -> Callable[[Json], Facts]:
    """Return `read` for objects that many events repeat, such as who asked: each is read once.

    Its facts are shared, so nobody may change them. Anything but an object states nothing.
    """

    @lru_cache(maxsize=_REMEMBERED)
    def known(written: bytes) -> Facts:
        return read(orjson.loads(written))

    def facts_of(told: Json) -> Facts:
        if not isinstance(told, dict):
            return {}
        written = orjson.dumps(told)
        return known(written) if len(written) <= _REMEMBERED_BYTES else read(told)

    return facts_of
