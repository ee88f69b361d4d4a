from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.facts import state
from shared.domain.interaction import FIELDS, Facts
from shared.domain.values import count, flag, number, text, utc

_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.builds(lambda: 10**5000)),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.text(), inner, max_size=2)),
    max_leaves=4,
)


@given(_json)
def test_any_value_becomes_one_of_its_kind_or_none(value: Any) -> None:
    for normalise, kind in ((text, str), (count, int), (number, float), (flag, bool), (utc, str)):
        normal = normalise(value)
        assert normal is None or type(normal) is kind


@given(st.text(max_size=40), st.sampled_from(FIELDS))
def test_a_fact_fits_its_column(value: str, field: Any) -> None:
    facts: Facts = {}

    state(facts, field.name, value)

    if field.limit and facts:
        assert len(facts[field.name].encode("utf-16-le")) <= 2 * field.limit


@pytest.mark.parametrize("letter", ["x", "ü"])
def test_a_text_that_is_cut_ends_in_no_space(letter: str) -> None:
    assert text(letter * 3 + " and more", 4) == letter * 3


@pytest.mark.parametrize(
    ("told", "known"),
    [
        ("2026-03-02T09:29:58.250Z", "2026-03-02T09:29:58.250Z"),
        (" 2026-03-02T09:29:58.250Z ", "2026-03-02T09:29:58.250Z"),
        ("2026-03-02T09:29:58.2509999Z", "2026-03-02T09:29:58.250Z"),
        ("2026-03-02T10:29:58+01:00", "2026-03-02T09:29:58.000Z"),
        ("2026-03-02T09:29:58", "2026-03-02T09:29:58.000Z"),
        ("2026-02-30T09:29:58.250Z", None),
        ("9999-12-31T23:59:59-01:00", None),
        (5, None),
    ],
)
def test_times_are_utc_to_the_millisecond(told: Any, known: str | None) -> None:
    assert utc(told) == known
