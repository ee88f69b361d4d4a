"""How long the gateway waits for a decision about a call, on a connection that it keeps."""

import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import httpx

from shared.domain.values import utc_now, utc_of
from shared.pricing.budgets import Period, span_of
from shared.services.budgets import BudgetService
from shared.stores.budget_ports import Block
from shared.stores.sql.alerts import SqlAlerts
from shared.stores.sql.budgets import SqlBudgets
from shared.stores.sql.engine import create_engine
from shared.stores.sql.migrate import upgrade
from tests.benchmarks.figures import Figure, of_times
from tests.builders.budgets import a_budget
from tests.e2e.commands import started

__all__ = ["decisions"]

GOAL_MS: Final = 5.0
_BUDGETS: Final = 500
_CALLERS: Final = 20
"""Whom each budget that is used up concerns."""
_ASKED: Final = 1_000
_REQUESTS: Final = 200
_WARM_UP: Final = 20


def decisions(folder: Path) -> list[Figure]:
    """Return how long decisions take over HTTP, and how much of that is the question to the table."""
    path = folder / ".local/promptledger.db"
    path.parent.mkdir()
    _fill(f"sqlite:///{path}")
    engine = create_engine(f"sqlite:///{path}")
    budgets = BudgetService(SqlBudgets(engine), SqlAlerts(engine))
    asked = [_ms(partial(budgets.refusals, _caller(number))) for number in range(_ASKED)]
    engine.dispose()
    with started(folder) as server, httpx.Client(base_url=server.url) as client:
        times = [_ms(partial(_get, client, number)) for number in range(_WARM_UP + _REQUESTS)]
    half = statistics.median(times[_WARM_UP:])
    return [
        Figure("half of the requests over HTTP", half, goal=GOAL_MS),
        of_times("over HTTP", times[_WARM_UP:]),
        of_times("the question to the table", asked),
    ]


def _fill(url: str) -> int:
    """Put budgets of which all are used up into a new ledger; return for how many callers."""
    upgrade(url)
    engine = create_engine(url)
    now = utc_of(utc_now())
    until = span_of(Period.MONTH, utc_now()).end
    for number in range(_BUDGETS):
        SqlBudgets(engine).put(a_budget(f"team-{number}", is_enforced=True), actor="ada", at=now)
    kinds = ("subscription", "product", "user", "application", "model")
    blocks = [
        Block(kinds[one % len(kinds)], f"{kinds[one % len(kinds)]}-{number}-{one}", f"team-{number}", until)
        for number in range(_BUDGETS)
        for one in range(_CALLERS)
    ]
    SqlAlerts(engine).record([], [], blocks, [])
    engine.dispose()
    return len(blocks)


def _caller(number: int) -> dict[str, str]:
    """Return one who is refused each second time."""
    known = number % _BUDGETS
    return {
        "subscription": f"subscription-{known}-{0 if number % 2 else 1}",
        "product": "standard",
        "user": f"oid-{number}",
        "application": f"app-{number}",
        "model": "gpt-4o",
    }


def _get(client: httpx.Client, number: int) -> None:
    caller = _caller(number)
    asked = {
        "subscriptionId": caller["subscription"],
        "productId": "standard",
        "userId": caller["user"],
        "model": "gpt-4o",
    }
    client.get("/api/v1/budgets/decision", params=asked).raise_for_status()


def _ms(work: Callable[[], object]) -> float:
    started_at = time.perf_counter()
    work()
    return (time.perf_counter() - started_at) * 1000
