"""A ledger of the release before is migrated, stopped in the middle, goes on, and answers the same."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from shared.questions import InteractionFilter, UsageQuery
from shared.services.rollup import recount_usage
from shared.stores.sql import tables
from shared.stores.sql.audit import SqlAuditStore
from shared.stores.sql.engine import create_engine
from shared.stores.sql.rollups import SqlUsageRollups
from tests.benchmarks import large_ledger
from tests.benchmarks.timers import fill_usage
from tests.builders.older_ledgers import make_older

BEFORE = "0021"
"""Before outcomes, throttled calls and durations were counted."""
HOURS = 24
"""That one step of the migration counts."""


def answers(path: Path) -> Iterator[Any]:
    engine = create_engine(f"sqlite:///{path}")
    store = SqlAuditStore(engine)
    everything = InteractionFilter()
    always = ("2026-01-01T00:00:00.000Z", "2028-01-01T00:00:00.000Z")
    for dimensions, interval in (
        ((), None),
        (("model",), "month"),
        (("user_id",), None),
        (("caller_ip", "model"), "hour"),
    ):
        query = UsageQuery(
            dimensions=dimensions, interval=interval, starts_from=always[0], starts_before=always[1], narrow=everything
        )
        yield store.usage(query, after=None, limit=100_000)
    by_model = UsageQuery(dimensions=("model",), starts_from=always[0], starts_before=always[1], narrow=everything)
    yield sorted(map(str, store.traits(by_model, after=None, until=("\uffff",))))
    yield store.interactions(everything, after=None, limit=1_000)
    yield store.interactions(InteractionFilter(error=True), after=None, limit=1_000)
    yield store.partitions()
    engine.dispose()


def migrating(path: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "shared.stores.sql.migrate", "upgrade", f"sqlite:///{path}"]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def waiting(path: Path) -> int:
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        number = connection.scalar(sa.select(sa.func.count()).select_from(tables.dirty_hour)) or 0
    engine.dispose()
    return number


@pytest.mark.slow
def test_a_ledger_of_before_migrates_tells_how_far_goes_on_after_a_kill_and_answers_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large_ledger, "_EVENTS", 60)
    new, old = tmp_path / "new.db", tmp_path / "old.db"
    large_ledger.make_ledger(new, 4_000, days=30)
    engine = create_engine(f"sqlite:///{new}")
    fill_usage(engine)
    engine.dispose()
    make_older(old, BEFORE, of=new)

    with migrating(old) as first:
        assert first.stderr is not None
        told = next(line for line in first.stderr if "rollup.step" in line)
        first.kill()
    left = waiting(old)
    with migrating(old) as second:
        log = second.communicate()[1]

    assert f"hours={HOURS}" in told
    assert left > HOURS
    assert second.returncode == 0
    assert waiting(old) == 0
    assert "rollup.run" in log
    for mine, theirs in zip(answers(old), answers(new), strict=True):
        assert mine
        assert mine == theirs
    engine = create_engine(f"sqlite:///{old}")
    assert recount_usage(SqlUsageRollups(engine)) == {}
    engine.dispose()
