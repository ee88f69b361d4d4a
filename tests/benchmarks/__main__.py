"""`make bench`: what the product takes and keeps, in one run, over one ledger of a year that is made once.

    python -m tests.benchmarks [SECTION ...] [--rows 1000000] [--interactions 6400] [--seconds 60]
                               [--ledger FILE] [--json FILE] [--compare FILE]

Prints a table: each figure with its goal, whether it was met, and what it was before. It ends with 0 whatever it
found, for machines are noisy. The ledger stays under .local/bench, for each size and revision of the schema.
"""

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import orjson
from azure.functions.eventhub import EventHubTriggerConverter

from blueprints.deliveries import deliveries
from shared import bootstrap
from shared.domain.delivery import Delivery
from shared.stores.sql.migrate import upgrade
from tests.benchmarks.answers import answers
from tests.benchmarks.bench import Bench
from tests.benchmarks.changed_hour import changed_hour
from tests.benchmarks.conversations import batches
from tests.benchmarks.decisions import decisions
from tests.benchmarks.figures import Figure, read, show, written
from tests.benchmarks.growth import BATCH, WARM_UP, growth, ingest_cost, sizes
from tests.benchmarks.hour import figures_of, hour
from tests.benchmarks.parsing import parsing
from tests.benchmarks.questions import questions
from tests.benchmarks.readers import readers
from tests.benchmarks.routes import pages, routes
from tests.benchmarks.timers import timers
from tests.benchmarks.vendors import vendors
from tests.benchmarks.words import words
from tests.builders.host_batches import collection_of, metadata_of

HOSTS_BATCH = 64
"""As host.json has it."""
ROUNDS = 5


def main() -> int:
    """Run sections, or all, and show what they found: a machine that shares its cores fails nobody for being slow."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument(
        "sections",
        nargs="*",
        metavar="SECTION",
        help=f"of {', '.join(SECTIONS)}; without one, all but {', '.join(ON_DEMAND)}",
    )
    parser.add_argument("--rows", type=int, default=1_000_000, help="interactions in the ledger that is asked")
    parser.add_argument("--interactions", type=int, default=6_400, help="that ingest takes per measurement")
    parser.add_argument(
        "--seconds", type=float, default=60, help="of ingest, timers and readers together: 3600 on demand"
    )
    parser.add_argument("--ledger", type=Path, help="a ledger to ask, which stays; it is made where it is not there")
    parser.add_argument("--json", type=Path, help="where to keep the results")
    parser.add_argument("--compare", type=Path, help="results of before, to be shown beside these")
    options = parser.parse_args()
    if unknown := set(options.sections) - set(SECTIONS):
        parser.error(f"there is no section {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    bench = Bench(options.rows, options.interactions, options.seconds, options.ledger)
    found: dict[str, list[Figure]] = {}
    for name in options.sections or [name for name in SECTIONS if name not in ON_DEMAND]:
        started = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            found[name] = SECTIONS[name](bench, Path(folder))
        print(f"{name}: {time.monotonic() - started:.0f} s", flush=True)
    load = os.getloadavg()[0]
    if options.json:
        at = datetime.now(UTC).isoformat(timespec="seconds")
        kept = {"at": at, "rows": bench.rows, "load": load, "figures": written(found)}
        options.json.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    show(found, read(options.compare) if options.compare else {})
    print(f"{bench.rows:,} interactions, load {load:.1f} on {os.cpu_count()} processors")
    return 0


def ingesting(bench: Bench, folder: Path) -> list[Figure]:
    """Return what an interaction costs over a bare loop, and an event in the worker."""
    worker, loops = folder / "worker", folder / "loops"
    worker.mkdir()
    loops.mkdir()
    return [
        Figure("event in the worker", trigger(worker, bench.interactions), unit="us"),
        *against_bare_loop(loops, bench.interactions, rounds=2 if bench.is_short else ROUNDS),
    ]


def starting(_bench: Bench, _folder: Path) -> list[Figure]:
    """Return how long the app takes to be indexed, and a client waits."""
    return [Figure("indexing", indexing(), goal=250.0), Figure("answers on a kept connection", answers(), goal=10.0)]


def reading(_bench: Bench, _folder: Path) -> list[Figure]:
    """Return how fast events are read; print it by vendor."""
    vendors()
    return parsing()


def waiting(bench: Bench, folder: Path) -> list[Figure]:
    """Return how long readers wait beside a replay."""
    return readers(folder, seconds=3, rounds=1) if bench.is_short else readers(folder, seconds=10, rounds=3)


SECTIONS: Final[Mapping[str, Callable[[Bench, Path], list[Figure]]]] = {
    "parsing": reading,
    "ingest": ingesting,
    "start": starting,
    "decisions": lambda _, folder: decisions(folder),
    "questions": lambda bench, _: questions(bench),
    "routes": lambda bench, _: routes(bench),
    "pages": lambda bench, _: pages(bench),
    "words": lambda bench, _: words(bench),
    "timers": lambda bench, _: timers(bench),
    "changed-hour": lambda bench, folder: changed_hour(folder, bench.rows),
    "growth": growth,
    "readers": waiting,
    "hour": lambda bench, folder: figures_of(hour(folder, bench.seconds)),
}
"""Name -> what measures it, given a folder that is empty. Those that add to the ledger come behind those that ask."""
ON_DEMAND: Final = {"changed-hour"}
"""It makes three ledgers of its own."""


def against_bare_loop(folder: Path, count: int, *, rounds: int = ROUNDS) -> list[Figure]:
    """Return our CPU time over that of the bare loop, the best of several rounds in turn; and the bytes of content."""
    ours, late, bare = [], [], []
    for number in range(rounds):
        work = list(batches(number * count, count, size=BATCH, lag=8))
        ours.append(ingest_cost(folder / f"ours-{number}.db", work, count).cpu)
        bare.append(bare_loop_cpu(folder / f"ours-{number}.db", folder / f"bare-{number}.db", work) / count)
        apart = list(batches(number * count, count, size=BATCH, lag=2 * BATCH))
        late.append(ingest_cost(folder / f"late-{number}.db", apart, count).cpu)
    print(f"ours       {min(ours) * 1e6:8.1f} us of CPU per interaction: parse, merge, store, content")
    print(f"ours, late {min(late) * 1e6:8.1f} us, when each answer comes in a later batch than its question")
    print(f"bare       {min(bare) * 1e6:8.1f} us: orjson.loads and executemany of the same rows")
    content = sizes(folder / "ours-0.db")["bytes of content"]
    return [
        Figure("over the bare loop", min(ours) / min(bare), unit="", goal=4.0),
        Figure("over it, answers that are late", min(late) / min(bare), unit=""),
        Figure("content of 1,000 tokens", content, unit="B", goal=1_000.0),
    ]


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
    sys.exit(main())
