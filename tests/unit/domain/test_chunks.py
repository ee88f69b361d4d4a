"""Which chunks make a body, by their keys alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.reassembly.chunks import Reassembly, has_waiting_chunk
from shared.domain.reassembly.keys import (
    Chunk,
    Form,
    LogRow,
    Side,
    chunk_key,
    document_key,
    is_chunk,
    joined_mark,
)


def rows(*places: tuple[int, str], named: str = "") -> list[str]:
    """Return the keys of numbered rows: `q` or `a` for the side, in upper case where it may end its body."""
    return [f"M:{named}{place}+L.{place}..{letters}" for place, letters in places]


def counted(*places: int, total: int, named: str = "") -> list[str]:
    return [document_key("Q", f"{named}{place}", Chunk("Q", place, total, Form.TEXT)) for place in places]


def marked(keys: list[str], *, withheld: bool = False) -> str:
    return joined_mark([chunk_key(key) for key in keys], withheld=withheld)


def ready(keys: list[str]) -> list[tuple[str, ...]]:
    """Return the keys of each set of chunks that may be joined."""
    return [tuple(key.text for key in chunks.keys) for chunks in Reassembly(keys).ready]


@given(
    st.builds(
        Chunk,
        st.from_regex(r"[A-Za-z0-9]{1,16}", fullmatch=True),
        st.integers(0, 999_999),
        st.none(),
        st.builds(LogRow, st.sampled_from([Side.REQUEST, Side.ANSWER]), st.booleans(), st.booleans(), st.booleans()),
    )
    | st.builds(
        Chunk,
        st.from_regex(r"[A-Za-z0-9]{1,16}", fullmatch=True),
        st.integers(0, 999_999),
        st.integers(1, 1_000_000),
        st.sampled_from(Form),
    )
)
def test_any_chunk_is_read_from_its_key_as_it_was_written(chunk: Chunk) -> None:
    key = document_key("M", "0123", chunk)

    assert is_chunk(key)
    assert chunk_key(key).chunk == chunk


def test_a_counted_body_is_there_when_every_place_is_taken() -> None:
    assert ready(counted(0, 2, total=3)) == []
    assert ready(counted(2, 0, 1, total=3)) == [tuple(counted(0, 1, 2, total=3))]


def test_chunks_wait_until_they_are_joined_and_never_again() -> None:
    chunks = counted(0, 1, total=2)
    mark = marked(chunks)

    assert mark.startswith("Q=Q.2.u.")
    assert has_waiting_chunk(chunks)
    assert not has_waiting_chunk([*chunks, mark])
    assert ready([*chunks, mark]) == []


def test_the_documents_of_chunks_go_when_something_of_their_body_was_withheld() -> None:
    chunks = counted(0, 1, total=2)

    assert Reassembly([*chunks, marked(chunks)]).spent == set()
    assert Reassembly([*chunks, marked(chunks, withheld=True)]).spent == set(chunks)
    assert not has_waiting_chunk([*chunks, marked(chunks, withheld=True)])


def test_chunks_of_another_total_are_of_another_body() -> None:
    assert ready(counted(0, total=2) + counted(1, total=3)) == []


def test_each_choice_among_chunks_of_one_place_is_a_body() -> None:
    chunks, other = counted(0, 1, total=2), counted(0, total=2, named="other")

    found = ready([*chunks, *other, marked(chunks)])

    assert found == [(*other, chunks[1])]
    assert not has_waiting_chunk([*chunks, *other, marked(chunks)])


def test_very_many_choices_are_bounded() -> None:
    chunks = [key for named in "abcd" for key in counted(*range(30), total=30, named=named)]

    assert len(ready(chunks)) == 64


def test_rows_without_a_gap_that_may_end_are_tried() -> None:
    request = rows((1, "q"), (2, "Q"))

    assert ready(request) == [tuple(request)]


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param(rows((2, "Q")), id="the first row is missing"),
        pytest.param(rows((1, "q"), (3, "Q")), id="a row between is missing"),
        pytest.param(rows((1, "q"), (2, "q")), id="no row ends as JSON does"),
    ],
)
def test_rows_with_a_gap_or_no_end_are_not_tried(keys: list[str]) -> None:
    assert ready(keys) == []
    assert has_waiting_chunk(keys)


def test_rows_of_figures_fill_their_place_and_never_wait() -> None:
    figures = ["L:0+L.0..-", "L:2+L.2..-"]
    answer = rows((3, "A"))

    (request, response) = ready([*figures, *rows((1, "Q")), *answer])

    assert not has_waiting_chunk(figures)
    assert (request, response) == (tuple(rows((1, "Q"))), tuple(answer))


def test_rows_that_were_read_fill_their_place_and_wait_only_for_those_before_them() -> None:
    assert not has_waiting_chunk(rows((1, "qr"), (2, "ar")))
    assert has_waiting_chunk(rows((2, "ar")))
    assert ready(rows((1, "qr"), (2, "ar"))) == []


def test_a_row_that_was_read_settles_its_place_for_a_broken_one() -> None:
    assert not has_waiting_chunk([*rows((1, "qr")), *rows((1, "q"), named="broken")])


def test_what_was_joined_up_to_a_row_is_not_tried_again() -> None:
    keys = rows((1, "Q"), (2, "Q"))

    assert ready([*keys, marked(keys[:1])]) == [tuple(rows((2, "Q")))]


def test_each_way_through_rows_that_differ_is_tried() -> None:
    keys = rows((1, "q"), (2, "Q"))
    other = rows((1, "q"), named="other")

    assert ready([*keys, *other]) == [tuple(keys), (*other, keys[1])]


def test_a_row_is_left_out_too_when_one_of_the_other_side_claims_its_place() -> None:
    keys = rows((1, "q"), (2, "q"), (3, "Q"))
    other = rows((2, "a"), named="other")

    assert ready([*keys, *other]) == [tuple(keys), (keys[0], keys[2])]


def test_a_row_is_not_left_out_because_its_own_record_has_the_other_side_too() -> None:
    keys = rows((1, "qb"), (2, "Qb"))
    answers = rows((1, "ab"), (2, "ab"), named="answer")

    assert ready([*keys, *answers]) == [tuple(keys)]


def test_a_row_before_the_first_does_not_undo_what_began_behind_it() -> None:
    keys = rows((0, "Q"), (1, "Q"))

    assert ready([*keys, marked(keys[1:])]) == [tuple(keys)]


def test_other_documents_are_no_chunks() -> None:
    assert not is_chunk("Q:0123")
    assert ready(["Q:0123", "R:4567"]) == []


def test_a_beginning_is_what_stands_side_by_side_from_the_first_chunk_on() -> None:
    chunks = {place: f"Q:{place}+Q.{place}.5.u" for place in range(5)}

    assert Reassembly([chunks[0], chunks[1], chunks[3]]).beginnings == [(chunks[0], chunks[1])]
    assert Reassembly([chunks[1], chunks[2]]).beginnings == []
    assert Reassembly([*chunks.values(), marked(list(chunks.values()))]).beginnings == []


def test_rows_that_nobody_counted_begin_with_the_first_there_is_of_their_side() -> None:
    asked = ["M:1+L.1..Q", "M:2+L.2..q"]
    answered = ["M:4+L.4..a", "M:5+L.5..a"]

    assert Reassembly([*answered, *asked]).beginnings == [tuple(asked), tuple(answered)]
    assert Reassembly([*asked, marked(asked[:1])]).beginnings == [(asked[1],)]
