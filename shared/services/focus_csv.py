"""Rows in the columns of FOCUS -> CSV."""

import csv
import io
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import islice
from typing import Any, Final

from shared.services.focus import COLUMNS

__all__ = ["csv_parts"]

_ROWS_AT_A_TIME: Final = 5_000


def csv_parts(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield a CSV file part by part: a header, then the rows; null is empty."""
    rest = iter(rows)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    while True:
        chunk = list(islice(rest, _ROWS_AT_A_TIME))
        writer.writerows([_text(value) for value in row.values()] for row in chunk)
        yield buffer.getvalue()
        if not chunk:
            return
        buffer.seek(0)
        buffer.truncate()


def _text(value: object) -> object:
    # A spreadsheet takes a text that begins so for a formula.
    if isinstance(value, str) and value[:1] in "=+-@\t\r" and value:
        return f"'{value}"
    return _number(value) if isinstance(value, Decimal) else value


def _number(value: Decimal) -> str:
    digits = f"{value:f}"
    # With a point: readers take a column of whole numbers for integers.
    return digits if "." in digits else f"{digits}.0"
