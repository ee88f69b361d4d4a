"""Every event received is in one class, and the classes add up."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.balance import Balance, BalanceClass, Outcome, balance_of, class_of, sum_of

_NUMBERS = st.integers(0, 2**40)
_OUTCOMES = st.dictionaries(st.sampled_from(Outcome), _NUMBERS)


def test_a_balance_has_a_field_for_each_class() -> None:
    names = [field.name for field in fields(Balance)]

    assert names == ["received", *(one.value for one in BalanceClass)]


@pytest.mark.parametrize("outcome", Outcome)
def test_a_delivery_is_in_one_class(outcome: Outcome) -> None:
    is_pending = class_of(outcome, waits=True) is BalanceClass.PENDING

    assert is_pending == (class_of(outcome, waits=False) is BalanceClass.STORED)


@given(_OUTCOMES, st.data(), _NUMBERS)
def test_any_deliveries_add_up_to_what_was_received(
    outcomes: dict[Outcome, int], data: st.DataObject, redelivered: int
) -> None:
    waiting = data.draw(st.integers(0, outcomes.get(Outcome.KEPT, 0)))

    balance = balance_of(outcomes, waiting=waiting, redelivered=redelivered)

    assert balance.received == sum(outcomes.values()) + redelivered
    assert balance.unaccounted == 0
    assert balance.pending == waiting
    assert balance.stored == outcomes.get(Outcome.KEPT, 0) - waiting
    assert min(balance.classes.values()) >= 0


def test_an_event_that_was_counted_and_is_in_no_class_is_unaccounted_for() -> None:
    balance = balance_of({Outcome.KEPT: 2, Outcome.SKIPPED: 1}, waiting=1, redelivered=0, received=5)

    assert balance == Balance(received=5, stored=1, pending=1, skipped=1)
    assert balance.unaccounted == 2


def test_balances_add_up_class_by_class() -> None:
    total = sum_of([Balance(received=3, stored=2, pending=1), Balance(received=2, stored=1, duplicate=1)])

    assert total == Balance(received=5, stored=3, duplicate=1, pending=1)
