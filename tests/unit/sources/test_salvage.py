import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.sources.decoding import decode
from shared.sources.salvage import salvage

_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        pytest.param('{"a": 1, "b": "two wor', {"a": 1, "b": "two wor"}, id="in a string"),
        pytest.param('{"a": "12', {"a": "12"}, id="in a string of digits"),
        pytest.param('{"a": "x\\" 12', {"a": 'x" 12'}, id="behind an escaped quote"),
        pytest.param('{"a": "x\\', {"a": "x"}, id="in an escape"),
        pytest.param('{"a": "x\\u00e', {"a": "x"}, id="in an escaped character"),
        pytest.param('{"a": "\\ud83d\\ude', {"a": ""}, id="in a surrogate pair"),
        pytest.param('{"a": 1, "b": 12', {"a": 1}, id="in a number, which may have been another"),
        pytest.param("[1, 2.5e", [1], id="in an exponent"),
        pytest.param('{"a": tru', {}, id="in a literal"),
        pytest.param('{"a": 1, "b', {"a": 1}, id="in a name"),
        pytest.param('{"a": 1, "b":', {"a": 1}, id="before a value"),
        pytest.param('{"a": {"b": [1, {"c": "x', {"a": {"b": [1, {"c": "x"}]}}, id="deep inside"),
        pytest.param(b'["ab\xe2\x82', ["ab"], id="in a character's bytes"),
        pytest.param(b'["\xff ok", "b', ["\ufffd ok", "b"], id="behind bytes that are no text"),
        pytest.param('{"a": "\\ud83d x", "b": "y', {"a": "\ufffd x", "b": "y"}, id="behind a lone surrogate"),
        pytest.param('["\\ud83d\\ude00 \\\\ud83d \\ude00", "', ["\U0001f600 \\ud83d \ufffd", ""], id="behind a pair"),
        pytest.param('["a\r\n\tb\x00', ["a\r\n\tb\x00"], id="behind raw control characters"),
        pytest.param(b'\xef\xbb\xbf{"a": "x', {"a": "x"}, id="behind a byte order mark"),
        pytest.param('{"a": "ä'.encode("utf-16"), {"a": "ä"}, id="in UTF-16"),
        pytest.param(
            '[NaN, 1e400, 12345678901234567890123, "x', [None, None, 12345678901234567890123.0, "x"], id="nan"
        ),
        pytest.param('{"a": "x", "b": {"c": 1, "d": bad}, "e": 1', {"a": "x", "b": {"c": 1}}, id="before a fault"),
        pytest.param("", None, id="nothing"),
        pytest.param("no JSON", None, id="another text"),
    ],
)
def test_what_stands_before_the_cut_is_kept(text: str | bytes, whole: Any) -> None:
    assert salvage(text) == (whole, True)


def test_what_is_whole_lacks_nothing() -> None:
    assert salvage(' {"a": [NaN, "\\ud800"]} ') == ({"a": [None, "\ufffd"]}, False)


def test_nesting_is_bounded() -> None:
    value, cut = salvage(b'{"a":' * 5000)

    assert cut
    assert decode(json.dumps(value)) == value


@pytest.mark.slow
@given(st.lists(_json, min_size=1), st.data())
def test_any_cut_keeps_a_beginning(value: Any, data: st.DataObject) -> None:
    text = json.dumps(value, ensure_ascii=data.draw(st.booleans())).encode()
    place = data.draw(st.integers(0, len(text) - 1))

    kept, _ = salvage(text[:place])

    assert _begins(kept, value)


@given(st.binary() | st.text())
def test_any_bytes_are_borne(text: bytes | str) -> None:
    value, _ = salvage(text)

    json.dumps(value, allow_nan=False).encode()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b'["' + b"a\\n\\u00e9" * 125_000, id="escapes"),
        pytest.param(b'["\x00' + b"a\n\\u00e9" * 125_000, id="control characters"),
        pytest.param(b'["' + b"\\ud83d" * 170_000, id="lone surrogates"),
        pytest.param(b'["\xff' + b"\\" * 1_000_000, id="backslashes"),
        pytest.param(b'{"a":' * 200_000, id="nesting"),
        pytest.param(b"[" + b"1," * 500_000, id="numbers"),
        pytest.param(b'["' + b"1" * 1_000_000, id="digits in a string"),
        pytest.param(b"\n" * 1_000_000 + b"[x", id="lines"),
        pytest.param(b'"' * 1_000_000, id="quotes"),
    ],
)
def test_a_megabyte_takes_milliseconds(text: bytes) -> None:
    began = time.process_time()
    salvage(text)

    # Some tens of milliseconds; the rest is for slow machines.
    assert time.process_time() - began < 0.5


def _begins(kept: Any, whole: Any) -> bool:
    """Return whether `kept` is `whole`, or a beginning of it."""
    if kept is None or kept == whole:
        return True
    if isinstance(kept, str) and isinstance(whole, str):
        return whole.startswith(kept.removesuffix("\ufffd"))
    if isinstance(kept, list) and isinstance(whole, list):
        return len(kept) <= len(whole) and all(map(_begins, kept, whole))
    if isinstance(kept, dict) and isinstance(whole, dict):
        return all(name in whole and _begins(item, whole[name]) for name, item in kept.items())
    return False
