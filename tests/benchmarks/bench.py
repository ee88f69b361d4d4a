"""What the sections of one run share: how much is measured, and the one ledger that they ask."""

import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from shared.stores.sql.migrate import upgrade
from tests.benchmarks.kept import FOLDER, fill, revision
from tests.benchmarks.large_ledger import make_ledger

__all__ = ["Bench"]

_DAYS: Final = 365
_SHORT: Final = 100_000
"""Interactions, fewer than which make a short run."""


@dataclass(frozen=True)
class Bench:
    """A run."""

    rows: int
    """Interactions in the ledger."""
    interactions: int
    """That ingest takes per measurement."""
    seconds: float
    """Of the section `hour`."""
    given: Path | None
    """A ledger to ask, which stays; it is made where it is not there."""

    @property
    def is_short(self) -> bool:
        """Return whether it is to show that all sections work, more than what they find."""
        return self.rows < _SHORT

    @property
    def times(self) -> int:
        """Return how often a question is asked."""
        return 5 if self.is_short else 20

    @cached_property
    def ledger(self) -> Path:
        """Return the ledger of a year; it is made at most once for each size and revision of the schema.

        The sections `timers` and `growth` add to it, and readings are recorded in it.
        """
        path = self.given or FOLDER / f"{self.rows}-{revision()}.db"
        if not path.exists():
            _make(path, self.rows, is_kept=self.given is None)
        upgrade(f"sqlite:///{path}")
        fill(path)
        return path

    @property
    def url(self) -> str:
        """Return the URL of the ledger."""
        return f"sqlite:///{self.ledger}"


def _make(path: Path, rows: int, *, is_kept: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if is_kept:
        # Those of other revisions: each takes gigabytes.
        for old in path.parent.glob(f"{rows}-*"):
            old.unlink()
    started = time.monotonic()
    unfinished = path.with_suffix(".making")
    unfinished.unlink(missing_ok=True)
    make_ledger(unfinished, rows, days=_DAYS, contents=True)
    unfinished.rename(path)
    print(
        f"ledger: {rows:,} interactions made in {time.monotonic() - started:.0f} s, {path.stat().st_size / 1e9:.1f} GB"
    )
