"""Which pieces make a whole, by their keys alone."""

import pytest

from shared.domain.fragment import Piece
from shared.domain.pieces import Whole, beginnings, is_piece, joined, missing, suffix, wholes


def rows(*places: tuple[int, str]) -> list[str]:
    """Return the keys of numbered rows of these kinds."""
    return [f"M:{place}{suffix(Piece('L', place, None, kind))}" for place, kind in places]


def counted(*places: int, total: int) -> list[str]:
    return [f"Q:{place}{suffix(Piece('Q', place, total, 'u'))}" for place in places]


def test_a_counted_whole_is_there_when_every_place_is_taken() -> None:
    assert wholes(counted(0, 2, total=3)) == []
    assert wholes(counted(2, 0, 1, total=3)) == [Whole(tuple(counted(0, 1, 2, total=3)), ("Q=Q.3.u",))]


def test_pieces_wait_until_they_are_joined_and_never_again() -> None:
    pieces = counted(0, 1, total=2)

    assert missing(pieces)
    assert not missing([*pieces, "Q=Q.2.u"])
    assert wholes([*pieces, "Q=Q.2.u"]) == []
    assert joined([*pieces, "Q=Q.2.u"]) == set(pieces)


def test_wholes_of_another_count_are_other_wholes() -> None:
    assert wholes(counted(0, total=2) + counted(1, total=3)) == []


def test_rows_without_a_gap_that_may_end_are_tried() -> None:
    request = rows((1, "q"), (2, "Q"))

    assert wholes(request) == [Whole(tuple(request), ("M=L.1.q", "M=L.2.q"))]


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param(rows((2, "Q")), id="the first row is missing"),
        pytest.param(rows((1, "q"), (3, "Q")), id="a row between is missing"),
        pytest.param(rows((1, "q"), (2, "q")), id="no row ends as JSON does"),
    ],
)
def test_rows_with_a_gap_or_no_end_are_not_tried(keys: list[str]) -> None:
    assert wholes(keys) == []
    assert missing(keys)


def test_rows_of_figures_fill_their_place_and_never_wait() -> None:
    figures = ["L:0" + suffix(Piece("L", 0, None, "-")), "L:2" + suffix(Piece("L", 2, None, "-"))]
    answer = rows((3, "A"))

    (request, response) = wholes([*figures, *rows((1, "Q")), *answer])

    assert not missing(figures)
    assert (request.keys, response.keys) == (tuple(rows((1, "Q"))), tuple(answer))


def test_what_was_joined_up_to_a_row_is_not_tried_again() -> None:
    keys = [*rows((1, "Q"), (2, "Q")), "M=L.1.q"]

    assert [whole.keys for whole in wholes(keys)] == [tuple(rows((2, "Q")))]
    assert joined(keys) == set(rows((1, "Q")))


def test_other_documents_are_no_pieces() -> None:
    assert not is_piece("Q:0123")
    assert wholes(["Q:0123", "R:4567"]) == []


def test_a_beginning_is_what_stands_side_by_side_from_the_first_piece_on() -> None:
    pieces = {place: f"Q:{place}+Q.{place}.5.u" for place in range(5)}

    assert beginnings([pieces[0], pieces[1], pieces[3]]) == [(pieces[0], pieces[1])]
    assert beginnings([pieces[1], pieces[2]]) == []
    assert beginnings([*pieces.values(), "Q=Q.5.u"]) == []


def test_rows_that_nobody_counted_begin_with_the_first_there_is_of_their_side() -> None:
    asked = ["M:1+L.1..q", "M:2+L.2..q"]
    answered = ["M:4+L.4..a", "M:5+L.5..a"]

    assert beginnings([*answered, *asked]) == [tuple(asked), tuple(answered)]
    assert beginnings([*asked, "M=L.1.q"]) == [(asked[1],)]
