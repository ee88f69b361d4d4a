"""What the ledger makes of every recording and of sample traffic, written down, so that two versions can be compared.

    python -m tests.sameness write before.json       at the one version
    python -m tests.sameness compare before.json     at the other: exit 1 and the rows that differ

Every table is compared, row by row and byte by byte, but for the times of our own clock. `write` keeps the events
beside its answer, so that both versions are fed the very same ones.
"""

import argparse
import hashlib
import json
import random
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from shared.stores.sql.packing import unpacked
from tests.builders import recordings as recorded

_OUR_CLOCK = {
    "stored_at",
    "noted_at",
    "due_at",
    "found_at",
    "resolved_at",
    "acted_at",
    "read_at",
    "loaded_at",
    "marked_at",
}
_LEFT_OUT = {"lease"}
"""Tables of nothing but times of our own clock."""
_COUNTED = {"id"}
"""Of the marks alone, whose numbers follow the order of writing."""
_MARKS = {"dirty_hour", "dirty_usage_key", "word_mark"}
_SHOWN = 20


def main() -> int:
    """Write or compare; return 1 where something differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.sameness")
    parser.add_argument("act", choices=("write", "compare"))
    parser.add_argument("file", type=Path)
    parser.add_argument("--traffic", type=int, default=20_000, help="sample events beside the recordings")
    asked = parser.parse_args()
    events = asked.file.with_suffix(".events")
    if asked.act == "write":
        events.mkdir(exist_ok=True)
        _make_events(events, asked.traffic)
    tables = {name: _tables_of(events / name) for name in sorted(path.name for path in events.iterdir())}
    if asked.act == "write":
        asked.file.write_text(json.dumps(tables))
        print(f"{sum(len(rows) for made in tables.values() for rows in made.values())} rows written")
        return 0
    return _compare(json.loads(asked.file.read_text()), tables)


def _make_events(folder: Path, traffic: int) -> None:
    (folder / "recordings").write_text("".join(json.dumps(event) + "\n" for event in _recorded_events()))
    command = [sys.executable, "-m", "localhost", "traffic", "--count", str(traffic), "--seed", "1"]
    subprocess.run([*command, "--out", str(folder / "traffic")], check=True)


def _recorded_events() -> Iterator[dict[str, Any]]:
    chance = random.Random(1)
    for one in recorded._all():
        bodies: list[bytes] = [*recorded.native_pair(one, one.id)]
        bodies += recorded.enterprise_pair(one, f"a-{one.id}") or () if _is_object(one.response) else ()
        record = recorded.usage_record(one, f"b-{one.id}") if _is_object(one.response) else None
        bodies += [record] if record else []
        for hub, body in [("gateway", body) for body in bodies] + [("monitor", body) for body in _logs(one, chance)]:
            yield {"hub": hub, "enqueuedTime": "2026-03-02T09:05:00.000Z", "body": body.decode()}


def _is_object(body: Any) -> bool:
    return isinstance(body, dict) and "choices" in body


def _logs(one: recorded.Recording, chance: random.Random) -> Iterator[bytes]:
    if isinstance(one.request, bytes) or isinstance(one.response, bytes):
        return
    records = [recorded.gateway_log(one), recorded.service_log(one)]
    if one.path.endswith("/chat/completions") and _is_object(one.response):
        records += recorded.model_log_rows(one, chance)
    for record in records:
        yield json.dumps({"records": [record]}).encode()


def _tables_of(events: Path) -> dict[str, list[str]]:
    """Replay events into an empty ledger; return each table's rows, each as a name and a digest, sorted."""
    with tempfile.TemporaryDirectory() as folder:
        database = f"{folder}/ledger.db"
        for command in (["replay", str(events)], ["timer", "rebuild_usage_rollups"]):
            url = ["--database", f"sqlite:///{database}"]
            subprocess.run([sys.executable, "-m", "localhost", *command, *url], check=True, stdout=subprocess.DEVNULL)
        connection = sqlite3.connect(database)
        names = [row[0] for row in connection.execute("select name from sqlite_master where type = 'table'")]
        tables = {name: sorted(_rows(connection, name)) for name in sorted(names)}
        connection.close()
    return tables


def _rows(connection: sqlite3.Connection, table: str) -> Iterator[str]:
    cursor = connection.execute(f'select * from "{table}"')
    left_out = _OUR_CLOCK | (_COUNTED if table in _MARKS else set())
    kept = [n for n, column in enumerate(cursor.description) if column[0] not in left_out]
    packed = [n for n in kept if (table, cursor.description[n][0]) == ("content", "body")]
    for found in cursor:
        row = [unpacked(value) if n in packed else value for n, value in enumerate(found)]
        shown = repr([row[n] for n in kept])
        yield f"{shown[:60]} {hashlib.sha256(shown.encode()).hexdigest()[:16]}"


def _compare(before: dict[str, dict[str, list[str]]], after: dict[str, dict[str, list[str]]]) -> int:
    differences = [
        f"{source} {table}: {sign} {row}"
        for source in before
        for table in sorted((before[source].keys() | after[source].keys()) - _LEFT_OUT)
        for sign, rows, others in (
            ("-", before[source].get(table, []), after[source].get(table, [])),
            ("+", after[source].get(table, []), before[source].get(table, [])),
        )
        for row in sorted(set(rows) - set(others))
    ]
    for line in differences[:_SHOWN]:
        print(line)
    same = sum(len(rows) for made in after.values() for rows in made.values())
    print(f"{len(differences)} differences in {same} rows")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
