"""Which modules one chat call crosses on its way into the ledger, in the order in which it enters them.

    python -m tests.tools.walk
    python -m tests.tools.walk --within shared.services shared.merge     stay by stay, in these modules alone

A module is crossed when one of its functions is called while the request and the response of one native chat call are
ingested. A stay lasts until a function of another module is called; a return is a stay in a module that was left.
No call has come before, so that no cache hides a module.
"""

import argparse
import inspect
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import FrameType

from shared.services.ingest import ingest
from shared.stores.sql.content import SqlContentStore
from shared.stores.sql.engine import create_engine
from shared.stores.sql.ledger import SqlLedger
from shared.stores.sql.migrate import upgrade
from tests.builders.events import a_request, a_response, deliveries


def main() -> int:
    """Print the walk."""
    parser = argparse.ArgumentParser(prog="python -m tests.tools.walk")
    parser.add_argument("--within", nargs="+", metavar="MODULE", help="show every stay, of these and those below them")
    arguments = parser.parse_args()
    entries = _entries_of_one_call()
    if arguments.within:
        stays = stays_in([name for name in entries if any(f"{name}.".startswith(f"{m}.") for m in arguments.within)])
        shown = stays
    else:
        stays = stays_in(entries)
        shown = list(dict.fromkeys(stays))
    for number, name in enumerate(shown):
        print(f"{number + 1:3}  {name}{'  again' if name in shown[:number] else ''}")
    print(f"{len(set(stays))} modules, {len(stays)} stays, {len(stays) - len(set(stays))} returns")
    return 0


def entries_of(work: Callable[[], object]) -> list[str]:
    """Return the module of each function of `shared` that `work` calls, in order."""
    entries: list[str] = []

    def note(frame: FrameType, event: str, _: object) -> None:
        name = frame.f_globals.get("__name__", "")
        # Bodies of modules and classes run when they are imported, wherever that happens.
        if event == "call" and name.startswith("shared.") and frame.f_code.co_flags & inspect.CO_OPTIMIZED:
            entries.append(name)

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return entries


def stays_in(entries: Sequence[str]) -> list[str]:
    """Return `entries` with one for those that follow each other in the same module."""
    return [name for number, name in enumerate(entries) if number == 0 or name != entries[number - 1]]


def _entries_of_one_call() -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'ledger.db'}"
        upgrade(url)
        engine = create_engine(url)
        batch = deliveries(a_request(), a_response())
        entries = entries_of(partial(ingest, batch, ledger=SqlLedger(engine), content=SqlContentStore(engine)))
        engine.dispose()
    return entries


if __name__ == "__main__":
    sys.exit(main())
