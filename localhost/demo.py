"""`demo`: an hour of sample traffic through the functions, then the article's two tables, and costs."""

import asyncio
import json
import os
import sys
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from localhost.commands import feed
from localhost.database import use_database
from localhost.environment import read_host
from localhost.errors import UsageError
from localhost.functions import app_functions
from localhost.http_app import HttpApp, Routes
from localhost.serve import HOST_ADDRESS, serve
from localhost.timers import run_timer
from localhost.traffic.mix import an_hour
from shared import bootstrap
from shared.pricing.files import Origin

__all__ = ["demo"]

_DATABASE: Final = Path(".local/demo.db")
"""Made anew by each run, and nobody's ledger."""
_SEED: Final = 1
_DEPLOYMENTS: Final = Path(__file__).parent / "traffic" / "deployments.csv"
"""What the sample company's deployments are: all but one, so that a demo shows what is not known."""
_PAYERS: Final = Path(__file__).parent / "traffic" / "payers.csv"
"""Which of its teams pays for which subscription."""
_ROWS: Final = 12
_PLAIN_WIDTH: Final = 200

_Items = list[dict[str, Any]]


def demo(*, count: int, port: int, go_on: bool) -> None:
    """Generate, feed, roll up, show; then serve when `go_on`.

    Args:
        count: events of the hour.
        port: to serve on.
        go_on: whether to serve until a signal.

    Raises:
        UsageError: settings, the database file or the port cannot be used.
    """
    functions, host = app_functions(), read_host()
    url = use_database(_new_database())
    console = Console(width=None if sys.stdout.isatty() else _PLAIN_WIDTH)
    balance = feed(functions, an_hour(count, _SEED), url, host.max_event_batch_size)
    bootstrap.services().load_prices(Origin.DEPLOYMENTS, _DEPLOYMENTS.read_text(encoding="utf-8"), actor="demo")
    bootstrap.services().payers.load(_PAYERS.read_text(encoding="utf-8"), actor="demo")
    run_timer(functions.timer("rebuild_usage_rollups"))
    app = HttpApp(Routes(functions.http, host.route_prefix))
    usage, prompts, costs = asyncio.run(_ask(app, port))
    console.print(_usage_table(usage))
    console.print(_prompts_table(prompts))
    console.print(_costs_table(costs))
    print(json.dumps(balance), flush=True)
    if go_on:
        console.print(_addresses(port), highlight=False, soft_wrap=True)
        serve(functions, host, port=port, hubs=None)
    bootstrap.reset()


def _new_database() -> str:
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            try:
                os.remove(f"{_DATABASE}{suffix}")  # noqa: PTH107  # a name put together, not a path
            except PermissionError as error:
                raise UsageError(f"{_DATABASE} cannot be made anew: another process uses it") from error
    return f"sqlite:///{_DATABASE.as_posix()}"


async def _ask(app: HttpApp, port: int) -> tuple[_Items, _Items, _Items]:
    """Return the items of the article's two queries, and of costs, from the functions that serve them."""
    return (
        await _items(app, port, "/api/v1/usage?groupBy=callerIp,model&limit=1000"),
        await _items(app, port, "/api/v1/prompts?limit=200"),
        await _items(app, port, "/api/v1/usage?groupBy=subscriptionId,model&limit=1000"),
    )


async def _items(app: HttpApp, port: int, target: str) -> _Items:
    response = await app.request("GET", target, {"host": f"{HOST_ADDRESS}:{port}"}, peer=(HOST_ADDRESS, port))
    if response.status_code != 200:
        raise UsageError(f"{target} answered {response.status_code}: {response.get_body().decode()}")
    items: _Items = json.loads(response.get_body(), parse_float=Decimal)["items"]
    return items


def _usage_table(items: _Items) -> Table:
    table = _table("Usage by caller and model, in tokens")
    for name in ("caller IP", "model"):
        table.add_column(name, no_wrap=True)
    for name in ("calls", "prompt", "completion", "total", "average"):
        table.add_column(name, justify="right", no_wrap=True)
    largest = sorted(items, key=lambda item: -item["totalTokens"])
    for item in largest[:_ROWS]:
        table.add_row(
            item["callerIp"] or "-",
            item["model"] or "-",
            *(f"{item[name]:,}" for name in ("requests", "inputTokens", "outputTokens", "totalTokens")),
            _average(item["averageTotalTokens"]),
        )
    table.caption = f"the {min(_ROWS, len(items))} largest of {len(items)} groups"
    return table


def _costs_table(items: _Items) -> Table:
    table = _table("Cost by team (subscription) and model")
    for name in ("team", "model"):
        table.add_column(name, no_wrap=True)
    for name in ("calls", "amount", "no price", "no usage"):
        table.add_column(name, justify="right", no_wrap=True)
    dearest = sorted(items, key=lambda item: -(item["amount"] or 0))
    shown = dearest[:_ROWS]
    unpriced = [item for item in dearest if item["unpricedRequests"] and item not in shown]
    for item in shown + unpriced:
        table.add_row(
            item["subscriptionId"] or "-",
            item["model"] or "-",
            *(f"{item['requests']:,}", _money(item["amount"], item["currency"])),
            *(f"{item[name]:,}" for name in ("unpricedRequests", "unmeteredRequests")),
        )
    total = sum((item["amount"] or 0 for item in items), Decimal(0))
    table.caption = f"{total:,.4f} in all; the {len(shown)} dearest of {len(items)} groups, and all without a price"
    return table


def _money(amount: Decimal | None, currency: str | None) -> str:
    return "-" if amount is None else f"{amount:,.4f} {currency or ''}".strip()


def _prompts_table(items: _Items) -> Table:
    table = _table("Prompts, their first 100 characters")
    # Where the terminal is narrow it is the prompt that is cut.
    table.expand = sys.stdout.isatty()
    for name in ("time", "model"):
        table.add_column(name, no_wrap=True)
    table.add_column("tokens", justify="right", no_wrap=True)
    table.add_column("prompt", overflow="ellipsis", no_wrap=True, ratio=1)
    # Usage records bring no text.
    with_text = [item for item in items if item["promptPreview"]]
    for item in with_text[:_ROWS]:
        tokens = item["inputTokens"]
        table.add_row(
            item["occurredAt"][:19].replace("T", " "),
            item["model"] or "-",
            "-" if tokens is None else f"{tokens:,}",
            # What people wrote is no markup.
            Text(" ".join(item["promptPreview"].split())),
        )
    table.caption = "the newest that hold a text"
    return table


def _table(title: str) -> Table:
    table = Table(title=title, box=box.ASCII2, title_justify="left", caption_justify="left")
    if sys.stdout.isatty():
        # 80 columns are enough for the first table when nothing is wasted.
        table.box, table.padding = box.SIMPLE_HEAD, 0
    return table


def _average(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}"


def _addresses(port: int) -> str:
    base = f"http://{HOST_ADDRESS}:{port}/api"
    paths = (
        "dashboard",
        "v1/usage?groupBy=callerIp,model",
        "v1/prompts",
        "v1/interactions?limit=10",
        "v1/balance",
        "v1/quarantine",
        "docs",
    )
    return "\n".join(["Try:", *(f"  {base}/{path}" for path in paths)])
