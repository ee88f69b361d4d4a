"""JSON in pieces is whole when its last piece is there, and not before."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.sources.nesting import Nesting

_values = st.recursive(
    st.one_of(st.text(st.sampled_from('a"\\[]{}\n')), st.integers(), st.none()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(st.sampled_from('a"\\[]{}')), inner)),
    max_leaves=20,
)


@pytest.mark.slow
@given(st.lists(_values), st.integers(1, 7))
def test_only_the_piece_that_ends_it_closes_a_list(value: list[object], size: int) -> None:
    text = json.dumps(value)
    nesting = Nesting()

    closed = [nesting.is_closed_by(text[start : start + size]) for start in range(0, len(text), size)]

    assert closed == [False] * (len(closed) - 1) + [True]


@pytest.mark.parametrize(
    ("pieces", "closed"),
    [
        (["]"], True),
        ([" "], False),
        ([" ", "[]"], True),
        (["[", "}"], True),
        (['["\\', '"', '"]'], True),
        (['["\\\\', '"]'], True),
        (['["', "", '"]'], True),
        (['["\\', "", '"]'], False),
    ],
)
def test_what_is_no_json_is_closed_as_soon_as_its_brackets_are(pieces: list[str], *, closed: bool) -> None:
    nesting = Nesting()

    assert [nesting.is_closed_by(piece) for piece in pieces][-1] is closed


def test_a_long_string_in_many_pieces_is_looked_at_once() -> None:
    nesting = Nesting()
    started = time.process_time()

    closed = {nesting.is_closed_by('["' if number == 0 else "a\\n}" * 8000) for number in range(300)}

    assert closed == {False}
    assert time.process_time() - started < 2
