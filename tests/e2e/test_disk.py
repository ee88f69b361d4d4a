"""A disk without room, as far as a process can be made to see one."""

import resource
from pathlib import Path

import pytest

from tests.e2e.commands import rows, run, started, until
from tests.e2e.test_start import total

if not hasattr(resource, "prlimit"):
    pytest.skip("only Linux lets one process limit another's files", allow_module_level=True)


def test_a_disk_that_is_full_stops_the_partitions_and_room_lets_them_go_on(tmp_path: Path) -> None:
    database = tmp_path / ".local/promptledger.db"
    assert run(tmp_path, "timer", "rebuild_usage_rollups").returncode == 0
    no_room = database.stat().st_size + 64 * 1024

    with started(tmp_path) as server:
        # What it has consumed by now is in the write-ahead log; the rest must wait.
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (no_room, resource.RLIM_INFINITY))
        run(tmp_path, "traffic", "--count", "2000", "--seed", "1", "--send")
        until(lambda: "ingest_gateway failed: Store" in server.log.read_text())
        full = server.log.read_text()
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        # Of a batch whose checkpoint found no room either, the ledger is told again.
        until(lambda: rows(database, "select count(*) from delivery") == [(2000,)])
        balance = total(server.url)

    assert "the disk failed to read or write" in full or "the disk has no room left" in full
    assert balance["received"] == sum(count for name, count in balance.items() if name != "received")
    assert rows(database, "pragma integrity_check") == [("ok",)]
