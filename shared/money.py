"""Builds the services of the price book for `bootstrap`."""

from collections.abc import Callable
from functools import partial
from typing import TypedDict

from sqlalchemy.engine import Engine

from shared.retry import QUICK_SECONDS
from shared.services.prices import PriceService, load_file, with_shipped_prices
from shared.services.restatements import RestatementService, with_finished_restatements
from shared.stores.sql.prices import SqlPrices
from shared.stores.sql.restatements import SqlRestatements

__all__ = ["PriceServices", "price_services", "with_prices"]


class PriceServices(TypedDict):
    """What answers for the price book, by the names of `bootstrap.Services`."""

    load_prices: Callable[..., int]
    prices: PriceService
    restatements: RestatementService


def price_services(engine: Engine, api_engine: Engine) -> PriceServices:
    """Return the services with their stores: commands use `engine`, the API `api_engine`."""
    return {
        "load_prices": partial(load_file, SqlPrices(engine)),
        "prices": PriceService(SqlPrices(api_engine, retry_seconds=QUICK_SECONDS)),
        "restatements": RestatementService(SqlRestatements(api_engine, retry_seconds=QUICK_SECONDS)),
    }


def with_prices(engine: Engine, rebuild: Callable[[], int]) -> Callable[[], int]:
    """Return the rebuild of the rollups with what comes before and after: the shipped list, finished restatements."""
    finished = partial(with_finished_restatements, SqlRestatements(engine), rebuild)
    return partial(with_shipped_prices, SqlPrices(engine), finished)
