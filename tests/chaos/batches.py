"""`make memory`, too: how much memory batches of the largest events take, all partitions at the same time.

    python -m tests.chaos.batches [--partitions 8] [--events 256] [--bytes 200000]

Ends with 1 when it is more than the bound. The bodies themselves, which the worker holds until the function returns,
are part of it.
"""

import argparse
import json
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.builders import events
from tests.chaos.hosts import ROOT

MOST_MB = 1000
KIB_PER_MB = 1024
WORDS = "who asked what came back and how much of it was used by whom under which name of a model".split()


class Measured(NamedTuple):
    """What a process was resident with, in MB."""

    bodies: float
    """Before the first batch was handed over, with all bodies."""
    peak: float


def measure(*, partitions: int, count: int, size: int) -> Measured:
    """Hand batches to the trigger's function on `partitions` threads of a new process.

    Args:
        partitions: batches at the same time.
        count: events in each; every second one answers the one before.
        size: bytes of each event.
    """
    with tempfile.TemporaryDirectory(prefix="promptledger-batches-") as folder:
        environment = {
            "PYTHONPATH": str(ROOT),
            "PATH": "",
            "PROMPTLEDGER_DATABASE": f"sqlite:///{folder}/ledger.db?timeout=600",
            "PYTHON_THREADPOOL_THREAD_COUNT": str(partitions),
        }
        command = [sys.executable, "-m", "tests.chaos.batches", "--inside"]
        command += ["--partitions", str(partitions), "--events", str(count), "--bytes", str(size)]
        done = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return Measured(*json.loads(done.stdout))


def main() -> int:
    """Measure; return 1 when the batches took more than they may."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.batches")
    parser.add_argument("--partitions", type=int, default=8)
    parser.add_argument("--events", type=int, default=256)
    parser.add_argument("--bytes", type=int, default=200_000)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        return inside(options.partitions, options.events, options.bytes)
    measured = measure(partitions=options.partitions, count=options.events, size=options.bytes)
    print(
        f"batches: {options.partitions} of {options.events} events of {options.bytes} bytes:"
        f" bodies and process {measured.bodies:.0f} MB, most memory {measured.peak:.0f} of {MOST_MB} MB"
    )
    return int(measured.peak > MOST_MB)


def inside(partitions: int, count: int, size: int) -> int:
    """Print what this process was resident with, before and at the most."""
    from blueprints.deliveries import deliveries  # noqa: PLC0415  # only in the process that is measured
    from localhost.functions import EventHubFunction  # noqa: PLC0415
    from localhost.hub_events import HubEvent, batch_of  # noqa: PLC0415
    from localhost.retry import RetryPolicy  # noqa: PLC0415
    from shared.bootstrap import services  # noqa: PLC0415
    from shared.stores.sql.migrate import upgrade  # noqa: PLC0415

    upgrade(os.environ["PROMPTLEDGER_DATABASE"])
    policy = RetryPolicy(0, 0, 0)
    function = EventHubFunction("ingest_gateway", print, "gateway", "gateway", "own", many=True, retry=policy)
    batches = [
        batch_of(
            function, str(number), [HubEvent(place, events.ENQUEUED, None, body) for place, body in enumerate(made)]
        )
        for number in range(partitions)
        for made in [bodies(number, count, size)]
    ]
    services()
    before = resident()
    failed: list[Exception] = []

    def hand_over(place: int) -> None:
        try:
            services().ingest(deliveries("gateway", batches[place]))
        except Exception as error:  # noqa: BLE001  # told below
            failed.append(error)

    threads = [threading.Thread(target=hand_over, args=[place]) for place in range(partitions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps([before, _most_kib() / KIB_PER_MB]))
    return len(failed)


def resident() -> float:
    """Return what this process is resident with, in MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


def bodies(seed: int, count: int, size: int) -> Sequence[bytes]:
    """Return events of about `size` bytes: long conversations, none like another, with their long answers."""
    dice = random.Random(seed)
    made = []
    for number in range(count):
        name = f"call-{seed}-{number // 2}"
        text = " ".join(dice.choices(WORDS, k=size // 3))
        if number % 2 == 0:
            said = [text[start : start + 300] for start in range(0, (size - 700) * 300 // 334, 300)]
            messages = [{"role": "user", "content": one} for one in said]
            made.append(events.a_request(name, body={"messages": messages}))
        else:
            answer = {"index": 0, "message": {"role": "assistant", "content": text[: size - 700]}}
            usage = {"prompt_tokens": size // 5, "completion_tokens": size // 5, "total_tokens": size // 5 * 2}
            body = {"object": "chat.completion", "choices": [answer], "usage": usage}
            made.append(events.a_response(name, body=body))
    return made


def _most_kib() -> int:
    """Return the most memory that this process took; `getrusage` counts the one that forked it, too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(r"^VmHWM:\s+(\d+)", status, re.MULTILINE)[1])  # type: ignore[index]


if __name__ == "__main__":
    sys.exit(main())
