"""Exports as people get them: wanted by a request, made by the timer of a server that may be gone, had as files."""

import csv
import hashlib
import io
import signal
from pathlib import Path

import pytest
from promptledger_client import PromptLedger

from tests.e2e.commands import run, started, until

pytestmark = pytest.mark.slow


def test_an_export_that_a_killed_server_left_is_made_by_the_next(tmp_path: Path) -> None:
    for arguments in (["traffic", "--count", "400", "--seed", "4", "--out", "e.ndjson"], ["replay", "e.ndjson"]):
        assert run(tmp_path, *arguments).returncode == 0
    with started(tmp_path) as server:
        with PromptLedger(server.url) as ledger:
            wanted = ledger.ask_for_export({"kind": "content", "format": "csv", "purpose": "case 7"})
        server.process.send_signal(signal.SIGKILL)
        server.process.wait(20)

    with started(tmp_path) as server, PromptLedger(server.url) as ledger:
        done = until(lambda: one if (one := ledger.read_export(wanted["id"]))["state"] == "done" else None)
        manifest = ledger.read_manifest(wanted["id"])
        parts = [ledger.read_export_part(wanted["id"], part["number"]) for part in manifest["parts"]]
        listed = [call["id"] for call in ledger.iter_interactions(limit=500)]

    assert [hashlib.sha256(body).hexdigest() for body in parts] == [part["sha256"] for part in manifest["parts"]]
    rows = [row for body in parts for row in csv.DictReader(io.StringIO(body.decode(), newline=""))]
    assert [row["id"] for row in rows] == listed
    assert len(rows) == done["rows"] == manifest["rows"] > 100
    assert any(row["prompt"] for row in rows)
    assert (tmp_path / ".local/exports" / wanted["id"] / "manifest.json").is_file()
