"""Bodies of files, uploads, vector stores and containers: management, but for the search in a vector store."""

from collections.abc import Mapping

from shared.domain.values import Json
from shared.operations.generic import answered, asked
from shared.operations.said import Said
from shared.operations.texts import texts_of

__all__ = ["read_request", "read_response", "read_store_request"]


def read_request(body: Mapping[str, Json]) -> Said:
    """Read a request, JSON or the fields of a form: no one speaks in it.

    Source: event formats, section 8.8.
    """
    return asked(body, None)


def read_store_request(body: Mapping[str, Json]) -> Said:
    """Read a request about a vector store; the prompt is what is searched for."""
    return asked(body, "\n".join(texts_of(body.get("query"))))


def read_response(body: Mapping[str, Json]) -> Said:
    """Read a response. The parts of files that a search finds are nobody's completion."""
    return answered(body, {}, None)
