"""Fuzz the parsers for a while: guided by coverage where atheris is installed, else by chance.

python -m tests.fuzz [--seconds 600] [--seed 1]
"""

import argparse
import importlib
import importlib.util
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

from tests.fuzz import oracle
from tests.fuzz.mutations import mutated
from tests.fuzz.seeds import events
from tests.fuzz.streams import check_stream, mutated_stream

_FOUND = Path(".local/fuzz")


class Chance:
    """Choices by chance, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        """Begin the sequence of `seed`."""
        self._random = random.Random(seed)

    def below(self, limit: int) -> int:
        """Return a whole number from 0, less than `limit`."""
        return int(self._random.random() * limit)


class Guided:
    """Choices that atheris makes; when its bytes are used up, the first of each."""

    def __init__(self, provider: Any) -> None:
        """Take choices from a `FuzzedDataProvider`."""
        self._provider = provider

    def below(self, limit: int) -> int:
        """Return a whole number from 0, less than `limit`."""
        return int(self._provider.ConsumeIntInRange(0, max(limit - 1, 0)))


def by_chance(seconds: float, seed: int) -> int:
    """Check mutations until the time is up; return how many, or raise with the event kept."""
    choose, seeds, done, quarantined, size = Chance(seed), events(), 0, 0, 0
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        body = mutated(seeds[choose.below(len(seeds))], choose)
        try:
            quarantined += oracle.check(body) is None
        except BaseException:
            _keep(body)
            raise
        done += 1
        size += len(body)
        stream = mutated_stream(choose)
        try:
            check_stream(stream)
        except BaseException:
            _keep(stream)
            raise
        size += len(stream)
    print(
        f"{done} events, {size / 1e6:.0f} MB, {quarantined} of them to quarantine, and as many streams: "
        "no exception, no hang, no loss"
    )
    return 0


def guided(seconds: int, seed: int) -> None:
    """Hand over to atheris, which ends the process: exit code 0 when nothing was found."""
    # Installed by `make fuzz` where there is a wheel.
    atheris: Any = importlib.import_module("atheris")
    # What is instrumented must be imported anew.
    for name in [
        name
        for name in sys.modules
        if name.split(".")[0] == "shared" or name in {oracle.__name__, check_stream.__module__}
    ]:
        del sys.modules[name]
    with atheris.instrument_imports(include=["shared"]):
        instrumented: Any = importlib.import_module(oracle.__name__)
        instrumented_streams: Any = importlib.import_module(check_stream.__module__)

    # Counting branches makes Python several times slower: the limit holds for the code as it is deployed.
    instrumented.SLOWER = 10
    seeds = events()

    def one_input(data: bytes) -> None:
        # The first byte says whether the rest are bytes of an event or choices of mutations.
        if data[:1] < b"\x40":
            instrumented.check(data[1:])
            return
        if data[:1] < b"\x60":
            instrumented_streams.check_stream(data[1:])
            return
        choose = Guided(atheris.FuzzedDataProvider(data[1:]))
        if data[:1] < b"\x80":
            instrumented_streams.check_stream(mutated_stream(choose))
            return
        instrumented.check(mutated(seeds[choose.below(len(seeds))], choose))

    corpus = _FOUND / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, body in enumerate(seeds):
        (corpus / f"seed-{number}").write_bytes(b"\x00" + body)
    flags = [
        f"-max_total_time={seconds}",
        f"-seed={seed}",
        "-max_len=16384",
        "-rss_limit_mb=4096",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *flags, f"-artifact_prefix={_FOUND}/", str(corpus)], one_input)
    atheris.Fuzz()


def _keep(body: bytes) -> None:
    _FOUND.mkdir(parents=True, exist_ok=True)
    (_FOUND / "event").write_bytes(body)
    print(f"kept in {_FOUND / 'event'}: {body[:200]!r}", file=sys.stderr)


def main() -> int:
    """Run; 0 when nothing was found."""
    parser = argparse.ArgumentParser(prog="tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--unguided", action="store_true", help="by chance, even where atheris is installed")
    chosen = parser.parse_args()
    print(f"seed {chosen.seed}, {chosen.seconds} seconds")
    if not chosen.unguided and importlib.util.find_spec("atheris") is not None:
        guided(chosen.seconds, chosen.seed)
        return os.EX_SOFTWARE  # never reached
    print("NOTE: atheris is not installed: mutations by chance, not guided by coverage.")
    return by_chance(chosen.seconds, chosen.seed)


if __name__ == "__main__":
    sys.exit(main())
