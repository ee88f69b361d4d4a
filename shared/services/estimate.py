"""Interactions whose usage nobody reported -> estimates from their texts, kept beside the facts.

An estimate is a strand of its interaction, made from the exact set of parts that it is marked with:
when anything joins or leaves them, `fold` drops it, and ingest makes another if it is still needed.
So any order of the same events ends with the same estimate, or with none.
"""

import logging
from collections.abc import Mapping, Sequence

import orjson

from shared.domain.fragment import Content
from shared.domain.interaction import Facts, Provenance, State
from shared.domain.values import hour_of
from shared.merge import ESTIMATE, estimate_strand, fold, strands_of
from shared.operations.estimate import ESTIMATED, estimated_usage
from shared.retry import retried
from shared.services.content import best_content
from shared.services.isolation import UNTOLD, Failures, apart
from shared.stores.ports import Batch, ContentStore, Ledger, Row

__all__ = ["estimate_usage", "is_unmetered"]

logger = logging.getLogger(__name__)

_TEXTLESS = frozenset("uvtzDdnp")
"""Witnesses without texts; and the records of personal data, whose calls others count."""


def is_unmetered(row: Row) -> bool:
    """Return whether an interaction needs an estimate and may get one."""
    return (
        row["usage_provenance"] == Provenance.MISSING
        and not row.get("cached")  # what a cache answered used nothing anew
        and row["state"] == State.COMPLETE
        and row.get("operation") in ESTIMATED
        and any(part[0] not in _TEXTLESS for part in orjson.loads(row["parts"]))
    )


def estimate_usage(
    unmetered: Mapping[str, Row], *, ledger: Ledger, content: ContentStore, failures: Failures = UNTOLD
) -> int:
    """Estimate the usage of interactions that a batch left without; return how many got one.

    A constant number of round trips. Whatever changes one of them meanwhile makes its own estimate. One that
    fails stays without, and stops neither its batch nor others.

    Args:
        unmetered: the rows as the batch left them.
        ledger: where the rows are.
        content: where their texts are.
        failures: who is told of those that fail.

    Raises:
        StoreUnavailableError: nothing was written; the batch's next delivery tries again.
    """

    def estimate(names: Sequence[str]) -> int:
        return _estimate({name: unmetered[name] for name in names}, ledger, content)

    estimated = sum(apart(estimate, list(unmetered), failures).results)
    if estimated:
        logger.info("estimate.batch interactions=%d", estimated)
    return estimated


def _estimate(unmetered: Mapping[str, Row], ledger: Ledger, content: ContentStore) -> int:
    facts = _estimates(unmetered, content)
    if not facts:
        return 0

    def transact() -> int:
        changes = Batch.unbooked()
        with ledger.transaction() as transaction:
            for interaction_id, row in transaction.interactions(facts.keys()).items():
                if row["parts"] == unmetered[interaction_id]["parts"]:
                    changes.changed_interactions.append(_with_estimate(row, facts[interaction_id]))
                    changes.dirty_hours.add(hour_of(row["occurred_at"]))
            transaction.store(changes)
        return len(changes.changed_interactions)

    return retried(transact)


def _estimates(unmetered: Mapping[str, Row], content: ContentStore) -> dict[str, Facts]:
    documents = content.get(unmetered.keys())
    estimates: dict[str, Facts] = {}
    for interaction_id, row in unmetered.items():
        parts = set(orjson.loads(row["parts"]))
        own = [document for document in documents.get(interaction_id, ()) if document.document in parts]
        told: Content = best_content(interaction_id, own, row["occurred_at"])
        facts = estimated_usage(row["operation"], row.get("model"), told)
        if facts:
            estimates[interaction_id] = facts
    return estimates


def _with_estimate(row: Row, facts: Facts) -> Row:
    strands = strands_of(row)
    strands[ESTIMATE] = estimate_strand(strands, facts)
    return fold(row["id"], strands, row["revision"])
