"""The commands that say who pays, and that add kept numbers up again."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.commands import rows, run

pytestmark = pytest.mark.slow

_LEDGER = ".local/promptledger.db"
_CENTRES = """kind,name,value,team,cost_centre,valid_from,valid_to
subscription,,{subscription},red,4711,,
user,,nobody@example.org,blue,4712,2026-01-01,2027-01-01
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a ledger of sample traffic."""
    for arguments in (
        ["traffic", "--count", "300", "--seed", "1", "--out", "events.ndjson"],
        ["replay", "events.ndjson"],
        ["timer", "rebuild_usage_rollups"],
    ):
        assert run(tmp_path, *arguments).returncode == 0
    return tmp_path


def change(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / _LEDGER)) as connection, connection:
        connection.execute(statement)


def test_a_file_of_cost_centres_says_who_pays_and_the_same_file_changes_nothing(folder: Path) -> None:
    query = (
        "select subscription_id, count(*) from interaction where subscription_id is not null group by 1 order by 2 desc"
    )
    ((subscription, calls), *_) = rows(folder / _LEDGER, query)
    (folder / "centres.csv").write_text(_CENTRES.format(subscription=subscription), encoding="utf-8")

    done, again = (run(folder, "cost-centres", "centres.csv") for _ in range(2))
    assert run(folder, "timer", "rebuild_usage_rollups").returncode == 0

    assert (done.returncode, again.returncode) == (0, 0), done.stderr + again.stderr
    assert (json.loads(done.stdout), json.loads(again.stdout)) == ({"changed": 2}, {"changed": 0})
    paid = "select team, cost_centre, count(*) from charge where team is not null group by 1, 2"
    assert rows(folder / _LEDGER, paid) == [("red", "4711", calls)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "cannot be read"),
        ("kind,value\nsubscription,a\n", "centres.csv: "),
        (_CENTRES.format(subscription="a").replace("user,", "planet,"), "centres.csv: "),
        (_CENTRES.format(subscription="a").replace("2027-01-01", "2025-01-01"), "centres.csv: "),
    ],
)
def test_a_file_of_cost_centres_that_is_wrong_changes_nothing_and_is_refused_in_words(
    tmp_path: Path, text: str | None, says: str
) -> None:
    if text is not None:
        (tmp_path / "centres.csv").write_text(text, encoding="utf-8")

    done = run(tmp_path, "cost-centres", "centres.csv")

    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert rows(tmp_path / _LEDGER, "select count(*) from assignment") == [(0,)]


def test_a_recount_says_what_was_wrong_and_puts_the_balance_right(folder: Path) -> None:
    number = "select sum(number) from delivery_count"
    received = rows(folder / _LEDGER, number)
    (partition, *_) = rows(folder / _LEDGER, "select min(rowid) from delivery_count")
    change(folder, f"update delivery_count set number = number + 1 where rowid = {partition[0]}")
    (group,) = rows(folder / _LEDGER, "select min(group_id) from usage_of_hour where cut = 0")
    change(folder, f"update usage_of_hour set total_tokens = total_tokens + 1 where cut = 0 and group_id = {group[0]}")
    hours = rows(folder / _LEDGER, f"select count(*) from usage_of_hour where cut = 0 and group_id = {group[0]}")

    done, again = (run(folder, "recount") for _ in range(2))

    assert (done.returncode, again.returncode) == (0, 0), done.stderr + again.stderr
    wrong = {"wrongHours": hours[0][0], "wrongGroups": hours[0][0]}
    assert json.loads(done.stdout) == wrong | {"wrongPartitions": 1}
    assert json.loads(again.stdout) == wrong | {"wrongPartitions": 0}
    assert rows(folder / _LEDGER, number) == received
