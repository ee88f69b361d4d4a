"""The commands about costs by month."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from localhost.database import use_database
from localhost.errors import UsageError
from localhost.parquet import write_parquet
from shared import bootstrap
from shared.errors import InvalidFileError
from shared.questions import StatementQuery
from shared.services.focus import focus_rows
from shared.services.focus_csv import csv_parts

__all__ = ["export", "reconcile"]

_MONTH: Final = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


def export(month: str, out: Path, *, team: str | None, database: str | None) -> None:
    """Write a month's costs in the columns of FOCUS and print the file's name, one line of JSON.

    Raises:
        UsageError: month or file name is none that fits, the file cannot be written, or database or settings
            cannot be used.
    """
    if not _MONTH.fullmatch(month):
        raise UsageError(f"{month} is no month such as 2026-03")
    write = _WRITERS.get(out.suffix)
    if write is None:
        raise UsageError(f"{out} must end in .csv or .parquet")
    use_database(database)
    try:
        start = f"{month}-01T00:00:00.000Z"
        lines = bootstrap.services().costs.lines(StatementQuery(month=start, team=team))
        write(focus_rows(start, lines), out)
    except (OSError, ImportError) as error:
        raise UsageError(f"{out} cannot be written: {error}") from error
    finally:
        bootstrap.reset()
    print(json.dumps({"file": str(out)}))


def reconcile(file: Path, *, tolerance: Decimal, database: str | None) -> None:
    """Compare an export of Azure Cost Management to the charges and print each variance, then a summary, as JSON lines.

    Raises:
        UsageError: the file cannot be read, or is no such export, or database or settings cannot be used.
    """
    use_database(database)
    try:
        found = bootstrap.services().costs.reconcile(file.read_text(encoding="utf-8"), tolerance=tolerance)
    except (OSError, UnicodeDecodeError, InvalidFileError) as error:
        raise UsageError(f"{file} cannot be read: {error}") from error
    finally:
        bootstrap.reset()
    for one in found.variances:
        if one.cause is not None:
            print(json.dumps(asdict(one), default=str))
    causes = Counter(one.cause or "none" for one in found.variances)
    print(json.dumps({"compared": len(found.variances), "causes": causes, "purchases": str(found.purchases)}))


def _write_csv(rows: Iterable[dict[str, Any]], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(csv_parts(rows))


_WRITERS: Final[Mapping[str, Callable[[Iterable[dict[str, Any]], Path], None]]] = {
    ".csv": _write_csv,
    ".parquet": write_parquet,
}
