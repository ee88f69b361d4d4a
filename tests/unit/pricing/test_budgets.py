"""Periods, thresholds, forecasts and anomalies of budgets, worked out by hand."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.values import utc_of
from shared.pricing.budgets import Forecast, Method, Period, Span, anomaly_of, crossed, forecast_of, span_of
from tests.builders.budgets import a_budget


def day(number: int, month: int = 3) -> str:
    return f"2026-{month:02}-{number:02}T00:00:00.000Z"


MARCH = Span(day(1), day(1, 4))
NOON_11 = datetime(2026, 3, 11, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("period", "at", "span"),
    [
        (Period.DAY, datetime(2026, 3, 11, 23, 59, tzinfo=UTC), (day(11), day(12))),
        (Period.WEEK, NOON_11, (day(9), day(16))),
        (Period.WEEK, datetime(2026, 3, 9, tzinfo=UTC), (day(9), day(16))),
        (Period.MONTH, NOON_11, MARCH),
        (Period.MONTH, datetime(2025, 12, 31, 1, tzinfo=UTC), ("2025-12-01T00:00:00.000Z", "2026-01-01T00:00:00.000Z")),
    ],
)
def test_periods_are_days_weeks_from_monday_and_months_in_utc(
    period: Period, at: datetime, span: tuple[str, str]
) -> None:
    assert span_of(period, at) == span


@given(st.sampled_from(Period), st.integers(0, 4_102_444_800_000))
def test_any_moment_lies_in_its_period_and_periods_follow_one_another(period: Period, moment: int) -> None:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=moment)

    span = span_of(period, at)

    assert span.start <= utc_of(at) < span.end
    assert span_of(period, datetime.fromisoformat(span.end)).start == span.end


def test_each_threshold_that_is_reached_is_crossed() -> None:
    budget = a_budget(amount="0.3", thresholds=(10, 50, 100, 120))

    used = [Decimal(text) for text in ("0.0299", "0.03", "0.15", "0.3", "0.36")]
    assert [crossed(budget, one) for one in used] == [[], [10], [10, 50], [10, 50, 100], [10, 50, 100, 120]]


def test_the_rest_of_the_period_goes_on_as_the_last_seven_days_went() -> None:
    days = {day(number): Decimal(7) for number in range(1, 11)} | {day(11): Decimal(3)}

    # 73 used; 4 to 10 March had 7 a day; 20.5 days are left: 73 + 143.5
    assert forecast_of(days, MARCH, NOON_11) == Forecast(Decimal("216.5"), Method.LAST_DAYS)


def test_a_quiet_week_forecasts_nothing_more() -> None:
    assert forecast_of({day(3): Decimal(5)}, MARCH, NOON_11) == Forecast(Decimal(5), Method.LAST_DAYS)


def test_without_a_week_of_history_it_goes_on_as_the_period_went() -> None:
    # 10.5 of 31 days: 21 x 31 / 10.5
    assert forecast_of({day(9): Decimal(21)}, MARCH, NOON_11) == Forecast(Decimal(62), Method.PERIOD_SO_FAR)


def test_too_little_forecasts_nothing() -> None:
    morning = datetime(2026, 3, 2, 10, tzinfo=UTC)

    assert forecast_of({day(2): Decimal(9)}, MARCH, morning) is None
    assert forecast_of({}, MARCH, NOON_11) is None


def test_the_week_before_the_period_tells_how_fast_it_goes() -> None:
    days = {day(number, 2): Decimal(7) for number in range(20, 29)}

    # The first day, at its beginning: 31 days of 7
    assert forecast_of(days, MARCH, datetime(2026, 3, 1, tzinfo=UTC)) == Forecast(Decimal(217), Method.LAST_DAYS)


@given(st.lists(st.decimals(0, 1000, places=2), min_size=14, max_size=14), st.integers(0, 23))
def test_any_forecast_is_never_below_what_is_used(amounts: list[Decimal], hour: int) -> None:
    at = datetime(2026, 3, 11, hour, tzinfo=UTC)
    days = {utc_of(datetime(2026, 3, 11, tzinfo=UTC) - timedelta(days=back)): one for back, one in enumerate(amounts)}

    found = forecast_of(days, MARCH, at)

    used = sum((one for name, one in days.items() if name >= MARCH.start), Decimal(0))
    assert found is not None
    assert found.amount >= used


def test_an_hour_far_above_its_history_is_an_anomaly() -> None:
    # Median 10, deviations 1 on both sides: MAD 1, limit 10 + 6 x 1.4826
    history = [Decimal(9), Decimal(10), Decimal(11)] * 20

    assert anomaly_of(Decimal("18.8956"), history) is None
    found = anomaly_of(Decimal("18.8957"), history)
    assert found == (Decimal("18.8957"), Decimal(10), Decimal("18.8956"))


def test_hours_out_of_line_in_the_history_hide_no_other() -> None:
    history = [Decimal(9), Decimal(10), Decimal(11)] * 20 + [Decimal(10_000)] * 5

    found = anomaly_of(Decimal(100), history)

    assert found is not None
    assert found.usual == 10


def test_a_history_without_deviation_is_allowed_a_tenth() -> None:
    history = [Decimal(10)] * 48

    assert anomaly_of(Decimal(16), history) is None
    assert anomaly_of(Decimal("16.01"), history) is not None


def test_fewer_than_two_days_of_hours_are_no_history() -> None:
    assert anomaly_of(Decimal(10**6), [Decimal(10)] * 47) is None
