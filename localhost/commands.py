"""What the commands do, once the command line is understood."""

import json
import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from itertools import chain
from pathlib import Path

from localhost.database import use_database
from localhost.environment import read_host
from localhost.errors import UsageError
from localhost.event_file import FileEvent, Positions, read_events
from localhost.event_log import EventLog
from localhost.functions import AppFunctions, app_functions
from localhost.namespace import Namespace
from localhost.replay import Feeder
from localhost.run_balance import RunBalance
from localhost.serve import serve
from localhost.timers import run_timer
from shared import bootstrap
from shared.audit_app import audit_app
from shared.errors import ConfigurationError, InvalidFileError, InvalidRequestError
from shared.pricing.entries import Restatement
from shared.pricing.files import Origin
from shared.services.completeness import recount_balance
from shared.services.rollup import rebuild_usage_rollups, recount_usage
from shared.stores.price_ports import RestatedAmount
from shared.stores.sql.audit import SqlAuditStore
from shared.stores.sql.completeness import SqlCompleteness
from shared.stores.sql.engine import create_engine
from shared.stores.sql.rollups import SqlUsageRollups

__all__ = [
    "feed",
    "load_cost_centres",
    "load_prices",
    "recount",
    "redrive",
    "refresh_prices",
    "replay",
    "restate",
    "send_to_hubs",
    "start",
    "timer",
]

RedrivenRange = tuple[str, int, int | None]
"""Partition, first and last sequence number."""

logger = logging.getLogger(__name__)


def start(port: int, database: str | None) -> None:
    """Serve HTTP, run the timers and consume the namespace of the settings, or the local event log, until a signal.

    Raises:
        UsageError: port, database, settings or event log cannot be used.
    """
    functions = app_functions()
    namespace = Namespace.read(os.environ)
    use_database(database)
    try:
        audit_app()
    except ConfigurationError as error:
        raise UsageError(str(error)) from error
    with ExitStack() as stack:
        stack.callback(bootstrap.reset)
        hubs = namespace or stack.enter_context(closing(EventLog()))
        serve(functions, read_host(), port=port, hubs=hubs)


def replay(files: Sequence[Path], database: str | None, batch: int | None) -> None:
    """Feed the files' events and print their balance, one line of JSON, on standard output.

    Raises:
        UsageError: a file or line cannot be read, which comes to light when its turn has come: what
            stood before it has been fed and stays. Or database or settings cannot be used.
    """
    functions = app_functions()
    missing = [str(path) for path in files if not path.is_file()]
    if missing:
        raise UsageError(f"no such file: {', '.join(missing)}")
    url = use_database(database)
    balance = feed(functions, files, url, batch or read_host().max_event_batch_size)
    print(json.dumps(balance))


def redrive(hub: str, events: RedrivenRange, group: str, database: str | None, batch: int | None) -> None:
    """Feed a range of a hub's partition through its function again and print the range's balance.

    Raises:
        UsageError: hub, partition or range are not there, or database or settings cannot be used.
    """
    # Azure's clients take half a second to import, and no other command needs them.
    from localhost.redrive import Range, events_of  # noqa: PLC0415

    functions = app_functions()
    namespace = _namespace()
    url = use_database(database)
    with closing(events_of(namespace, functions.hub(hub), Range(*events), group)) as again:
        balance = feed(functions, again, url, batch or read_host().max_event_batch_size)
    print(json.dumps(balance))


def send_to_hubs(events: Iterable[FileEvent]) -> int:
    """Send events to the hubs of the settings' namespace; return how many.

    Raises:
        UsageError: no namespace is set, or it does not take them.
    """
    from localhost import hub_clients  # noqa: PLC0415  # as above

    return hub_clients.send_to_hubs(events, _namespace(), app_functions())


def _namespace() -> Namespace:
    namespace = Namespace.read(os.environ)
    if namespace is None:
        raise UsageError(
            "no namespace is set: EVENT_HUBS__fullyQualifiedNamespace names one, EVENT_HUBS holds an emulator's"
            " connection string"
        )
    return namespace


def feed(
    functions: AppFunctions, source: Sequence[Path] | Iterable[FileEvent], database: str, batch_size: int
) -> dict[str, int]:
    """Feed events through their functions; return the balance of these events.

    Args:
        functions: the app's.
        source: files to read, or events that have their positions.
        database: URL of the migrated ledger that the app uses.
        batch_size: events per invocation.

    Raises:
        UsageError: see `replay`.
    """
    engine = create_engine(database)
    try:
        with closing(RunBalance(engine)) as ledger:
            feeder = Feeder(functions, batch_size=batch_size)
            feeder.feed(_with_progress(_events(source, ledger), feeder))
            balance = ledger.result(feeder.partitions)
    finally:
        engine.dispose()
        bootstrap.reset()
    if balance["received"] != feeder.fed:
        logger.warning(
            "%d events were fed, but the ledger received %d: another process fed it at the same time, and the balance"
            " includes its events",
            feeder.fed,
            balance["received"],
        )
    return balance


def timer(name: str, database: str | None) -> None:
    """Run the timer function `name` once.

    Raises:
        UsageError: there is no such function, or database or settings cannot be used.
    """
    function = app_functions().timer(name)
    use_database(database)
    try:
        run_timer(function)
    finally:
        bootstrap.reset()


def load_prices(origin: Origin, file: Path, database: str | None) -> None:
    """Load a file of prices or deployments and print how many entries changed, one line of JSON.

    Raises:
        UsageError: the file cannot be read or loaded, or database or settings cannot be used.
    """
    _load(lambda text: bootstrap.services().load_prices(origin, text, actor=_actor(file)), file, database)


def load_cost_centres(file: Path, database: str | None) -> None:
    """Load a file of assignments to cost centres and print how many changed, one line of JSON.

    Raises:
        UsageError: the file cannot be read or loaded, or database or settings cannot be used.
    """
    _load(lambda text: bootstrap.services().payers.load(text, actor=_actor(file)), file, database)


def refresh_prices(database: str | None) -> None:
    """Add what has changed in the Azure Retail Prices API, and print it, one line of JSON.

    Raises:
        UsageError: database or settings cannot be used.
        StoreUnavailableError: the API does not answer.
    """
    use_database(database)
    try:
        print(json.dumps(bootstrap.services().fetch_prices()._asdict()))
    finally:
        bootstrap.reset()


def restate(period: Restatement, reason: str, database: str | None) -> None:
    """Have the calls of a period charged by a version of the price book, and print what it came to, one line of JSON.

    Raises:
        UsageError: there is no such version, or no such hours, or database or settings cannot be used.
    """
    use_database(database)
    services = bootstrap.services()
    try:
        version = services.restatements.restate(period, reason=reason, actor="command")
    except InvalidRequestError as error:
        raise UsageError(str(error)) from error
    try:
        hours = services.rebuild_usage_rollups()
        (kept, *_) = services.restatements.restatements(before=version + 1, limit=1).items
        print(
            json.dumps(
                {"restatement": version, "hours": hours, "before": _sums(kept.before), "after": _sums(kept.after)}
            )
        )
    finally:
        bootstrap.reset()


def recount(database: str | None) -> None:
    """Add usage and balance up again from what they count, and print how much was wrong: a line of JSON.

    Raises:
        UsageError: database or settings cannot be used.
    """
    use_database(database)
    engine = create_engine(os.environ["PROMPTLEDGER_DATABASE"])
    try:
        rollups = SqlUsageRollups(engine)
        rebuild_usage_rollups(rollups)
        wrong = recount_usage(rollups)
        partitions = recount_balance(SqlCompleteness(engine), SqlAuditStore(engine))
    finally:
        engine.dispose()
    print(json.dumps({"wrongHours": len(wrong), "wrongGroups": sum(wrong.values()), "wrongPartitions": partitions}))


def _sums(amounts: Sequence[RestatedAmount]) -> dict[str, str]:
    return {one.currency: f"{one.amount:f}" for one in amounts if one.currency and one.amount is not None}


def _actor(file: Path) -> str:
    return f"file {file.name}"[:256]


def _load(load: Callable[[str], int], file: Path, database: str | None) -> None:
    use_database(database)
    try:
        changed = load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {error}") from error
    except InvalidFileError as error:
        raise UsageError(f"{file}: {error}") from error
    finally:
        bootstrap.reset()
    print(json.dumps({"changed": changed}))


def _events(source: Sequence[Path] | Iterable[FileEvent], ledger: RunBalance) -> Iterable[FileEvent]:
    positions = Positions(ledger.last_sequences())
    return chain.from_iterable(read_events(item, positions) if isinstance(item, Path) else (item,) for item in source)


def _with_progress(events: Iterable[FileEvent], feeder: Feeder) -> Iterator[FileEvent]:
    """Pass events through; show on a terminal how many have been fed."""
    if not sys.stderr.isatty():
        yield from events
        return
    # Only a terminal needs it.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (SpinnerColumn(), TextColumn("{task.completed:,.0f} events"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None)
        for event in events:
            progress.update(task, completed=feeder.fed)
            yield event
