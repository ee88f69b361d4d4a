"""Migrations: bring a database to the newest revision, or render them all as T-SQL.

    python -m shared.stores.sql.migrate upgrade [URL]
    python -m shared.stores.sql.migrate schema

`upgrade` also turns on what PROMPTLEDGER_SQL_OPTIONS names of Azure SQL's own strengths, such as
`ledger,columnstore`: each is a script in sql/options that does nothing where it has been run before.
At last it brings usage up to date where a migration marked it, and tells how it goes on; begun again, it goes on there.

Run by the pipeline and by `localhost`, never at cold start: the deployed app holds no Alembic.
"""

import io
import logging
import os
import re
import sys
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy.engine import Connection, Engine

from shared.errors import ConfigurationError
from shared.services.rollup import rebuild_usage_rollups
from shared.stores.sql.dialects import TSQL_URL, dialect_of
from shared.stores.sql.engine import create_engine
from shared.stores.sql.rollups import SqlUsageRollups

__all__ = ["OPTIONS", "apply_options", "bring_usage_up_to_date", "chosen_options", "render_schema", "upgrade"]

_SQL = Path(__file__).parents[3] / "sql"
_MIGRATIONS = _SQL / "migrations"
_CHOICE = "PROMPTLEDGER_SQL_OPTIONS"

OPTIONS = ("ledger", "compression", "columnstore", "fulltext")
"""In the order in which they are turned on; each is a script of that name in sql/options."""


def upgrade(database_url: str, revision: str = "head") -> None:
    """Bring the database to `revision`, creating it first if it is a SQLite file that is not there.

    Raises:
        ConfigurationError: the URL cannot be read.
    """
    command.upgrade(_config(database_url), revision)


def chosen_options(value: str) -> list[str]:
    """Return the options that a list such as `ledger, columnstore` names, in the order in which they are turned on.

    Raises:
        ConfigurationError: it names one that does not exist.
    """
    chosen = set(filter(None, re.split(r"[,\s]+", value)))
    if unknown := sorted(chosen - set(OPTIONS)):
        raise ConfigurationError(f"{_CHOICE} names {', '.join(unknown)}: there are {', '.join(OPTIONS)}")
    return [option for option in OPTIONS if option in chosen]


def apply_options(engine: Engine, options: Iterable[str]) -> None:
    """Turn on options of Azure SQL on a database at the newest revision. Safe to repeat.

    Each statement stands for itself, as full-text indexes must not be made within a transaction.

    Raises:
        ConfigurationError: the database is not Azure SQL.
        pyodbc.Error: the server refused; what was turned on before stays on.
    """
    scripts = [(_SQL / "options" / f"{option}.sql").read_text(encoding="utf-8") for option in options]
    if scripts and not dialect_of(engine).has_options:
        raise ConfigurationError(f"{_CHOICE} is for Azure SQL: other databases have none of these options")
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        for script in scripts:
            for batch in re.split(r"^GO$", script, flags=re.MULTILINE):
                _run(connection, batch)


def _run(connection: Connection, batch: str) -> None:
    with closing(connection.connection.cursor()) as cursor:
        cursor.execute(batch)
        # Each statement has a result, and its error shows only when that is read: a cursor that is
        # closed before has the server give up the rest.
        while cursor.nextset():
            pass


def bring_usage_up_to_date(database_url: str) -> int:
    """Count what migrations marked, and tell how it goes on; return how many hours that took.

    It may be stopped and begun again: the timer `rebuild_usage_rollups` would do the same, a little later.
    """
    engine = create_engine(database_url, statement_seconds=0)
    try:
        return rebuild_usage_rollups(SqlUsageRollups(engine))
    finally:
        engine.dispose()


def render_schema() -> str:
    """Return all migrations as T-SQL: what sql/schema.sql holds."""
    rendered = io.StringIO()
    config = _config(TSQL_URL, rendered)
    command.upgrade(config, "head", sql=True)
    return "\n".join(line.rstrip() for line in rendered.getvalue().splitlines()).strip() + "\n"


def _config(database_url: str, output: io.StringIO | None = None) -> Config:
    config = Config(output_buffer=output) if output else Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["database_url"] = database_url
    return config


def _turn_on(url: str, options: list[str]) -> None:
    if not options:
        return
    engine = create_engine(url, statement_seconds=0)
    try:
        apply_options(engine, options)
    finally:
        engine.dispose()


def main(arguments: list[str]) -> int:
    """Run one of the two commands above; return the exit code."""
    match arguments:
        case ["schema"]:
            sys.stdout.write(render_schema())
        case ["upgrade", *urls] if len(urls) < 2:
            options = chosen_options(os.environ.get(_CHOICE, ""))
            url = urls[0] if urls else os.environ["PROMPTLEDGER_DATABASE"]
            logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")  # noqa: TID251  # no worker here
            upgrade(url)
            _turn_on(url, options)
            bring_usage_up_to_date(url)
        case _:
            sys.stderr.write(__doc__ or "")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
