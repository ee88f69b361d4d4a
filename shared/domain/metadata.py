"""What may be shown to those who may not read content: of texts that others write, single plain words alone.

`FIELDS` says which fields are content. The others that callers, models or services fill are held to
words here, for a code, a name or a reason may be any text; the content keeps what they wrote.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import orjson

from shared.domain.interaction import Facts
from shared.domain.values import Json, canonical

__all__ = ["OTHER", "is_word", "only_metadata"]

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
    told = _only_words(orjson.loads(written))
    return canonical(told) if told else None


def _only_words(value: Json) -> Json:
    if isinstance(value, str):
        return value if is_word(value) else OTHER
    if isinstance(value, list):
        # One of each: reasons are a set.
        return list(dict.fromkeys(map(_only_words, value))) if all(isinstance(one, str) for one in value) else None
    if isinstance(value, Mapping):
        return {name: _only_words(item) for name, item in value.items() if is_word(name)}
    return value
