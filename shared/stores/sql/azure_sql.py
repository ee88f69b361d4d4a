"""Azure SQL through pyodbc: which driver, how to sign in, how many connections, and their cursors."""

import re
import struct
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects.mssql.base import MSExecutionContext
from sqlalchemy.engine import URL, Connection, Engine

from shared.errors import ConfigurationError, StoreUnavailableError
from shared.stores.sql.openjson import LONG_BYTES

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

__all__ = ["azure_sql_engine", "entra_credential"]

_ACCESS_TOKEN: Final = 1256
"""SQL_COPT_SS_ACCESS_TOKEN of the Microsoft ODBC driver."""
_SCOPE: Final = "https://database.windows.net/.default"
_DRIVER: Final = "ODBC Driver {} for SQL Server"
_DRIVER_VERSIONS: Final = (18, 17)
_PACKAGE: Final = "mssql_python_odbc"
"""A package of Microsoft's that holds the driver: how tests and laptops come by it."""
_LIBRARIES: Final = ("libmsodbcsql-18.*.so.*", "libmsodbcsql.18.dylib", "msodbcsql18.dll")
_FAMILIES: Final = ("debian_ubuntu", "rhel", "suse", "alpine")

_RECYCLE_SECONDS: Final = 25 * 60
"""The gateway of Azure SQL closes connections that were idle for 30 minutes."""

_DEFAULTS: Final = {
    "Encrypt": "yes",  # The driver's own default from version 18 on; not that of older ones.
    "LongAsMax": "yes",  # Long text goes as nvarchar(max), not as ntext, which openjson and `=` refuse.
    "ConnectRetryCount": "0",  # The driver's own reconnecting would hide that a transaction is gone.
}
_OTHER_WAYS: Final = {"authentication", "trusted_connection", "uid", "user"}
"""Keywords of a connection string that sign in without our token."""

_LONGEST: Final = 4_000
"""UTF-16 units of the longest nvarchar that has a length."""
_MOST: Final = 32
"""Cursors of one connection. The audit API's statements differ with what is sought: those used least are closed."""
_KEPT: Final = "promptledger_kept_cursors"


def azure_sql_engine(
    url: URL,
    *,
    connections: int,
    credential: "Callable[[], TokenCredential]",
    connect_seconds: int = 15,
    statement_seconds: int = 0,
) -> Engine:
    """Return an engine for Azure SQL; nothing is connected yet.

    Args:
        url: mssql+pyodbc. A driver that it does not name is looked for; options that it names win.
        connections: the most that may be open: as many as there are threads that ask.
        credential: returns whose token to sign in with, where the URL names no other way.
        connect_seconds: after which a new connection, its token included, is given up; so is the wait for
            one that others use.
        statement_seconds: after which a statement is given up; 0 waits for ever.

    Raises:
        ConfigurationError: there is no driver, or the URL names no database.
    """
    import pyodbc  # noqa: PLC0415  # needs the system's unixODBC, which only this database does

    # One pool: the driver manager's would hand out connections that this one has given up.
    pyodbc.pooling = False
    engine = sa.create_engine(
        _completed(url, pyodbc.drivers),
        connect_args={"timeout": connect_seconds},
        pool_size=connections,
        max_overflow=0,
        pool_timeout=connect_seconds,
        # Idle ones grow old and are replaced. No ping on each use: it would cost every batch a round
        # trip, and work that meets a dead connection is done again on a new one (shared/retry.py).
        pool_recycle=_RECYCLE_SECONDS,
        pool_use_lifo=True,
    )

    @event.listens_for(engine, "connect")
    def _bound(connection: Any, _record: object) -> None:  # noqa: ANN401  # DBAPI connections have no type
        connection.timeout = statement_seconds

    @event.listens_for(engine, "before_cursor_execute")
    def _typed(_connection: object, cursor: Any, _text: str, values: Any, context: Any, *_: object) -> None:  # noqa: ANN401  # SQLAlchemy's signature
        # Left alone the driver sends short bytes as binary of their length, and long ones as image.
        if context.execution_options.get(LONG_BYTES):
            cursor.setinputsizes([(pyodbc.SQL_VARBINARY, 0, 0)] * len(values))

    @event.listens_for(engine, "do_setinputsizes")
    def _sized(sizes: Any, _cursor: object, _text: str, _values: object, context: Any) -> None:  # noqa: ANN401  # as above
        # By its column. Left alone a text is declared as long as it is, and the server makes a plan for each length.
        for parameter, kind in sizes.items():
            if kind == pyodbc.SQL_WVARCHAR:
                name, values = context.compiled.bind_names[parameter], context.compiled_parameters[0]
                # Those of a list have numbers behind its name.
                texts = [value for key, value in values.items() if re.fullmatch(rf"{re.escape(name)}(_\d+)?", key)]
                sizes[parameter] = (kind, _declared(texts, getattr(parameter.type, "length", None)), 0)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # One statement is a transaction by itself: begin and commit would cost a turn each.
        options, own = connection.get_execution_options(), connection.connection.dbapi_connection
        is_single = bool(options.get("single"))
        if own is not None and "isolation_level" not in options and own.autocommit != is_single:
            own.autocommit = is_single

    engine.dialect.execution_ctx_cls = _Context
    if not _signs_in_by_itself(url):
        _sign_in_by_token(engine, _Tokens(credential()), connect_seconds)
    return engine


def entra_credential(*, managed: bool, client_id: str | None) -> "TokenCredential":
    """Return the app's identity: the managed one in Azure, the developer's or the pipeline's elsewhere.

    It keeps its token and fetches another one before that expires.

    Args:
        managed: whether this runs in Azure, where no other identity may be tried.
        client_id: of the user-assigned identity; None is the system-assigned one.
    """
    # Heavy, and only Azure SQL needs it.
    from azure.identity import DefaultAzureCredential, ManagedIdentityCredential  # noqa: PLC0415

    if managed:
        return ManagedIdentityCredential(client_id=client_id)
    return DefaultAzureCredential(managed_identity_client_id=client_id)


class _Tokens:
    """Tokens of one identity, each waited for no longer than the caller can."""

    def __init__(self, credential: "TokenCredential") -> None:
        self._credential = credential
        self._lock = threading.Lock()
        self._running: Future[str] | None = None

    def get(self, seconds: float) -> str:
        """Return a token; TimeoutError when there is none in time, which the next caller may still get."""
        # One thread at a time, so that a start asks the identity endpoint once, not once a connection. A thread of
        # its own: the identity library tries again for minutes, and takes no limit for all its tries.
        with self._lock:
            if self._running is None or self._running.done():
                self._running = Future()
                threading.Thread(target=self._fetch, args=(self._running,), daemon=True).start()
            running = self._running
        return running.result(seconds)

    def _fetch(self, running: "Future[str]") -> None:
        from azure.core.exceptions import AzureError  # noqa: PLC0415  # as above

        try:
            # For each connection anew: the credential answers from its cache while the token holds.
            running.set_result(self._credential.get_token(_SCOPE).token)
        except AzureError as error:
            running.set_exception(error)
        finally:
            running.cancel()  # where anything else went wrong, nobody waits in vain


def _sign_in_by_token(engine: Engine, tokens: _Tokens, connect_seconds: int) -> None:
    from azure.core.exceptions import AzureError  # noqa: PLC0415  # as above

    @event.listens_for(engine, "do_connect")
    def _sign_in(_dialect: object, _record: object, arguments: list[str], options: dict[str, Any]) -> None:
        started = time.monotonic()
        try:
            token = tokens.get(connect_seconds).encode("utf-16-le")
        except (AzureError, CancelledError, TimeoutError) as error:
            raise StoreUnavailableError(f"no Entra token for the database: {type(error).__name__}") from error
        # What is left for the connection, in the driver's full seconds; 0 would be for ever.
        options["timeout"] = max(1, round(connect_seconds - (time.monotonic() - started)))
        # SQLAlchemy says this where there is no user, and the driver takes it for another way to sign in.
        arguments[0] = arguments[0].replace(";Trusted_Connection=Yes", "")
        options["attrs_before"] = {_ACCESS_TOKEN: struct.pack(f"<I{len(token)}s", len(token), token)}


def _declared(texts: Sequence[str | None], limit: int | None) -> int:
    """Return the length with which texts are declared: that of their column, else the longest; 0 is without end."""
    longest = max((len(text.encode("utf-16-le", "surrogatepass")) // 2 for text in texts if text), default=0)
    return next((size for size in (limit, _LONGEST) if size is not None and longest <= size), 0)


def _signs_in_by_itself(url: URL) -> bool:
    connection = str(url.query.get("odbc_connect", ""))
    named = {part.partition("=")[0].strip().lower() for part in connection.split(";")}
    return bool(url.username or (named | {name.lower() for name in url.query}) & _OTHER_WAYS)


def _completed(url: URL, installed: Callable[[], list[str]]) -> URL:
    """Return the URL with the options that it leaves to us."""
    if {"odbc_connect", "dsn"} & url.query.keys():
        return url  # Who writes the connection string, or names a data source, leaves nothing to us.
    if not (url.host and url.database):
        raise ConfigurationError("PROMPTLEDGER_DATABASE must name server and database: mssql+pyodbc://SERVER/DATABASE")
    named = {name.lower() for name in url.query}
    missing = {name: value for name, value in _DEFAULTS.items() if name.lower() not in named}
    if "driver" not in named:
        missing["driver"] = _found_driver(installed())
    return url.update_query_dict(missing)


def _found_driver(installed: list[str]) -> str:
    """Return the newest driver that is installed, by name; else the path of the one that a package holds."""
    for version in _DRIVER_VERSIONS:
        if (name := _DRIVER.format(version)) in installed:
            return name
    spec = find_spec(_PACKAGE)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        found = [path for pattern in _LIBRARIES for path in sorted(Path(folder).rglob(pattern))]
        if found:
            return str(min(found, key=_family))
    raise ConfigurationError("PROMPTLEDGER_DATABASE needs Microsoft's ODBC driver 18 for SQL Server, which is not here")


def _family(path: Path) -> int:
    """Return the rank of a driver by the systems that it was built for; all glibc builds load on all of them."""
    return next((rank for rank, family in enumerate(_FAMILIES) if family in path.parts), len(_FAMILIES))


# The driver prepares each statement that has parameters. Closing its cursor has the server forget what was prepared,
# which is a turn of its own; prepared anew on the same cursor, the old is forgotten in the same turn
# (tests/integration/test_turns.py). So each connection keeps its cursors for the next time.


class _Context(MSExecutionContext):
    def create_default_cursor(self) -> Any:  # noqa: ANN401  # DBAPI cursors have no type
        connection = self.root_connection.connection
        try:
            # A connection that takes another's place in the pool begins with nothing kept.
            idle = connection.info.setdefault(_KEPT, OrderedDict())
        except NotImplementedError:
            # SQLAlchemy's own first questions, before the connection has a place in the pool.
            return connection.cursor()
        return _KeptCursor(connection.dbapi_connection, idle, self.dialect.loaded_dbapi.Error)


class _KeptCursor:
    """A cursor whose statement decides which of the connection's own cursors it is."""

    def __init__(self, connection: Any, idle: "OrderedDict[str, Any]", error: type[Exception]) -> None:  # noqa: ANN401  # as above
        self._connection = connection
        self._idle = idle
        self._error = error
        self._statement = ""
        self._own: Any = None
        self._has_run = False
        self._sizes: Sequence[Any] | None = None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever the driver's cursor has
        return getattr(self._own, name)

    def setinputsizes(self, sizes: Sequence[Any]) -> None:
        """Note the types of the parameters until the statement is known."""
        self._sizes = sizes

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        """Run a statement on the cursor that ran it before."""
        self._take(statement)
        self._own.execute(statement, parameters)
        self._has_run = True

    def executemany(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement for each of several rows on the cursor that ran it before."""
        self._take(statement)
        self._own.executemany(statement, rows)
        self._has_run = True

    def close(self) -> None:
        """Give the cursor back for the next time; end it where its statement failed."""
        own, self._own = self._own, None
        if own is None:
            return
        try:
            while self._has_run and own.nextset():
                pass  # what nobody read would stand in the way of the connection's next statement
        except self._error:
            self._has_run = False
        if not self._has_run:
            own.close()
            return
        ended = [self._idle.pop(self._statement)] if self._statement in self._idle else []
        self._idle[self._statement] = own
        if len(self._idle) > _MOST:
            ended.append(self._idle.popitem(last=False)[1])
        for cursor in ended:
            cursor.close()

    def _take(self, statement: str) -> None:
        self._statement = statement
        self._own = self._idle.pop(statement, None) or self._connection.cursor()
        self._own.setinputsizes(self._sizes)
