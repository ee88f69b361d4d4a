"""Forms."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.operations.encodings import form_of

FORM = (
    b"--x\r\n"
    b'Content-Disposition: form-data; name="file"; filename="Assets\\\\a \\"b\\".mp3"; filename*=utf-8\'\'a.mp3\r\n'
    b"Content-Type: audio/mpeg\r\n\r\n"
    b"\xff\xf3\r\n--y\r\n\x00\r\n"
    b"--x\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n"
    b"Content-Disposition: form-data; name=model\r\n\r\n"
    b"whisper-1\r\n"
    b"--x\r\n"
    b'Content-Disposition: form-data; name="prompt"\r\n\r\n'
    b"Gr\xc3\xbc\xc3\x9fe,\r\nAda\r\n"
    b"--x\r\n"
    b'Content-Disposition: form-data; name="include[]"\r\n\r\n'
    b"logprobs\r\n"
    b"--x\r\n"
    b'Content-Disposition: form-data; name="session"\r\n\r\n'
    b'{"model": "gpt-realtime"}\r\n'
    b"--x--\r\n"
)
FIELDS = {
    "file": {"filename": 'Assets\\a "b".mp3', "contentType": "audio/mpeg", "size": 10},
    "model": "whisper-1",
    "prompt": "Grüße,\r\nAda",
    "include": ["logprobs"],
    "session": {"model": "gpt-realtime"},
}


def a_part(name: str, value: str, more: str = "") -> str:
    return f'--x\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{value}\r\n'


@pytest.mark.parametrize("content_type", [None, "multipart/form-data; boundary=x", "Multipart/Form-Data"])
@pytest.mark.parametrize("form", [FORM, b"\r\n" + FORM, FORM.replace(b"--x--\r\n", b"--x--")])
def test_a_form_is_its_fields_and_of_files_what_they_are(form: bytes, content_type: str | None) -> None:
    assert form_of(form, content_type) == FIELDS


def test_a_form_may_come_as_text_and_with_bare_line_ends() -> None:
    text = a_part("model", "whisper-1") + a_part("prompt", "Hi") + "--x--\r\n"

    assert form_of(text) == form_of(text.replace("\r\n", "\n")) == {"model": "whisper-1", "prompt": "Hi"}


def test_a_file_whose_name_is_written_in_the_extended_form_only_is_a_file() -> None:
    form = a_part("file", "spoken", "; filename*=UTF-8''Gr%C3%BC%C3%9Fe.srt") + "--x--"

    assert form_of(form) == {"file": {"filename": "Grüße.srt", "size": 6}}


def test_fields_that_come_again_are_a_list() -> None:
    files = a_part("image[]", "A", '; filename="a.png"') + a_part("image[]", "BB", '; filename="b.png"')
    form = form_of(files + a_part("n", "1") + a_part("n", "2") + a_part("n", "3") + "--x--")

    assert form == {
        "image": [{"filename": "a.png", "size": 1}, {"filename": "b.png", "size": 2}],
        "n": ["1", "2", "3"],
    }


def test_of_a_form_that_was_cut_the_last_field_is_what_is_left_and_a_file_has_no_size() -> None:
    assert form_of(a_part("model", "whisper-1") + a_part("prompt", "Hello wor")[:-2]) == {
        "model": "whisper-1",
        "prompt": "Hello wor",
    }
    cut = form_of(FORM[: FORM.index(b"\x00")])
    assert cut == {"file": {"filename": 'Assets\\a "b".mp3', "contentType": "audio/mpeg"}}


def test_a_field_that_is_no_text_is_kept_like_a_file() -> None:
    form = form_of(b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\n\xff\xfe\r\n--x--')

    assert form == {"file": {"size": 2}}


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{}",
        "--",
        "-- a text that\nbegins with dashes",
        "--x\r\n\r\n--x--",
        "--x\r\nno header\r\n\r\nvalue\r\n--x--",
    ],
)
def test_what_is_no_form_is_none_and_a_declared_one_is_empty(body: str) -> None:
    assert form_of(body) is None
    assert form_of(body, "multipart/form-data; boundary=x") == {}


def test_a_field_that_looks_like_json_and_is_none_stays_a_text() -> None:
    deep = '{"a":' * 100 + "1" + "}" * 100

    assert form_of(a_part("a", "{") + a_part("b", deep) + "--x--") == {"a": "{", "b": deep}


@pytest.mark.slow
@given(st.binary(max_size=200), st.integers(0, len(FORM)), st.booleans())
def test_any_bytes_are_a_form_or_none(noise: bytes, cut: int, declared: Any) -> None:
    for body in (noise, b"--x\r\n" + noise, FORM[:cut] + noise + FORM[cut:], FORM[cut:]):
        form = form_of(body, "multipart/form-data" if declared else None)

        assert form is None or json.dumps(form)
