"""Bodies of embeddings."""

from collections.abc import Iterator, Mapping
from typing import Final

from shared.domain.interaction import Facts
from shared.domain.values import Json
from shared.operations.generic import answered, asked
from shared.operations.said import Said
from shared.operations.texts import content_texts, joined
from shared.operations.usage import state_usage

__all__ = ["read_request", "read_response"]

_INPUTS: Final = ("input", "inputs", "texts", "messages")
"""Members that hold what is to be embedded; a service has one of them."""


def read_request(body: Mapping[str, Json]) -> Said:
    """Read a request; the prompt is every input text, those beside images too; token ids have none.

    Source: event formats, sections 8.3 and 16.8.
    """
    return asked(body, joined(_texts(body)))


def read_response(body: Mapping[str, Json]) -> Said:
    """Read a response: its usage and model. The vectors say nothing that an auditor can read."""
    facts: Facts = {}
    state_usage(facts, body.get("usage"))
    return answered(body, facts, None)


def _texts(body: Mapping[str, Json]) -> Iterator[str]:
    for name in _INPUTS:
        given = body.get(name)
        for item in given if isinstance(given, list) else [given]:
            if item and isinstance(item, str):
                yield item
            elif isinstance(item, dict):
                yield from content_texts(item.get("text"))
                yield from content_texts(item.get("content"))
