"""Fragments -> interaction: a join that is commutative, associative and idempotent; pure.

Each field knows which witness is the best one for it (`Field.precedence`). A better witness replaces
a worse one; between two words of the same witness the larger value wins (the smaller for fields
that are `earliest`). Both are a maximum over a total order, so the order and the number of times in
which fragments come make no difference. Of a field that `unites`, the words of all witnesses are kept: the
first few of a union, which no order changes either. The row keeps, per field, the code of the witness that won.

Witnesses that know the call by another name than the gateway's join it as strands of their own
(docs/adr/0006-joining-sources.md): `fold` makes the row of all strands by the same rule.
"""

import hashlib
from collections.abc import Collection, Iterable
from functools import cache, lru_cache
from typing import Any

import orjson

from shared.domain.call_errors import is_error_status
from shared.domain.callers import NOTICED_BY, name_another_caller
from shared.domain.fragment import EVIDENCE, Fragment
from shared.domain.interaction import FIELD_NAMES, FIELDS, METERED, Facts, Provenance, State
from shared.domain.pieces import awaited, missing
from shared.domain.refusals import is_refusal
from shared.domain.unknown_words import united
from shared.domain.values import NO_TIME
from shared.domain.vendors import vendor_of
from shared.domain.verdicts import SIDES

__all__ = ["ESTIMATE", "OWN", "Strand", "Strands", "estimate_strand", "fold", "give_up", "strands_of"]

Row = dict[str, Any]

_NOBODY = "."
_WITNESSES = frozenset(EVIDENCE)
_QUEUE = "q"
"""Who says when a call happened, where no witness tells a possible time: the hub, when it got the event."""
_RANKS = {field.name: {code: rank for rank, code in enumerate(reversed(field.precedence))} for field in FIELDS}
_RANKS["occurred_at"][_QUEUE] = -1  # below every witness, however early
_STARTS = {field.name: field.starts for field in FIELDS if field.starts}
_UNITED = frozenset(field.name for field in FIELDS if field.unites)
_PROVENANCES = tuple(Provenance)
_PROVENANCE_RANKS = {code: _PROVENANCES.index(evidence.provenance) for code, evidence in EVIDENCE.items()}


class Strand:
    """What one kind of witness tells of a call: the gateway's own, or one that knows the call by another name."""

    __slots__ = ("codes", "parts", "values")

    def __init__(self, values: Facts, codes: dict[str, str], parts: set[str]) -> None:
        """Hold values by field, the witness that won each field, and the keys of what was merged."""
        self.values = values
        self.codes = codes
        self.parts = parts

    def add(self, key: str, fragment: Fragment) -> None:
        """Join a fragment, whose document has `key`."""
        self.parts.add(key)
        self._join(fragment, fragment.facts)

    def add_whole(self, key: str, fragment: Fragment) -> None:
        """Join what pieces make together, whose document has `key`; when it happened each of them told by itself."""
        self.parts.add(key)
        self._join(fragment, {name: value for name, value in fragment.facts.items() if name not in _TIME})

    def add_again(self, fragment: Fragment) -> bool:
        """Join what a repeat may say anew: when it happened, for that can be read from when it was enqueued.

        Returns:
            Whether the strand says something else than before.
        """
        before = self.values.get("occurred_at"), self.codes.get("occurred_at")
        self._join(fragment, {name: fragment.facts[name] for name in _TIME if name in fragment.facts})
        return before != (self.values.get("occurred_at"), self.codes.get("occurred_at"))

    def _join(self, fragment: Fragment, facts: Facts) -> None:
        if "time_replaced" in facts:
            _join(self.values, self.codes, _QUEUE, {"occurred_at": facts["occurred_at"]})
            facts = {name: value for name, value in facts.items() if name not in _TIME}
        differs = name_another_caller(self.values, self.codes, fragment.code, facts)
        _join(self.values, self.codes, fragment.code, facts)
        if differs:
            self.values["callers_differ"], self.codes["callers_differ"] = True, NOTICED_BY


Strands = dict[str, Strand]
"""Name of the witnesses' own, as `Fragment.guest` -> their strand; `OWN` -> the gateway's."""

OWN = ""

_TIME = ("occurred_at", "time_replaced")
ESTIMATE = "=estimate"
"""No witness's name: what was estimated for want of one."""
_ESTIMATE_CODE = "e"
_GIVEN_UP = "=given up"
"""Nor this: what could be read of an interaction whose wait was given up, for as long as it lacks a part."""

_NEVER_FROM_GUESTS = ("has_request", "has_response")
"""Whether parts are awaited: only the gateway's own tell."""
_SERVICES_CALLER = ("caller_ip", "user_id")
"""Who called Azure OpenAI through the gateway is the gateway."""


def strands_of(row: Row | None) -> Strands:
    """Return the strands that `row` was folded from."""
    if row is None:
        return {}
    stored = row.get("strands")
    if stored is None:
        return {OWN: _opened(row)}
    told: dict[str, Row | None] = orjson.loads(stored)
    return {name: _opened(row if strand is None else strand) for name, strand in told.items()}


def fold(interaction_id: str, strands: Strands, revision: int) -> Row:
    """Return the row that `strands`, one at least, make: field by field, the best witness of all.

    A strand can be taken out again, for each is kept as it is beside what they make together.
    """
    _drop_stale_estimate(strands)
    given_up = strands.pop(_GIVEN_UP, None)
    own = strands.get(OWN)
    first = own or next(iter(strands.values()))
    values, codes = first.values, first.codes
    if len(strands) > 1:
        values, codes = dict(values), dict(codes)
        for name in sorted(strands):
            _join_strand(values, codes, strands[name], joins_own=own is not None and name != OWN)
    waits = own is not None and missing(own.parts)
    state = _state(values, waits=waits)
    if state is State.PENDING and given_up is not None and _given_up_key(strands) in given_up.parts:
        state = State.INCOMPLETE
        strands[_GIVEN_UP] = given_up
        values, codes = dict(values), dict(codes)
        _join_strand(values, codes, given_up, joins_own=True)
    asked, served = _asked(values), values.get("served_deployment")
    parts = sorted({part for strand in strands.values() for part in strand.parts})
    field_sources, provenance = _witnesses(codes)
    told = {**_asked_for(values), **values}
    return {
        "occurred_at": NO_TIME,  # until a witness tells
        **told,
        "time_replaced": True if codes.get("occurred_at", _QUEUE) == _QUEUE else None,
        # Who asked for the deployment that served knows it: the field is null, and its witness is still noted.
        **({"served_deployment": None} if served is not None and served == asked else {}),
        "id": interaction_id,
        "state": state,
        "usage_provenance": provenance,
        "vendor": vendor_of(told.get("model"), told.get("operation")),
        "sources": _sources_text(frozenset([part[0] for part in parts]) & _WITNESSES),
        "parts": orjson.dumps(parts).decode(),
        "field_sources": field_sources,
        "awaited": _awaited(values, own.parts if own is not None and waits else ()),
        "strands": _stored(strands),
        "revision": revision,
    }


def _asked_for(values: Facts) -> Facts:
    """Return the model that was asked for, which stands in for the one that served until a witness tells of that."""
    return {"model": values["requested_model"]} if "requested_model" in values else {}


def _awaited(values: Facts, parts: Collection[str]) -> str | None:
    """Return in words what an interaction waits for, as JSON text; None when it is whole.

    Args:
        values: what is known of it.
        parts: the gateway's own, when a piece among them waits.
    """
    lacking = [part for part in ("request", "response") if not values.get(f"has_{part}")]
    for code, reason in awaited(parts):
        witness = EVIDENCE[code].part
        lacking.append(f"{witness}: other parts of it" if reason is None else f"{witness}: its body: {reason}")
    return orjson.dumps(sorted(lacking)).decode() if lacking else None


def estimate_strand(strands: Strands, facts: Facts) -> Strand:
    """Return the strand of an estimate that was made from what `strands` hold."""
    return Strand(dict(facts), dict.fromkeys(facts, _ESTIMATE_CODE), {_estimate_key(strands)})


def give_up(strands: Strands, told: Iterable[Fragment]) -> None:
    """Mark that the wait for the parts that the gateway's own lack is over: `fold` makes the row incomplete.

    The mark holds for exactly the parts that are there. With another one the row is whole, or a new
    wait begins; so what the row says follows from its parts and the mark, whatever came when.

    Args:
        strands: of a pending row.
        told: what pieces say that never became a whole.
    """
    strand = Strand({}, {}, set())
    for fragment in told:
        strand.add_whole("", fragment)
    strand.parts = {_given_up_key(strands)}
    strands[_GIVEN_UP] = strand


def _given_up_key(strands: Strands) -> str:
    own = strands.get(OWN)
    return f"={_digest(own.parts if own else ())}"


def _estimate_key(strands: Strands) -> str:
    parts = [part for name, strand in strands.items() if name != ESTIMATE for part in strand.parts]
    return f"{_ESTIMATE_CODE}={_digest(parts)}"


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256(orjson.dumps(sorted(parts))).hexdigest()[:32]


def _drop_stale_estimate(strands: Strands) -> None:
    """Drop an estimate that was made from something else than what is there now."""
    estimate = strands.get(ESTIMATE)
    if estimate is not None and estimate.parts != {_estimate_key(strands)}:
        del strands[ESTIMATE]


def _join_strand(values: Facts, codes: dict[str, str], strand: Strand, *, joins_own: bool) -> None:
    for name, value in strand.values.items():
        code = strand.codes[name]
        if joins_own and (
            name in _NEVER_FROM_GUESTS or (name in _SERVICES_CALLER and EVIDENCE[code].source == "azure-openai")
        ):
            continue
        _join(values, codes, code, {name: value})


def _stored(strands: Strands) -> str | None:
    """Return the strands as the ledger keeps them: not at all when the row says it all, a null for the only one."""
    if strands.keys() == {OWN}:
        return None
    if len(strands) == 1:
        return orjson.dumps(dict.fromkeys(strands)).decode()
    return orjson.dumps(
        {
            name: {
                **strands[name].values,
                "field_sources": _witnesses(strands[name].codes)[0],
                "parts": orjson.dumps(sorted(strands[name].parts)).decode(),
            }
            for name in sorted(strands)
        },
        option=orjson.OPT_SORT_KEYS,
    ).decode()


def _witnesses(codes: dict[str, str]) -> tuple[str, Provenance]:
    """Return who told each field, a code a field in their order, and where the usage comes from."""
    return _told_by(tuple(codes), tuple(codes.values()))


@lru_cache(maxsize=4096)
def _told_by(names: tuple[str, ...], holders: tuple[str, ...]) -> tuple[str, Provenance]:
    # Few sets of fields come from few kinds of witnesses, over and over.
    codes = dict(zip(names, holders, strict=True))
    ranks = [_PROVENANCE_RANKS[codes[name]] for name in METERED if name in codes]
    return "".join([codes.get(name, _NOBODY) for name in FIELD_NAMES]), _PROVENANCES[min(ranks, default=-1)]


@cache
def _sources_text(codes: frozenset[str]) -> str:
    """Return the public names of the witnesses' sources, sorted, as JSON text."""
    return orjson.dumps(sorted({EVIDENCE[code].source for code in codes} - {""})).decode()


def _opened(row: Row) -> Strand:
    codes = {name: code for name, code in zip(FIELD_NAMES, row["field_sources"], strict=False) if code != _NOBODY}
    values = {name: row[name] for name in codes}
    if "served_deployment" in values and values["served_deployment"] is None:
        values["served_deployment"] = _asked(row)
    return Strand(values, codes, set(orjson.loads(row["parts"])))


def _asked(values: Facts) -> str | None:
    """Return the deployment that was asked for: by name, else by the model of a body."""
    return next(filter(None, map(values.get, ("deployment", "requested_model", "model"))), None)


def _join(values: Facts, codes: dict[str, str], code: str, facts: Facts) -> None:
    both = values.keys() & facts.keys()
    held = {
        name: (codes[name], values[name])
        for name in both
        if not _wins(name, (code, facts[name]), (codes[name], values[name]))
    }
    together = {name: united(values[name], facts[name]) for name in both & _UNITED}
    values.update(facts)
    codes.update(dict.fromkeys(facts, code))
    for name, (holder, value) in held.items():
        values[name] = value
        codes[name] = holder
    values.update(together)


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


def _state(values: Facts, *, waits: bool) -> State:
    if waits or not (values.get("has_request") and values.get("has_response")):
        return State.PENDING
    error = values.get("error_code")
    if values.get("gateway_refused") or is_refusal(error):
        return State.REFUSED
    # A stream, or a background response, can fail after its 200 was sent, and may name no code.
    if error is not None or "error_message" in values or is_error_status(values.get("http_status")):
        # What the filter blocked was refused, whatever the code of the error.
        blocked = any(values.get(f"{side}_filtered") for side in SIDES)
        return State.REFUSED if blocked else State.FAILED
    return State.COMPLETE
