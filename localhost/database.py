"""The ledger's database on a laptop: which one, and brought up to date."""

import os
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from localhost.errors import UsageError
from shared import bootstrap
from shared.errors import AppError

__all__ = ["use_database"]

_DEFAULT = "sqlite:///.local/promptledger.db"


def use_database(url: str | None = None) -> str:
    """Point the app at a database, create it if it is a file that is not there, and migrate it.

    Args:
        url: a SQLAlchemy URL. None: what the settings say, else a file under `.local/`.

    Returns:
        The URL.

    Raises:
        UsageError: it is no URL of a database that can be used.
    """
    # Alembic is no part of the deployed app, and half a second of start-up.
    from shared.stores.sql.migrate import upgrade  # noqa: PLC0415

    url = url or os.environ.get("PROMPTLEDGER_DATABASE") or _DEFAULT
    _make_folder(url)
    os.environ["PROMPTLEDGER_DATABASE"] = url
    bootstrap.reset()
    try:
        upgrade(url)
        bootstrap.services()
    except AppError as error:
        raise UsageError(str(error)) from error
    except (SQLAlchemyError, ImportError) as error:
        reason = str(getattr(error, "orig", None) or error)
        raise UsageError(f"the database {_without_password(url)} cannot be used: {reason}") from error
    return url


def _make_folder(url: str) -> None:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise UsageError(f"--database: {url!r} is not a SQLAlchemy URL, such as sqlite:///file.db") from error
    if parsed.get_backend_name() == "sqlite" and parsed.database and parsed.database != ":memory:":
        try:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"the folder of {parsed.database} cannot be made: {error.strerror}") from error


def _without_password(url: str) -> str:
    return make_url(url).render_as_string(hide_password=True)
