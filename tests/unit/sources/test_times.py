from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.values import utc_of
from shared.sources.times import state_time, time_of

_FIRST, _LAST = datetime(2015, 1, 1), datetime(2099, 12, 31)  # noqa: DTZ001  # as hypothesis wants its bounds
ENQUEUED = "2024-05-24T14:46:10.000Z"


@pytest.mark.parametrize(
    "told",
    [
        "5/24/2024 2:45:56 PM",
        "5/24/2024 2:45:56\N{NARROW NO-BREAK SPACE}PM",
        "05/24/2024 14:45:56",
        "24/05/2024 14:45:56",
        "24.05.2024 14:45:56",
        "24-05-2024 14:45:56",
        "24/05/24 14:45:56",
        "2024/5/24 14:45:56",
        "2024-05-24 14:45:56",
        "2024-05-24T14:45:56",
        "2024-05-24T14:45:56.0000000Z",
        "2024-05-24T16:45:56+02:00",
        "5/24/2024 2:45:56 p.m.",
        " 5/24/2024, 2:45:56 PM ",
    ],
)
def test_every_culture_tells_the_same_time(told: str) -> None:
    assert time_of(told, ENQUEUED) == "2024-05-24T14:45:56.000Z"


@pytest.mark.parametrize(
    ("enqueued_at", "meant"),
    [
        ("2024-03-04T10:00:05.000Z", "2024-03-04T10:00:00.000Z"),
        ("2024-04-03T10:00:05.000Z", "2024-04-03T10:00:00.000Z"),
        (None, "2024-03-04T10:00:00.000Z"),
    ],
)
def test_day_and_month_are_read_the_way_that_is_nearer_to_the_delivery(enqueued_at: str | None, meant: str) -> None:
    assert time_of("3/4/2024 10:00:00 AM", enqueued_at) == meant


def test_dots_mean_day_first_when_nothing_else_tells() -> None:
    assert time_of("03.04.2024 10:00:00", None) == "2024-04-03T10:00:00.000Z"


@pytest.mark.parametrize(("half", "hour"), [("12:05:00 AM", "00"), ("12:05:00 PM", "12"), ("1:05:00 PM", "13")])
def test_noon_and_midnight_are_told_apart(half: str, hour: str) -> None:
    assert time_of(f"5/24/2024 {half}", ENQUEUED) == f"2024-05-24T{hour}:05:00.000Z"


@pytest.mark.parametrize(
    "told",
    [None, 5, "", "NA", "13/13/2024 10:00:00", "5/24/2024 25:00:00", "0001-01-01T00:00:00Z", "5/24/2024 " * 9],
)
def test_any_other_time_is_that_of_the_delivery(told: Any) -> None:
    assert stated(ENQUEUED, time_of(told, ENQUEUED)) == {"occurred_at": ENQUEUED, "time_replaced": True}
    assert stated(None, time_of(told, None)) == {}


def stated(enqueued_at: str | None, *told: str | None) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    state_time(facts, enqueued_at, *told)
    return facts


@pytest.mark.parametrize(
    "told",
    [
        "0001-01-01T00:00:00.000Z",
        "1601-01-01T00:00:00.000Z",
        "1970-01-01T00:00:00.000Z",
        "2014-12-31T23:59:59.999Z",
        "2024-05-25T14:46:10.001Z",
        "2038-01-19T03:14:07.000Z",
        "9999-12-31T23:59:59.999Z",
    ],
)
def test_an_impossible_time_is_replaced_and_the_fragment_says_so(told: str) -> None:
    assert stated(ENQUEUED, told) == {"occurred_at": ENQUEUED, "time_replaced": True}


@pytest.mark.parametrize(
    "told", ["2015-01-01T00:00:00.000Z", "2019-03-02T09:30:00.000Z", ENQUEUED, "2024-05-25T14:46:10.000Z"]
)
def test_late_logs_replays_of_years_ago_and_clocks_that_are_wrong_by_a_day_are_believed(told: str) -> None:
    assert stated(ENQUEUED, told) == {"occurred_at": told}


def test_the_best_of_several_times_that_is_possible_counts() -> None:
    assert stated(ENQUEUED, None, "9999-12-31T23:59:59.999Z", "2024-05-24T14:46:00.000Z", ENQUEUED) == {
        "occurred_at": "2024-05-24T14:46:00.000Z"
    }


@pytest.mark.parametrize(
    ("told", "facts"),
    [("2099-12-31T23:59:59.999Z", {"occurred_at": "2099-12-31T23:59:59.999Z"}), ("9999-12-31T23:59:59.999Z", {})],
)
def test_without_the_time_of_enqueueing_only_what_can_never_be_is_unknown(told: str, facts: dict[str, str]) -> None:
    assert stated(None, told) == facts


@given(
    told=st.datetimes().map(utc_of),
    enqueued_at=st.datetimes(min_value=_FIRST, max_value=_LAST).map(utc_of),
)
def test_any_time_that_is_stated_is_possible(told: str, enqueued_at: str) -> None:
    moment = datetime.fromisoformat(stated(enqueued_at, told)["occurred_at"])

    assert moment.year >= 2015
    assert moment <= datetime.fromisoformat(enqueued_at) + timedelta(days=1)
