"""What every store of budgets and alerts does, and what measuring them raises."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shared.domain.values import utc_of
from shared.errors import WebhookError
from shared.pricing.budgets import Budget, Measure, Period, Target
from shared.pricing.entries import Unit
from shared.pricing.files import Origin, PriceFile
from shared.pricing.payers import Matched
from shared.questions import AlertFilter, ListKey
from shared.services.budget_checks import Stores, check_budgets
from shared.services.budgets import BudgetService
from shared.services.notices import send_notices
from shared.services.rollup import rebuild_usage_rollups
from shared.stores.budget_ports import Alert, Delivery, Refused
from shared.stores.ports import Ledger
from shared.stores.sql import tables
from shared.stores.sql.alerts import SqlAlerts
from shared.stores.sql.assignments import SqlAssignments
from shared.stores.sql.audit import SqlAuditStore
from shared.stores.sql.budgets import SqlBudgets
from shared.stores.sql.prices import SqlPrices
from shared.stores.usage_ports import UsageRollups
from tests.builders.budgets import a_budget
from tests.builders.payers import an_assignment
from tests.builders.prices import a_price
from tests.contracts.test_usage_rollups import a_call, store

NOON = datetime(2026, 3, 11, 12, 30, tzinfo=UTC)
AT = "2026-03-11T12:30:00.000Z"
TODAY = "2026-03-11T09:00:00.000Z"
APRIL = "2026-04-01T00:00:00.000Z"


class Channel:
    """A webhook that takes what it is sent, or does not."""

    def __init__(self, name: str = "json here") -> None:
        self.name = name
        self.taken: list[str] = []
        self.is_down = False

    def send(self, alert: Alert) -> str:
        if self.is_down:
            raise WebhookError("status 503")
        self.taken.append(alert.id)
        return "status 200"


class Money:
    """A ledger whose calls cost 75 millionths, by subscription; and what measures its budgets."""

    def __init__(self, engine: Engine, ledger: Ledger, rollups: UsageRollups) -> None:
        self.engine, self.ledger, self.rollups = engine, ledger, rollups
        self.budgets, self.alerts, self.payers = SqlBudgets(engine), SqlAlerts(engine), SqlAssignments(engine)
        prices = PriceFile(Origin.OWN, "1", [a_price(), a_price(Unit.OUTPUT, "10")])
        SqlPrices(engine).load(prices, at=AT, actor="ada")
        self.payers.change([an_assignment()], actor="ada", at=AT)
        self.calls = 0

    def called(self, number: int, *at: str, **facts: Any) -> None:
        times = [one for one in at or (TODAY,) for _ in range(number)]
        facts = {"subscription_id": "sub-1"} | facts
        rows = [a_call(self.calls + place, time, **facts) for place, time in enumerate(times)]
        self.calls += len(rows)
        store(self.ledger, *rows)
        rebuild_usage_rollups(self.rollups)

    def agreed(self, *budgets: Budget) -> None:
        for one in budgets:
            self.budgets.put(one, actor="ada", at=AT)

    def checked(self, *webhooks: Channel, at: datetime = NOON) -> int:
        stores = Stores(self.budgets, self.alerts, SqlAuditStore(self.engine), self.payers)
        return check_budgets(stores, webhooks=webhooks, now=lambda: at)

    def raised(self, **narrow: Any) -> list[tuple[str, str, int | None]]:
        found = self.alerts.alerts(AlertFilter(**narrow), after=None, limit=99)
        return sorted((one.budget_id, one.kind, one.threshold) for one, _ in found)


@pytest.fixture
def money(engine: Engine, ledger: Ledger, rollups: UsageRollups) -> Money:
    return Money(engine, ledger, rollups)


def changes(engine: Engine) -> list[tuple[Any, ...]]:
    table = tables.money_change.c
    query = sa.select(table.actor, table.changed_at, table.old_value, table.new_value)
    with engine.connect() as connection:
        rows = connection.execute(query.where(table.subject == "budget").order_by(table.id))
        return [(*row[:2], *(value and orjson.loads(value)["amount"] for value in row[2:])) for row in rows]


def test_a_budget_is_kept_changed_and_taken_away_and_each_change_is_recorded(engine: Engine) -> None:
    budgets = SqlBudgets(engine)

    budgets.put(a_budget(), actor="ada", at=AT)
    budgets.put(a_budget(), actor="bob", at=AT)
    budgets.put(a_budget(amount="200"), actor="bob", at=APRIL)
    kept = budgets.budget("red")
    removed = [budgets.remove("red", actor="eve", at=APRIL) for _ in range(2)]

    assert kept == a_budget(amount="200")
    assert (removed, budgets.budget("red")) == ([True, False], None)
    assert changes(engine) == [
        ("ada", AT, None, "100"),
        ("bob", APRIL, "100", "200"),
        ("eve", APRIL, "200", None),
    ]


def test_budgets_are_listed_by_id_in_pages_and_found_by_what_they_are_of(engine: Engine) -> None:
    budgets = SqlBudgets(engine)
    some = [a_budget("a"), a_budget("b", value="blue"), a_budget("c", target=Target.EVERYTHING, value="")]
    for one in reversed(some):
        budgets.put(one, actor="ada", at=AT)

    assert [*budgets.budgets(after=None, limit=2), *budgets.budgets(after="b", limit=2)] == some
    assert budgets.budgets_of("team", "red") == some[:1]


def test_each_threshold_is_raised_once_in_a_period(money: Money) -> None:
    money.agreed(a_budget(amount="0.0003"))  # four calls
    money.called(1)
    nothing = money.checked()
    money.called(1)
    half = money.checked()
    again = money.checked()
    money.called(3)
    whole = money.checked()
    next_month = money.checked(at=NOON + timedelta(days=31))
    money.called(4, "2026-04-11T09:00:00.000Z")
    then = money.checked(at=NOON + timedelta(days=31))

    assert (nothing, half, again, whole, next_month, then) == (0, 1, 0, 1, 0, 2)
    assert money.raised() == [("red", "threshold", 50), ("red", "threshold", 50), *[("red", "threshold", 100)] * 2]
    assert money.raised(raised_from=APRIL) == [("red", "threshold", 50), ("red", "threshold", 100)]


def test_a_budget_counts_what_it_is_of_in_its_period_alone(money: Money) -> None:
    some = {
        Target.EVERYTHING: "", Target.TEAM: "red", Target.USER: "u", Target.SUBSCRIPTION: "sub-1",
        Target.PRODUCT: "p", Target.MODEL: "gpt-4o", Target.DEPLOYMENT: "d",
    }  # fmt: skip
    facts = {Target.USER: "user_id", Target.PRODUCT: "product_id", Target.DEPLOYMENT: "deployment"}
    money.agreed(
        *(a_budget(target.value, target=target, value=value, period=Period.WEEK) for target, value in some.items())
    )
    money.agreed(a_budget("tokens", measure=Measure.TOKENS, currency=None), a_budget("day", period=Period.DAY))
    money.agreed(a_budget("euros", currency="EUR"))
    money.called(1, **{name: some[target] for target, name in facts.items()})
    money.called(1, "2026-03-09T00:00:00.000Z", subscription_id="other", model="unknown")
    money.called(1, "2026-03-08T23:59:59.999Z")

    money.checked()

    states = money.budgets.states([*(target.value for target in some), "tokens", "day", "euros"])
    call = Decimal("0.000075")
    assert {name: one.used for name, one in states.items()} == {
        **dict.fromkeys((target.value for target in some), call),
        "tokens": 30,
        "day": call,
        "euros": 0,
    }
    assert states["everything"].unpriced_requests == 1
    assert [states[name].has_other_currencies for name in ("red", "euros", "day") if name in states] == [True, False]


def test_a_forecast_above_the_amount_is_raised_once_before_it_is_reached(money: Money) -> None:
    money.agreed(a_budget(amount="0.0004", thresholds=(), warns_ahead=True))
    money.called(2, "2026-03-10T09:00:00.000Z")

    assert [money.checked(), money.checked()] == [1, 0]
    (state,) = money.budgets.states(["red"]).values()
    # 0.00015 in ten and a half days and half an hour of March
    assert state.forecast_method == "period-so-far"
    assert state.forecast is not None
    assert Decimal("0.0004") < state.forecast < Decimal("0.00045")
    assert not state.is_exhausted


def test_an_hour_far_above_its_history_is_raised_once(money: Money) -> None:
    money.agreed(a_budget(amount="1000", finds_anomalies=True))
    first = datetime(2026, 3, 9, tzinfo=UTC)
    money.called(2, *(utc_of(first + timedelta(hours=hour)) for hour in range(50)))
    money.called(20, "2026-03-11T11:10:00.000Z")

    raised = [money.checked(at=NOON - timedelta(minutes=20)), money.checked(), money.checked()]

    assert raised == [0, 1, 0]
    ((alert, _),) = money.alerts.alerts(AlertFilter(kind="anomaly"), after=None, limit=9)
    detail = orjson.loads(alert.detail)
    assert (alert.used, alert.period_start, detail["usual"]) == (
        Decimal("0.0015"),
        "2026-03-11T11:00:00.000Z",
        "0.00015",
    )


def test_an_alert_is_sent_again_until_it_is_taken_and_never_after(money: Money) -> None:
    money.agreed(a_budget(amount="0.0001", thresholds=(50,)))
    money.called(1)
    good, bad = Channel("json good"), Channel("teams bad")
    bad.is_down = True

    def sent(minutes: float) -> list[Delivery]:
        send_notices(money.alerts, [good, bad], now=lambda: NOON + timedelta(minutes=minutes))
        ((_, deliveries),) = money.alerts.alerts(AlertFilter(), after=None, limit=9)
        return deliveries

    money.checked(good, bad)
    first = sent(0.5)
    bad.is_down = False
    then = sent(1)
    sent(9)

    assert [one[:3] for one in first] == [("json good", 1, AT), ("teams bad", 1, None)]
    assert (first[1].due_at, first[1].result) == ("2026-03-11T12:31:00.000Z", "status 503")
    assert then[1] == Delivery("teams bad", 2, "2026-03-11T12:31:00.000Z", None, "status 200")
    assert (good.taken, bad.taken) == ([good.taken[0]], good.taken)


def test_a_webhook_that_does_not_answer_for_days_is_not_told_any_more(money: Money) -> None:
    money.agreed(a_budget(amount="0.0001", thresholds=(50,)))
    money.called(1)
    channel = Channel()
    channel.is_down = True
    money.checked(channel)
    for hour in range(0, 100, 2):
        send_notices(money.alerts, [channel], now=lambda hour=hour: NOON + timedelta(hours=hour))  # type: ignore[misc]

    ((_, (delivery,)),) = money.alerts.alerts(AlertFilter(), after=None, limit=9)
    assert (delivery.delivered_at, delivery.due_at) == (None, None)
    assert 10 < delivery.attempts < 30


def test_alerts_of_a_webhook_that_the_settings_name_no_more_are_not_due(money: Money) -> None:
    money.agreed(a_budget(amount="0.0001", thresholds=(50,)))
    money.called(1)
    channel = Channel()
    channel.is_down = True
    money.checked(channel)

    send_notices(money.alerts, [Channel("another")], now=lambda: NOON + timedelta(hours=1))

    assert money.alerts.due(APRIL, 9) == []


def test_an_exhausted_budget_that_is_enforced_concerns_its_callers_until_its_period_ends(money: Money) -> None:
    money.agreed(
        a_budget(amount="0.0001", is_enforced=True),
        a_budget("unforced", amount="0.0001"),
        a_budget("left", amount="1", is_enforced=True),
        a_budget("model", amount="0.0001", target=Target.MODEL, value="gpt-4o", is_enforced=True, name="Model"),
    )
    money.payers.change(
        [
            an_assignment("u", matched=Matched.USER),
            an_assignment("gone", matched=Matched.PRODUCT, valid_to="2026-03-11T00:00:00.000Z"),
            an_assignment("moved"),
            an_assignment("moved", "blue", valid_from="2026-03-11T00:00:00.000Z"),
        ],
        actor="ada",
        at=AT,
    )
    money.called(2)
    money.checked()

    def refused(at: str = AT, **callers: str) -> list[str]:
        return [one.budget_id for one in money.budgets.refusals(list(callers.items()), at)]

    assert refused(subscription="sub-1") == refused(user="u") == refused(team="red") == ["red"]
    assert refused(subscription="sub-1", model="gpt-4o") == ["model", "red"]
    assert refused(subscription="moved") == refused(product="gone") == refused(subscription="u") == []
    assert refused(APRIL, subscription="sub-1") == []
    assert money.budgets.refusals([("model", "gpt-4o")], AT) == [Refused("model", "Model", APRIL)]

    money.agreed(a_budget(amount="1", is_enforced=True))
    assert refused(subscription="sub-1") == []


def test_a_budget_of_everything_concerns_everybody(money: Money) -> None:
    money.agreed(a_budget("all", amount="0.0001", target=Target.EVERYTHING, value="", is_enforced=True))
    money.called(2)
    money.checked()
    service = BudgetService(money.budgets, money.alerts, now=lambda: NOON)

    assert [one.budget_id for one in service.refusals({"subscription": "any"})] == ["all"]


def test_alerts_are_listed_newest_first_in_pages_with_filters(money: Money) -> None:
    money.agreed(a_budget(amount="0.0001", thresholds=(10, 20, 30)), a_budget("other", amount="0.0001"))
    money.called(1)
    money.checked()

    def page(after: ListKey | None) -> list[tuple[str, str]]:
        found = money.alerts.alerts(AlertFilter(), after=after, limit=2)
        return [(one.raised_at, one.id) for one, _ in found]

    first = page(None)
    second = page(ListKey(*first[-1]))
    everything = [*first, *second]
    assert everything == sorted(everything, reverse=True)
    assert len({*everything}) == 4
    assert money.raised(budget_id="other") == [("other", "threshold", 50)]
    assert money.raised(raised_before=AT) == money.raised(kind="anomaly") == []


def test_a_budget_taken_away_leaves_its_alerts_and_nothing_else(money: Money) -> None:
    money.agreed(a_budget(amount="0.0001", is_enforced=True))
    money.called(2)
    money.checked()

    money.budgets.remove("red", actor="ada", at=AT)

    assert money.budgets.states(["red"]) == {}
    assert money.budgets.refusals([("team", "red")], AT) == []
    assert len(money.raised()) == 2
