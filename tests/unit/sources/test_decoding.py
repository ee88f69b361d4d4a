import json
from typing import Any

import pytest

from shared.errors import EventError
from shared.sources.decoding import decode, parsed

BOM = b"\xef\xbb\xbf"


@pytest.mark.parametrize(
    ("body", "value"),
    [
        pytest.param(b'{"a": 1}', {"a": 1}, id="plain"),
        pytest.param(BOM + b'{"a": 1}', {"a": 1}, id="byte order mark"),
        pytest.param('{"a": "ü"}'.encode("utf-16"), {"a": "ü"}, id="UTF-16"),
        pytest.param(b'{"a": NaN, "b": -Infinity, "c": 1e999}', {"a": None, "b": None, "c": None}, id="no numbers"),
        pytest.param(b'{"a": "one\ntwo"}', {"a": "one\ntwo"}, id="raw line end in a text"),
        pytest.param(b'{"a": "\\ud83d"}', {"a": "\N{REPLACEMENT CHARACTER}"}, id="half a surrogate pair"),
        pytest.param(b'{"a": NaN, "b": "\\ud83d\\ude00"}', {"a": None, "b": "\N{GRINNING FACE}"}, id="a whole pair"),
        pytest.param(b'{"a": "\xfc"}', {"a": "\N{REPLACEMENT CHARACTER}"}, id="Latin-1"),
        pytest.param(b'{"a": 123456789012345678901234567890}', {"a": 123456789012345678901234567890.0}, id="30 digits"),
        pytest.param(b'{"a": NaN, "b": 99999999999999999999}', {"a": None, "b": 1e20}, id="20 digits, read tolerantly"),
        pytest.param(b'{"a": ' + b"9" * 5000 + b"}", {"a": None}, id="5,000 digits"),
    ],
)
def test_what_senders_write_is_read(body: bytes, value: Any) -> None:
    assert decode(body) == value


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b"", "not JSON", id="nothing"),
        pytest.param(b"time,service,id", "not JSON", id="comma-joined text"),
        pytest.param(b'{"a": 1', "not JSON", id="half an object"),
        pytest.param(b'{"a": "' + b"x" * 200_000, "cut off at the gateway's limit", id="cut by the gateway"),
        pytest.param(b"[" * 300 + b"]" * 300, "nested too deeply", id="300 levels"),
        pytest.param(b"[" * 100_000 + b"]" * 100_000, "nested too deeply|not JSON", id="100,000 levels"),
        pytest.param(b'{"a":' * 100_000, "nested too deeply|not JSON", id="100,000 unfinished levels"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_reason(body: bytes, reason: str) -> None:
    with pytest.raises(EventError, match=reason):
        decode(body)


def test_wide_values_are_not_deep() -> None:
    wide = [[1]] * 1000

    assert decode(json.dumps(wide).encode()) == wide


def test_a_text_inside_json_is_parsed_when_it_is_an_object_or_array() -> None:
    texts = [' {"a": 1}', "[1]", "[1", '"a"', "7", "", "[sic]"]

    assert [parsed(text) for text in texts] == [{"a": 1}, [1], "[1", '"a"', "7", "", "[sic]"]
