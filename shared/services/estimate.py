"""Interactions whose usage nobody reported -> estimates from their texts, kept beside the facts.

An estimate is a contribution to its interaction, made from the exact set of parts that it is marked with:
when anything joins or leaves them, `fold` drops it, and ingest makes another if it is still needed.
So any order of the same events ends with the same estimate, or with none.
"""

import logging
from collections.abc import Collection, Mapping, Sequence

import orjson

from shared.domain.interaction import Facts, Provenance, State
from shared.domain.reassembly.keys import is_chunk, is_mark
from shared.merge import ESTIMATE, contributions_of, estimate_contribution, fold
from shared.operations.estimate import ESTIMATED, estimated_usage
from shared.retry import retried
from shared.services.content import best_content
from shared.services.isolation import LOGGED_ONLY, Failures, apart, one_by_one
from shared.sources import RECORD_TYPES
from shared.stores.ports import Changes, ContentDocument, ContentStore, Ledger, Row

__all__ = ["Estimates", "estimate_in", "estimate_usage", "estimates_of", "is_unmetered", "with_estimate"]

logger = logging.getLogger(__name__)

Estimates = dict[tuple[str, str], Facts]
"""Interaction and its parts, as its row has them -> the token counts of its texts; none where they have none."""
_WITHOUT_TEXTS = frozenset(letter for letter, one in RECORD_TYPES.items() if not one.has_texts)


def is_unmetered(row: Row) -> bool:
    """Return whether an interaction needs an estimate and may get one."""
    return (
        row["usage_provenance"] == Provenance.MISSING
        and not row.get("cached")  # what a cache answered used nothing anew
        and row["state"] == State.COMPLETE
        and row.get("operation") in ESTIMATED
        and any(part[0] not in _WITHOUT_TEXTS for part in orjson.loads(row["parts"]))
    )


def estimate_in(
    row: Row, bodies: Mapping[tuple[str, str], bytes], estimates: Estimates, failures: Failures
) -> Facts | None:
    """Return the token counts of an interaction's texts, kept in `estimates` too; None when `bodies` lacks some.

    Args:
        row: unmetered.
        bodies: the documents of a batch, by interaction and key.
        estimates: what was counted before.
        failures: who is told where counting fails; then there is no estimate.
    """
    name, parts = row["id"], row["parts"]
    if (name, parts) not in estimates:
        keys: list[str] = orjson.loads(parts)
        if any((name, key) not in bodies or is_chunk(key) or is_mark(key) for key in keys):
            return None
        documents = [ContentDocument(name, key, bodies[name, key]) for key in keys]
        counted = one_by_one(lambda _: _estimate(row, documents), [name], failures).results
        estimates[name, parts] = counted[0] if counted else {}
    return estimates[name, parts]


def estimates_of(
    unmetered: Mapping[str, Row],
    content: ContentStore,
    failures: Failures,
    *,
    without: Collection[tuple[str, str]] = (),
) -> Estimates:
    """Return the token counts of interactions' texts, as the content store has them, in one round trip.

    Args:
        unmetered: the rows.
        content: where their texts are.
        failures: who is told of those that fail; they get no estimate.
        without: documents, as id and key, that are going to be dropped.

    Raises:
        StoreUnavailableError: the content store did not answer.
    """
    gone = set(without)
    read = apart(content.get, list(unmetered), failures)
    documents = {name: own for some in read.results for name, own in some.items()}
    estimates: Estimates = {(name, row["parts"]): {} for name, row in unmetered.items()}

    def estimate(name: str) -> None:
        row = unmetered[name]
        parts = set(orjson.loads(row["parts"]))
        own = [one for one in documents.get(name, ()) if one.document in parts and (name, one.document) not in gone]
        estimates[name, row["parts"]] = _estimate(row, own)

    one_by_one(estimate, [name for name in unmetered if name not in read.failed], failures)
    return estimates


def with_estimate(row: Row, facts: Facts) -> Row:
    """Return a row with the estimate that was made from exactly its parts."""
    contributions = contributions_of(row)
    contributions[ESTIMATE] = estimate_contribution(contributions, facts)
    return fold(row["id"], contributions, row["revision"])


def estimate_usage(
    unmetered: Mapping[str, Row], *, ledger: Ledger, content: ContentStore, failures: Failures = LOGGED_ONLY
) -> int:
    """Estimate the usage of interactions that are in the ledger without; return how many got one.

    Whatever changes one of them meanwhile makes its own estimate. One that fails stays without, and stops no other.

    Args:
        unmetered: the rows as they were written.
        ledger: where the rows are.
        content: where their texts are.
        failures: who is told of those that fail.

    Raises:
        StoreUnavailableError: nothing was written; the batch's next delivery tries again.
    """

    def estimate(names: Sequence[str]) -> int:
        return _write_estimates({name: unmetered[name] for name in names}, ledger, content, failures)

    estimated = sum(apart(estimate, list(unmetered), failures).results)
    if estimated:
        logger.info("estimate.batch interactions=%d", estimated)
    return estimated


def _write_estimates(unmetered: Mapping[str, Row], ledger: Ledger, content: ContentStore, failures: Failures) -> int:
    estimates = {parts: facts for parts, facts in estimates_of(unmetered, content, failures).items() if facts}
    if not estimates:
        return 0

    def transact() -> int:
        changes = Changes.unbooked()
        with ledger.transaction() as transaction:
            for name, row in transaction.interactions({name for name, _ in estimates}).items():
                if (name, row["parts"]) in estimates:
                    changes.changed_interactions.append(with_estimate(row, estimates[name, row["parts"]]))
                    changes.dirty_calls.add((row["occurred_at"], name))
            transaction.store(changes)
        return len(changes.changed_interactions)

    return retried(transact)


def _estimate(row: Row, documents: Sequence[ContentDocument]) -> Facts:
    content = best_content(row["id"], documents, row["occurred_at"])
    return estimated_usage(row["operation"], row.get("model"), content)
