"""Migrations: bring a database to the newest revision, or render them all as T-SQL.

    python -m shared.stores.sql.migrate upgrade [URL]
    python -m shared.stores.sql.migrate schema

Run by the pipeline and by `localhost`, never at cold start: the deployed app holds no Alembic.
"""

import io
import os
import sys
from pathlib import Path

from alembic import command
from alembic.config import Config

__all__ = ["render_schema", "upgrade"]

_MIGRATIONS = Path(__file__).parents[3] / "sql" / "migrations"


def upgrade(database_url: str, revision: str = "head") -> None:
    """Bring the database to `revision`, creating it first if it is a SQLite file that is not there.

    Raises:
        ConfigurationError: the URL cannot be read.
    """
    command.upgrade(_config(database_url), revision)


def render_schema() -> str:
    """Return all migrations as T-SQL: what sql/schema.sql holds."""
    rendered = io.StringIO()
    config = _config("mssql+pyodbc://", rendered)
    command.upgrade(config, "head", sql=True)
    return "\n".join(line.rstrip() for line in rendered.getvalue().splitlines()).strip() + "\n"


def _config(database_url: str, output: io.StringIO | None = None) -> Config:
    config = Config(output_buffer=output) if output else Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["database_url"] = database_url
    return config


def main(arguments: list[str]) -> int:
    """Run one of the two commands above; return the exit code."""
    match arguments:
        case ["schema"]:
            sys.stdout.write(render_schema())
        case ["upgrade"]:
            upgrade(os.environ["PROMPTLEDGER_DATABASE"])
        case ["upgrade", url]:
            upgrade(url)
        case _:
            sys.stderr.write(__doc__ or "")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
