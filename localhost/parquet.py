"""Rows in the columns of FOCUS -> Parquet."""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from shared.services.focus import COLUMNS
from shared.services.focus_csv import csv_parts

__all__ = ["write_parquet"]

_DECIMALS: Final = frozenset(name for name in COLUMNS if name.endswith(("Cost", "UnitPrice", "Quantity")))
_TIMES: Final = frozenset(name for name in COLUMNS if "Period" in name)


def write_parquet(rows: Iterable[dict[str, Any]], path: Path) -> None:
    """Write a Parquet file, numbers as decimal(38, 12), times with their zone.

    Raises:
        ImportError: duckdb is not installed: it is a package for development.
    """
    import duckdb  # noqa: PLC0415  # nothing else needs it, and the app in Azure does not have it

    kinds = dict.fromkeys(COLUMNS, "varchar")
    kinds |= dict.fromkeys(_DECIMALS, "decimal(38, 12)") | dict.fromkeys(_TIMES, "timestamptz")
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "rows.csv"
        with text.open("w", encoding="utf-8", newline="") as file:
            file.writelines(csv_parts(rows))
        connection = duckdb.connect()
        found = connection.read_csv(str(text), header=True, dtype=kinds, quotechar='"', all_varchar=False)
        found.write_parquet(str(path))
        connection.close()
