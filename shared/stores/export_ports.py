"""What exports need from storage: a table of how far each is, and a place for files."""

from collections.abc import Iterator
from typing import Protocol

from shared.domain.exports import Export, ExportPart, ExportState
from shared.questions import ListKey

__all__ = ["ExportFiles", "ExportStore"]


class ExportStore(Protocol):
    """How far exports are. Every method raises StoreUnavailableError when the database does not answer."""

    def add_export(self, export: Export) -> None:
        """Keep an export that is asked for."""

    def export(self, export_id: str) -> Export | None:
        """Return one export."""

    def list_exports(self, reader: str, *, after: ListKey | None, limit: int) -> list[Export]:
        """Return up to `limit` exports of a reader behind `after` in (wanted_at, id) order, newest first."""

    def unfinished_exports(self, *, reader: str | None = None, limit: int) -> list[Export]:
        """Return up to `limit` exports that wait or are made, of one reader or of all, the oldest first."""

    def advance_export(self, export_id: str, part: ExportPart, next_key: tuple[str, ...]) -> None:
        """Keep that a part is there and where the next begins; does nothing if it was known, or the export has ended.

        All or nothing.
        """

    def finish_export(self, export_id: str, part: ExportPart, *, at: str, remove_at: str) -> None:
        """Keep the last part, and that the export is done; as `advance_export`."""

    def end_export(self, export_id: str, state: ExportState, *, reason: str | None, at: str, remove_at: str) -> None:
        """Let an export that is not done, or for `CANCELLED` one that is, go no further; else does nothing."""

    def export_parts(self, export_id: str, *, after: int = 0, limit: int) -> list[ExportPart]:
        """Return up to `limit` parts behind number `after`, in order."""

    def removable_exports(self, at: str, limit: int) -> list[Export]:
        """Return up to `limit` exports whose files are to be removed at `at`."""

    def forget_files(self, export_id: str) -> None:
        """Keep that an export's files are removed; one that was done has expired."""


class ExportFiles(Protocol):
    """Files in Blob storage or a folder. Every method raises StoreUnavailableError when the place does not answer."""

    def keep(self, name: str, body: bytes) -> bool:
        """Keep a file, complete or not at all, unless one of that name is there; return whether it was kept."""

    def read(self, name: str) -> Iterator[bytes] | None:
        """Return a file in blocks of bounded size, from its beginning; None where there is none."""

    def remove(self, folder: str) -> None:
        """Remove all files whose names begin with `folder` and a slash. Idempotent."""
