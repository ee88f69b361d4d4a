import json
import signal
from pathlib import Path

import pytest

from tests.e2e.commands import SECONDS, begin, rows, run, until

COUNT = 20_000

EVERYTHING = (
    "select * from interaction order by id",
    "select interaction_id, document, body from content order by interaction_id, document",
    "select * from delivery order by hub, partition_id, sequence, enqueued_at",
    # When a delivery was stored is the one thing that a repeat changes.
    "select interaction_id, hub, partition_id, sequence, enqueued_at from waiting order by 1, 2, 3, 4",
    "select id, reason, body from quarantine order by id",
)


@pytest.fixture(scope="module")
def traffic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("traffic") / "events.ndjson"
    run(path.parent, "traffic", "--count", str(COUNT), "--seed", "42", "--out", path.name)
    return path


@pytest.mark.parametrize("killed_after", [3_000, 14_000])
def test_a_replay_killed_in_the_middle_and_repeated_gives_the_rows_of_an_undisturbed_one(
    tmp_path: Path, traffic: Path, killed_after: int
) -> None:
    disturbed, undisturbed = tmp_path / "disturbed.db", tmp_path / "undisturbed.db"
    process = begin(tmp_path, "replay", str(traffic), "--database", f"sqlite:///{disturbed}")
    until(lambda: received(disturbed) >= killed_after)
    process.send_signal(signal.SIGKILL)
    assert process.wait(SECONDS) == -signal.SIGKILL
    assert received(disturbed) < COUNT

    again = run(tmp_path, "replay", str(traffic), "--database", f"sqlite:///{disturbed}")
    once = run(tmp_path, "replay", str(traffic), "--database", f"sqlite:///{undisturbed}")

    assert (again.returncode, once.returncode) == (0, 0), again.stderr + once.stderr
    for query in EVERYTHING:
        assert rows(disturbed, query) == rows(undisturbed, query)
    repeated, whole = json.loads(again.stdout), json.loads(once.stdout)
    assert repeated["received"] == whole["received"] == COUNT
    assert repeated["duplicate"] >= killed_after
    assert sum(repeated.values()) == sum(whole.values()) == 2 * COUNT


def received(database: Path) -> int:
    try:
        (((count,),)) = rows(database, "select sum(received) from hub_partition")
    except Exception:  # noqa: BLE001  # the file or its tables are not there yet
        return 0
    return count or 0


def test_other_batches_give_the_same_rows(tmp_path: Path) -> None:
    run(tmp_path, "traffic", "--count", "2000", "--seed", "9", "--out", "events.ndjson")
    for batch in ("7", "500"):
        run(tmp_path, "replay", "events.ndjson", "--database", f"sqlite:///{batch}.db", "--batch", batch)

    # How often a row was written is the one thing that depends on the batches.
    columns = [name for (name,) in rows(tmp_path / "7.db", "select name from pragma_table_info('interaction')")]
    kept = ", ".join(name for name in columns if name != "revision")
    query = f"select {kept} from interaction order by id"
    assert rows(tmp_path / "7.db", query) == rows(tmp_path / "500.db", query) != []


def test_replay_prints_one_line_of_json_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "events.ndjson").write_text('{"body": "nonsense"}\n')

    done = run(tmp_path, "replay", "events.ndjson")

    assert done.returncode == 0
    assert done.stderr == ""
    assert json.loads(done.stdout) == {
        "received": 1,
        "stored": 0,
        "duplicate": 0,
        "pending": 0,
        "skipped": 0,
        "quarantined": 1,
    }
    assert done.stdout.count("\n") == 1
    assert (tmp_path / ".local/promptledger.db").is_file()


def test_a_line_that_is_no_event_ends_the_replay_and_what_came_before_stays(tmp_path: Path) -> None:
    (tmp_path / "events.ndjson").write_text('{"body": "nonsense"}\n{"body":\n')

    done = run(tmp_path, "replay", "events.ndjson")

    assert done.returncode == 2
    assert done.stdout == ""
    assert "events.ndjson, line 2" in done.stderr
    assert "Traceback" not in done.stderr
    assert received(tmp_path / ".local/promptledger.db") == 1
