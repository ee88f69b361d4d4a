"""`make memory`: how much memory a replay takes at most, whatever its length.

    python -m tests.chaos.memory [--events 1000000]

Ends with 1 when it is more than the bound.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.hosts import ROOT

MOST_MB = 400
KIB_PER_MB = 1024


def main() -> int:
    """Measure; return 1 when the replay took more than it may."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.memory")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="promptledger-memory-") as folder:
        run(Path(folder), "traffic", "--count", str(options.events), "--seed", str(options.seed), "--out", "events")
        began = time.monotonic()
        balance, peak = run(Path(folder), "replay", "events", "--database", "sqlite:///ledger.db")
        took = time.monotonic() - began
        size = (Path(folder) / "events").stat().st_size / 2**20
    print(f"memory: {options.events} events, {size:.0f} MB, in {took:.0f} s; most memory {peak:.0f} of {MOST_MB} MB")
    print(balance, end="")
    received = json.loads(balance)["received"]
    return int(peak > MOST_MB or received != options.events)


def run(folder: Path, *arguments: str) -> tuple[str, float]:
    """Run a command of the local host; return what it printed and the most memory it was resident with, in MB."""
    process = subprocess.Popen(
        [sys.executable, "-m", "localhost", *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise AssertionError(f"{arguments[0]} ended with {process.returncode}")
    return printed, usage.ru_maxrss / KIB_PER_MB


if __name__ == "__main__":
    sys.exit(main())
