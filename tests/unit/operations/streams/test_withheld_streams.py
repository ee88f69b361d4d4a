"""Sound and pixels are never kept, wherever a stream carries them."""

import base64
from typing import Any

import pytest

from shared.domain.secrets import REMOVED
from shared.operations import read_response
from shared.operations.withheld import withhold_from_stream
from tests.builders.streams import a_chunk, an_event, stream_of

PIXELS = base64.b64encode(bytes(range(256)) * 8).decode()


def an_image_call(**changes: Any) -> dict[str, Any]:
    return {"id": "ig_1", "type": "image_generation_call", "result": PIXELS, "revised_prompt": "a cat"} | changes


CARRIERS = [
    pytest.param(stream_of({"type": "speech.audio.delta", "audio": PIXELS}), id="speech"),
    pytest.param(stream_of(a_chunk({"audio": {"id": "a", "data": PIXELS}})), id="a spoken chat answer"),
    pytest.param(stream_of({"type": "image_edit.partial_image", "b64_json": PIXELS}), id="a partial image"),
    pytest.param(
        an_event({"type": "image_generation.completed", "b64_json": PIXELS}, "image_generation.completed"),
        id="an image",
    ),
    pytest.param(stream_of({"type": "response.audio.delta", "delta": PIXELS}), id="a spoken response"),
    pytest.param(
        stream_of({"type": "response.image_generation_call.partial_image", "partial_image_b64": PIXELS}),
        id="a tool's partial",
    ),
    pytest.param(
        stream_of({"type": "response.output_item.done", "output_index": 0, "item": an_image_call()}),
        id="a tool's image",
    ),
    pytest.param(
        stream_of({"type": "response.completed", "response": {"object": "response", "output": [an_image_call()]}}),
        id="a response with an image",
    ),
]


@pytest.mark.parametrize("text", CARRIERS)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_payloads_are_removed_and_the_rest_says_the_same(text: str, line_end: str) -> None:
    text = text.replace("\n", line_end)

    kept = withhold_from_stream(text)

    assert PIXELS[:40] not in kept
    assert REMOVED in kept
    assert kept.count(line_end) == text.count(line_end)
    assert withhold_from_stream(kept) is kept
    assert read_response(kept).facts == read_response(text).facts


@pytest.mark.parametrize("text", CARRIERS)
def test_of_a_payload_that_was_cut_nothing_is_kept(text: str) -> None:
    start = text.index(PIXELS)

    for end in (start + 100, start + 1000, start + len(PIXELS)):
        assert PIXELS[:40] not in withhold_from_stream(text[:end])


@pytest.mark.parametrize("text", [stream_of(a_chunk({"content": 'say "audio" and b64_json'})), "audio.delta", "", "{"])
def test_a_stream_without_payloads_stays_as_it_is(text: str) -> None:
    assert withhold_from_stream(text) is text
