"""Bodies of the Assistants API: assistants, threads, their messages, runs and the steps of runs.

Source: event formats, section 8.7.
"""

from collections.abc import Iterator
from typing import Final

from shared.domain.interaction import Facts
from shared.domain.values import Json
from shared.operations.api import Body, Family
from shared.operations.errors import failure_facts
from shared.operations.readings import (
    BodyReading,
    content_texts,
    join_lines,
    message_texts,
    messages_of_model,
    read_plain_request,
    read_plain_response,
    reading_of_request,
    reading_of_response,
)
from shared.operations.usage import finish_facts, state_keyed_usage

__all__ = ["FAMILIES"]

_RUN: Final = "thread.run"
_STEP: Final = "thread.run.step"


def _read_thread_request(body: Body) -> BodyReading:
    """Read what a thread is created or changed with; the prompt is the text of its first messages."""
    return reading_of_request(body, join_lines(message_texts(body.get("messages"))))


def _read_message_request(body: Body) -> BodyReading:
    """Read a message that is added, or changed; the prompt is its text."""
    return reading_of_request(body, join_lines(content_texts(body.get("content"))))


def _read_message_response(body: Body) -> BodyReading:
    """Read a message, or a list of them; the completion is what the model says in them.

    Clients that poll a run get the model's answer here, and nowhere else.
    """
    messages = body.get("data") if body.get("object") == "list" else body
    return reading_of_response(body, {}, join_lines(message_texts(list(messages_of_model(messages)))))


def _read_run_request(body: Body) -> BodyReading:
    """Read what a run is asked for; the prompt is the text of the messages that come with it, or with its thread."""
    reading = reading_of_request(body, join_lines(_run_texts(body)))
    reading.facts.setdefault("streamed", False)
    return reading


def _read_run_response(body: Body) -> BodyReading:
    """Read a run, polled or not; the completion is what its stream brought, if it had one.

    Each poll after its end repeats the usage: `usage_key` names the run. A list of runs repeats that
    of others, and states none.
    """
    facts: Facts = {}
    if body.get("object") in (_RUN, None):
        facts.update(finish_facts(body))
        state_keyed_usage(facts, body.get("usage"), key=body.get("id"))
        facts.update(failure_facts(body.get("last_error")))
        facts.update(_tool_calls(_inner(body.get("required_action"), "submit_tool_outputs")))
    return reading_of_response(body, facts, join_lines(message_texts(list(messages_of_model(body.get("messages"))))))


def _read_step_response(body: Body) -> BodyReading:
    """Read a step. Its usage is part of its run's, and never counts beside it: it has the run's key."""
    facts: Facts = {}
    if body.get("object") in (_STEP, None):
        facts.update(finish_facts(body))
        state_keyed_usage(facts, body.get("usage"), key=body.get("run_id"))
        facts.update(failure_facts(body.get("last_error")))
        facts.update(_tool_calls(body.get("step_details")))
    return reading_of_response(body, facts, None)


def _run_texts(body: Body) -> Iterator[str]:
    yield from message_texts(_inner(body.get("thread"), "messages"))
    yield from message_texts(body.get("additional_messages"))


def _inner(holder: Json, name: str) -> Json:
    return holder.get(name) if isinstance(holder, dict) else None


def _tool_calls(holder: Json) -> Facts:
    calls = _inner(holder, "tool_calls")
    return {"tool_calls": len(calls)} if isinstance(calls, list) else {}


FAMILIES: Final = {
    "assistants": Family(read_plain_request, read_plain_response),
    # A thread holds no messages; steps are only ever read.
    "threads": Family(_read_thread_request, read_plain_response),
    "threads.messages": Family(_read_message_request, _read_message_response),
    "threads.runs": Family(_read_run_request, _read_run_response),
    "threads.runs.steps": Family(read_plain_request, _read_step_response),
}
