"""Fragments -> interaction: a join that is commutative, associative and idempotent; pure.

Each field has an aspect, and each record type a rank for it (`shared.domain.record_types`). A better record replaces
a worse one; between two values of one record type the larger wins (the smaller for fields that are `earliest`). Both
are a maximum over a total order, so the order and the number of times in which fragments come make no difference. Of a
field that `unites`, the words of all records are kept: the first few of a union, which no order changes either. The
row keeps, per field, the letter of the record type that won.

Records that know the call by another id than the gateway's join it as contributions of their own
(docs/adr/0006-joining-sources.md): `fold` makes the row of all contributions by the same rule.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from functools import cache, lru_cache
from typing import Any, Final

import orjson

from shared.domain.call_errors import is_error_status, is_refusal
from shared.domain.fragment import Fragment
from shared.domain.interaction import FIELD_NAMES, FIELDS, METERED, Aspect, Facts, Provenance, State
from shared.domain.reassembly.chunks import awaited, has_waiting_chunk
from shared.domain.record_types import Observer
from shared.domain.unknown_words import united
from shared.domain.values import NO_TIME
from shared.domain.vendors import vendor_of
from shared.domain.verdicts import SIDES
from shared.sources import ESTIMATE_RECORD, RECORD_TYPES

# fmt: off
__all__ = [
    "ESTIMATE", "OWN", "Contribution", "Contributions", "contributions_of", "estimate_contribution", "fold", "give_up",
]
# fmt: on

Row = dict[str, Any]

OWN: Final = ""
"""The gateway's own records: those that know the call by its id."""
ESTIMATE: Final = "=estimate"
"""No foreign id: what was estimated for want of a source."""
_GIVEN_UP: Final = "=given up"
"""Nor this: what could be read of an interaction whose wait was given up, for as long as it lacks a part."""

_NOBODY: Final = "."
_QUEUE: Final = "q"
"""Says when a call happened, where no record has a possible time: the hub, when it got the event."""
_TIME: Final = ("occurred_at", "time_replaced")

_RANKS: Final[Mapping[str, Mapping[str, int]]] = {
    field.name: {letter: one.precedence.of(field.aspect) for letter, one in RECORD_TYPES.items()}
    | ({_QUEUE: 1_000_000} if field.aspect is Aspect.TIME else {})
    for field in FIELDS
}
"""Field -> letter of a record type -> its rank; 1 is best. The hub's time ranks below every record's, however early."""
_TELL_START: Final = frozenset(letter for letter, one in RECORD_TYPES.items() if one.tells_start)
_EARLIEST: Final = frozenset(field.name for field in FIELDS if field.earliest)
_UNITED: Final = frozenset(field.name for field in FIELDS if field.unites)
_PROVENANCES: Final = tuple(Provenance)

_ONLY_OWN: Final = ("has_request", "has_response")
"""Whether parts are awaited: only the gateway's own records decide."""
_NOT_FROM_SERVICE: Final = ("caller_ip", "user_id")
"""The service takes the gateway for the caller."""

_LETTERS: Final = frozenset(RECORD_TYPES)
_NAME_CALLER: Final = frozenset(letter for letter, one in RECORD_TYPES.items() if one.names_caller)
_COMPARED: Final = (
    ("subscription_id", _LETTERS),
    ("user_id", _NAME_CALLER),
    ("app_id", _NAME_CALLER),
    ("caller_ip", _NAME_CALLER),
)
"""What names a caller, and the record types that mean the same by it: they rank above all others for the field."""
_NOTICED_BY: Final = min(_NAME_CALLER, key=lambda letter: RECORD_TYPES[letter].precedence.request)
"""The letter beside `callers_differ`, which no record says: any would do, as long as it is always the same."""


class Contribution:
    """What records contribute to a call: the gateway's own, or those that know the call by one other id."""

    __slots__ = ("letters", "parts", "values")

    def __init__(self, values: Facts, letters: dict[str, str], parts: set[str]) -> None:
        """Hold values by field, the record type that won each field, and the keys of what was merged."""
        self.values = values
        self.letters = letters
        self.parts = parts

    def add(self, fragment: Fragment) -> None:
        """Join a fragment."""
        self.parts.add(fragment.key)
        self._join(fragment, fragment.facts)

    def add_assembled(self, fragment: Fragment) -> None:
        """Join what chunks make together; when it happened each of them said by itself."""
        self.parts.add(fragment.key)
        self._join(fragment, {name: value for name, value in fragment.facts.items() if name not in _TIME})

    def add_again(self, fragment: Fragment) -> bool:
        """Join when a repeat says that it happened, which may be when it was enqueued; return whether that changed."""
        before = self.values.get("occurred_at"), self.letters.get("occurred_at")
        self._join(fragment, {name: fragment.facts[name] for name in _TIME if name in fragment.facts})
        return before != (self.values.get("occurred_at"), self.letters.get("occurred_at"))

    def _join(self, fragment: Fragment, facts: Facts) -> None:
        letter = fragment.record_type.letter
        if "time_replaced" in facts:
            _join(self.values, self.letters, _QUEUE, {"occurred_at": facts["occurred_at"]})
            facts = {name: value for name, value in facts.items() if name not in _TIME}
        differs = self._names_another_caller(letter, facts)
        _join(self.values, self.letters, letter, facts)
        if differs:
            self.values["callers_differ"], self.letters["callers_differ"] = True, _NOTICED_BY

    def _names_another_caller(self, letter: str, facts: Facts) -> bool:
        """Return whether a record of this type names another caller in `facts` than those that joined before.

        Of several values one is held, so the first that differs is noticed, in whatever order they come.
        """
        for name, letters in _COMPARED:
            if name in facts and letter in letters and self.letters.get(name) in letters:
                mine, theirs = facts[name], self.values[name]
                if mine != theirs and mine.casefold() != theirs.casefold():
                    return True
        return False


Contributions = dict[str, Contribution]
"""Foreign id, as `Fragment.foreign_id` -> what records with it contribute; `OWN` -> the gateway's.

Two more are of no record and hold while their one part is the digest of others: `ESTIMATE` of all, `_GIVEN_UP` of the
gateway's own, which alone decide what is awaited.
"""


def contributions_of(row: Row | None) -> Contributions:
    """Return the contributions that `row` was folded from."""
    if row is None:
        return {}
    stored = row.get("strands")
    if stored is None:
        return {OWN: _contribution_in(row)}
    rows: dict[str, Row | None] = orjson.loads(stored)
    return {name: _contribution_in(row if own is None else own) for name, own in rows.items()}


def fold(interaction_id: str, contributions: Contributions, revision: int) -> Row:
    """Return the row that `contributions`, one at least, make: field by field, the best record of all.

    Each is kept beside what they make together, so that it can be taken out again; what no longer holds is left out.
    """
    contributions = dict(contributions)
    estimate = contributions.get(ESTIMATE)
    if estimate is not None and estimate.parts != {_estimate_key(contributions)}:
        # It was made from something else than what is there now.
        del contributions[ESTIMATE]
    given_up = contributions.pop(_GIVEN_UP, None)
    own = contributions.get(OWN)
    first = own or next(iter(contributions.values()))
    values, letters = first.values, first.letters
    if len(contributions) > 1:
        values, letters = dict(values), dict(letters)
        for name in sorted(contributions):
            _join_contribution(values, letters, contributions[name], is_beside_own=own is not None and name != OWN)
    waits = own is not None and has_waiting_chunk(own.parts)
    state = _state(values, waits=waits)
    if state is State.PENDING and given_up is not None and _given_up_key(contributions) in given_up.parts:
        state = State.INCOMPLETE
        contributions[_GIVEN_UP] = given_up
        values, letters = dict(values), dict(letters)
        _join_contribution(values, letters, given_up, is_beside_own=True)
    served = values.get("served_deployment")
    parts = sorted({part for one in contributions.values() for part in one.parts})
    field_sources, provenance = _field_sources(tuple(letters.items()))
    # The model that was asked for stands in for the one that served until a record names that.
    facts = {"model": values["requested_model"], **values} if "requested_model" in values else values
    return {
        "occurred_at": NO_TIME,  # until a record has one
        **facts,
        "time_replaced": True if letters.get("occurred_at", _QUEUE) == _QUEUE else None,
        # Who asked for the deployment that served knows it: the field is null, and its record type is still noted.
        **({"served_deployment": None} if served is not None and served == _requested_deployment(values) else {}),
        "id": interaction_id,
        "state": state,
        "usage_provenance": provenance,
        "vendor": vendor_of(facts.get("model"), facts.get("operation")),
        "sources": _source_list(frozenset([part[0] for part in parts]) & _LETTERS),
        "parts": orjson.dumps(parts).decode(),
        "field_sources": field_sources,
        "awaited": _awaited(values, own.parts if own is not None and waits else ()),
        "strands": _stored(contributions),
        "revision": revision,
    }


def estimate_contribution(contributions: Contributions, facts: Facts) -> Contribution:
    """Return the contribution of an estimate that was made from what `contributions` hold."""
    return Contribution(dict(facts), dict.fromkeys(facts, ESTIMATE_RECORD.letter), {_estimate_key(contributions)})


def give_up(contributions: Contributions, fragments: Iterable[Fragment]) -> None:
    """Mark that the wait for parts that the gateway's own records lack is over: `fold` makes the row incomplete.

    The mark holds for exactly the parts that are there: with another, the row is complete or a new wait begins.

    Args:
        contributions: of a pending row.
        fragments: what chunks say that never made a body.
    """
    salvaged = Contribution({}, {}, set())
    for fragment in fragments:
        salvaged.add_assembled(fragment)
    salvaged.parts = {_given_up_key(contributions)}
    contributions[_GIVEN_UP] = salvaged


def _given_up_key(contributions: Contributions) -> str:
    own = contributions.get(OWN)
    return f"={_digest(own.parts if own else ())}"


def _estimate_key(contributions: Contributions) -> str:
    parts = [part for name, one in contributions.items() if name != ESTIMATE for part in one.parts]
    return f"{ESTIMATE_RECORD.letter}={_digest(parts)}"


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256(orjson.dumps(sorted(parts))).hexdigest()[:32]


def _join_contribution(values: Facts, letters: dict[str, str], other: Contribution, *, is_beside_own: bool) -> None:
    for name, value in other.values.items():
        letter = other.letters[name]
        if is_beside_own and (
            name in _ONLY_OWN or (name in _NOT_FROM_SERVICE and RECORD_TYPES[letter].observer is Observer.SERVICE)
        ):
            continue
        _join(values, letters, letter, {name: value})


def _stored(contributions: Contributions) -> str | None:
    """Return contributions as the ledger keeps them: none when the row says it all, a null for the only one."""
    if contributions.keys() == {OWN}:
        return None
    if len(contributions) == 1:
        return orjson.dumps(dict.fromkeys(contributions)).decode()
    return orjson.dumps(
        {
            name: {
                **contributions[name].values,
                "field_sources": _field_sources(tuple(contributions[name].letters.items()))[0],
                "parts": orjson.dumps(sorted(contributions[name].parts)).decode(),
            }
            for name in sorted(contributions)
        },
        option=orjson.OPT_SORT_KEYS,
    ).decode()


@lru_cache(maxsize=4096)
def _field_sources(winners: tuple[tuple[str, str], ...]) -> tuple[str, Provenance]:
    """Return which record type won each field, a letter a field in their order, and where the usage comes from."""
    # Few sets of fields come from few types of records, over and over.
    letters = dict(winners)
    provenances = [RECORD_TYPES[letters[name]].provenance for name in METERED if name in letters]
    best = min(provenances, key=_PROVENANCES.index, default=Provenance.MISSING)
    return "".join([letters.get(name, _NOBODY) for name in FIELD_NAMES]), best


@cache
def _source_list(letters: frozenset[str]) -> str:
    """Return the public names of the sources of record types, sorted, as JSON text."""
    return orjson.dumps(sorted({RECORD_TYPES[letter].source for letter in letters} - {""})).decode()


def _contribution_in(row: Row) -> Contribution:
    letters = {
        name: letter for name, letter in zip(FIELD_NAMES, row["field_sources"], strict=False) if letter != _NOBODY
    }
    values = {name: row[name] for name in letters}
    if "served_deployment" in values and values["served_deployment"] is None:
        values["served_deployment"] = _requested_deployment(row)
    return Contribution(values, letters, set(orjson.loads(row["parts"])))


def _requested_deployment(values: Facts) -> str | None:
    """Return the deployment that the request names: by its name, else by the model of a body."""
    return next(filter(None, map(values.get, ("deployment", "requested_model", "model"))), None)


def _join(values: Facts, letters: dict[str, str], letter: str, facts: Facts) -> None:
    if not values:
        values.update(facts)
        letters.update(dict.fromkeys(facts, letter))
        return
    both = values.keys() & facts.keys()
    better = {
        name: (letters[name], values[name])
        for name in both
        if not _wins(name, (letter, facts[name]), (letters[name], values[name]))
    }
    together = {name: united(values[name], facts[name]) for name in both & _UNITED}
    values.update(facts)
    letters.update(dict.fromkeys(facts, letter))
    for name, (holder, value) in better.items():
        values[name] = value
        letters[name] = holder
    values.update(together)


def _wins(name: str, new: tuple[str, Any], old: tuple[str, Any]) -> bool:
    """Return whether `new`, a record type and its value of field `name`, stands above `old`: a total order."""
    (letter, value), (holder, present) = new, old
    is_earliest = name in _EARLIEST
    if letter == holder:
        return bool(value < present if is_earliest else value > present)
    if is_earliest and value != present and letter in _TELL_START and holder in _TELL_START:
        return bool(value < present)
    ranks = _RANKS[name]
    return ranks[letter] < ranks[holder]


def _awaited(values: Facts, parts: Collection[str]) -> str | None:
    """Return in words what an interaction waits for, as JSON text; None when it is complete.

    Args:
        values: what is known of it.
        parts: the gateway's own, when a chunk among them waits.
    """
    lacking = [part for part in ("request", "response") if not values.get(f"has_{part}")]
    for letter, fault in awaited(parts):
        part = RECORD_TYPES[letter].part
        lacking.append(f"{part}: other parts of it" if fault is None else f"{part}: its body: {fault.reason}")
    return orjson.dumps(sorted(lacking)).decode() if lacking else None


def _state(values: Facts, *, waits: bool) -> State:
    if waits or not (values.get("has_request") and values.get("has_response")):
        return State.PENDING
    error = values.get("error_code")
    if values.get("gateway_refused") or is_refusal(error):
        return State.REFUSED
    # A stream, or a background response, can fail after its 200 was sent, and may have no code.
    if error is not None or "error_message" in values or is_error_status(values.get("http_status")):
        # What the filter blocked was refused, whatever the code of the error.
        is_blocked = any(values.get(f"{side}_filtered") for side in SIDES)
        return State.REFUSED if is_blocked else State.FAILED
    return State.COMPLETE
