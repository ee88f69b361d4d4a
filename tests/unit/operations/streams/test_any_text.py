"""Any text, and any JSON in any event, is read without an exception; what comes out can be stored."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.operations import read_response
from shared.operations.withheld import withhold_from_stream
from shared.sources import read_event
from tests.builders.events import ENQUEUED, a_response

pytestmark = pytest.mark.slow

_words = st.sampled_from(
    ["data:", "data: ", "event: ", "error", "thread.run.created", "[DONE]", "\n", "\r\n", "\r", "{", "}", '"', ":"]
)
_texts = st.lists(st.one_of(_words, st.text(max_size=8)), max_size=30).map("".join)

_scalars = st.one_of(st.none(), st.booleans(), st.integers(-2, 3), st.floats(allow_nan=False), st.text(max_size=5))
_json: st.SearchStrategy[Any] = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_MEMBERS = {
    "type": [
        "error",
        "response.created",
        "response.completed",
        "response.output_item.added",
        "response.output_item.done",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.function_call_arguments.delta",
        "response.audio.delta",
        "transcript.text.delta",
        "transcript.text.segment",
        "transcript.text.done",
        "speech.audio.delta",
        "speech.audio.done",
        "image_edit.completed",
        "image_generation_call",
    ],
    "object": [
        "chat.completion.chunk",
        "text_completion",
        "thread.run",
        "thread.run.step",
        "thread.message",
        "thread.message.delta",
    ],
}
_NAMES = """choices delta message messages index content text value role tool_calls function function_call arguments
audio data transcript refusal id model created usage logprobs content_filter_results prompt_filter_results filtered
severity finish_reason response output item part output_index content_index item_id error code status b64_json result
created_at context annotations custom_blocklists hate""".split()


def _members(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    labels = {name: st.sampled_from(values) for name, values in _MEMBERS.items()}
    plain = st.dictionaries(st.sampled_from(_NAMES), inner, max_size=5)
    return st.builds(dict.__or__, plain, st.fixed_dictionaries({}, optional=labels))


_events = st.lists(
    _members(st.recursive(_scalars, lambda inner: st.lists(inner, max_size=3) | _members(inner), max_leaves=8)),
    max_size=5,
)


@settings(max_examples=300, deadline=None)
@given(_texts)
def test_any_text_is_read(text: str) -> None:
    read_event(a_response(body=text, contentType="text/event-stream"), ENQUEUED)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read(body: bytes) -> None:
    text = "data: " + body.decode(errors="replace")

    read_response(withhold_from_stream(text))


@settings(max_examples=500, deadline=None)
@given(_events)
def test_any_events_are_read_and_can_be_stored(events: list[Any]) -> None:
    text = "".join(f"data: {json.dumps(event)}\n\n" for event in events)

    said = read_response(withhold_from_stream(text), content_type="text/event-stream")

    orjson.dumps([said.facts, said.text, said.body])
    assert said.text is None or isinstance(said.text, str)
    assert said.facts["streamed"] is True


@settings(max_examples=200, deadline=None)
@given(texts=st.lists(st.text(max_size=6), max_size=12), padded=st.booleans(), ascii_only=st.booleans())
def test_any_texts_in_chunks_are_joined(texts: list[str], *, padded: bool, ascii_only: bool) -> None:
    texts = [text.encode(errors="ignore").decode() for text in texts]
    chunks = [
        {"choices": [{"index": 0, "delta": {"content": text}}]} | ({"obfuscation": "x" * (n % 5)} if padded else {})
        for n, text in enumerate(texts)
    ]
    text = "".join(f"data: {json.dumps(one, separators=(',', ':'), ensure_ascii=ascii_only)}\n\n" for one in chunks)

    assert (read_response(text + "data: [DONE]").text or "") == "".join(texts)
