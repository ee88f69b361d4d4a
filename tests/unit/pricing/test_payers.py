"""Who pays for a call: which assignment decides, and what a file of them may say."""

import random
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.values import NO_TIME
from shared.errors import InvalidFileError
from shared.pricing.payers import AMBIGUOUS, NOBODY, Assignment, Matched, Payer, Payers, read_assignments
from tests.builders.payers import an_assignment

MARCH, APRIL, MAY = (f"2026-0{month}-01T00:00:00.000Z" for month in (3, 4, 5))
HEADER = "kind,name,value,team,cost_centre,valid_from,valid_to\n"


def a_call(at: str = MARCH, tags: dict[str, Any] | None = None, **facts: str) -> dict[str, Any]:
    call = dict.fromkeys(("user_id", "app_id", "subscription_id", "product_id")) | facts
    return call | {"occurred_at": at, "tags": None if tags is None else orjson.dumps(tags).decode()}


def a_tag(value: str, team: str, name: str = "team", **changes: Any) -> Assignment:
    return an_assignment(value, team, matched=Matched.TAG, name=name, **changes)


def test_the_first_kind_that_matches_decides_alone() -> None:
    everything = {"user_id": "u", "app_id": "a", "subscription_id": "s", "product_id": "p"}
    levels = [
        a_tag("t", "by tag"),
        an_assignment("u", "by user", matched=Matched.USER),
        an_assignment("a", "by application", matched=Matched.APPLICATION),
        an_assignment("s", "by subscription"),
        an_assignment("p", "", matched=Matched.PRODUCT),
    ]
    call = a_call(tags={"team": "t"}, **everything)

    found = [Payers(levels[first:]).payer(call) for first in range(6)]

    assert found == [
        Payer("by tag", "4711", "tag"),
        Payer("by user", "4711", "user"),
        Payer("by application", "4711", "application"),
        Payer("by subscription", "4711", "subscription"),
        Payer(None, "4711", "product"),
        NOBODY,
    ]
    assert Payers(levels).payer(a_call(subscription_id="s")).team == "by subscription"


def test_a_value_counts_under_its_own_kind_alone() -> None:
    payers = Payers([an_assignment("x")])

    assert payers.payer(a_call(user_id="x", product_id="x", tags={"team": "x"})) == NOBODY


def test_tags_that_contradict_each_other_choose_nobody_and_nothing_below_them_is_asked() -> None:
    payers = Payers([a_tag("1", "red"), a_tag("2", "blue", "unit"), a_tag("3", "red", "unit"), an_assignment("s")])

    def team(**tags: Any) -> tuple[str | None, str | None]:
        found = payers.payer(a_call(tags=tags, subscription_id="s"))
        return found.team, found.matched

    assert team(team="1", unit="2") == (None, AMBIGUOUS)
    assert team(team="1", unit="3") == ("red", "tag")
    assert team(TEAM="1", unit="9") == ("red", "tag")
    assert team(team=1, unit=None) == ("red", "subscription")


def test_an_assignment_holds_from_its_day_until_before_its_end() -> None:
    payers = Payers([an_assignment(valid_from=MARCH, valid_to=APRIL)])

    def holds(at: str) -> bool:
        return payers.payer(a_call(at, subscription_id="sub-1")) != NOBODY

    assert [holds(at) for at in ("2026-02-28T23:59:59.999Z", MARCH, "2026-03-31T23:59:59.999Z", APRIL)] == [
        *(False, True, True, False)
    ]


def test_what_another_one_followed_does_not_come_back_when_that_one_ends() -> None:
    payers = Payers([an_assignment(), an_assignment(team="blue", valid_from=MARCH, valid_to=APRIL)])

    teams = [payers.payer(a_call(at, subscription_id="sub-1")).team for at in ("2026-01-01", MARCH, APRIL)]

    assert teams == ["red", "blue", None]


_assignments = st.builds(
    lambda matched, value, team, begins, ends: an_assignment(
        value, team, matched=matched, name="n" if matched is Matched.TAG else "", valid_from=begins, valid_to=ends
    ),
    st.sampled_from(Matched), st.sampled_from("xy"), st.sampled_from(("red", "blue")),
    st.sampled_from((NO_TIME, MARCH, APRIL)), st.sampled_from((None, MAY)),
)  # fmt: skip
_calls = st.builds(
    lambda at, tags, facts: a_call(at, tags, **facts),
    st.sampled_from((NO_TIME, MARCH, APRIL, MAY)),
    st.none() | st.dictionaries(st.sampled_from(("n", "N", "m")), st.sampled_from("xyz")),
    st.dictionaries(st.sampled_from(("user_id", "app_id", "subscription_id", "product_id")), st.sampled_from("xyz")),
)


@given(st.lists(_assignments, max_size=8, unique_by=lambda one: one.key), _calls, st.randoms())
def test_any_order_of_the_assignments_names_the_same_payer(
    assignments: list[Assignment], call: dict[str, Any], chance: random.Random
) -> None:
    shuffled = chance.sample(assignments, len(assignments))

    assert Payers(assignments).payer(call) == Payers(shuffled).payer(call)


def test_a_file_of_assignments_is_read_line_by_line() -> None:
    text = HEADER + (
        "subscription,,sub-1,red,4711,,\n"
        "tag,X-Unit,r&d,,4712,2026-03-01,2026-04-01\n"
        "user,,00000000-0000-0000-0000-000000000001,Team Blue,,,\n"
    )

    assert read_assignments(text) == [
        an_assignment(),
        a_tag("r&d", "", "x-unit", cost_centre="4712", valid_from=MARCH, valid_to=APRIL),
        an_assignment("00000000-0000-0000-0000-000000000001", "Team Blue", matched=Matched.USER, cost_centre=""),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("group,,x,red,,,", "line 2, kind: must be one of tag, user"),
        ("tag,,x,red,,,", "line 2, name: must not be empty"),
        ("user,n,x,red,,,", "line 2, name: is of tags alone"),
        ("user,,,red,,,", "line 2, value: must not be empty"),
        ("user,,x,,,,", "line 2, team: must not be empty where cost_centre is"),
        ("user,,x,red,,2026-03-01,2026-03-01", "line 2, valid_to: must be later"),
        ("user,,x,red,,2026-13-01,", "line 2, valid_from: must be a day"),
        ("user,,x,red,,,\nuser,,x,blue,,,", "line 3, kind: the same entry"),
        ("user,,x,red,,", "line 2: 7 values"),
    ],
)
def test_a_file_with_a_wrong_line_is_refused_whole_and_names_it(line: str, message: str) -> None:
    with pytest.raises(InvalidFileError, match=message):
        read_assignments(HEADER + line)
