"""Bodies that are not what their operation sends or answers: kept and named, never a text of anybody's."""

import base64
import gzip
import zlib

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.operations import read_request, read_response

PAGE = "<!DOCTYPE html><html><body><h1>Request blocked</h1></body></html>"
ANSWER = b'{"text": "Hello world."}'
GZIP, ZLIB = gzip.compress(ANSWER, mtime=0), zlib.compress(ANSWER)
ZSTANDARD = zstandard.ZstdCompressor().compress(ANSWER)
SOUND = bytes(range(256)) * 4
JSON_OPERATIONS = ["chat.completions", "embeddings", "responses", "images.generations", "audio.transcriptions"]


def kind_of(body: str | bytes, operation: str | None, **told: object) -> str | None:
    said = read_response(body, operation=operation, status=200, **told)  # type: ignore[arg-type]
    assert said.text is None
    assert "completion_preview" not in said.facts
    unreadable: str | None = said.facts.get("unreadable")
    return unreadable


@pytest.mark.parametrize("operation", JSON_OPERATIONS)
@pytest.mark.parametrize(
    "body", [PAGE, f"\ufeff\n {PAGE.lower()}", "<html>", "<?xml version='1.0'?><Error/>", "<!-- x --><HEAD>"]
)
def test_a_page_is_no_answer(body: str, operation: str) -> None:
    assert kind_of(body, operation) == "page"


def test_what_its_content_type_calls_a_page_is_one() -> None:
    assert kind_of("Please sign in.", "audio.transcriptions", content_type="Text/HTML; charset=utf-8") == "page"


@pytest.mark.parametrize("operation", [*JSON_OPERATIONS, None])
@pytest.mark.parametrize("body", [GZIP, ZLIB, ZSTANDARD], ids=["gzip", "zlib", "zstd"])
def test_compressed_bytes_are_no_answer_however_they_were_logged(body: bytes, operation: str | None) -> None:
    logged: list[str | bytes] = [body, body.decode("utf-8", "replace"), body.decode("latin-1"), body[: len(body) // 2]]

    assert [kind_of(one, operation) for one in logged] == ["compressed"] * 4


def test_compressed_bytes_in_base64_are_no_answer() -> None:
    assert kind_of(base64.b64encode(GZIP).decode(), "audio.transcriptions") == "compressed"


@pytest.mark.parametrize("operation", JSON_OPERATIONS)
def test_bytes_that_are_no_text_are_no_answer_however_they_were_logged(operation: str) -> None:
    logged: list[str | bytes] = [SOUND, SOUND.decode("utf-8", "replace"), SOUND.decode("latin-1"), "%PDF-1.7\n1 0 obj"]

    assert [kind_of(one, operation) for one in logged] == ["binary"] * 4


@pytest.mark.parametrize("operation", ["audio.speech", "files", "containers", None])
def test_what_answers_bytes_of_any_kind_is_readable(operation: str | None) -> None:
    assert kind_of(SOUND, operation) is None


def test_a_text_where_only_json_is_answered_is_named() -> None:
    assert kind_of("upstream connect error", "chat.completions") == "text"


@pytest.mark.parametrize("text", ["", "   ", '{"cut": "he', "[1, 2"])
def test_what_may_be_cut_json_or_nothing_is_not_named(text: str) -> None:
    assert kind_of(text, "chat.completions") is None


@pytest.mark.parametrize(
    "text", ["Hello world.", "x^2 is", "(see/read)", "A \ufffd B", "WEBVTT\n\n00:01.000 --> 00:02.000\nHi", "H4sI am"]
)
def test_a_transcription_may_be_any_text(text: str) -> None:
    said = read_response(text, operation="audio.transcriptions", status=200)

    assert said.text
    assert "unreadable" not in said.facts


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(categories=["L", "N", "P", "Zs"]), min_size=1, max_size=80))
def test_any_text_of_letters_that_is_no_markup_is_a_transcription(text: str) -> None:
    spoken = "So " + text

    assert read_response(spoken, operation="audio.transcriptions", status=200).text == spoken


def test_an_error_that_is_compressed_has_no_garbage_for_its_message() -> None:
    facts = read_response(GZIP.decode("utf-8", "replace"), operation="responses", status=502, reason="Bad").facts

    assert facts == {"unreadable": "compressed", "error_code": "502", "error_message": "Bad"}


@pytest.mark.parametrize(("body", "kind"), [(GZIP, "request compressed"), (SOUND, "request binary")])
def test_a_request_that_is_no_text_is_named_as_the_requests(body: bytes, kind: str) -> None:
    for logged in (body, body.decode("utf-8", "replace")):
        said = read_request(logged, "chat.completions")

        assert (said.facts, said.text) == ({"unreadable": kind}, None)


def test_a_file_that_is_sent_may_be_anything() -> None:
    assert read_request(GZIP, "files").facts == {}
