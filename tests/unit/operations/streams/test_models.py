"""Streams that name two models: a router, and the one that it chose."""

from typing import Any

import pytest

from shared.operations import read_response, request_context
from tests.builders.streams import a_chunk, stream_of

ROUTER, SERVED = "model-router", "gpt-5-mini-2025-08-07"
USAGE = {"prompt_tokens": 11, "completion_tokens": 4, "total_tokens": 15}
ROUTED = request_context({"model": ROUTER, "stream": True}, deployment=None)


def routed(*names: str) -> str:
    """Return a stream whose chunks name these models: the role, pieces of text, the finish, the usage."""
    first, *pieces, finish, last = names
    return stream_of(
        a_chunk({"role": "assistant", "content": ""}, model=first),
        *[a_chunk({"content": "a"}, model=name) for name in pieces],
        a_chunk(finish_reason="stop", model=finish),
        a_chunk(model=last) | {"choices": [], "usage": USAGE},
    )


@pytest.mark.parametrize(
    "names",
    [
        (ROUTER, SERVED, SERVED, SERVED),
        (ROUTER, SERVED, SERVED, ROUTER),
        (SERVED, SERVED, SERVED, ROUTER),
        (ROUTER, ROUTER, ROUTER, ROUTER, SERVED),
        ("", SERVED, ROUTER, ROUTER),
    ],
)
def test_the_one_that_served_is_the_name_that_was_not_asked_for(names: tuple[str, ...]) -> None:
    said = read_response(routed(*names), status=200, context=ROUTED)

    assert said.facts["model"] == said.body["model"] == SERVED
    assert said.facts["requested_model"] == ROUTER


@pytest.mark.parametrize("names", [(ROUTER, SERVED, SERVED, ROUTER), (ROUTER, SERVED, ROUTER, ROUTER)])
def test_without_a_request_the_one_that_served_is_the_one_that_spoke(names: tuple[str, ...]) -> None:
    facts = read_response(routed(*names), status=200).facts

    assert (facts["model"], facts["requested_model"]) == (SERVED, ROUTER)


def test_a_deployment_may_be_the_name_that_was_asked_for() -> None:
    context = request_context({"messages": []}, deployment=ROUTER)

    facts = read_response(routed(ROUTER, ROUTER, SERVED, ROUTER), status=200, context=context).facts

    assert (facts["model"], facts["requested_model"]) == (SERVED, ROUTER)


def test_a_stream_that_names_one_model_was_served_by_it_though_it_was_asked_for() -> None:
    facts = read_response(routed(ROUTER, ROUTER, ROUTER, ROUTER), status=200, context=ROUTED).facts

    assert facts["model"] == ROUTER
    assert "requested_model" not in facts


def test_chunks_that_differ_in_their_text_only_all_count_for_their_model() -> None:
    many, few = [SERVED] * 20, [ROUTER] * 3

    for names in (many + few, few + many):
        assert read_response(routed(ROUTER, *names, ROUTER, ROUTER), status=200).facts["model"] == SERVED


@pytest.mark.parametrize("ended", [True, False])
def test_a_response_stream_may_name_the_router_in_its_last_event(ended: bool) -> None:  # noqa: FBT001
    def event(kind: str, model: str) -> dict[str, Any]:
        output = [{"type": "message", "content": [{"type": "output_text", "text": "Hi"}]}] if ended else []
        response = {"object": "response", "id": "resp_1", "model": model, "output": output, "status": "completed"}
        return {"type": f"response.{kind}", "response": response}

    said = read_response(stream_of(event("created", SERVED), event("completed", ROUTER), done=False), context=ROUTED)

    assert (said.facts["model"], said.facts["requested_model"]) == (SERVED, ROUTER)
    assert said.body["model"] == SERVED
