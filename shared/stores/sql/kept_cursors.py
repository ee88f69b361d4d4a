"""Cursors of the Azure SQL driver that are used again for the same statement.

The driver prepares each statement that has parameters. Closing its cursor has the server forget what was
prepared, which is a turn of its own; prepared anew on the same cursor, the old is forgotten in the same
turn (tests/integration/test_turns.py).
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy.dialects.mssql.base import MSExecutionContext
from sqlalchemy.engine import Engine

__all__ = ["keep_cursors"]

_MOST: Final = 32
"""Of one connection. The audit API's statements differ with what is asked: those used least are closed."""
_KEPT: Final = "promptledger_kept_cursors"


def keep_cursors(engine: Engine) -> None:
    """Have each connection of `engine` keep its cursors."""
    engine.dialect.execution_ctx_cls = _Context


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
        self._is_whole = False
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
        self._is_whole = True

    def executemany(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement for each of several rows on the cursor that ran it before."""
        self._take(statement)
        self._own.executemany(statement, rows)
        self._is_whole = True

    def close(self) -> None:
        """Give the cursor back for the next time; end it where its statement failed."""
        own, self._own = self._own, None
        if own is None:
            return
        try:
            while self._is_whole and own.nextset():
                pass  # what nobody read would stand in the way of the connection's next statement
        except self._error:
            self._is_whole = False
        if not self._is_whole:
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
