"""Bodies of embeddings and of moderations: texts in, numbers and categories out."""

from collections.abc import Iterator
from typing import Final

from shared.domain.interaction import Facts
from shared.operations.api import Body, Family
from shared.operations.content_filter import filter_facts, moderation_results
from shared.operations.readings import (
    BodyReading,
    content_texts,
    join_lines,
    reading_of_request,
    reading_of_response,
    texts_of,
)
from shared.operations.usage import state_usage

__all__ = ["FAMILIES"]

_INPUTS: Final = ("input", "inputs", "texts", "messages")
"""Members that hold what is to be embedded; a service has one of them."""


def _read_request(body: Body) -> BodyReading:
    """Read a request; the prompt is every input text, those beside images too; token ids have none.

    Source: event formats, sections 8.3 and 16.8.
    """
    return reading_of_request(body, join_lines(_texts(body)))


def _read_response(body: Body) -> BodyReading:
    """Read a response: its usage and model. The vectors say nothing that an auditor can read."""
    facts: Facts = {}
    state_usage(facts, body.get("usage"))
    return reading_of_response(body, facts, None)


def _texts(body: Body) -> Iterator[str]:
    for name in _INPUTS:
        given = body.get(name)
        for item in given if isinstance(given, list) else [given]:
            if item and isinstance(item, str):
                yield item
            elif isinstance(item, dict):
                yield from content_texts(item.get("text"))
                yield from content_texts(item.get("content"))


def _read_moderation_request(body: Body) -> BodyReading:
    """Read a request; the prompt is every text that is to be judged, the text parts beside images included."""
    given = body.get("input")
    parts = given if isinstance(given, list) else ()
    texts = [text for part in parts if isinstance(part, dict) and (text := part.get("text")) and isinstance(text, str)]
    return reading_of_request(body, "\n".join([*texts_of(given), *texts]))


def _read_moderation_response(body: Body) -> BodyReading:
    """Read a response: the categories that were found. Nothing was filtered: that is for the client to decide."""
    return reading_of_response(body, filter_facts(moderation_results(body), []), None)


FAMILIES: Final = {
    "embeddings": Family(_read_request, _read_response),
    "moderations": Family(_read_moderation_request, _read_moderation_response),
}
