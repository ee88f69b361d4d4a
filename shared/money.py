"""Builds what is about money for `bootstrap`: the price book, who pays, budgets."""

from collections.abc import Callable
from functools import partial
from typing import TypedDict

from sqlalchemy.engine import Engine

from shared.retry import QUICK_SECONDS
from shared.services.budget_checks import Stores, check_budgets
from shared.services.budgets import BudgetService
from shared.services.capacity import CapacityService, with_settled_capacity
from shared.services.costs import CostService
from shared.services.isolation import Failures
from shared.services.payers import PayerService
from shared.services.price_refresh import Refresh, refresh_prices
from shared.services.prices import PriceService, load_file, with_shipped_prices
from shared.services.restatements import RestatementService, with_finished_restatements
from shared.settings import Settings
from shared.stores.retail_prices import HttpRetailPrices
from shared.stores.sql.alerts import SqlAlerts
from shared.stores.sql.assignments import SqlAssignments
from shared.stores.sql.audit import SqlAuditStore
from shared.stores.sql.budgets import SqlBudgets
from shared.stores.sql.capacity import SqlCapacity
from shared.stores.sql.cost_store import SqlCostStore
from shared.stores.sql.prices import SqlPrices
from shared.stores.sql.restatements import SqlRestatements
from shared.stores.webhooks import HttpWebhook
from shared.telemetry import Recorder

__all__ = [
    "MoneyServices",
    "PriceServices",
    "budget_check",
    "money_services",
    "price_follower",
    "price_services",
    "with_prices",
]


class PriceServices(TypedDict):
    """What answers for the price book, by the names of `bootstrap.Services`."""

    load_prices: Callable[..., int]
    prices: PriceService
    fetch_prices: Callable[..., Refresh]
    restatements: RestatementService
    capacity: CapacityService


def price_services(engine: Engine, api_engine: Engine) -> PriceServices:
    """Return the services with their stores: commands use `engine`, the API `api_engine`."""
    return {
        "load_prices": partial(load_file, SqlPrices(engine)),
        "fetch_prices": partial(refresh_prices, SqlPrices(engine), HttpRetailPrices()),
        "prices": PriceService(SqlPrices(api_engine, retry_seconds=QUICK_SECONDS)),
        "restatements": RestatementService(SqlRestatements(api_engine, retry_seconds=QUICK_SECONDS)),
        "capacity": CapacityService(SqlCapacity(api_engine, retry_seconds=QUICK_SECONDS)),
    }


def price_follower(settings: Settings, refresh: Callable[..., Refresh]) -> Callable[[], None]:
    """Return what refreshes the price book where the settings want it, and else does nothing."""

    def follow() -> None:
        if settings.refreshes_prices:
            refresh()

    return follow


def with_prices(engine: Engine, rebuild: Callable[[], int]) -> Callable[[], int]:
    """Return the rebuild of the rollups with what comes before and after: the shipped list, capacity, restatements."""
    settled = partial(with_settled_capacity, SqlCapacity(engine), rebuild)
    finished = partial(with_finished_restatements, SqlRestatements(engine), settled)
    return partial(with_shipped_prices, SqlPrices(engine), finished)


class MoneyServices(TypedDict):
    """What answers for cost centres, budgets and statements, by the names of `bootstrap.Services`."""

    payers: PayerService
    budgets: BudgetService
    costs: CostService


def money_services(api_engine: Engine) -> MoneyServices:
    """Return the services with their stores."""
    return {
        "payers": PayerService(SqlAssignments(api_engine)),
        "budgets": BudgetService(SqlBudgets(api_engine), SqlAlerts(api_engine)),
        "costs": CostService(SqlCostStore(api_engine)),
    }


def budget_check(settings: Settings, engine: Engine, recorder: Recorder) -> Callable[[], int]:
    """Return what measures budgets and tells of alerts."""
    return partial(
        check_budgets,
        Stores(SqlBudgets(engine), SqlAlerts(engine), SqlAuditStore(engine), SqlAssignments(engine)),
        webhooks=[HttpWebhook(*one, settings.webhook_key) for one in settings.webhooks],
        failures=Failures("check_budgets", recorder),
        recorder=recorder,
    )
