from typing import Any

import pytest

from shared.sources.times import time_of

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
    assert time_of(told, ENQUEUED) == ENQUEUED
    assert time_of(told, None) is None
