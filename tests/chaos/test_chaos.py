"""The harness would notice: a verdict that cannot fail says nothing."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from localhost.traffic.mix import DEFAULT_START, an_hour
from tests.builders.faults import changed
from tests.chaos.__main__ import in_peace
from tests.chaos.plan import KINDS, plan_of
from tests.chaos.verdict import TABLES, USAGE, Verdict, verdict

EVENTS = list(an_hour(1500, 5, DEFAULT_START))


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("truth") / "truth.db"
    in_peace(path.parent, EVENTS, path)
    return path


@pytest.fixture
def ledger(tmp_path: Path, truth: Path) -> Path:
    return Path(shutil.copy(truth, tmp_path / "ledger.db"))


_A_SUM = (
    "usage_of_{0} where cut = 0 and (interval_start, group_id) ="
    " (select min(interval_start), group_id from usage_of_{0} where cut = 0)"
)


def test_a_ledger_that_is_the_truth_has_lost_and_doubled_nothing(ledger: Path, truth: Path) -> None:
    assert verdict(ledger, truth, EVENTS) == Verdict(0, 0, 0, 0, {})


@pytest.mark.parametrize("table", sorted(set(TABLES) - {"waiting"}))
def test_a_row_that_is_missing_is_lost(ledger: Path, truth: Path, table: str) -> None:
    if table in USAGE:
        # A view: its rows are sums.
        changed(ledger, f"delete from {_A_SUM.format(table.removeprefix('usage_'))}")
        assert verdict(ledger, truth, EVENTS) == Verdict(1, 0, 0, 0, {table: 1})
        return
    with closing(sqlite3.connect(ledger)) as connection:
        # Those that are computed are not among them.
        names = ", ".join(row[1] for row in connection.execute(f"pragma table_info({table})"))
    changed(ledger, f"create table copy as select {names} from {table} limit (select count(*) - 1 from {table})")
    changed(ledger, f"delete from {table}")
    changed(ledger, f"insert into {table} ({names}) select {names} from copy")

    found = verdict(ledger, truth, EVENTS)

    assert found.lost >= 1
    assert found.by_table == {table: 1}


def test_a_call_that_a_rollup_counts_twice_is_doubled(ledger: Path, truth: Path) -> None:
    table, _, row = _A_SUM.format("hour").partition(" where ")
    changed(ledger, f"update {table} set requests = requests + 1 where {row}")

    found = verdict(ledger, truth, EVENTS)

    assert found == Verdict(1, 1, 0, 0, {"usage_hour": 2})


@pytest.mark.parametrize(("document", "wrong"), [("M:1+L.1..Q", (0, 1)), ("M:1", (1, 0))])
def test_content_that_is_too_much_is_doubled_unless_it_is_a_piece_that_changes_no_answer(
    ledger: Path, truth: Path, document: str, wrong: tuple[int, int]
) -> None:
    changed(ledger, f"insert into content select interaction_id, '{document}', body from content limit 1")

    found = verdict(ledger, truth, EVENTS)

    assert (found.doubled, found.spent_pieces) == wrong
    assert found.lost == 0


def test_a_number_that_differs_is_lost_and_doubled(ledger: Path, truth: Path) -> None:
    changed(ledger, "update interaction set output_tokens = output_tokens + 1 where output_tokens is not null")

    found = verdict(ledger, truth, EVENTS)

    assert found.lost == found.doubled > 0


@pytest.mark.parametrize(
    ("statement", "wrong"),
    [
        ("update hub_partition set received = received + 1", {"doubled", "unaccounted"}),
        ("update hub_partition set received = received + 1, redelivered = redelivered + 1", set()),
        ("update delivery set outcome = 'forgotten' where sequence = 3", {"unaccounted"}),
        ("delete from delivery where sequence = 3", {"lost", "doubled", "unaccounted"}),
    ],
)
def test_a_count_that_is_off_is_seen(ledger: Path, truth: Path, statement: str, wrong: set[str]) -> None:
    changed(ledger, statement)

    found = verdict(ledger, truth, EVENTS)._asdict()

    assert {name for name in ("lost", "doubled", "unaccounted") if found[name]} == wrong


def test_the_same_seed_plans_the_same_faults_and_every_kind_of_them() -> None:
    one, same, other = (plan_of(seed, 20, hosts=2, partitions=8) for seed in (1, 1, 2))

    assert one == same != other
    assert {fault.kind for fault in one} == {fault.kind for fault in other} == set(KINDS)
