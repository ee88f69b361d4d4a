"""Bodies of legacy completions, answers not streamed."""

from collections.abc import Mapping

from shared.domain.values import Json
from shared.operations.choices import choice_facts, choices_of
from shared.operations.generic import answered, asked
from shared.operations.said import Said
from shared.operations.texts import texts_of
from shared.operations.usage import state_usage

__all__ = ["read_request", "read_response"]


def read_request(body: Mapping[str, Json]) -> Said:
    """Read a request; prompts given as token ids carry no text.

    Source: event formats, section 8.2.
    """
    said = asked(body, "\n".join(texts_of(body.get("prompt"))))
    said.facts.setdefault("streamed", False)
    return said


def read_response(body: Mapping[str, Json]) -> Said:
    """Read a response; the completion is the text of the choice with the lowest index."""
    choices = choices_of(body)
    facts = choice_facts(body, choices)
    state_usage(facts, body.get("usage"))
    if choices:
        # It has no way to call one.
        facts["tool_calls"] = 0
    text = choices[0].get("text") if choices else None
    return answered(body, facts, text if isinstance(text, str) else None)
