"""Streams made to cost time: read in a time that their size bounds, as far as they are worth it."""

import time

import pytest

from shared.domain.fragment import Fragment
from shared.operations import read_response
from shared.operations.streams.framing import frames_of
from shared.sources import read_event
from tests.builders.events import ENQUEUED, a_response
from tests.builders.streams import DONE, a_chunk, an_event, stream_of

pytestmark = pytest.mark.slow

CHARS = 1_000_000
SECONDS_PER_MB = 0.3
"""Four times what is promised of any event: a busy machine is no failure."""
HI = '{"choices":[{"index":0,"delta":{"content":"%s"}}]}'
LINES = {
    "no JSON": "data: x\n",
    "no JSON in events": "data: x\n\n",
    "a brace": "data: {\n",
    "a closing brace": "data: }\n\n",
    "a brace too many": "data: {}}\n\n",
    "an empty object": "data: {}\n",
    "an empty object without a field": "{}\n",
    "a tiny object": 'data: {"a":1}\n',
    "a number": "data:1\n",
    "no data": "data:\n",
    "NaN": 'data: {"a":NaN}\n\n',
    "half a character": 'data: {"choices":[{"delta":{"content":"\\ud800"}}]}\n\n',
    "comments": ":\n",
    "names": "event: x\n",
    "names and objects": "event: x\ndata: {}\n",
    "blank lines": "\n",
    "the end": DONE,
    "deltas of one character": f"data: {HI % 'a'}\n\n",
    "chunks without a choice": 'data: {"choices":[]}\n\n',
    "chunks of many choices": 'data: {"choices":[' + "{}," * 11 + "{}]}\n\n",
    "pieces of log probabilities": 'data: {"choices":[{"delta":{},"logprobs":{"a":[1]}}]}\n\n',
    "response events": 'data: {"type":"response.x"}\n\n',
    "thread events": 'data: {"object":"thread.x"}\n\n',
    "broken runs": "event: thread.run.x\ndata: {\n\n",
    "sound": 'data: {"audio":1}\n',
    "broken sound": 'data: {"type":"speech.audio.delta","audio":""}}\n\n',
}


def fragment_of(text: str) -> Fragment:
    event = a_response(body=text, streamed=True, contentType="text/event-stream", backendUrl=None)
    (fragment,) = read_event(event, ENQUEUED).fragments
    return fragment


def seconds_to_read(text: str) -> float:
    def once() -> float:
        started = time.process_time()
        fragment_of(text)
        return time.process_time() - started

    return min(once(), once())


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("start", ["", an_event(a_chunk({"content": "Hi"}))], ids=["alone", "after a chunk"])
@pytest.mark.parametrize("line", LINES.values(), ids=LINES.keys())
def test_a_stream_of_tiny_events_is_read_in_time(line: str, start: str, line_end: str) -> None:
    text = (start + line * (CHARS // len(line))).replace("\n", line_end)

    assert seconds_to_read(text) < SECONDS_PER_MB * len(text) / CHARS


def test_a_stream_of_as_many_choices_as_chunks_is_read_in_time() -> None:
    chunks = [f'data: {{"choices":[{{"index":{n},"delta":{{"content":"a"}}}}]}}\n\n' for n in range(CHARS // 60)]

    assert seconds_to_read("".join(chunks)) < SECONDS_PER_MB


def test_a_stream_with_more_broken_events_than_it_is_worth_is_read_up_to_there_and_kept() -> None:
    text = stream_of(a_chunk({"content": "Hi"}), done=False) + 'data: {"a":NaN]}\n\n' * 1000 + DONE

    fragment = fragment_of(text)

    assert fragment.content.completion == "Hi"
    assert fragment.facts["truncated"] is True
    assert fragment.document.count(b"NaN]") == 1000


def test_a_stream_with_more_events_than_a_service_writes_is_read_so_far_and_kept() -> None:
    text = stream_of(a_chunk({"content": "Hi"}), done=False) + "data: {}\n\n" * 5000 + DONE

    fragment = fragment_of(text)

    assert fragment.content.completion == "Hi"
    assert fragment.facts["truncated"] is True
    assert fragment.document.count(b"data: {}") == 5000


def test_a_stream_of_nothing_but_tiny_objects_cannot_be_read_however_long_it_is() -> None:
    said = read_response("data: {}\n\n" * 5000, content_type="text/event-stream")

    assert said.facts == {"streamed": True, "unreadable": "stream"}


def test_choices_beyond_any_number_that_can_be_asked_for_are_left_out() -> None:
    said = read_response(stream_of(*[a_chunk({"content": str(n)}, index=n) for n in range(2100)]))

    assert len(said.body["choices"]) == 2048
    assert said.text == "0"
    assert said.facts["truncated"] is True


def test_the_shortest_chunks_that_say_anything_are_all_read() -> None:
    chunks = [f"data: {HI % chr(97 + n % 26)}\n" for n in range(50_000)]

    said = read_response("".join(chunks) + DONE)

    assert len(said.text or "") == 50_000
    assert "truncated" not in said.facts


def test_chunks_whose_letters_were_cut_in_half_are_all_read_as_long_as_they_are_few() -> None:
    halves = [a_chunk({"content": "\ud83d" if n % 3 else "a"}) for n in range(600)]

    said = read_response(stream_of(*halves))

    assert len(said.text or "") == 600
    assert "truncated" not in said.facts


def test_keep_alives_without_data_are_no_events() -> None:
    frames = frames_of("data:\n\ndata: \n\n" * 3000 + 'data: {"n":1}\n\n')

    assert frames.data == [' {"n":1}']
    assert not frames.cut
