"""The interactions of one batch: as the ledger holds them, as fragments change them, and what has to be written."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from shared.domain.fragment import Fragment
from shared.domain.interaction import State
from shared.domain.reassembly.chunks import ChunkSet, Reassembly
from shared.domain.reassembly.keys import chunk_key
from shared.domain.unknown_words import FIELD, words_in
from shared.merge import ESTIMATE, OWN, Contribution, Contributions, contributions_of, fold
from shared.services.correlation import Correlation
from shared.stores.ports import Changes, LedgerTransaction, Row

__all__ = ["Assembled", "ChunkPlace", "Interactions", "change_row", "speaks_of_pending", "usage_keys"]

ChunkPlace = tuple[str, ChunkSet]
"""An interaction, and chunks of it."""
Assembled = dict[ChunkPlace, list[tuple[str, Fragment | None]]]
"""Chunks -> what they make together, each with the mark to leave.

The mark alone, where it says why a claimed body is not there.
"""


class Interactions:
    """The interactions that a batch speaks of."""

    def __init__(self, transaction: LedgerTransaction, fragments: Iterable[Fragment], assembled: Assembled) -> None:
        """Load all that `fragments`, and the chunks that were put together, are going to touch."""
        self.rows: dict[str, Row] = {}
        """The rows as `plan` leaves them."""
        self.began_to_wait: set[str] = set()
        """Interactions that `plan` made pending: their wait has to be noted, or nobody would ever end it."""
        every = list(fragments)
        joined = [fragment for made in assembled.values() for _, fragment in made if fragment is not None]
        self._correlation = Correlation(transaction, [*every, *joined])
        ids = {fragment.interaction_id for fragment in every} | self._correlation.owners
        self._before = transaction.interactions(ids)
        self._contributions: dict[str, Contributions] = {}
        self._changed: set[str] = set()
        self._chunks: dict[str, set[str]] = {}
        """Of each interaction of which the batch brings chunks: their keys."""
        for correlation_id, source, target in self._correlation.moves:
            self._move(correlation_id, source, target)

    # Merge

    def add(self, fragment: Fragment) -> bool:
        """Merge a fragment; return whether its document is new. A repeat may change when the call happened, no more."""
        name = OWN if fragment.foreign_id is None else fragment.foreign_id
        interaction_id = fragment.interaction_id if name == OWN else self._correlation.owner_of(name)
        if fragment.chunk is not None:
            self._chunks.setdefault(interaction_id, set()).add(fragment.key)
        contributions = self._contributions_of(interaction_id)
        contribution = contributions.get(name)
        if contribution is None:
            contribution = contributions[name] = Contribution({}, {}, set())
            if name != OWN:
                self._correlation.guard(name)
        if fragment.key in contribution.parts:
            if contribution.add_again(fragment):
                self._changed.add(interaction_id)
            return False
        contribution.add(fragment)
        self._changed.add(interaction_id)
        return True

    def add_assembled(self, assembled: Assembled) -> list[ChunkPlace]:
        """Merge what chunks make together; return those whose documents must be read first."""
        unread: list[ChunkPlace] = []
        for interaction_id in self._chunks:
            own = self._contributions_of(interaction_id)[OWN]
            for chunks in Reassembly(own.parts).ready:
                made = assembled.get((interaction_id, chunks))
                if made is None:
                    unread.append((interaction_id, chunks))
                    continue
                for mark, fragment in made:
                    if fragment is not None:
                        own.add_assembled(fragment)
                    elif mark in own.parts or self._is_given_up(interaction_id):
                        # The mark says why a claimed body is not there: it was noted, or would end nobody's wait.
                        continue
                    own.parts.add(mark)
                    self._changed.add(interaction_id)
        return unread

    # Plan

    def plan(self, changes: Changes, finish: Callable[[Row], Row] = lambda row: row) -> dict[str, str]:
        """Put into `changes` what becomes of the rows; return the state of each interaction.

        Args:
            changes: of the batch.
            finish: returns a row with what follows from it, in the same state; the same object where nothing does.
        """
        states = {interaction_id: row["state"] for interaction_id, row in self._before.items()}
        self.rows = dict(self._before)
        for interaction_id in self._before.keys() - self._changed:
            row = self._before[interaction_id]
            finished = finish(row)
            if finished is not row:
                change_row(changes, row, finished)
                self.rows[interaction_id] = finished
        for interaction_id in sorted(self._changed):
            before = self._before.get(interaction_id)
            contributions = self._contributions[interaction_id]
            revision = before["revision"] if before else 0
            after = finish(fold(interaction_id, contributions, revision)) if contributions else None
            change_row(changes, before, after)
            if after is None:
                self.rows.pop(interaction_id, None)
            else:
                self.rows[interaction_id] = after
                states[interaction_id] = after["state"]
                if after["state"] == State.PENDING and (before is None or before["state"] != State.PENDING):
                    self.began_to_wait.add(interaction_id)
        self._correlation.plan(changes)
        return states

    def spent(self) -> list[tuple[str, str]]:
        """Return the documents of chunks, as id and key, that were joined and must not be kept.

        Of every interaction that the batch brings a chunk of they are all named again: who joined them
        may have died before they were dropped, and then its batch is delivered again.
        """
        return [
            (interaction_id, key)
            for interaction_id in self._chunks
            for key in sorted(Reassembly(self._contributions_of(interaction_id)[OWN].parts).spent)
        ]

    def unmet_claims(self) -> list[tuple[str, str]]:
        """Return the events, as id and key, whose bodies were not in Blob storage, or not the right ones."""
        return [
            (interaction_id, chunks.keys[0].text)
            for interaction_id, keys in self._chunks.items()
            if any(chunk_key(key).is_claim for key in keys)
            for chunks in Reassembly(self._contributions_of(interaction_id)[OWN].parts).ready
            if chunks.is_claim
        ]

    def new_tokens(self) -> dict[str, int]:
        """Return how many more input and output tokens the rows have than before; `plan` comes first."""
        return {
            name: sum(_used(row, name) for row in self.rows.values())
            - sum(_used(row, name) for row in self._before.values())
            for name in ("input_tokens", "output_tokens")
        }

    def new_words(self) -> Iterator[str]:
        """Yield each unknown word that a row has and had not before; `plan` comes first."""
        for interaction_id, row in self.rows.items():
            if trace := row.get(FIELD):
                before = self._before.get(interaction_id, {}).get(FIELD)
                yield from set(words_in(trace)).difference(words_in(before))

    def _is_given_up(self, interaction_id: str) -> bool:
        # A wait that was given up holds for exactly the parts that were there: another reason must not begin a new one.
        row = self._before.get(interaction_id)
        return row is not None and row["state"] == State.INCOMPLETE

    def _move(self, correlation_id: str, source: str, target: str) -> None:
        contribution = self._contributions_of(source).pop(correlation_id, None)
        if contribution is not None:
            self._contributions_of(target)[correlation_id] = contribution
            # An estimate alone is of nobody.
            self._contributions_of(source).pop(ESTIMATE, None)
            self._changed |= {source, target}

    def _contributions_of(self, interaction_id: str) -> Contributions:
        contributions = self._contributions.get(interaction_id)
        if contributions is None:
            contributions = contributions_of(self._before.get(interaction_id))
            self._contributions[interaction_id] = contributions
        return contributions


def change_row(changes: Changes, before: Row | None, after: Row | None) -> None:
    """Put into `changes` what a row becomes, and whose sums have to be made anew."""
    changes.dirty_usage_keys.update(usage_keys(before, after))
    changes.dirty_calls.update((row["occurred_at"], row["id"]) for row in (before, after) if row is not None)
    if after is None:
        if before is not None:
            changes.removed_interactions.append((before["id"], before["revision"]))
    elif before is None:
        changes.new_interactions.append(after)
    else:
        changes.changed_interactions.append(after)
        changes.before[before["id"]] = before
        if before["state"] == State.PENDING and after["state"] != State.PENDING:
            changes.settled.append(after["id"])


def usage_keys(*rows: Row | None) -> Iterable[str]:
    """Yield the keys under which the rows have usage: others that repeat it may count now, or no more."""
    for row in rows:
        if row is None or row.get("usage_key") is None:
            continue
        if row.get("total_tokens") is not None or row.get("seconds") is not None:
            yield row["usage_key"]


def _used(row: Row, name: str) -> int:
    """Return the tokens that a call used; what a cache answered repeats another's."""
    return 0 if row.get("cached") else row.get(name) or 0


def speaks_of_pending(fragment: Fragment, states: Mapping[str, str]) -> bool:
    """Return whether a fragment's interaction is pending; a record with a foreign id waits for nothing."""
    return fragment.foreign_id is None and states.get(fragment.interaction_id) == State.PENDING
