"""Data Explorer's scripts run on rows, in DuckDB, so that their answers can be compared with the ledger's.

The engine runs queries, not stored functions that answer tables: the body of each is run once, and stands as
a table for those that call it. Three spellings that it does not know are written out as what they mean;
otherwise the scripts are run as they are deployed.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb_kql

from shared.domain.delivery import Delivery
from tests.tools.kql.workspace import WORKSPACE

__all__ = ["DataExplorer", "LogAnalytics"]

_FOLDER = Path(__file__).parents[3] / "sql" / "kql"
_TYPES = {
    "bool": "boolean",
    "datetime": "timestamp",
    "dynamic": "json",
    "int": "integer",
    "long": "bigint",
    "real": "double",
    "string": "varchar",
}
_FUNCTION = re.compile(
    r"^\.create-or-alter function with \([^)]*\) (\w+)(\([^{]*?\)) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL
)
_LET = re.compile(r"^    let (\w+) = (.*?);\n(?=    (?:let|//|\w))", re.MULTILINE | re.DOTALL)
_MEMBER = re.compile(r"Member\(((?:[^(),]|\([^()]*\))+), '(\w)(\w*)'\)")
_EVER = ("2000-01-01", "2100-01-01")


class DataExplorer:
    """The database `promptledger` of infra/modules/data-explorer.bicep, as far as its tables and functions go."""

    def __init__(self) -> None:
        """Make the tables of 1-tables.kql."""
        self._connection = duckdb_kql.connect()
        self._made: dict[str, tuple[str, str]] = {}
        scripts = [*sorted(_FOLDER.glob("*.kql")), *sorted((_FOLDER / "queries").glob("*.kql"))]
        text = "\n\n".join(path.read_text(encoding="utf-8") for path in scripts)
        functions = _FUNCTION.findall(text)
        self._tabular = {name: _written_out(body) for name, _, body in functions if not _is_scalar(body)}
        self._scalars = {
            name: f"let {name} = {parameters} {{\n{_written_out(body)}}};\n"
            for name, parameters, body in functions
            if _is_scalar(body) and name != "Member"
        }
        for name, columns in re.findall(r"^\.create-merge table (\w+) (\(.*?\)) with", text, re.MULTILINE):
            self._connection.execute(f"create table {name} ({_typed(columns)})")

    def receive(self, events: Iterable[Delivery]) -> None:
        """Take events from a hub: what is JSON passes through RawEvent to the other tables, as the policies say."""
        self._connection.execute("delete from RawEvent")
        for event in events:
            try:
                body = json.dumps(json.loads(event.body))
            except ValueError:
                continue  # Data Explorer reports an ingestion failure, and goes on.
            at = event.position.enqueued_at.removesuffix("Z")
            row = [event.position.hub, event.position.sequence, at, event.position.partition, body]
            self._connection.execute("insert into RawEvent values (?, ?, ?, ?, ?)", row)
        self._made.clear()
        policies = (_FOLDER / "3-update-policies.kql").read_text(encoding="utf-8")
        for table, query in re.findall(r'table (\w+) policy update\n```\n.*"Query": "(\w+)\(\)"', policies):
            self._make(query, *_EVER)
            self._connection.execute(f'insert into {table} select * from "t_{query}"')
        self._made.clear()

    def ask(self, function: str, start: str, end: str) -> list[dict[str, Any]]:
        """Return the rows of `function(start, end)`, in its order; a function runs again when the range is another."""
        self._make(function, start, end)
        return _rows(self._connection.execute(f'select * from "t_{function}"'))

    def _make(self, function: str, start: str, end: str) -> None:
        """Run the body of a function, and keep what it answers as the table `t_NAME`."""
        if self._made.get(function) == (start, end):
            return
        body = self._tabular[function]
        for name in self._tabular:
            call = re.compile(rf"\b{name}\((?:From, To)?\)")
            if call.search(body):
                self._make(name, start, end)
                body = call.sub(f"t_{name}", body)
        # Tables that the body names for itself come first, each in terms of those before it.
        while (let := next((one for one in _LET.finditer(body) if _is_table(one[2])), None)) is not None:
            table = f"t_{function}_{let[1]}"
            self._keep(table, re.sub(r"^materialize\((.*)\)$", r"\1", let[2], flags=re.DOTALL), start, end)
            body = re.sub(rf"(?<![\w.']){let[1]}(?![\w'])(?! =)", table, body.replace(let[0], ""))
        self._keep(f"t_{function}", body, start, end)
        self._made[function] = start, end

    def _keep(self, table: str, query: str, start: str, end: str) -> None:
        self._connection.execute(f'drop table if exists "{table}"')
        script = f"let From = datetime({start});\nlet To = datetime({end});\n{query}"
        # Those alone that the query calls: to parse all of them takes longer than all else.
        for name, function in reversed(self._scalars.items()):
            if f"{name}(" in script:
                script = function + script
        duckdb_kql.query(self._connection, script).create(table)


class LogAnalytics:
    """A workspace with the tables that the saved queries read."""

    def __init__(self) -> None:
        """Make the tables, empty."""
        self._connection = duckdb_kql.connect()
        for name, columns in WORKSPACE.items():
            self._connection.execute(f"create table {name} ({_typed(columns)})")

    def has(self, table: str, **row: Any) -> None:
        """Insert a row; objects and lists go into dynamic columns."""
        values = [json.dumps(value) if isinstance(value, dict | list) else value for value in row.values()]
        places = ", ".join("?" * len(values))
        self._connection.execute(f"insert into {table} ({', '.join(row)}) values ({places})", values)

    def ask(self, query: str) -> list[dict[str, Any]]:
        """Return the rows of sql/kql/log-analytics/QUERY.kql, in its order."""
        text = (_FOLDER / "log-analytics" / f"{query}.kql").read_text(encoding="utf-8")
        # The engine has no `make_list_if`; the tests' prompts have no empty pieces.
        text = re.sub(r"make_list_if\((\w+), isnotempty\(\1\)\)", r"make_list(\1)", text)
        return self.run(text)

    def run(self, text: str) -> list[dict[str, Any]]:
        """Return the rows that a query answers."""
        return _rows(duckdb_kql.query(self._connection, text))


def _typed(columns: str) -> str:
    pairs = [column.split(":") for column in columns.strip().strip("()").split(",")]
    return ", ".join(f'"{name.strip()}" {_TYPES[kind.strip()]}' for name, kind in pairs)


def _rows(answer: Any) -> list[dict[str, Any]]:
    names = [column[0] for column in answer.description]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def _is_table(expression: str) -> bool:
    return "|" in expression or expression.startswith(("t_", "materialize("))


def _is_scalar(body: str) -> bool:
    return not re.search(r"^\s*(?:\||union )|\(From, To\)", body, re.MULTILINE)


def _written_out(body: str) -> str:
    """Return `body` without computed member names, `url_decode` and empty `datatable`s: the engine knows none."""
    while (found := _MEMBER.search(body)) is not None:
        record, first, rest = found.groups()
        camel, pascal = f"{record}['{first}{rest}']", f"{record}['{first.upper()}{rest}']"
        body = body.replace(found[0], f"iff(isnotnull({camel}), {camel}, {pascal})")
    body = re.sub(r"url_decode\((extract\(.*?\))\)", r"\1", body)
    body = re.sub(r"\bdatatable\([^)]*\)\[\]", "Witness | where false", body)
    return body.replace("count_distinctif(", "dcountif(")
