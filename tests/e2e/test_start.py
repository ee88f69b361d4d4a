import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
from promptledger_client import PromptLedger

from localhost.event_log import PARTITIONS, EventLog
from tests.e2e.commands import rows, run, started, until

COUNT = 600


def total(url: str) -> dict[str, Any]:
    with PromptLedger(url) as ledger:
        return {**ledger.read_balance()["total"]}


def test_events_sent_to_the_log_appear_in_the_audit_api(tmp_path: Path) -> None:
    with started(tmp_path) as server:
        sent = run(tmp_path, "traffic", "--count", str(COUNT), "--seed", "4", "--send")
        assert sent.returncode == 0, sent.stderr
        balance = until(lambda: counts if (counts := total(server.url))["received"] == COUNT else None)
        with PromptLedger(server.url) as ledger:
            listed = ledger.list_interactions(source="native", limit=5)
            content = ledger.read_content(listed["items"][0]["id"])
            everything = [call["id"] for call in ledger.iter_interactions(limit=100)]
        ready = httpx.get(f"{server.url}/api/health/ready")

    assert balance["stored"] > COUNT / 2
    assert sum(count for name, count in balance.items() if name != "received") == COUNT
    assert len(listed["items"]) == 5
    assert len(everything) == len(set(everything)) > 100
    assert content.get("prompt"), content
    assert ready.status_code == 200


def test_a_restart_goes_on_from_the_checkpoints(tmp_path: Path) -> None:
    for round_ in (1, 2):
        with started(tmp_path) as server:
            run(tmp_path, "traffic", "--count", str(COUNT), "--seed", str(round_), "--send")
            until(lambda: total(server.url)["received"] >= COUNT * round_)  # noqa: B023  # used at once
            received, redelivered = (
                sum(column)
                for column in zip(
                    *rows(tmp_path / ".local/promptledger.db", "select received, redelivered from hub_partition"),
                    strict=True,
                )
            )
        assert server.process.returncode == 0
        assert (received, redelivered) == (COUNT * round_, 0)


def test_ctrl_c_ends_it_with_exit_code_0(tmp_path: Path) -> None:
    with started(tmp_path) as server:
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(20) == 0


def test_callers_from_elsewhere_are_refused(tmp_path: Path) -> None:
    with started(tmp_path) as server:
        answers = [
            httpx.get(f"{server.url}/api/v1/usage", headers=headers).status_code
            for headers in ({}, {"X-Forwarded-For": "203.0.113.9"}, {"Host": "ledger.example.org"})
        ]

    assert answers == [200, 403, 403]


def test_while_the_ledger_fails_the_function_is_repeated_and_the_checkpoint_waits(tmp_path: Path) -> None:
    database = tmp_path / ".local/promptledger.db"
    assert run(tmp_path, "timer", "rebuild_usage_rollups").returncode == 0
    change(database, "alter table hub_partition rename to out_of_order")
    run(tmp_path, "traffic", "--count", "200", "--seed", "1", "--send")

    with started(tmp_path) as server, closing(EventLog(tmp_path / ".local/events.db")) as log:
        until(lambda: "ingest_gateway failed: StoreRefusedError" in server.log.read_text())
        until(lambda: "next try in 4 s" in server.log.read_text())
        checkpoints = {log.checkpoint("gateway", "promptledger", partition) for partition in PARTITIONS}
        assert checkpoints == {-1}
        assert rows(database, "select count(*) from interaction") == [(0,)]

        change(database, "alter table out_of_order rename to hub_partition")

        until(lambda: total(server.url)["received"] == 200)
        until(lambda: log.checkpoint("gateway", "promptledger", "0") >= 0)


def change(database: Path, statement: str) -> None:
    with closing(sqlite3.connect(database, timeout=30)) as connection, connection:
        connection.execute(statement)
