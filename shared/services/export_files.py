"""Answers of the API -> lines of JSON, CSV that no spreadsheet takes for formulas, or Parquet."""

import csv
import io
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from shared.domain.exports import ExportFormat

__all__ = ["Column", "ColumnKind", "Lines", "csv_cell", "file_of"]

_MEBIBYTE: Final = 1024 * 1024
_MEMORY: Final = 256
"""MiB that DuckDB may take beside its buffers for lines, of which each holds the longest several times."""
_BUFFERS: Final = 8
_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What begins a formula in some spreadsheet; the last four are the first four in full width."""


class ColumnKind(Enum):
    """What a column holds, by DuckDB's names."""

    TEXT = "varchar"
    INTEGER = "bigint"
    NUMBER = "double"
    FLAG = "boolean"
    AMOUNT = "decimal(38, 12)"
    TIME = "timestamptz"


class Column(NamedTuple):
    """A column of a table, and where its value stands in an answer."""

    path: tuple[str, ...]
    kind: ColumnKind

    @property
    def name(self) -> str:
        """Return the names of members, with points between."""
        return ".".join(self.path)

    def value_in(self, item: Mapping[str, Any]) -> Any:  # noqa: ANN401  # whatever JSON a cell may hold
        """Return the value in an answer: a text, number or flag; what holds others as JSON; None where there is none.

        Amounts are texts, digit by digit.
        """
        value: Any = item
        for name in self.path:
            value = value.get(name) if isinstance(value, Mapping) else None
        return value if value is None or isinstance(value, str | int | float) else orjson.dumps(value).decode()


class Lines:
    """The rows of one file, as they come; how large it will be is known meanwhile."""

    def __init__(self, form: ExportFormat, columns: Sequence[Column]) -> None:
        """Begin a file of a format with these columns; NDJSON has the answers as they are."""
        self._form = form
        self._columns = columns
        self._text = io.StringIO(newline="")
        self._csv = csv.writer(self._text, lineterminator="\r\n")
        self._body = io.BytesIO()
        self.rows = 0
        if form is ExportFormat.CSV:
            self._csv.writerow(column.name for column in columns)

    def add(self, items: Iterable[Mapping[str, Any]]) -> None:
        """Write a line for each answer."""
        for item in items:
            self.rows += 1
            if self._form is ExportFormat.NDJSON:
                self._body.write(orjson.dumps(item, option=orjson.OPT_APPEND_NEWLINE))
            elif self._form is ExportFormat.PARQUET:
                row = {column.name: column.value_in(item) for column in self._columns}
                self._body.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
            else:
                self._csv.writerow(csv_cell(column.value_in(item)) for column in self._columns)
        # A text of its own would take four bytes for each letter.
        self._body.write(self._text.getvalue().encode("utf-8", "replace"))
        self._text.seek(0)
        self._text.truncate()

    @property
    def size(self) -> int:
        """Return the bytes so far; of Parquet, before they are compressed."""
        return self._body.tell()

    def body(self) -> bytes:
        """Return the file."""
        self.add(())
        written = self._body.getvalue()
        return _parquet(self._columns, written) if self._form is ExportFormat.PARQUET else written


def file_of(form: ExportFormat, columns: Sequence[Column], items: Iterable[Mapping[str, Any]]) -> bytes:
    """Return answers as one file."""
    lines = Lines(form, columns)
    lines.add(items)
    return lines.body()


def csv_cell(value: Any) -> Any:  # noqa: ANN401  # whatever a cell may hold
    """Return what stands in a cell: flags as JSON has them, and no text as a formula."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.startswith(_FORMULAS):
        return f"'{value}"
    return value


def _parquet(columns: Sequence[Column], lines: bytes) -> bytes:
    """Return a Parquet file of lines of JSON; the same lines give the same bytes."""
    import duckdb  # noqa: PLC0415  # heavy, and who wants no Parquet needs none

    longest = max(map(len, io.BytesIO(lines)), default=0) // _MEBIBYTE + 1
    kinds = {column.name: column.kind.value for column in columns}
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "rows.json", Path(folder) / "rows.parquet"
        source.write_bytes(lines)
        settings: dict[str, str | bool | int | float | list[str]] = {
            "threads": 1,
            "memory_limit": f"{_MEMORY + longest * _BUFFERS}MiB",
            "temp_directory": folder,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        with duckdb.connect(config=settings) as connection:
            connection.execute("set timezone = 'UTC'")
            found = connection.read_json(
                str(source), columns=kinds, format="newline_delimited", maximum_object_size=longest * _MEBIBYTE
            )
            found.write_parquet(str(target), compression="zstd")
        return target.read_bytes()
