"""Bodies of fine-tuning, batches, models, deployments and evals: management through the data plane."""

from collections.abc import Mapping

from shared.domain.facts import state
from shared.domain.interaction import Facts
from shared.domain.values import Json
from shared.operations.generic import answered, asked
from shared.operations.said import Said
from shared.operations.usage import state_keyed_usage

__all__ = ["read_batch_response", "read_request", "read_response"]


def read_request(body: Mapping[str, Json]) -> Said:
    """Read a request: no one speaks in it.

    Source: event formats, section 8.9.
    """
    return asked(body, None)


def read_response(body: Mapping[str, Json]) -> Said:
    """Read a response. What a job costs stands in no answer: trained tokens are kept with the content only."""
    return answered(body, {}, None)


def read_batch_response(body: Mapping[str, Json]) -> Said:
    """Read a batch. The calls inside it do not pass the gateway; newer versions tell their usage in sum."""
    facts: Facts = {}
    if body.get("object") in ("batch", None):
        state_keyed_usage(facts, body.get("usage"), key=body.get("id"))
        facts.update(_error_facts(body.get("errors")))
    return answered(body, facts, None)


def _error_facts(errors: Json) -> Facts:
    """Return the first of the errors for which a batch was not accepted."""
    facts: Facts = {}
    listed = errors.get("data") if isinstance(errors, dict) else None
    first = listed[0] if isinstance(listed, list) and listed else None
    if isinstance(first, dict):
        state(facts, "error_code", first.get("code"))
        state(facts, "error_message", first.get("message"))
    return facts
