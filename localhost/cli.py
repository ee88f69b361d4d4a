"""The command line: `python -m localhost COMMAND`; `--help` lists the commands."""

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from localhost.environment import let_this_machine_ask, load_settings
from localhost.errors import UsageError
from shared.errors import AppError

__all__ = ["main"]

_FAILED = 1
_USAGE_ERROR = 2
_INTERRUPTED = 130
_HIGHEST_PORT = 65_535


def main(arguments: Sequence[str]) -> int:
    """Run one command.

    Returns:
        The exit code: 0; 2 when the command line or a setting is at fault; 1 when a function failed.
    """
    options = _parser().parse_args(arguments)
    _log_to_stderr(options.log_level)
    command: Callable[[argparse.Namespace], None] = options.run
    try:
        load_settings()
        let_this_machine_ask()
        command(options)
    except UsageError as error:
        print(f"localhost: {error}", file=sys.stderr)
        return _USAGE_ERROR
    except AppError as error:
        print(f"localhost: {type(error).__name__}: {error}", file=sys.stderr)
        return _FAILED
    except KeyboardInterrupt:
        return _INTERRUPTED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m localhost", description="Runs PromptLedger's functions here, without Azure."
    )
    parser.set_defaults(log_level=logging.WARNING)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    start = commands.add_parser("start", help="serve HTTP, run the timers, consume the hubs or the local event log")
    start.add_argument("--port", type=_port, default=7071, help="of 127.0.0.1 (7071; 0 takes a free one)")
    _add_database(start)
    start.set_defaults(run=_start, log_level=logging.INFO)

    replay = commands.add_parser("replay", help="feed events from NDJSON files, print their balance")
    replay.add_argument("files", nargs="+", type=Path, metavar="FILE")
    _add_database(replay)
    replay.add_argument("--batch", type=_positive, metavar="N", help="events per invocation (host.json's)")
    replay.set_defaults(run=_replay)

    _add_redrive(commands.add_parser("redrive", help="feed a range of a hub's partition again, print its balance"))

    recount = commands.add_parser("recount", help="add usage and balance up again, print what was wrong")
    _add_database(recount)
    recount.set_defaults(run=_recount)

    timer = commands.add_parser("timer", help="run one timer function now")
    timer.add_argument("name", metavar="NAME")
    _add_database(timer)
    timer.set_defaults(run=_timer)

    for name, what in (
        ("prices", "prices of the organisation's own"),
        ("deployments", "what deployments are"),
        ("reservations", "capacity that is paid by the hour"),
        ("cost-centres", "who pays for whose calls"),
    ):
        load = commands.add_parser(name, help=f"load {what} from a CSV file")
        load.add_argument("file", type=Path, metavar="FILE", help="of the form that docs/cost.md shows")
        _add_database(load)
        load.set_defaults(run=_load, origin=name)

    _add_export(commands.add_parser("export", help="write a month's costs in the columns of FOCUS, CSV or Parquet"))
    _add_reconcile(commands.add_parser("reconcile", help="compare an export of Azure Cost Management to the charges"))
    _add_restate(commands.add_parser("restate", help="charge a period by another version of the price book"))
    refresh = commands.add_parser("refresh-prices", help="add what has changed in the Azure Retail Prices API")
    _add_database(refresh)
    refresh.set_defaults(run=_refresh)
    _add_traffic(commands.add_parser("traffic", help="write sample events, the same for the same seed"))

    demo = commands.add_parser("demo", help="an hour of sample traffic, its usage and its prompts")
    demo.add_argument("--count", type=_positive, default=5000, metavar="N", help="events (5000)")
    demo.add_argument("--serve", action=argparse.BooleanOptionalAction, default=True, help="go on serving afterwards")
    demo.add_argument("--port", type=_port, default=7071, help="of 127.0.0.1 (7071)")
    demo.set_defaults(run=_demo)
    return parser


def _add_database(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--database", metavar="URL", help="SQLAlchemy URL (sqlite:///.local/promptledger.db)")


def _add_redrive(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--hub", required=True, metavar="NAME")
    parser.add_argument("--partition", required=True, metavar="ID")
    parser.add_argument("--from", type=int, required=True, dest="first", metavar="SEQ", help="first sequence number")
    parser.add_argument("--to", type=int, dest="last", metavar="SEQ", help="last one (the last there is)")
    parser.add_argument("--group", default="$Default", help="consumer group that nobody else reads with ($Default)")
    _add_database(parser)
    parser.add_argument("--batch", type=_positive, metavar="N", help="events per invocation (host.json's)")
    parser.set_defaults(run=_redrive)


def _add_restate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", type=_moment, required=True, dest="first", metavar="TIME", help="an hour, ISO 8601")
    parser.add_argument("--to", type=_moment, required=True, dest="end", metavar="TIME", help="an hour, exclusive")
    parser.add_argument("--price-version", type=_positive, metavar="N", help="(the newest, whatever comes)")
    parser.add_argument("--reason", required=True, metavar="TEXT")
    _add_database(parser)
    parser.set_defaults(run=_restate)


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("month", metavar="MONTH", help="such as 2026-03")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="NAME.csv, or NAME.parquet by duckdb")
    parser.add_argument("--team", metavar="NAME", help="that pays (all)")
    _add_database(parser)
    parser.set_defaults(run=_export)


def _add_reconcile(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="CSV, of actual or amortised costs")
    parser.add_argument("--tolerance", type=_share, default="0.01", metavar="PART", help="of what was billed (0.01)")
    _add_database(parser)
    parser.set_defaults(run=_reconcile)


def _add_traffic(parser: argparse.ArgumentParser) -> None:
    much = parser.add_mutually_exclusive_group(required=True)
    much.add_argument("--count", type=_positive, metavar="N", help="events")
    much.add_argument(
        "--profile",
        choices=["small", "medium", "large"],
        help="an average hour of 10,000, 100,000 or 10 million conversations of 1,000 tokens a month",
    )
    parser.add_argument("--seed", type=int, required=True, metavar="S")
    parser.add_argument("--start", type=_moment, metavar="TIME", help="of the hour, ISO 8601 (2026-03-02T09:00Z)")
    target = parser.add_mutually_exclusive_group()
    target.add_argument("--out", type=Path, metavar="FILE", help="NDJSON, as `replay` reads it (standard output)")
    target.add_argument("--send", action="store_true", help="append to the local event log, for `start` to consume")
    target.add_argument(
        "--to-hubs", action="store_true", help="send to the hubs of the namespace that the settings name"
    )
    parser.set_defaults(run=_traffic)


def _start(options: argparse.Namespace) -> None:
    from localhost.commands import start  # noqa: PLC0415  # --help needs none of the app

    start(options.port, options.database)


def _replay(options: argparse.Namespace) -> None:
    from localhost.commands import replay  # noqa: PLC0415  # as above

    replay(options.files, options.database, options.batch)


def _redrive(options: argparse.Namespace) -> None:
    from localhost.commands import redrive  # noqa: PLC0415  # as above

    events = options.partition, options.first, options.last
    redrive(options.hub, events, options.group, options.database, options.batch)


def _timer(options: argparse.Namespace) -> None:
    from localhost.commands import timer  # noqa: PLC0415  # as above

    timer(options.name, options.database)


def _load(options: argparse.Namespace) -> None:
    from localhost.commands import load_cost_centres, load_prices  # noqa: PLC0415  # as above
    from shared.pricing.files import Origin  # noqa: PLC0415  # as above

    if options.origin == "cost-centres":
        load_cost_centres(options.file, options.database)
        return
    origin = Origin.OWN if options.origin == "prices" else Origin(options.origin)
    load_prices(origin, options.file, options.database)


def _recount(options: argparse.Namespace) -> None:
    from localhost.commands import recount  # noqa: PLC0415  # as above

    recount(options.database)


def _refresh(options: argparse.Namespace) -> None:
    from localhost.commands import refresh_prices  # noqa: PLC0415  # as above

    refresh_prices(options.database)


def _restate(options: argparse.Namespace) -> None:
    from localhost.commands import restate  # noqa: PLC0415  # as above
    from shared.domain.values import utc_of  # noqa: PLC0415  # as above
    from shared.pricing.entries import Restatement  # noqa: PLC0415  # as above

    period = Restatement(utc_of(options.first), utc_of(options.end), options.price_version)
    restate(period, options.reason, options.database)


def _traffic(options: argparse.Namespace) -> None:
    from localhost.traffic.mix import DEFAULT_START, an_hour  # noqa: PLC0415  # as above
    from localhost.traffic.output import send, write  # noqa: PLC0415  # as above
    from localhost.traffic.profiles import a_profile_hour  # noqa: PLC0415  # as above

    start = options.start or DEFAULT_START
    if options.profile is not None:
        events = a_profile_hour(options.profile, options.seed, start)
    else:
        events = an_hour(options.count, options.seed, start)
    if options.send:
        print(f"{send(events)} events sent to the local event log", file=sys.stderr)
    elif options.to_hubs:
        from localhost.commands import send_to_hubs  # noqa: PLC0415  # as above

        print(f"{send_to_hubs(events)} events sent to the hubs", file=sys.stderr)
    else:
        write(events, options.out)


def _export(options: argparse.Namespace) -> None:
    from localhost.costs import export  # noqa: PLC0415  # as above

    export(options.month, options.out, team=options.team, database=options.database)


def _reconcile(options: argparse.Namespace) -> None:
    from localhost.costs import reconcile  # noqa: PLC0415  # as above

    reconcile(options.file, tolerance=options.tolerance, database=options.database)


def _demo(options: argparse.Namespace) -> None:
    from localhost.demo import demo  # noqa: PLC0415  # as above

    demo(count=options.count, port=options.port, go_on=options.serve)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _share(text: str) -> Decimal:
    try:
        share = Decimal(text)
    except ArithmeticError as error:
        raise argparse.ArgumentTypeError("must be a number from 0 to 1") from error
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError("must be a number from 0 to 1")
    return share


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= _HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"must be from 0 to {_HIGHEST_PORT}")
    return number


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError("must be an ISO 8601 time") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _log_to_stderr(level: int) -> None:
    # In Azure the worker does this; standard output stays free for results.
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(level)
    for name in ("alembic", "azure"):
        logging.getLogger(name).setLevel(logging.WARNING)
