"""Fragments -> interaction: a join that is commutative, associative and idempotent; pure.

Each field knows which witness is the best one for it (`Field.precedence`). A better witness replaces
a worse one; between two words of the same witness the larger value wins (the smaller for fields
that are `earliest`). Both are a maximum over a total order, so the order and the number of times in
which fragments come make no difference. The row keeps, per field, the code of the witness that won.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any

import orjson

from shared.domain.fragment import EVIDENCE, Fragment
from shared.domain.interaction import FIELD_NAMES, FIELDS, Facts, Provenance, State
from shared.domain.values import NO_TIME

__all__ = ["merge", "parts_of"]

Row = dict[str, Any]

_NOBODY = "."
_RANKS = {field.name: {code: rank for rank, code in enumerate(reversed(field.precedence))} for field in FIELDS}
_STARTS = {field.name: field.starts for field in FIELDS if field.starts}
_METERED = FIELD_NAMES[FIELD_NAMES.index("input_tokens") :]
_PROVENANCES = tuple(Provenance)
_PROVENANCE_RANKS = {code: _PROVENANCES.index(evidence.provenance) for code, evidence in EVIDENCE.items()}


def merge(interaction_id: str, row: Row | None, fragments: Iterable[tuple[str, Fragment]]) -> Row:
    """Return the interaction's row after `fragments`.

    Args:
        interaction_id: the id that all the fragments share.
        row: the row so far, as this function returned it or as the ledger read it (nulls allowed).
        fragments: each with its document key, `code:digest`, which becomes one of the row's `parts`.
    """
    values, codes, parts, revision = _opened(row)
    for key, fragment in fragments:
        parts.add(key)
        if values:
            _join(values, codes, fragment.code, fragment.facts)
        else:
            values.update(fragment.facts)
            codes.update(dict.fromkeys(fragment.facts, fragment.code))
    return {
        "occurred_at": NO_TIME,  # until a witness tells
        **values,
        "id": interaction_id,
        "state": _state(values),
        "usage_provenance": _usage_provenance(codes),
        "sources": _sources_text(frozenset([part[0] for part in parts])),
        "parts": orjson.dumps(sorted(parts)).decode(),
        "field_sources": "".join([codes.get(name, _NOBODY) for name in FIELD_NAMES]),
        "revision": revision,
    }


def parts_of(row: Row) -> set[str]:
    """Return the document keys of the fragments that `row` was merged from."""
    return set(orjson.loads(row["parts"]))


@cache
def _sources_text(codes: frozenset[str]) -> str:
    """Return the public names of the witnesses' sources, sorted, as JSON text."""
    return orjson.dumps(sorted({EVIDENCE[code].source for code in codes})).decode()


def _opened(row: Row | None) -> tuple[Facts, dict[str, str], set[str], int]:
    if row is None:
        return {}, {}, set(), 0
    values = {name: row[name] for name in FIELD_NAMES if row.get(name) is not None}
    codes = {name: code for name, code in zip(FIELD_NAMES, row["field_sources"], strict=False) if code != _NOBODY}
    return values, codes, parts_of(row), row["revision"]


def _join(values: Facts, codes: dict[str, str], code: str, facts: Facts) -> None:
    for name, value in facts.items():
        holder = codes.get(name)
        if holder is None or _wins(name, (code, value), (holder, values[name])):
            values[name] = value
            codes[name] = code


def _wins(name: str, new: tuple[str, Any], old: tuple[str, Any]) -> bool:
    """Return whether `new`, a witness and its word on field `name`, stands above `old`: a total order."""
    (code, value), (holder, known) = new, old
    starts = _STARTS.get(name)
    if code == holder:
        return bool(value < known if starts else value > known)
    if starts and value != known and code in starts and holder in starts:
        return bool(value < known)
    ranks = _RANKS[name]
    return ranks[code] > ranks[holder]


def _state(values: Facts) -> State:
    if not (values.get("has_request") and values.get("has_response")):
        return State.PENDING
    error = values.get("error_code")
    if values.get("gateway_refused") or error == "content_filter":
        return State.REFUSED
    status = values.get("http_status")
    if (status is None and error is not None) or (status is not None and status >= 400):
        return State.FAILED
    return State.COMPLETE


def _usage_provenance(codes: dict[str, str]) -> Provenance:
    best = len(_PROVENANCES) - 1
    for name in _METERED:
        code = codes.get(name)
        if code is not None:
            best = min(best, _PROVENANCE_RANKS[code])
    return _PROVENANCES[best]
