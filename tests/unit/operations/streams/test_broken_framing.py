"""Streams that break the framing, or end without saying so, as other providers on the same endpoint write them."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.operations import read_response, request_context
from tests.builders.streams import DONE, a_chunk, an_event, stream_of
from tests.unit.operations.streams.test_hostile_streams import CHARS, SECONDS_PER_MB, seconds_to_read

USAGE = {"prompt_tokens": 11, "completion_tokens": 4, "total_tokens": 15}
NOUGHT = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
SAID, FINISHED = a_chunk({"content": "Hi"}), a_chunk(finish_reason="stop")
TOLD = a_chunk() | {"choices": [], "usage": USAGE}
WITH_USAGE = request_context({"stream": True, "stream_options": {"include_usage": True}}, deployment=None)
WITHOUT_USAGE = request_context({"stream": True}, deployment=None)


def calls_of(*pieces: dict[str, Any]) -> list[tuple[Any, Any, str]]:
    """Return id, name and arguments of the calls that a stream of these pieces makes."""
    text = stream_of(*[a_chunk({"tool_calls": [piece]}) for piece in pieces], a_chunk(finish_reason="tool_calls"))
    said = read_response(text, status=200)
    calls = said.body["choices"][0]["message"]["tool_calls"]
    assert said.facts["tool_calls"] == len(calls)
    return [(call.get("id"), call["function"].get("name"), call["function"].get("arguments", "")) for call in calls]


def piece(arguments: str | None = None, *, name: str | None = None, **members: Any) -> dict[str, Any]:
    told = {"name": name, "arguments": arguments}
    return {"function": {key: value for key, value in told.items() if value is not None}} | members


@pytest.mark.parametrize("indexes", [(None, None, None), (0, 1, 2), (0, None, None), (None, 0, 1), (5, 0, 3)])
def test_pieces_without_an_index_or_with_a_wandering_one_belong_to_the_call_before(indexes: tuple[Any, ...]) -> None:
    told = [piece("", name="get_tide", id="call_a"), piece('{"port":'), piece('"Husum"}')]

    calls = calls_of(*[one if at is None else one | {"index": at} for one, at in zip(told, indexes, strict=True)])

    assert calls == [("call_a", "get_tide", '{"port":"Husum"}')]


@pytest.mark.parametrize("index", [{}, {"index": 0}])
def test_a_new_id_begins_a_call(index: dict[str, int]) -> None:
    told = [piece("{", name="f", id="a"), piece("}"), piece("[", name="f", id="b"), piece("]")]

    assert calls_of(*[one | index for one in told]) == [("a", "f", "{}"), ("b", "f", "[]")]


@pytest.mark.parametrize("index", [{}, {"index": 0}])
def test_a_new_name_begins_a_call(index: dict[str, int]) -> None:
    told = [piece("{", name="f"), piece("}"), piece("", name="g"), piece("{}")]

    assert calls_of(*[one | index for one in told]) == [(None, "f", "{}"), (None, "g", "{}")]


def test_an_id_that_comes_behind_its_name_is_the_same_calls() -> None:
    assert calls_of(piece(name="f"), {"id": "a"}, piece("{}")) == [("a", "f", "{}")]


def test_a_name_repeated_in_every_piece_is_one_call() -> None:
    assert calls_of(piece('{"a":', name="f"), piece('{"b":1}}', name="f")) == [(None, "f", '{"a":{"b":1}}')]


@pytest.mark.parametrize("index", [{}, {"index": 0}])
def test_whole_calls_of_one_function_without_ids_are_several(index: dict[str, int]) -> None:
    told = [piece('{"port":"Husum"}', name="f"), piece('{"port":"Emden"}', name="f")]

    assert len(calls_of(*[one | index for one in told])) == 2


def test_calls_of_one_function_that_are_numbered_and_have_no_ids_are_several() -> None:
    told = [(0, ""), (1, "")]

    calls = calls_of(
        *[piece(text, name="f", index=at) for at, text in told], piece("{1}", index=1), piece("{0}", index=0)
    )

    assert calls == [(None, "f", "{0}"), (None, "f", "{1}")]


def test_interleaved_pieces_belong_to_the_call_of_their_id_whatever_their_index() -> None:
    told = [piece("{", name="f", id="a"), piece("[", name="g", id="b"), piece("}", id="a"), piece("]", id="b")]

    for index in ({}, {"index": 0}):
        assert calls_of(*[one | index for one in told]) == [("a", "f", "{}"), ("b", "g", "[]")]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.text("{}ab:", max_size=4), max_size=4), min_size=1, max_size=4), st.data())
def test_any_pieces_behind_an_id_make_its_arguments_whatever_their_indexes(
    calls: list[list[str]], data: st.DataObject
) -> None:
    pieces: list[dict[str, Any]] = []
    for number, texts in enumerate(calls):
        pieces += [piece("", name="f", id=f"call_{number}"), *map(piece, texts)]
    wandering = data.draw(st.booleans())

    made = calls_of(*[one | ({"index": at} if wandering else {}) for at, one in enumerate(pieces)])

    assert made == [(f"call_{number}", "f", "".join(texts)) for number, texts in enumerate(calls)]


def test_arguments_in_a_response_stream_belong_to_the_call_before_them() -> None:
    call = {"type": "function_call", "id": "fc_1", "name": "f", "arguments": ""}
    events = [
        {"type": "response.output_item.added", "output_index": 0, "item": call},
        {"type": "response.function_call_arguments.delta", "output_index": 1, "item_id": "fc_1", "delta": "{"},
        {"type": "response.function_call_arguments.delta", "output_index": 2, "delta": "}"},
    ]

    said = read_response(stream_of(*events, done=False))

    assert said.body["output"] == [call | {"arguments": "{}"}]
    assert said.facts["tool_calls"] == 1


@pytest.mark.parametrize("times", [2, 3, 7])
@pytest.mark.parametrize("space", ["", " "])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_repeated_prefix_is_taken_off(times: int, space: str, line_end: str) -> None:
    plain = stream_of(SAID, FINISHED, TOLD)

    doubled = plain.replace("data: ", f"data:{space}" * times).replace("\n", line_end)

    assert read_response(doubled, status=200) == read_response(plain, status=200)


def test_a_stream_that_was_framed_line_by_line_is_read() -> None:
    response = {"object": "response", "id": "r", "model": "m", "output": [], "status": "completed"}
    plain = ": hi\n" + "".join(
        an_event({"type": f"response.{kind}", "response": response}, f"response.{kind}")
        for kind in ("created", "completed")
    )

    again = "".join(f"data: {line}\n" for line in plain.splitlines())

    assert read_response(again, status=200) == read_response(plain, status=200)


@pytest.mark.parametrize(
    ("chunks", "context", "truncated"),
    [
        pytest.param((SAID, FINISHED, TOLD), WITH_USAGE, False, id="usage asked for and told"),
        pytest.param((SAID, FINISHED, TOLD), None, False, id="usage told, nobody knows whether it was asked for"),
        pytest.param((SAID, FINISHED), WITHOUT_USAGE, False, id="no usage asked for"),
        pytest.param((SAID, FINISHED), None, False, id="no usage, and nothing that says it was to come"),
        pytest.param((SAID, FINISHED), WITH_USAGE, True, id="usage asked for and missing"),
        pytest.param(
            (SAID | {"usage": None}, FINISHED | {"usage": None}), None, True, id="usage announced and missing"
        ),
        pytest.param((SAID, FINISHED, TOLD | {"usage": NOUGHT}), WITH_USAGE, True, id="usage of nought"),
        pytest.param((SAID,), WITHOUT_USAGE, True, id="no finish reason"),
        pytest.param((SAID, TOLD), WITH_USAGE, True, id="usage without a finish reason"),
        pytest.param((SAID, a_chunk({"content": "Ho"}, index=1), FINISHED), None, True, id="one choice of two ended"),
    ],
)
def test_without_the_mark_of_its_end_a_stream_is_truncated_where_something_is_missing(
    chunks: tuple[Any, ...],
    context: Any,
    truncated: bool,  # noqa: FBT001
) -> None:
    text = stream_of(*chunks, done=False)

    facts = (read_response(text, status=200, context=context) if context else read_response(text, status=200)).facts

    assert facts.get("truncated", False) is truncated
    assert "truncated" not in read_response(text + DONE, status=200).facts


def test_a_stream_that_breaks_off_inside_a_chunk_behind_the_last_is_truncated() -> None:
    text = stream_of(SAID, FINISHED, done=False)

    assert read_response(text + 'data: {"choices":[],"usa', status=200).facts["truncated"] is True
    assert "truncated" not in read_response(text + "data: [DO", status=200).facts


@pytest.mark.parametrize("last", [NOUGHT, {**USAGE, "completion_tokens": 0}, {}, None, {"prompt_tokens": None}])
def test_a_usage_of_nought_never_wins_over_one_of_numbers(last: Any) -> None:
    chunks = [SAID | {"usage": NOUGHT}, FINISHED | {"usage": USAGE}, TOLD | {"usage": last}]

    assert read_response(stream_of(*chunks), status=200).facts["total_tokens"] == 15


def test_nothing_but_noughts_is_no_usage() -> None:
    facts = read_response(stream_of(SAID | {"usage": NOUGHT}, FINISHED | {"usage": NOUGHT}), status=200).facts

    assert not [name for name in facts if name.endswith("_tokens")]


def test_a_response_keeps_the_usage_that_an_event_before_its_last_told() -> None:
    told = {"object": "response", "output": [], "usage": {"input_tokens": 9, "output_tokens": 2, "total_tokens": 11}}
    last = {"object": "response", "output": [], "usage": {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}}
    events = [{"type": f"response.{kind}", "response": one} for kind, one in (("in_progress", told), ("failed", last))]

    assert read_response(stream_of(*events, done=False), status=200).facts["total_tokens"] == 11


@pytest.mark.parametrize(
    "text",
    ["data: x\n\n", "data: {]}\n\ndata: {]}\n\n", an_event({"type": "new.event"}), "No stream at all.", "<nothing>"],
)
def test_what_its_content_type_calls_a_stream_and_nobody_can_read_is_unreadable_and_not_cut(text: str) -> None:
    facts = read_response(text, status=200, content_type="text/event-stream").facts

    assert facts == {"streamed": True, "unreadable": "stream"}


def test_of_a_chat_a_stream_that_nobody_can_read_is_told_without_a_content_type() -> None:
    assert read_response("data: x\n\n", operation="chat.completions").facts == {"unreadable": "stream"}


@pytest.mark.slow
def test_hostile_pieces_of_calls_are_read_in_a_time_that_their_size_bounds() -> None:
    for one in (
        {"tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]},
        {"tool_calls": [{"function": {"arguments": ""}}] * 8},
        {"tool_calls": [{"index": 0, "id": "a", "function": {"arguments": "}{"}}] * 4},
    ):
        line = f"data: {json.dumps({'choices': [{'delta': one}]})}\n"

        assert seconds_to_read(line * (CHARS // len(line))) < SECONDS_PER_MB

    for line in ("data: " * 1000 + "{}\n", "data: event: x\ndata: data: {}\n", 'data: {"choices":[],"model":"m%d"}\n'):
        text = "".join(line.replace("%d", str(n)) for n in range(CHARS // len(line)))

        assert seconds_to_read(text) < SECONDS_PER_MB
