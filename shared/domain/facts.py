"""Raw values -> facts: each field takes values of its own kind and is left out when there is none.

`FIELDS` says which fields are content. Of the others, those that callers, models or services fill are held to single
plain words before the ledger sees them, for a code, a name or a reason may be any text; the content keeps what they
wrote.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

import orjson

from shared.domain.interaction import FIELDS, Facts, Field, Kind
from shared.domain.values import Json, canonical, count, flag, number, text_of, utc

__all__ = ["OTHER", "Members", "is_word", "members", "only_metadata", "remembered", "state", "state_members"]

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


def state_members(facts: Facts, event: Mapping[str, Json], table: Members) -> None:
    """State every field of `table` that the JSON object `event` has a value for."""
    value_of = event.get
    for member, name, normalise in table:
        value = value_of(member)
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

    def facts_of(value: Json) -> Facts:
        if not isinstance(value, dict):
            return {}
        written = orjson.dumps(value)
        return known(written) if len(written) <= _REMEMBERED_BYTES else read(value)

    return facts_of


OTHER: Final = "other"
"""Stands for a code or a reason that is no word."""

_is_word: Final = re.compile(r"[A-Za-z0-9/_][A-Za-z0-9_.:/@+=-]{0,63}").fullmatch
_is_name: Final = re.compile(r"[A-Za-z0-9/_][A-Za-z0-9_.:/@+=~()-]{0,255}").fullmatch
_is_id: Final = re.compile(r"\S+").fullmatch
_are_words: Final = re.compile(r"[A-Za-z0-9_.:/@+=\-{}\[\]\",]*").fullmatch
"""Of canonical JSON, which has no spaces of its own."""

_NAMES: Final = ("model", "requested_model", "served_deployment", "response_id")
_LISTS: Final = ("finish_reasons", "filter_categories", "spillover")


def is_word(text: str) -> bool:
    """Return whether a text is a single plain word, of 64 characters at most."""
    return _is_word(text) is not None


def only_metadata(facts: Facts) -> Facts:
    """Return `facts` with words alone where no content may stand; the same object when there is nothing else."""
    changed: dict[str, Any] = {}
    code = facts.get("error_code")
    if code is not None and _is_word(code) is None:
        changed["error_code"] = OTHER
    for name in _NAMES:
        value = facts.get(name)
        if value is not None and _is_name(value) is None:
            changed[name] = None
    user = facts.get("end_user_id")
    if user is not None and _is_id(user) is None:
        changed["end_user_id"] = None
    for name in _LISTS:
        value = facts.get(name)
        if value is not None and _are_words(value) is None:
            changed[name] = _words_in(value)
    if not changed:
        return facts
    return {name: value for name, value in (facts | changed).items() if value is not None}


def _words_in(written: str) -> str | None:
    words = _only_words(orjson.loads(written))
    return canonical(words) if words else None


def _only_words(value: Json) -> Json:
    if isinstance(value, str):
        return value if is_word(value) else OTHER
    if isinstance(value, list):
        # One of each: reasons are a set.
        return list(dict.fromkeys(map(_only_words, value))) if all(isinstance(one, str) for one in value) else None
    if isinstance(value, Mapping):
        return {name: _only_words(item) for name, item in value.items() if is_word(name)}
    return value
