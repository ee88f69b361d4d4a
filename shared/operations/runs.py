"""Bodies of runs and of their steps."""

from collections.abc import Iterator, Mapping
from typing import Final

from shared.domain.interaction import Facts
from shared.domain.values import Json
from shared.operations.errors import failure_facts
from shared.operations.generic import answered, asked
from shared.operations.said import Said
from shared.operations.texts import joined, message_texts, spoken_by_model
from shared.operations.usage import finish_facts, state_keyed_usage

__all__ = ["read_request", "read_response", "read_step_request", "read_step_response"]

_RUN: Final = "thread.run"
_STEP: Final = "thread.run.step"


def read_request(body: Mapping[str, Json]) -> Said:
    """Read what a run is asked for; the prompt is the text of the messages that come with it, or with its thread.

    Source: event formats, section 8.7.
    """
    said = asked(body, joined(_texts(body)))
    said.facts.setdefault("streamed", False)
    return said


def read_response(body: Mapping[str, Json]) -> Said:
    """Read a run, polled or not; the completion is what its stream said, if it had one.

    Each poll after its end repeats the usage: `usage_key` names the run. A list of runs repeats that
    of others, and states none.
    """
    facts: Facts = {}
    if body.get("object") in (_RUN, None):
        facts.update(finish_facts(body))
        state_keyed_usage(facts, body.get("usage"), key=body.get("id"))
        facts.update(failure_facts(body.get("last_error")))
        facts.update(_tool_calls(_inner(body.get("required_action"), "submit_tool_outputs")))
    return answered(body, facts, joined(message_texts(list(spoken_by_model(body.get("messages"))))))


def read_step_request(body: Mapping[str, Json]) -> Said:
    """Read a request about steps: they are only ever read."""
    return asked(body, None)


def read_step_response(body: Mapping[str, Json]) -> Said:
    """Read a step. Its usage is part of its run's, and never counts beside it: it has the run's key."""
    facts: Facts = {}
    if body.get("object") in (_STEP, None):
        facts.update(finish_facts(body))
        state_keyed_usage(facts, body.get("usage"), key=body.get("run_id"))
        facts.update(failure_facts(body.get("last_error")))
        facts.update(_tool_calls(body.get("step_details")))
    return answered(body, facts, None)


def _texts(body: Mapping[str, Json]) -> Iterator[str]:
    yield from message_texts(_inner(body.get("thread"), "messages"))
    yield from message_texts(body.get("additional_messages"))


def _inner(holder: Json, name: str) -> Json:
    return holder.get(name) if isinstance(holder, dict) else None


def _tool_calls(holder: Json) -> Facts:
    calls = _inner(holder, "tool_calls")
    return {"tool_calls": len(calls)} if isinstance(calls, list) else {}
