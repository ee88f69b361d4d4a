"""What bodies of every operation say, and all that is read of an operation without a reader of its own."""

from collections.abc import Iterable, Mapping
from typing import Final

from shared.domain.facts import members, state_members
from shared.domain.interaction import Facts
from shared.domain.unknown_words import note
from shared.domain.values import COUNT_LIMIT, Json
from shared.operations.parameters import parameters
from shared.operations.said import Said, preview

__all__ = ["answered", "asked", "read_request", "read_response", "summed"]

_ASKED: Final = members(requested_model="model", end_user_id="safety_identifier") + members(
    end_user_id="user", streamed="stream"
)
_ANSWERED: Final = members(model="model", response_id="id")
_USAGE: Final = ("usage", "tool_usage")


def asked(body: Mapping[str, Json], prompt: str | None) -> Said:
    """Return what any request says, beside `prompt`."""
    facts: Facts = {}
    state_members(facts, body, _ASKED)
    kept = parameters(body)
    if kept is not None:
        facts["parameters"] = kept
    if prompt:
        facts["prompt_preview"] = preview(prompt)
    return Said(facts, prompt or None)


def answered(body: Mapping[str, Json], facts: Facts, completion: str | None) -> Said:
    """Return what any response says, beside `facts` and `completion`."""
    state_members(facts, body, _ANSWERED)
    note(facts, "usage", [name for name in body if "usage" in name.lower() and _is_strange(name, body[name])])
    if completion:
        facts["completion_preview"] = preview(completion)
    return Said(facts, completion or None)


def summed(answers: Iterable[Said]) -> tuple[Facts, str]:
    """Return the tokens of several answers in sum, and their texts, a line each."""
    sums: Facts = {}
    texts: list[str] = []
    for said in answers:
        for name, value in said.facts.items():
            if name.endswith("_tokens"):
                sums[name] = min(sums.get(name, 0) + value, COUNT_LIMIT - 1)
        if said.text:
            texts.append(said.text)
    return sums, "\n".join(texts)


def _is_strange(name: str, value: Json) -> bool:
    """Return whether a member holds usage that no reader knows; the number of bytes that a store uses is none."""
    return isinstance(value, dict) and name not in _USAGE


def read_request(body: Mapping[str, Json]) -> Said:
    """Read a request of an operation without a reader: `prompt` and `input` are texts of people everywhere."""
    texts = [text for name in ("prompt", "input") if isinstance(text := body.get(name), str)]
    return asked(body, "\n".join(texts))


def read_response(body: Mapping[str, Json]) -> Said:
    """Read a response of an operation without a reader.

    Usage is left alone: the answer to a poll repeats it, and only the operation's reader can tell.
    """
    return answered(body, {}, None)
