"""The fragments of one batch -> what becomes of the interactions that they speak of.

Witnesses that know a call by another name than the gateway's, its guests, tell of the interaction
that claims their name, or of one of their own until some interaction does.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from shared.domain.fragment import Fragment
from shared.domain.interaction import State
from shared.domain.piece_keys import Whole, is_claim
from shared.domain.pieces import spent, wholes
from shared.domain.unknown_words import FIELD, words_in
from shared.domain.values import hour_of
from shared.merge import ESTIMATE, OWN, Strand, Strands, fold, strands_of
from shared.services.documents import Keyed
from shared.stores.ports import Alias, Batch, LedgerTransaction, Row

__all__ = ["Joined", "Joining", "usage_keys", "write_row"]

Joined = dict[tuple[str, Whole], list[tuple[str, Keyed | None]]]
"""Interaction and pieces -> what they make when they are joined, each with the mark to leave.

The mark alone, where it says why a claimed body is not there.
"""

_UNCLAIMED: Final = "9999-12-31T23:59:59.999Z"
"""When a guest claims its own name: later than anybody else."""
_TIMELESS: Final = "9999-12-31T00:00:00.000Z"


class _Place(NamedTuple):
    """Where a fragment belongs: a strand of an interaction."""

    interaction_id: str
    strand: str


class Joining:
    """The interactions of a batch, as the ledger holds them and as the batch changes them."""

    def __init__(self, transaction: LedgerTransaction, fragments: Iterable[Keyed], told: Joined) -> None:
        """Load all that `fragments`, and the pieces that were joined, are going to touch."""
        self.rows: dict[str, Row] = {}
        """The rows as `write` leaves them."""
        self.began_to_wait: set[str] = set()
        """Interactions that `write` made pending: their wait has to be noted, or nobody would ever end it."""
        self._told = told
        every = [fragment for _, fragment in fragments]
        claims = _claims([*every, *(keyed[1] for known in told.values() for _, keyed in known if keyed)])
        before = transaction.aliases(claims.keys())
        self._aliases = dict(before)
        self._changed_aliases: dict[str, Alias] = {}
        self._settle(claims)
        owners = {alias.interaction_id for alias in (*before.values(), *self._aliases.values())}
        self._rows = transaction.interactions({fragment.interaction_id for fragment in every} | owners)
        self._strands: dict[str, Strands] = {}
        self._touched: set[str] = set()
        self._pieces: dict[str, set[str]] = {}
        self._new_names = self._aliases.keys() - before.keys()
        for name, alias in before.items():
            self._move(name, alias.interaction_id, self._aliases[name].interaction_id)

    def add(self, key: str, fragment: Fragment) -> bool:
        """Merge a fragment; return whether it says something new."""
        place = self._place(fragment)
        if fragment.piece is not None:
            self._pieces.setdefault(place.interaction_id, set()).add(key)
        strands = self._strands_of(place.interaction_id)
        strand = strands.get(place.strand)
        if strand is None:
            strand = strands[place.strand] = Strand({}, {}, set())
            self._guard(place.strand)
        if key in strand.parts:
            if strand.add_again(fragment):
                self._touched.add(place.interaction_id)
            return False
        strand.add(key, fragment)
        self._touched.add(place.interaction_id)
        return True

    def join_pieces(self) -> list[tuple[str, Whole]]:
        """Merge what joined pieces say; return those whose documents must be read first."""
        unread: list[tuple[str, Whole]] = []
        for interaction_id in self._pieces:
            own = self._strands_of(interaction_id)[OWN]
            for whole in wholes(own.parts):
                known = self._told.get((interaction_id, whole))
                if known is None:
                    unread.append((interaction_id, whole))
                    continue
                for mark, keyed in known:
                    if keyed is not None:
                        own.add_whole(*keyed)
                    elif mark in own.parts or self._gave_up(interaction_id):
                        continue
                    own.parts.add(mark)
                    self._touched.add(interaction_id)
        return unread

    def spent(self) -> list[tuple[str, str]]:
        """Return the documents of pieces, as id and key, that were joined and must not be kept.

        Of every interaction that the batch brings a piece of they are all named again: who joined them
        may have died before they were dropped, and then its batch is delivered again.
        """
        return [
            (interaction_id, key)
            for interaction_id in self._pieces
            for key in sorted(spent(self._strands_of(interaction_id)[OWN].parts))
        ]

    def waiting_claims(self) -> list[tuple[str, str]]:
        """Return the events, as id and key, whose bodies were not in Blob storage, or not the right ones."""
        return [
            (interaction_id, whole.keys[0])
            for interaction_id, keys in self._pieces.items()
            if any(map(is_claim, keys))
            for whole in wholes(self._strands_of(interaction_id)[OWN].parts)
            if is_claim(whole.keys[0])
        ]

    def is_waiting(self, fragment: Fragment, states: Mapping[str, str]) -> bool:
        """Return whether something of a fragment waits; a guest says all that it has to say at once."""
        return fragment.guest is None and states.get(fragment.interaction_id) == State.PENDING

    def write(self, changes: Batch, finished: Callable[[Row], Row] = lambda row: row) -> dict[str, str]:
        """Put into `changes` what becomes of the rows; return the state of each interaction.

        Args:
            changes: of the batch.
            finished: returns a row with what follows from it, in the same state; the same object where nothing does.
        """
        states = {interaction_id: row["state"] for interaction_id, row in self._rows.items()}
        self.rows = dict(self._rows)
        for interaction_id in self._rows.keys() - self._touched:
            held = self._rows[interaction_id]
            more = finished(held)
            if more is not held:
                write_row(changes, held, more)
                self.rows[interaction_id] = more
        for interaction_id in sorted(self._touched):
            before = self._rows.get(interaction_id)
            strands = self._strands[interaction_id]
            after = finished(fold(interaction_id, strands, before["revision"] if before else 0)) if strands else None
            write_row(changes, before, after)
            if after is None:
                self.rows.pop(interaction_id, None)
            else:
                self.rows[interaction_id] = after
                states[interaction_id] = after["state"]
                if after["state"] == State.PENDING and (before is None or before["state"] != State.PENDING):
                    self.began_to_wait.add(interaction_id)
        for name, alias in self._changed_aliases.items():
            (changes.new_aliases if name in self._new_names else changes.changed_aliases).append(alias)
        return states

    def _gave_up(self, interaction_id: str) -> bool:
        # Another reason why a body is not there is no new part to begin a new wait for.
        row = self._rows.get(interaction_id)
        return row is not None and row["state"] == State.INCOMPLETE

    def new_tokens(self) -> dict[str, int]:
        """Return how many more input and output tokens the rows tell of than before; call it after `write`."""
        return {
            name: sum(_new(row, name) for row in self.rows.values())
            - sum(_new(row, name) for row in self._rows.values())
            for name in ("input_tokens", "output_tokens")
        }

    def new_words(self) -> Iterator[str]:
        """Yield each unknown word that a row has and had not before; call it after `write`."""
        for name, row in self.rows.items():
            if trace := row.get(FIELD):
                before = self._rows.get(name, {}).get(FIELD)
                yield from set(words_in(trace)).difference(words_in(before))

    def _settle(self, claims: Mapping[str, tuple[str, str]]) -> None:
        for name, (claimed_at, interaction_id) in claims.items():
            known = self._aliases.get(name)
            if known is None or (claimed_at, interaction_id) < (known.claimed_at, known.interaction_id):
                revision = 0 if known is None else known.revision
                alias = Alias(name, interaction_id, claimed_at, revision)
                self._aliases[name] = self._changed_aliases[name] = alias

    def _guard(self, name: str) -> None:
        """Let another transaction that moves this name's strand now, not knowing of it, meet a conflict."""
        if name != OWN:
            self._changed_aliases.setdefault(name, self._aliases[name])

    def _move(self, name: str, source: str, target: str) -> None:
        if source == target:
            return
        strand = self._strands_of(source).pop(name, None)
        if strand is not None:
            self._strands_of(target)[name] = strand
            # Of an estimate alone nobody has told.
            self._strands_of(source).pop(ESTIMATE, None)
            self._touched |= {source, target}

    def _place(self, fragment: Fragment) -> _Place:
        if fragment.guest is None:
            return _Place(fragment.interaction_id, OWN)
        return _Place(self._aliases[fragment.guest].interaction_id, fragment.guest)

    def _strands_of(self, interaction_id: str) -> Strands:
        strands = self._strands.get(interaction_id)
        if strands is None:
            strands = self._strands[interaction_id] = strands_of(self._rows.get(interaction_id))
        return strands


def _new(row: Row, name: str) -> int:
    """Return the tokens that a call used; what a cache answered repeats another's."""
    return 0 if row.get("cached") else row.get(name) or 0


def _claims(fragments: Iterable[Fragment]) -> dict[str, tuple[str, str]]:
    """Return, for each name that is claimed, the earliest claim: its time and interaction."""
    claims: dict[str, tuple[str, str]] = {}
    for fragment in fragments:
        if fragment.guest is not None:
            named = [(fragment.guest, _UNCLAIMED)]
        else:
            # When an event was enqueued, where it tells no time of its own, is not when the name was claimed.
            told = None if "time_replaced" in fragment.facts else fragment.facts.get("occurred_at")
            claimed_at = told or _TIMELESS
            named = [(name, claimed_at) for name in fragment.claims]
        for name, claimed_at in named:
            claim = claimed_at, fragment.interaction_id
            claims[name] = min(claim, claims.get(name, claim))
    return claims


def write_row(changes: Batch, before: Row | None, after: Row | None) -> None:
    """Put into `changes` what a row becomes, and whose sums have to be made anew."""
    changes.dirty_usage_keys.update(usage_keys(before, after))
    changes.dirty_hours.update(hour_of(row["occurred_at"]) for row in (before, after) if row is not None)
    if after is None:
        if before is not None:
            changes.removed_interactions.append((before["id"], before["revision"]))
    elif before is None:
        changes.new_interactions.append(after)
    else:
        changes.changed_interactions.append(after)
        if before["state"] == State.PENDING and after["state"] != State.PENDING:
            changes.settled.append(after["id"])


def usage_keys(*rows: Row | None) -> Iterable[str]:
    """Yield the keys under which the rows state usage: others that repeat it may count now, or no more."""
    for row in rows:
        if row is not None and row.get("usage_key") is not None and row.get("total_tokens") is not None:
            yield row["usage_key"]
