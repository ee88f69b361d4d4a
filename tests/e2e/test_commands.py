import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.commands import run


def test_traffic_of_the_same_seed_is_the_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("one", "5"), ("two", "5"), ("three", "6")):
        assert run(tmp_path, "traffic", "--count", "3000", "--seed", seed, "--out", name).returncode == 0
    printed = run(tmp_path, "traffic", "--count", "3000", "--seed", "5")

    one, two, three = ((tmp_path / name).read_bytes() for name in ("one", "two", "three"))
    assert one == two == printed.stdout.encode()
    assert one != three
    assert one.count(b"\n") == 3000


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "COMMAND"),
        (["replay"], "FILE"),
        (["replay", "nowhere.ndjson"], "nowhere.ndjson"),
        (["replay", "nowhere.ndjson", "--batch", "0"], "1 or more"),
        (["timer", "strike"], "rebuild_usage_rollups"),
        (["timer", "rebuild_usage_rollups", "--database", "rubbish"], "rubbish"),
        (["timer", "rebuild_usage_rollups", "--database", "oracle://x"], "oracle"),
        (["timer", "rebuild_usage_rollups", "--database", "sqlite:///."], "cannot be used"),
        (["start", "--port", "70000"], "65535"),
        (["export", "March", "--out", "costs.csv"], "no month"),
        (["export", "2026-03", "--out", "costs.xlsx"], ".parquet"),
        (["reconcile", "nowhere.csv"], "nowhere.csv"),
        (["reconcile", "nowhere.csv", "--tolerance", "2"], "from 0 to 1"),
        (["traffic", "--count", "1", "--seed", "1", "--out", "."], "cannot be written"),
        (["traffic", "--count", "1", "--seed", "1", "--start", "noon"], "ISO 8601"),
        (["traffic", "--count", "1", "--seed", "1", "--to-hubs"], "no namespace is set"),
    ],
)
def test_a_mistake_is_answered_in_words_with_exit_code_2(tmp_path: Path, arguments: list[str], says: str) -> None:
    done = run(tmp_path, *arguments)

    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_what_would_answer_no_question_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBSITE_SITE_NAME", "a site in Azure")
    # A folder for exports is refused there, too, before anything else.
    monkeypatch.setenv("PROMPTLEDGER_EXPORTS", "")

    done = run(tmp_path, "start", "--port", "0")

    assert done.returncode == 2
    assert "PROMPTLEDGER_AUTH=local" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_demo_shows_both_tables_and_the_balance(tmp_path: Path) -> None:
    done = run(tmp_path, "demo", "--no-serve", "--count", "1500")

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    balance = json.loads(lines[-1])
    assert balance["received"] == 1500
    assert any("198.51.100.1" in line and "gpt-4o" in line for line in lines)
    assert any("2026-03-02 09:5" in line for line in lines)
    assert "average" in done.stdout


def test_the_demo_begins_anew_each_time(tmp_path: Path) -> None:
    first = run(tmp_path, "demo", "--no-serve", "--count", "300")
    second = run(tmp_path, "demo", "--no-serve", "--count", "300")

    assert first.returncode == 0, first.stderr
    assert first.stdout == second.stdout


def test_a_function_that_fails_is_named_without_a_traceback(tmp_path: Path) -> None:
    run(tmp_path, "timer", "rebuild_usage_rollups")
    with closing(sqlite3.connect(tmp_path / ".local/promptledger.db")) as connection, connection:
        connection.execute("drop table dirty_hour")

    done = run(tmp_path, "timer", "rebuild_usage_rollups")

    assert done.returncode == 1
    assert "StoreRefusedError" in done.stderr
    assert "Traceback" not in done.stderr
