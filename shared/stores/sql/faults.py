"""What a database's error means: try again, somebody else was first, or call somebody.

Told by code, never by text: texts are translated, and may quote a row. Codes of SQL Server and
Azure SQL stand in sys.messages and in the service's own list of connectivity errors; those of the
driver are SQLSTATEs; those of SQLite its result codes.
"""

import re
import sqlite3
from typing import Final, NamedTuple

from shared.errors import ConflictError, StoreRefusedError, StoreUnavailableError

__all__ = [
    "CONFLICTS",
    "REFUSALS",
    "REFUSED_STATES",
    "SOCKETS",
    "TRANSIENT",
    "TRANSIENT_STATES",
    "of_sql_server",
    "of_sqlite",
]

TRANSIENT: Final = {
    # The service: throttling, failover, scaling.
    40197: "the service failed over, or an upgrade or fault interrupted it",
    40501: "the service is busy and throttles",
    40613: "the database is not available right now: failing over, scaling or resuming",
    40143: "the service met an internal error",
    40166: "the database is being reconfigured",
    40540: "the service met an internal error and rolled back",
    42108: "a paused database resumes",
    42109: "a paused database resumes",
    49918: "not enough resources for the request",
    49919: "too many create or update operations in the subscription",
    49920: "too many operations in the subscription",
    10928: "the database's limit of workers or sessions is reached",
    10929: "the server is too busy for more than the database's minimum",
    10936: "the elastic pool's limit of requests is reached",
    4060: "the database cannot be opened: after a failover the gateway may not know it yet",
    4221: "a readable secondary waits for row versions after a failover",
    615: "the database's id is looked up anew after a failover",
    926: "the database is being recovered",
    983: "the replica is changing its role",
    18401: "the server upgrades itself and takes no logins yet",
    # Contention for locks and memory.
    1222: "a lock was not granted in time",
    1204: "the server has no lock left",
    3960: "a snapshot met another transaction's update",
    701: "the server has no memory left for the statement",
    802: "the server has no memory left in its buffer pool",
    8645: "the statement waited too long for memory",
    8651: "the server has less memory than the statement needs",
    8628: "the statement waited too long to be optimised",
    17197: "the login timed out",
    17830: "the connection timed out while logging in",
}
"""The server's error number -> why trying again may help."""

SOCKETS: Final = {
    20: "the server does not speak our encryption right now",
    64: "the connection was closed while logging in",
    121: "the network's time-out ran out",
    233: "the connection was closed while logging in",
    10053: "the connection was aborted",
    10054: "the connection was reset",
    10060: "the server did not answer in time",
    10061: "the server refused the connection",
    32: "the connection is broken",
    104: "the connection was reset",
    110: "the server did not answer in time",
    111: "the server refused the connection",
    113: "there is no way to the server",
}
"""The driver's error number, of Windows or Linux -> what became of the connection.

It counts beside a SQLSTATE of a connection only: as the server's own, 104 is a wrong `order by`.
"""

TRANSIENT_STATES: Final = {
    "08001": "no connection could be made",
    "08003": "the connection is closed",
    "08004": "the server turned the connection away",
    "08007": "the connection failed within a transaction",
    "08S01": "the connection was lost",
    "08S02": "the connection was lost and resumed: the transaction is gone",
    "HYT00": "a time-out ran out",
    "HYT01": "the connection's time-out ran out",
    "HY008": "the statement was cancelled",
}
"""SQLSTATE -> why trying again may help, where the server gave no number that is known."""

CONFLICTS: Final = {
    1205: "the transaction was the victim of a deadlock",
    2601: "another transaction wrote one of the same rows first",
    2627: "another transaction wrote one of the same rows first",
}
"""Error number -> who was first; the same work may succeed at once."""

REFUSALS: Final = {
    1101: "it has no room left",
    1105: "it has no room left",
    9002: "its transaction log has no room left",
    40544: "it has reached its size quota",
    40549: "it ended a transaction that ran too long",
    40552: "it ended a transaction that needs too much log",
    3906: "it is read-only, as a secondary replica is",
    3908: "it is in emergency mode",
    976: "it is a secondary replica that takes no connections",
    978: "it is a secondary replica that only takes connections that intend to read",
    18456: "it does not know the identity of the app",
    916: "the identity of the app has no user in it",
    229: "the user of the app lacks a permission",
    230: "the user of the app lacks a permission on a column",
    262: "the user of the app lacks a permission",
    40615: "its firewall does not let the app in",
    47073: "it takes connections from its private endpoint only",
    207: "a column is not there: run the migrations",
    208: "a table is not there: run the migrations",
    515: "a row lacks a value",
    547: "a row breaks a constraint",
    2628: "a value is too long for its column",
    8152: "a value is too long for its column",
}
"""Error number -> what somebody must mend."""

REFUSED_STATES: Final = {
    "01000": "the ODBC driver cannot be loaded",
    "IM002": "the ODBC driver is not installed",
    "IM003": "the ODBC driver cannot be loaded",
    "FA001": "the URL signs in by another way than the access token",
    "28000": "it does not know the identity of the app",
    "42S02": "a table is not there: run the migrations",
    "42S22": "a column is not there: run the migrations",
}
"""SQLSTATE -> what somebody must mend, where the server gave no number that is known."""

_SQLITE_TRANSIENT: Final = {
    sqlite3.SQLITE_BUSY: "another writer held the lock for too long",
    sqlite3.SQLITE_LOCKED: "a table is locked",
    sqlite3.SQLITE_PROTOCOL: "the lock could not be had",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened",
    sqlite3.SQLITE_IOERR: "the disk failed to read or write",
    sqlite3.SQLITE_NOMEM: "there is no memory left",
    sqlite3.SQLITE_INTERRUPT: "the statement was cancelled",
}
_SQLITE_REFUSALS: Final = {
    sqlite3.SQLITE_FULL: "the disk has no room left",
    sqlite3.SQLITE_READONLY: "it is read-only",
    sqlite3.SQLITE_PERM: "its file may not be used",
    sqlite3.SQLITE_AUTH: "its file may not be used",
    sqlite3.SQLITE_CORRUPT: "its file is damaged",
    sqlite3.SQLITE_NOTADB: "its file is no database",
    sqlite3.SQLITE_CONSTRAINT: "a row breaks a constraint",
    sqlite3.SQLITE_TOOBIG: "a value is too long",
    sqlite3.SQLITE_ERROR: "it does not understand the statement: run the migrations",
}
_SQLITE_TAKEN: Final = {
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
    sqlite3.SQLITE_CONSTRAINT_ROWID,
    sqlite3.SQLITE_CONSTRAINT_UNIQUE,
}
_PRIMARY: Final = 0xFF
"""The low byte of an extended result code is the plain one."""

# pyodbc's text holds the diagnostic records: `[state] text (number) (function); [state] text (number)`.
_NUMBERS: Final = re.compile(r"\((-?\d+)\)(?: \(SQL\w+\))?(?=; \[|$)")


class _Code(NamedTuple):
    """What an error says of itself."""

    state: str
    numbers: list[int]

    def named(self, table: dict[int, str]) -> str | None:
        """Return the table's reason for the first number that it knows, with the number."""
        return next((f"{table[number]} ({number})" for number in self.numbers if number in table), None)

    def stated(self, table: dict[str, str]) -> str | None:
        """Return the table's reason for the state, with the state."""
        return f"{table[self.state]} ({self.state})" if self.state in table else None


def of_sqlite(error: BaseException | None) -> StoreUnavailableError:
    """Return the error to raise for one of SQLite's. It never holds its text, which may quote values of a row."""
    # Faults of the module itself, such as a wrong number of parameters, have no code.
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_MISUSE)
    if code in _SQLITE_TAKEN:
        return ConflictError("another transaction wrote one of the same rows first")
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    if reason := _SQLITE_TRANSIENT.get(code & _PRIMARY):
        return StoreUnavailableError(f"the database did not do it: {reason} ({name})")
    reason = _SQLITE_REFUSALS.get(code & _PRIMARY, "unexpected")
    return StoreRefusedError(f"the database refuses: {reason} ({name})")


def of_sql_server(error: BaseException | None) -> StoreUnavailableError:
    """Return the error to raise for one of Azure SQL or its driver; as `of_sqlite`."""
    code = _code(error)
    if taken := code.named(CONFLICTS):
        return ConflictError(taken)
    # The number tells more than the state: a login refused has the state of a connection that failed.
    if refused := code.named(REFUSALS):
        return StoreRefusedError(f"the database refuses: {refused}")
    lost = code.named(SOCKETS) if code.state in TRANSIENT_STATES else None
    if transient := code.named(TRANSIENT) or lost or code.stated(TRANSIENT_STATES):
        return StoreUnavailableError(f"the database did not do it: {transient}")
    reason = code.stated(REFUSED_STATES) or f"unexpected ({code.state} {' '.join(map(str, code.numbers))})"
    return StoreRefusedError(f"the database refuses: {reason}")


def _code(error: BaseException | None) -> _Code:
    state, text = (*map(str, error.args if error else ()), "", "")[:2]
    return _Code(state, [int(number) for number in _NUMBERS.findall(text)])
