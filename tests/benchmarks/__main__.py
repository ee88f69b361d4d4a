"""`make bench`: what an interaction costs, beside a bare loop over the same rows, in one run.

    python -m tests.benchmarks [--rows 1000000] [--interactions 6400] [--json FILE] [--compare FILE]
    python -m tests.benchmarks questions [--rows 1000000] [--json FILE] [--compare FILE]
    python -m tests.benchmarks timers [--rows 1000000] [--json FILE] [--compare FILE]
    python -m tests.benchmarks changed-hour [--rows 1000000]
    python -m tests.benchmarks words [--rows 1000000] [--json FILE]
    python -m tests.benchmarks readers [--seconds 10]

Prints what was measured, and a table: each figure with its goal, whether it was met, and what it was before. It ends
with 0 whatever it found, for machines are noisy.
"""

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import orjson
from azure.functions.eventhub import EventHubTriggerConverter

from blueprints.deliveries import deliveries
from shared import bootstrap
from shared.domain.delivery import Delivery
from shared.stores.sql.migrate import upgrade
from tests.benchmarks import changed_hour, questions, readers, timers, words
from tests.benchmarks.answers import answers
from tests.benchmarks.conversations import batches
from tests.benchmarks.decisions import decisions
from tests.benchmarks.growth import BATCH, WARM_UP, growth, ingest_cost, sizes
from tests.benchmarks.parsing import parsing
from tests.benchmarks.vendors import vendors
from tests.builders.host_batches import collection_of, metadata_of

HOSTS_BATCH = 64
"""As host.json has it."""
ROUNDS = 5


class Goal(NamedTuple):
    """The most that a figure should be."""

    most: float | None
    """None where the figure is shown alone."""
    unit: str


GOALS: Final = {
    "ingest, over the bare loop": Goal(4.0, ""),
    "late answers, over it": Goal(None, ""),
    "event in the worker": Goal(None, "us"),
    "growth in CPU": Goal(1.2, ""),
    "growth in bytes": Goal(1.3, ""),
    "bytes without content": Goal(1_200.0, "B"),
    "bytes of content": Goal(None, "B"),
    "content of 1,000 tokens": Goal(1_000.0, "B"),
    "indexing": Goal(250.0, "ms"),
    "answers": Goal(10.0, "ms"),
    "decision of budgets": Goal(5.0, "ms"),
}


def main() -> int:
    """Run the benchmarks and show what they found: a machine that shares its cores fails nobody for being slow."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("--rows", type=int, default=1_000_000, help="interactions in the large ledger")
    parser.add_argument("--interactions", type=int, default=6_400, help="interactions per measurement")
    parser.add_argument("--json", type=Path, help="where to keep the results")
    parser.add_argument("--compare", type=Path, help="results of before, to be shown beside these")
    options = parser.parse_args()
    parsing()
    vendors()
    with tempfile.TemporaryDirectory() as folder:
        results = {"event in the worker": trigger(Path(folder), options.interactions)}
    with tempfile.TemporaryDirectory() as folder:
        results |= against_bare_loop(Path(folder), options.interactions)
    with tempfile.TemporaryDirectory() as folder:
        results |= growth(Path(folder), options.interactions, options.rows)
    results |= {"indexing": indexing(), "answers": answers(), "decision of budgets": decisions()}
    found = {"rows": options.rows, "load": os.getloadavg()[0], "results": results}
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    before = json.loads(options.compare.read_text(encoding="utf-8")) if options.compare else {}
    show(results, before.get("results", {}))
    return 0


def show(results: Mapping[str, float], before: Mapping[str, float]) -> None:
    """Print each figure beside its goal, and what it was before where that is known."""
    print(f"{'':28}{'found':>10}{'goal':>9}   {'':8}{'before':>10}")
    for name, (most, unit) in GOALS.items():
        value = results[name]
        verdict = "" if most is None else "met" if value <= most else "MISSED"
        goal = "" if most is None else f"{most:,g}"
        old = f"{before[name]:10,.2f}" if name in before else ""
        print(f"{name:28}{value:10,.2f}{goal:>9} {unit:2} {verdict:8}{old}".rstrip())


def against_bare_loop(folder: Path, count: int) -> dict[str, float]:
    """Return our CPU time over that of the bare loop, the best of several rounds in turn; and the bytes of content."""
    ours, late, bare = [], [], []
    for number in range(ROUNDS):
        work = list(batches(number * count, count, size=BATCH, lag=8))
        ours.append(ingest_cost(folder / f"ours-{number}.db", work, count).cpu)
        bare.append(bare_loop_cpu(folder / f"ours-{number}.db", folder / f"bare-{number}.db", work) / count)
        apart = list(batches(number * count, count, size=BATCH, lag=2 * BATCH))
        late.append(ingest_cost(folder / f"late-{number}.db", apart, count).cpu)
    print(f"ours       {min(ours) * 1e6:8.1f} us of CPU per interaction: parse, merge, store, content")
    print(f"ours, late {min(late) * 1e6:8.1f} us, when each answer comes in a later batch than its question")
    print(f"bare       {min(bare) * 1e6:8.1f} us: orjson.loads and executemany of the same rows")
    return {
        "ingest, over the bare loop": min(ours) / min(bare),
        "late answers, over it": min(late) / min(bare),
        "content of 1,000 tokens": sizes(folder / "ours-0.db")["bytes of content"],
    }


def trigger(folder: Path, count: int) -> float:
    """Return the microseconds of an event in the worker, from the host's message on; print where they go."""
    url = f"sqlite:///{folder / 'trigger.db'}"
    upgrade(url)
    os.environ["PROMPTLEDGER_DATABASE"] = url
    services = bootstrap.services()
    services.ingest(WARM_UP)
    messages = []
    for number, batch in enumerate(batches(0, count, size=HOSTS_BATCH, lag=8)):
        bodies = [one.body for one in batch]
        messages.append((collection_of(bodies), metadata_of(bodies, first=1000 + number * HOSTS_BATCH)))
    spent = [0.0, 0.0, 0.0]
    for data, metadata in messages:
        started = time.process_time()
        found = EventHubTriggerConverter.decode(data, trigger_metadata=metadata)
        decoded = time.process_time()
        taken = deliveries("gateway", found if isinstance(found, list) else [found])
        read = time.process_time()
        services.ingest(taken)
        for place, seconds in enumerate((decoded - started, read - decoded, time.process_time() - read)):
            spent[place] += seconds
    bootstrap.reset()
    number = sum(len(data.value.bytes) for data, _ in messages)
    library, positions, ingesting = (seconds / number * 1e6 for seconds in spent)
    print(
        f"trigger    {library + positions + ingesting:8.1f} us of CPU per event in batches of {HOSTS_BATCH}:"
        f" the library's reading {library:.1f}, positions {positions:.1f}, ingest {ingesting:.1f}"
    )
    return library + positions + ingesting


def indexing() -> float:
    """Return the milliseconds from importing the app to having its functions; the best of several."""
    script = (
        "import time; start = time.perf_counter(); import function_app; "
        "list(function_app.app.get_functions()); print((time.perf_counter() - start) * 1000)"
    )
    command = [sys.executable, "-c", script]
    return min(float(subprocess.run(command, capture_output=True, text=True, check=True).stdout) for _ in range(ROUNDS))


def bare_loop_cpu(filled: Path, path: Path, work: Iterable[Sequence[Delivery]]) -> float:
    """Parse the same events and insert the rows that `filled` holds, in two tables, by sqlite3 alone."""
    with sqlite3.connect(filled) as source:
        tables = {}
        names = {}
        for name in ("interaction", "content"):
            # Those that are computed are not among them.
            names[name] = ", ".join(row[1] for row in source.execute(f"pragma table_info({name})"))
            tables[name] = source.execute(f"select {names[name]} from {name}").fetchall()
        schema = [
            sql
            for name in tables
            for (sql,) in source.execute("select sql from sqlite_master where tbl_name = ?", [name])
        ]
    target = sqlite3.connect(path, isolation_level=None)
    target.execute("pragma journal_mode=WAL")
    for statement in filter(None, schema):
        target.execute(statement)
    batches_of = list(work)
    start = time.process_time()
    for number, batch in enumerate(batches_of):
        for delivery in batch:
            orjson.loads(delivery.body)
        target.execute("begin")
        for name, rows in tables.items():
            share = len(rows) * number // len(batches_of), len(rows) * (number + 1) // len(batches_of)
            marks = ", ".join("?" * len(rows[0]))
            target.executemany(f"insert into {name} ({names[name]}) values ({marks})", rows[share[0] : share[1]])
        target.execute("commit")
    spent = time.process_time() - start
    target.close()
    return spent


if __name__ == "__main__":
    other = {
        "questions": questions.main,
        "words": words.main,
        "readers": readers.main,
        "timers": timers.main,
        "changed-hour": changed_hour.main,
    }.get("".join(sys.argv[1:2]))
    sys.exit(main() if other is None else other(sys.argv[2:]))
