"""Runs `python -m localhost` as people do: in a process of its own, in a folder of its own."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

ROOT = Path(__file__).parents[2]
SECONDS = 150

T = TypeVar("T")


class Started(NamedTuple):
    """A running `start`."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path
    """Its standard error."""


def environment() -> dict[str, str]:
    """Return this process's, of whose settings each test begins without any (tests/conftest.py)."""
    return os.environ | {"PYTHONPATH": str(ROOT)}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "localhost", *arguments]


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), cwd=folder, env=environment(), capture_output=True, text=True, timeout=300, check=False
    )


def begin(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    with (folder / "err").open("wb") as errors:
        return subprocess.Popen(
            command(*arguments), cwd=folder, env=environment(), stdout=subprocess.DEVNULL, stderr=errors
        )


@contextmanager
def started(folder: Path, *arguments: str) -> Iterator[Started]:
    """Run `start` on a free port; end it by its process id, politely."""
    process = begin(folder, "start", "--port", "0", *arguments)
    try:
        log = folder / "err"
        listening = until(lambda: re.search(r"listening on (\S+),", log.read_text()))
        yield Started(process, listening[1], log)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(SECONDS)
        finally:
            process.kill()
            process.wait()


def until(ask: Callable[[], T | None]) -> T:
    """Ask until there is an answer that is true."""
    deadline = time.monotonic() + SECONDS
    while True:
        answer = ask()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError("it did not happen in time")
        time.sleep(0.05)


def rows(database: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()
