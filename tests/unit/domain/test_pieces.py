"""Which pieces make a whole, by their keys alone."""

import pytest

from shared.domain.fragment import Piece
from shared.domain.piece_keys import Whole, is_piece, suffix
from shared.domain.pieces import beginnings, missing, spent, wholes


def rows(*places: tuple[int, str], named: str = "") -> list[str]:
    """Return the keys of numbered rows of these kinds."""
    return [f"M:{named}{place}{suffix(Piece('L', place, None, kind))}" for place, kind in places]


def counted(*places: int, total: int, named: str = "") -> list[str]:
    return [f"Q:{named}{place}{suffix(Piece('Q', place, total, 'u'))}" for place in places]


def marked(keys: list[str], *, withheld: bool = False) -> str:
    return Whole(tuple(keys)).mark(0, len(keys) - 1, withheld=withheld)


def test_a_counted_whole_is_there_when_every_place_is_taken() -> None:
    assert wholes(counted(0, 2, total=3)) == []
    assert wholes(counted(2, 0, 1, total=3)) == [Whole(tuple(counted(0, 1, 2, total=3)))]


def test_pieces_wait_until_they_are_joined_and_never_again() -> None:
    pieces = counted(0, 1, total=2)
    mark = marked(pieces)

    assert mark.startswith("Q=Q.2.u.")
    assert missing(pieces)
    assert not missing([*pieces, mark])
    assert wholes([*pieces, mark]) == []


def test_the_documents_of_pieces_go_when_something_of_their_whole_was_withheld() -> None:
    pieces = counted(0, 1, total=2)

    assert spent([*pieces, marked(pieces)]) == set()
    assert spent([*pieces, marked(pieces, withheld=True)]) == set(pieces)
    assert not missing([*pieces, marked(pieces, withheld=True)])


def test_wholes_of_another_count_are_other_wholes() -> None:
    assert wholes(counted(0, total=2) + counted(1, total=3)) == []


def test_each_choice_among_pieces_of_one_place_is_a_whole() -> None:
    pieces, other = counted(0, 1, total=2), counted(0, total=2, named="other")

    found = wholes([*pieces, *other, marked(pieces)])

    assert found == [Whole((*other, pieces[1]))]
    assert not missing([*pieces, *other, marked(pieces)])


def test_very_many_choices_are_bounded() -> None:
    pieces = [key for named in "abcd" for key in counted(*range(30), total=30, named=named)]

    assert len(wholes(pieces)) == 64


def test_rows_without_a_gap_that_may_end_are_tried() -> None:
    request = rows((1, "q"), (2, "Q"))

    assert wholes(request) == [Whole(tuple(request))]


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


def test_rows_that_were_read_fill_their_place_and_wait_only_for_those_before_them() -> None:
    assert not missing(rows((1, "qr"), (2, "ar")))
    assert missing(rows((2, "ar")))
    assert wholes(rows((1, "qr"), (2, "ar"))) == []


def test_a_row_that_was_read_settles_its_place_for_a_broken_one() -> None:
    assert not missing([*rows((1, "qr")), *rows((1, "q"), named="broken")])


def test_what_was_joined_up_to_a_row_is_not_tried_again() -> None:
    keys = rows((1, "Q"), (2, "Q"))

    assert [whole.keys for whole in wholes([*keys, marked(keys[:1])])] == [tuple(rows((2, "Q")))]


def test_each_way_through_rows_that_differ_is_tried() -> None:
    keys = rows((1, "q"), (2, "Q"))
    other = rows((1, "q"), named="other")

    assert [whole.keys for whole in wholes([*keys, *other])] == [tuple(keys), (*other, keys[1])]


def test_a_row_is_left_out_too_when_one_of_the_other_side_claims_its_place() -> None:
    keys = rows((1, "q"), (2, "q"), (3, "Q"))
    other = rows((2, "a"), named="other")

    assert [whole.keys for whole in wholes([*keys, *other])] == [tuple(keys), (keys[0], keys[2])]


def test_a_row_is_not_left_out_because_its_own_record_has_the_other_side_too() -> None:
    keys = rows((1, "qb"), (2, "Qb"))
    answers = rows((1, "ab"), (2, "ab"), named="answer")

    assert [whole.keys for whole in wholes([*keys, *answers])] == [tuple(keys)]


def test_a_row_before_the_first_does_not_undo_what_began_behind_it() -> None:
    keys = rows((0, "Q"), (1, "Q"))

    assert [whole.keys for whole in wholes([*keys, marked(keys[1:])])] == [tuple(keys)]


def test_other_documents_are_no_pieces() -> None:
    assert not is_piece("Q:0123")
    assert wholes(["Q:0123", "R:4567"]) == []


def test_a_beginning_is_what_stands_side_by_side_from_the_first_piece_on() -> None:
    pieces = {place: f"Q:{place}+Q.{place}.5.u" for place in range(5)}

    assert beginnings([pieces[0], pieces[1], pieces[3]]) == [(pieces[0], pieces[1])]
    assert beginnings([pieces[1], pieces[2]]) == []
    assert beginnings([*pieces.values(), marked(list(pieces.values()))]) == []


def test_rows_that_nobody_counted_begin_with_the_first_there_is_of_their_side() -> None:
    asked = ["M:1+L.1..Q", "M:2+L.2..q"]
    answered = ["M:4+L.4..a", "M:5+L.5..a"]

    assert beginnings([*answered, *asked]) == [tuple(asked), tuple(answered)]
    assert beginnings([*asked, marked(asked[:1])]) == [(asked[1],)]
