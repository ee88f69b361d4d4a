"""Bodies of moderations."""

from collections.abc import Iterator, Mapping

from shared.domain.values import Json
from shared.operations.content_filter import filter_facts
from shared.operations.generic import answered, asked
from shared.operations.said import Said
from shared.operations.texts import texts_of

__all__ = ["moderated", "read_request", "read_response"]


def read_request(body: Mapping[str, Json]) -> Said:
    """Read a request; the prompt is every text that is to be judged, the text parts beside images included."""
    given = body.get("input")
    parts = given if isinstance(given, list) else ()
    texts = [text for part in parts if isinstance(part, dict) and (text := part.get("text")) and isinstance(text, str)]
    return asked(body, "\n".join([*texts_of(given), *texts]))


def read_response(body: Mapping[str, Json]) -> Said:
    """Read a response: the categories that were found. Nothing was filtered: that is for the client to decide."""
    return answered(body, filter_facts(moderated(body), []), None)


def moderated(told: Json) -> Iterator[Json]:
    """Yield what each result of a moderation found, or the one that it is, as the content filter would write it."""
    results = told.get("results") if isinstance(told, dict) else None
    yield from map(_found, results if isinstance(results, list) else [told])


def _found(result: Json) -> Json:
    categories = result.get("categories") if isinstance(result, dict) else None
    if not isinstance(categories, dict):
        return None
    return {name: {"detected": True} for name, found in categories.items() if found is True}
