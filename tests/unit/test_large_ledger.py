"""The ledger that the benchmarks ask is like one that ingest wrote."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from shared.stores.sql.audit import SqlAuditStore
from shared.stores.sql.engine import create_engine
from tests.benchmarks import large_ledger
from tests.benchmarks.large_ledger import make_ledger

pytestmark = pytest.mark.slow


def test_a_large_ledger_has_the_rows_aliases_and_indexes_of_a_small_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large_ledger, "_EVENTS", 400)
    small, large = tmp_path / "small.db", tmp_path / "large.db"

    make_ledger(small, 1)
    make_ledger(large, 2_000)

    with closing(sqlite3.connect(small)) as one, closing(sqlite3.connect(large)) as other:
        (rows, more), (aliases, more_aliases) = (
            [ledger.execute(f"select count(*) from {table}").fetchone()[0] for ledger in (one, other)]
            for table in ("interaction", "alias")
        )
        indexes = [
            ledger.execute("select name, sql from sqlite_master where type = 'index' order by name").fetchall()
            for ledger in (one, other)
        ]
        ids, users = other.execute("select count(distinct id), count(distinct user_id) from interaction").fetchone()
        lost = "select count(*) from alias where interaction_id not in (select id from interaction)"
        assert other.execute(lost).fetchone() == one.execute(lost).fetchone() == (0,)
    assert abs(more - 2_000) < rows
    assert more_aliases / aliases == more / rows
    assert indexes[0] == indexes[1]
    assert ids == more
    assert users > 100
    engine = create_engine(f"sqlite:///{large}")
    partitions = SqlAuditStore(engine).partitions()
    engine.dispose()
    assert sum(one.balance.received for one in partitions) > more
    assert not any(one.balance.unaccounted for one in partitions)


def test_copies_that_lack_something_are_refused() -> None:
    with pytest.raises(ValueError, match="model known"):
        large_ledger._check_alike("interaction", {"rows": 1, "model known": 0.9}, {"rows": 2, "model known": 0.5}, 2)
