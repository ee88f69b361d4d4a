"""Bodies of moderations."""

from collections.abc import Mapping

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
    results = body.get("results")
    return answered(body, filter_facts(map(moderated, results if isinstance(results, list) else ()), []), None)


def moderated(result: Json) -> Json:
    """Return what one result of a moderation found, as the content filter would write it."""
    categories = result.get("categories") if isinstance(result, dict) else None
    if not isinstance(categories, dict):
        return None
    return {name: {"detected": True} for name, found in categories.items() if found is True}
