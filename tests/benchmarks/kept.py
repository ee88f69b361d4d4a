"""Where a ledger is kept between runs, and what is filled behind it: sums of usage, and words."""

import time
from pathlib import Path
from typing import Final

from alembic.script import ScriptDirectory

from shared.stores.sql.engine import create_engine
from tests.benchmarks.timers import fill_usage
from tests.benchmarks.words import fill_words

__all__ = ["FOLDER", "fill", "revision"]

_ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = _ROOT / ".local" / "bench"


def revision() -> str:
    """Return the newest revision of the schema."""
    head = ScriptDirectory(str(_ROOT / "sql" / "migrations")).get_current_head()
    return str(head)


def fill(path: Path) -> None:
    """Add usage up and take words in, where that is not done."""
    engine = create_engine(f"sqlite:///{path}")
    for name, work in (("usage", fill_usage), ("words", fill_words)):
        started, spent = time.monotonic(), time.process_time()
        if calls := work(engine):
            wall, cpu = time.monotonic() - started, time.process_time() - spent
            print(f"ledger: {name} of {calls:,} interactions in {wall:.0f} s, {cpu / calls * 1e6:.0f} us of CPU each")
    engine.dispose()
