"""An export takes no more memory than a part: the system gives the process none beyond that."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders.databases import new_sqlite
from tests.builders.events import a_request
from tests.unit.api.rows import Ledger, an_interaction

ROOT = Path(__file__).parents[2]
CALLS, LETTERS = 240, 500_000
"""120 MB of bodies; ten parts."""

_MAKE = """
import resource, sys
from datetime import timedelta
from pathlib import Path
import duckdb
from shared.domain.exports import ExportFormat, ExportKind
from shared.stores.folder import FolderExportFiles
from shared.stores.sql.engine import create_engine
from tests.builders.exports import an_export
from tests.unit.api.rows import Ledger

ledger = Ledger(create_engine(sys.argv[1]))
files = FolderExportFiles(Path(sys.argv[2]))
service = ledger.exports(files)
export = service.ask(ExportKind.CONTENT, ExportFormat(sys.argv[3]), {}, reader=an_export().reader, reaches={})
size = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmData")) * 1024
limit = size + int(sys.argv[4]) * 1024 * 1024
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
ledger.make_exports(files)
known = service.export(export.id, reader=export.reader)
print(known.state.value, known.row_count, known.part_count >= 10, known.byte_count)
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of memory are the system's")
@pytest.mark.parametrize(("form", "megabytes"), [("ndjson", 96), ("csv", 96), ("parquet", 400)])
def test_an_export_fits_into_the_memory_of_a_part(tmp_path: Path, form: str, megabytes: int) -> None:
    engine = new_sqlite(tmp_path)
    ledger = Ledger(engine)
    ledger.has(*(an_interaction(f"call-{n}", request_bytes=LETTERS, response_bytes=0) for n in range(CALLS)))
    for number in range(CALLS):
        words = f"{number} words " * (LETTERS // 10)
        body = {"messages": [{"role": "user", "content": words[: LETTERS // 2]}]}
        ledger.says(f"call-{number}", {"Q:1": a_request(f"call-{number}", body=body)})
    url = engine.url.render_as_string(hide_password=False)
    engine.dispose()

    done = subprocess.run(
        [sys.executable, "-c", _MAKE, url, str(tmp_path / "files"), form, str(megabytes)],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr[-2000:]
    state, rows, has_parts, size = done.stdout.split()
    assert (state, rows, has_parts) == ("done", str(CALLS), "True"), (done.stdout, done.stderr[-2000:])
    assert form == "parquet" or int(size) > 100_000_000
