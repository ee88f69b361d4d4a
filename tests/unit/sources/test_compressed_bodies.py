"""Compressed bodies in events: read as what they were where they are whole and small, else kept as they are."""

import base64
import gzip
import json
import random
import time
import zlib
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.fragment import Fragment
from shared.operations.encodings import inflate, inflate_base64
from shared.sources import read_event
from tests.builders.azure_monitor import a_gateway_log, an_envelope
from tests.builders.events import ENQUEUED, a_request, a_response
from tests.unit.operations.streams.test_hostile_streams import SECONDS_PER_MB

ANSWER = {
    "object": "chat.completion",
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Grüße"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
PLAIN = json.dumps(ANSWER, ensure_ascii=False)
COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}
LOGGED: dict[str, Callable[[bytes], str]] = {
    "byte by byte": lambda body: body.decode("latin-1"),
    "in base64": lambda body: base64.b64encode(body).decode(),
}
each_compressor = pytest.mark.parametrize("compress", COMPRESSORS.values(), ids=COMPRESSORS.keys())


def fragment_of(event: bytes) -> Fragment:
    (fragment,) = read_event(event, ENQUEUED).fragments
    return fragment


@each_compressor
def test_a_compressed_answer_in_base64_is_read_and_kept_as_if_it_had_come_plain(
    compress: Callable[[bytes], bytes],
) -> None:
    encoded = base64.b64encode(compress(PLAIN.encode())).decode()

    fragment = fragment_of(a_response(body=None, bodyBase64=encoded))

    plain = fragment_of(a_response(body=PLAIN))
    assert fragment.facts == plain.facts
    assert fragment.content == plain.content
    assert "Grüße".encode() in fragment.document
    assert fragment_of(fragment.document) == fragment


@each_compressor
def test_a_compressed_request_is_read_as_if_it_had_come_plain(compress: Callable[[bytes], bytes]) -> None:
    asked = json.dumps({"model": "m", "messages": [{"role": "user", "content": "Hi"}]}).encode()

    fragment = fragment_of(a_request(body=None, bodyBase64=base64.b64encode(compress(asked)).decode()))

    assert fragment.content.prompt == "Hi"
    assert "unreadable" not in fragment.facts


@pytest.mark.parametrize("log", LOGGED.values(), ids=LOGGED.keys())
def test_of_a_gateway_log_a_compressed_body_is_read_where_its_bytes_are_all_there(log: Callable[[bytes], str]) -> None:
    body = log(gzip.compress(PLAIN.encode()))

    fragment = fragment_of(an_envelope(a_gateway_log(properties={"backendResponseBody": body})))

    assert fragment.content.completion == "Grüße"
    assert fragment.facts["total_tokens"] == 2
    assert fragment_of(fragment.document) == fragment


def test_bytes_that_a_windows_log_wrote_as_its_own_characters_are_read() -> None:
    body = gzip.compress(PLAIN.encode())
    windows = "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in body)

    assert inflate(windows) == PLAIN


def test_a_compressed_stream_is_a_stream() -> None:
    stream = f"data: {json.dumps({'choices': [{'delta': {'content': 'Hi'}}]})}\n\ndata: [DONE]\n\n"
    encoded = base64.b64encode(gzip.compress(stream.encode())).decode()

    fragment = fragment_of(a_response(body=None, bodyBase64=encoded, contentType="text/event-stream"))

    assert fragment.content.completion == "Hi"
    assert fragment.facts["streamed"] is True


def test_what_must_not_be_kept_of_a_compressed_answer_is_not_kept() -> None:
    vectors = {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": "AACAPwAAAEA="}]}
    encoded = base64.b64encode(gzip.compress(json.dumps(vectors).encode())).decode()

    fragment = fragment_of(a_response(body=None, bodyBase64=encoded))

    assert b"AACAPw" not in fragment.document
    assert encoded.encode() not in fragment.document


@each_compressor
def test_a_compressed_body_that_was_cut_or_lost_bytes_is_kept_and_named(compress: Callable[[bytes], bytes]) -> None:
    body = compress(PLAIN.encode())

    cut = fragment_of(a_response(body=None, bodyBase64=base64.b64encode(body[:-9]).decode()))
    lost = fragment_of(a_response(body=body.decode("utf-8", "replace")))

    assert cut.facts["unreadable"] == lost.facts["unreadable"] == "compressed"
    assert cut.content.completion is lost.content.completion is None
    assert cut.content.response == {"bodyBase64": base64.b64encode(body[:-9]).decode()}
    assert lost.content.response == body.decode("utf-8", "replace")


def test_two_bodies_in_one_are_kept_as_they_are() -> None:
    assert inflate((gzip.compress(b"{}") * 2).decode("latin-1")) is None


@pytest.mark.parametrize("compress", COMPRESSORS.values(), ids=COMPRESSORS.keys())
def test_a_bomb_is_not_opened(compress: Callable[[bytes], bytes]) -> None:
    bombs = [compress(b"[" * 50_000_000), compress(b'{"a":' * 2_000_000)]

    began = time.process_time()
    opened = [inflate_base64(base64.b64encode(bomb).decode()) for bomb in bombs]

    assert opened == [None, None]
    assert time.process_time() - began < 0.1


@pytest.mark.parametrize(
    "line", ['data: {"choices":[{"delta":{"content":"\\ud800"}}]}\n\n', "data: {}}\n\n", "data: 1\n"]
)
def test_a_compressed_body_costs_no_more_than_one_of_six_times_its_size(line: str) -> None:
    noise = random.Random(1)
    text = line * (100_000 // len(line))
    while inflate_base64(base64.b64encode(gzip.compress(text.encode())).decode()) is None:
        text += f":{noise.randbytes(2000).hex()}\n"
    body = base64.b64encode(gzip.compress(text.encode())).decode()
    event = a_response(body=None, bodyBase64=body, contentType="text/event-stream")

    def seconds() -> float:
        began = time.process_time()
        fragment_of(event)
        return time.process_time() - began

    assert len(text) < 6 * len(event)
    assert min(seconds() for _ in range(5)) < 6 * SECONDS_PER_MB * len(event) / 1e6


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=100), st.sampled_from([b"\x1f\x8b\x08", b"\x78\x9c", b"\x28\xb5\x2f\xfd", b""]))
def test_any_bytes_that_begin_like_compressed_ones_are_read(body: bytes, start: bytes) -> None:
    for text in ((start + body).decode("latin-1"), (start + body).decode("utf-8", "replace")):
        fragment_of(a_response(body=text))
    fragment_of(a_response(body=None, bodyBase64=base64.b64encode(start + body).decode()))
    fragment_of(a_request(body=None, bodyBase64=base64.b64encode(start + body).decode()))
