"""`make chaos`: hosts, log and ledger under every fault we know, beside the truth computed in peace.

    python -m tests.chaos [--events 100000] [--seconds 600] [--seed 1]

Two host processes share the event log's 8 partitions (2 hubs of 4) and one ledger. The same seed gives the same events
and the same faults; where in its work a fault meets a host is up to the machine. Ends with 1 when anything was lost,
doubled or is unaccounted for.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path

from localhost.event_file import FileEvent
from localhost.traffic.mix import DEFAULT_START, an_hour
from localhost.traffic.output import write
from tests.builders.faults import locked, rows_of, table_gone
from tests.chaos.hosts import ROOT, Host
from tests.chaos.hub import Hub, with_clock_jumps
from tests.chaos.plan import Fault, plan_of
from tests.chaos.verdict import verdict

HOSTS = 2
PARTITIONS = 8
DRAIN_SECONDS = 900


def main() -> int:
    """Run the chaos; return 1 when the ledger is not what it should be."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=600, help="of faults; the events are sent meanwhile")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="keep the folder with ledgers and logs")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="promptledger-chaos-"))
    try:
        return chaos(folder, options.events, options.seconds, options.seed)
    finally:
        if options.keep:
            print(f"kept: {folder}")
        else:
            shutil.rmtree(folder)


def chaos(folder: Path, count: int, seconds: float, seed: int) -> int:
    """Disturb, compare, print."""
    events, jumps = with_clock_jumps(list(an_hour(count, seed, DEFAULT_START)), random.Random(seed))
    truth, disturbed = folder / "truth.db", folder / "disturbed.db"
    in_peace(folder, events, truth)
    command(folder, "timer", "rebuild_usage_rollups", "--database", f"sqlite:///{disturbed}")
    plan = plan_of(seed, seconds, hosts=HOSTS, partitions=PARTITIONS)
    began = time.monotonic()
    disturb(folder, events, disturbed, plan)
    took = time.monotonic() - began
    command(folder, "timer", "rebuild_usage_rollups", "--database", f"sqlite:///{disturbed}")
    found = verdict(disturbed, truth, events)
    again = sum(redelivered for _, _, _, redelivered, *_ in rows_of(disturbed, "hub_partition"))
    faults = dict(Counter(fault.kind for fault in plan)) | {"clock jump": jumps}
    by_kind = ", ".join(f"{number} {kind}" for kind, number in faults.items())
    print(
        f"chaos: seed {seed}, {count} events over {PARTITIONS} partitions, {again} deliveries of events seen before,"
        f" {took:.0f} s, {sum(faults.values())} faults: {by_kind}"
    )
    print(json.dumps(found._asdict()))
    return int(bool(found.lost or found.doubled or found.unaccounted))


def in_peace(folder: Path, events: Sequence[FileEvent], truth: Path) -> None:
    """Compute the truth."""
    file = folder / "events.ndjson"
    write(events, file)
    command(folder, "replay", str(file), "--database", f"sqlite:///{truth}")
    command(folder, "timer", "rebuild_usage_rollups", "--database", f"sqlite:///{truth}")
    file.unlink()


def disturb(folder: Path, events: Sequence[FileEvent], database: Path, plan: Sequence[Fault]) -> None:
    """Let the hosts consume while one fault follows the other; return when all is consumed and the hosts have ended."""
    hub = Hub(folder / ".local/events.db", events)
    hosts = [Host(folder, f"host-{number}", f"sqlite:///{database}") for number in range(HOSTS)]
    lasts = sum(fault.after_seconds + fault.seconds for fault in plan)
    began = time.monotonic()

    def wait(seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            hub.send_up_to((time.monotonic() - began) / lasts)
            time.sleep(0.05)

    try:
        for host in hosts:
            host.start()
        for fault in plan:
            wait(fault.after_seconds)
            for host in hosts:
                host.check()
            inject(fault, hub, hosts[fault.host], database, wait)
        hub.send_up_to(1, patience=60)
        drain(hub, hosts)
        for host in hosts:
            host.stop()
    finally:
        for host in hosts:
            host.kill()


def inject(fault: Fault, hub: Hub, host: Host, database: Path, wait: Callable[[float], None]) -> None:
    """Let one fault happen, last and end."""
    around = {
        "lock": lambda: locked(database),
        "ledger gone": lambda: table_gone(database, "hub_partition"),
        "content store gone": lambda: table_gone(database, "content"),
    }.get(fault.kind, nullcontext)
    if fault.kind == "kill":
        host.kill()
    elif fault.kind == "move":
        host.stop()
    elif fault.kind == "freeze":
        host.freeze()
    elif fault.kind == "redelivery":
        hub.deliver_again(hub.partitions[fault.partition], fault.events)
    with around():
        wait(fault.seconds)
    if fault.kind in ("kill", "move"):
        host.start()
    elif fault.kind == "freeze":
        host.thaw()


def drain(hub: Hub, hosts: Sequence[Host]) -> None:
    """Wait until every event has been consumed."""
    deadline = time.monotonic() + DRAIN_SECONDS
    while not hub.is_consumed:
        for host in hosts:
            host.check()
        if time.monotonic() > deadline:
            raise AssertionError(f"not consumed in time: {hosts[0].log.read_text()[-2000:]}")
        time.sleep(0.2)


def command(folder: Path, *arguments: str) -> None:
    """Run a command of the local host to its end."""
    done = subprocess.run(
        [sys.executable, "-m", "localhost", *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise AssertionError(f"{arguments} failed: {done.stderr}")


if __name__ == "__main__":
    sys.exit(main())
