"""Bodies of embeddings."""

from collections.abc import Mapping

from shared.domain.values import Json
from shared.operations.generic import answered, asked
from shared.operations.said import Said
from shared.operations.texts import texts_of
from shared.operations.usage import usage_facts

__all__ = ["read_request", "read_response"]


def read_request(body: Mapping[str, Json]) -> Said:
    """Read a request; the prompt is every input text, and inputs given as token ids have none.

    Source: event formats, section 8.3.
    """
    return asked(body, "\n".join(texts_of(body.get("input"))))


def read_response(body: Mapping[str, Json]) -> Said:
    """Read a response: its usage and model. The vectors say nothing that an auditor can read."""
    return answered(body, usage_facts(body.get("usage")), None)
