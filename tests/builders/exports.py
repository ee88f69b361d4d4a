"""Exports, each with one thing changed, and their files in memory."""

from collections.abc import Iterator
from typing import Any

from shared.domain.access_log import Reader
from shared.domain.exports import Export, ExportFormat, ExportKind
from shared.errors import StoreUnavailableError

__all__ = ["WANTED_AT", "MemoryFiles", "an_export"]

WANTED_AT = "2026-03-02T09:00:00.000Z"


def an_export(identifier: str = "e1", **changes: Any) -> Export:
    """Return an export of all usage that Ada asked for."""
    reader = Reader("ada", "/api/v1/exports", roles=frozenset({"Usage.Read"}), purpose="case 7", request_id="r1")
    given = {
        "kind": ExportKind.USAGE,
        "format": ExportFormat.CSV,
        "filters": {"model": "gpt-4o"},
        "reader": reader,
        "wanted_at": WANTED_AT,
        "until": "2026-03-03T09:00:00.000Z",
    }
    return Export(id=identifier, **(given | changes))


class MemoryFiles:
    """`shared.stores.export_ports.ExportFiles` in a dictionary."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.is_down = False

    def keep(self, name: str, body: bytes) -> bool:
        self._ask()
        return self.files.setdefault(name, body) is body

    def read(self, name: str) -> Iterator[bytes] | None:
        self._ask()
        return iter([self.files[name]]) if name in self.files else None

    def remove(self, folder: str) -> None:
        self._ask()
        for name in [name for name in self.files if name.startswith(f"{folder}/")]:
            del self.files[name]

    def _ask(self) -> None:
        if self.is_down:
            raise StoreUnavailableError("the files are away")
