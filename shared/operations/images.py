"""Bodies of image generations, edits and variations."""

from collections.abc import Iterator, Mapping

from shared.domain.interaction import Facts
from shared.domain.values import Json
from shared.operations.content_filter import filter_facts, filter_results
from shared.operations.generic import answered, asked
from shared.operations.said import Said
from shared.operations.texts import joined, texts_of
from shared.operations.usage import state_usage

__all__ = ["read_request", "read_response"]


def read_request(body: Mapping[str, Json]) -> Said:
    """Read a request, JSON or the fields of a form; the prompt is the image's description.

    Source: event formats, section 8.4.
    """
    said = asked(body, "\n".join(texts_of(body.get("prompt"))))
    said.facts.setdefault("streamed", False)
    return said


def read_response(body: Mapping[str, Json]) -> Said:
    """Read a response; the completion is the prompts as the model rewrote them.

    The old asynchronous form has the response in `result`; until it has succeeded there are no images.
    """
    result = body.get("result")
    answer: Mapping[str, Json] = result if isinstance(result, dict) else body
    data = answer.get("data")
    facts: Facts = {}
    state_usage(facts, answer.get("usage"))
    images: list[Mapping[str, Json]] = []
    if isinstance(data, list):
        images = [image for image in data if isinstance(image, dict)]
        facts["images"] = len(images)
    facts.update(filter_facts(map(_prompt_results, images), map(filter_results, images)))
    return answered(body, facts, joined(_revised(images)))


def _revised(images: list[Mapping[str, Json]]) -> Iterator[str]:
    for image in images:
        prompt = image.get("revised_prompt")
        if prompt and isinstance(prompt, str):
            yield prompt


def _prompt_results(image: Mapping[str, Json]) -> Json:
    """Return the results of an image's prompt: the results themselves, or an annotation that holds them."""
    results = image.get("prompt_filter_results")
    return filter_results(results) or results
