import json

import pytest

from shared.operations.streams.framing import events_of, frames_of, object_of

ONE = '{"n":1}'
TWO = '{"n":2}'


def numbers(text: str) -> list[object]:
    return [event["n"] for _, event in events_of(frames_of(text))]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"data: {ONE}\n\ndata: {TWO}\n\n", id="as the service writes it"),
        pytest.param(f"data:{ONE}\n\ndata:{TWO}\n\n", id="no space"),
        pytest.param(f"data: {ONE}\r\n\r\ndata: {TWO}\r\n\r\n", id="CRLF"),
        pytest.param(f"data: {ONE}\r\rdata: {TWO}\r\r", id="CR"),
        pytest.param(f"data: {ONE}\n\ndata: {TWO}", id="no final line end"),
        pytest.param(f"data: {ONE}\ndata: {TWO}\n", id="no blank lines"),
        pytest.param(f"event: a\ndata: {ONE}\nevent: b\ndata: {TWO}\n", id="names but no blank lines"),
        pytest.param(f": ping\n\ndata: {ONE}\n\n: ping\ndata: {TWO}\n\n", id="comments"),
        pytest.param(f"id: 1\nretry: 5\ndata: {ONE}\n\nid: 2\ndata: {TWO}\n\n", id="other fields"),
        pytest.param(f"\ufeff\n\ndata: {ONE}\n\ndata: {TWO}\n\n", id="byte order mark and blank lines first"),
        pytest.param(f'data: {{\ndata: "n":\ndata: 1}}\n\ndata: {TWO}\n\n', id="one object over several lines"),
        pytest.param(f"{ONE}\n{TWO}\n", id="a log that dropped the field names"),
        pytest.param(f"data: {ONE}\n\ndata: {TWO}\n\ndata: {{'n", id="cut inside JSON"),
        pytest.param(f"data: {ONE}\n\ndata: {TWO}\n\nda", id="cut inside the field name"),
        pytest.param(f'data: {ONE}\n\ndata: nonsense\n\ndata: 7\n\ndata: [{{"n": 5}}]\n\ndata: {TWO}', id="no objects"),
        pytest.param(f'data:  {{ "n" : 1 }} \n\ndata: {TWO}\t\n\n', id="spaces"),
        pytest.param(f'data: {ONE}\n\ndata: {{"n":2,"x":{{}}', id="cut before the last brace"),
    ],
)
def test_events_are_told_apart_however_they_are_written(text: str) -> None:
    assert numbers(text) == [1, 2]


def test_an_event_has_the_name_of_its_own_block_only() -> None:
    text = f"event: thread.run.created\ndata: {ONE}\n\ndata: {TWO}\n\n"

    assert [name for name, _ in events_of(frames_of(text))] == ["thread.run.created", None]


@pytest.mark.parametrize(
    "text", ["data: [DONE]\n\n", "data:[DONE]", "event: done\ndata: [DONE]\n", "data: [DONE] \r\n"]
)
def test_done_is_no_event_but_the_end(text: str) -> None:
    frames = frames_of(text)

    assert frames.done
    assert frames.data == []


def test_a_cut_done_is_no_end() -> None:
    assert not frames_of(f"data: {ONE}\n\ndata: [DON").done


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (r'{"a":"\ud83d"}', {"a": "\N{REPLACEMENT CHARACTER}"}),
        (r'{"a":"\ud83d\ude00"}', {"a": "😀"}),
        ('{"a":NaN}', {"a": None}),
        ('{"a":"\t"}', {"a": "\t"}),
        ('{"a":1e999}', None),
        ('{"a":{}}}', {"a": {}}),
        ('{"a":' + "9" * 5000 + "}", None),
        ('{"a":' * 300 + "1" + "}" * 300, None),
        ("[" * 5000 + "}", None),
        ("", None),
    ],
)
def test_what_strict_json_forbids_is_read_where_it_can_be_stored(data: str, value: object) -> None:
    assert object_of(data) == value


def test_a_line_with_many_objects_is_not_deep() -> None:
    value = {"a": [{"b": [1]}] * 400}

    assert object_of(json.dumps(value)) == value
