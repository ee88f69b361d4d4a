"""Bodies of management through the data plane: files, stores, containers, fine-tuning, batches, models, evals.

Nobody speaks in them, but where a vector store is searched. What a job costs stands in no answer: trained tokens are
kept with the content only.

Source: event formats, sections 8.8 and 8.9.
"""

from typing import Final

from shared.domain.facts import state
from shared.domain.interaction import Facts
from shared.domain.values import Json
from shared.operations.api import Body, Family
from shared.operations.readings import (
    BodyReading,
    read_plain_request,
    read_plain_response,
    reading_of_request,
    reading_of_response,
    texts_of,
)
from shared.operations.usage import state_keyed_usage

__all__ = ["FAMILIES"]


def _read_store_request(body: Body) -> BodyReading:
    """Read a request about a vector store; the prompt is what is searched for."""
    return reading_of_request(body, "\n".join(texts_of(body.get("query"))))


def _read_batch_response(body: Body) -> BodyReading:
    """Read a batch. The calls inside it do not pass the gateway; newer versions tell their usage in sum."""
    facts: Facts = {}
    if body.get("object") in ("batch", None):
        state_keyed_usage(facts, body.get("usage"), key=body.get("id"))
        facts.update(_error_facts(body.get("errors")))
    return reading_of_response(body, facts, None)


def _error_facts(errors: Json) -> Facts:
    """Return the first of the errors for which a batch was not accepted."""
    facts: Facts = {}
    listed = errors.get("data") if isinstance(errors, dict) else None
    first = listed[0] if isinstance(listed, list) and listed else None
    if isinstance(first, dict):
        state(facts, "error_code", first.get("code"))
        state(facts, "error_message", first.get("message"))
    return facts


FAMILIES: Final = {
    **dict.fromkeys(
        ("containers", "deployments", "evals", "files", "fine_tuning.jobs", "models", "uploads"),
        Family(read_plain_request, read_plain_response),
    ),
    # The parts of files that a search finds are nobody's completion.
    "vector_stores": Family(_read_store_request, read_plain_response),
    "batches": Family(read_plain_request, _read_batch_response),
}
