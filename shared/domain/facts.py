"""Raw values -> facts: each field takes values of its own kind and is left out when there is none."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from shared.domain.interaction import FIELDS, Facts, Field, Kind
from shared.domain.values import Json, canonical, count, flag, number, text, utc

__all__ = ["Members", "members", "state", "state_members"]

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
    return _text_of(field.limit) if field.kind is Kind.TEXT else _OF_KIND[field.kind]


def _text_of(limit: int) -> _Normalise:
    # A closure: a partial with a keyword takes three times as long, and every event has dozens of texts.
    def text_of(value: Json) -> str | None:
        return text(value, limit)

    return text_of


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
