"""How long the dashboard's pages take to be made, and how large they are, over a large ledger.

python -m tests.benchmarks.pages [--rows 1000000] [--ledger FILE] [--json FILE]
"""

import argparse
import asyncio
import gzip
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import httpx
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shared.api.app import create_app
from shared.services.audit import AuditService
from shared.services.quarantine import QuarantineService
from shared.services.rollup import rebuild_usage_rollups
from shared.settings import Settings
from shared.stores.sql import tables
from shared.stores.sql.audit import SqlAuditStore
from shared.stores.sql.content import SqlContentStore
from shared.stores.sql.engine import create_engine
from shared.stores.sql.ledger import SqlLedger
from shared.stores.sql.quarantine import SqlQuarantine
from shared.stores.sql.rollups import SqlUsageRollups
from tests.benchmarks.large_ledger import make_ledger

GOAL_MS: Final = 100.0
GOAL_KB: Final = 200.0
_TIMES: Final = 41
_HOME: Final = "/api/dashboard"


def main() -> int:
    """Ask for every page, print and keep how long it took; return 0."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.pages")
    parser.add_argument("--rows", type=int, default=1_000_000, help="interactions in the ledger")
    parser.add_argument("--ledger", type=Path, help="a ledger to ask, which stays; it is made where it is not there")
    parser.add_argument("--json", type=Path, help="where to keep the results")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = options.ledger or Path(folder) / "ledger.db"
        is_new = not path.exists()
        if is_new:
            make_ledger(path, options.rows)
        engine = create_engine(f"sqlite:///{path}")
        if is_new:
            rebuild_usage_rollups(SqlUsageRollups(engine))
        results = asyncio.run(_results(engine))
        engine.dispose()
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors; goals {GOAL_MS:g} ms, {GOAL_KB:g} kB")
    for name, (first, half, most, size) in results.items():
        met = "met" if most <= GOAL_MS and size <= GOAL_KB else "MISSED"
        print(
            f"{name:28} first {first:8.1f} ms, half {half:7.1f}, 95 of 100 {most:8.1f}, {size:6.1f} kB gzipped  {met}"
        )
    return 0


async def _results(engine: Engine) -> dict[str, tuple[float, float, float, float]]:
    store, content = SqlAuditStore(engine), SqlContentStore(engine)
    held = QuarantineService(store=SqlQuarantine(engine), audit=store, ledger=SqlLedger(engine), content=content)
    settings = Settings(database_url="sqlite://", auth="local", in_azure=False)
    app = create_app(AuditService(store=store, content=content), settings, held)
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 50_000))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=600) as client:
        return {name: await _asked(client, url) for name, url in _pages(engine).items()}


def _pages(engine: Engine) -> dict[str, str]:
    facts = tables.interaction.c
    with engine.connect() as connection:
        newest = connection.execute(sa.select(facts.id, facts.occurred_at).order_by(facts.occurred_at.desc()).limit(1))
        call, at = newest.one()
        model = connection.scalar(sa.select(facts.model).where(facts.model.is_not(None)).limit(1))
    day = f"{at[:10]}T00:00:00Z"
    week = f"{at[:8]}{max(1, int(at[8:10]) - 7):02d}T00:00:00Z"
    return {
        "overview, a day": f"{_HOME}?from={day}",
        "overview, a week": f"{_HOME}?from={week}&to={day}",
        "overview, a week, by user": f"{_HOME}?from={week}&to={day}&by=userId",
        "explore": f"{_HOME}/explore?from={week}",
        "explore, one model": f"{_HOME}/explore?from={week}&model={model}",
        "call": f"{_HOME}/call?id={call}",
        "pipeline": f"{_HOME}/pipeline",
        "help": f"{_HOME}/help",
    }


async def _asked(client: httpx.AsyncClient, url: str) -> tuple[float, float, float, float]:
    """Return the milliseconds of the first answer, of half of them and of 95 of 100, and its size in kB."""
    times: list[float] = []
    answer: Any = None
    for _ in range(_TIMES):
        started = time.perf_counter()
        answer = await client.get(url)
        times.append((time.perf_counter() - started) * 1000)
        answer.raise_for_status()
    ordered = sorted(times[1:])
    size = len(gzip.compress(answer.content, 6)) / 1000
    return times[0], ordered[len(ordered) // 2], ordered[len(ordered) * 95 // 100], size


if __name__ == "__main__":
    raise SystemExit(main())
