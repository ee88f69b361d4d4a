"""Exports as their owners see them: asked for, listed, read part by part, cancelled."""

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from shared.domain.access_log import AccessResult, Reader, entry_of
from shared.domain.exports import (
    Export,
    ExportFormat,
    ExportKind,
    ExportPart,
    ExportState,
    manifest_name,
    part_name,
)
from shared.domain.reach import Reach
from shared.domain.values import utc_now, utc_of
from shared.errors import NotFoundError, NotPossibleError
from shared.questions import ListKey
from shared.stores.access_ports import AccessLogStore
from shared.stores.export_ports import ExportFiles, ExportStore

__all__ = ["CANCEL_GRACE", "ExportPage", "ExportService", "ExportTimes"]

_MOST_UNFINISHED: Final = 5
"""Of one reader."""
CANCEL_GRACE: Final = timedelta(hours=1)
"""After which the files of what was cancelled or has failed are removed: a part that is being written is among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportTimes:
    """How long exports take and last."""

    most: timedelta = timedelta(hours=24)
    """After which one that is not done is given up."""
    kept: timedelta = timedelta(days=7)
    """After which the files of one that is done are removed."""


class ExportPage(NamedTuple):
    """Part of the list of exports, newest first."""

    exports: list[Export]
    next: ListKey | None


class ExportService:
    """The use cases. Every method raises StoreUnavailableError when a store is down.

    What is somebody else's export is answered as one that is not there.
    """

    def __init__(
        self,
        store: ExportStore,
        files: ExportFiles | None,
        log: AccessLogStore,
        *,
        times: ExportTimes,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        """Keep exports in `store` and read `files`, None where there is no place for them; record in `log`."""
        self._store = store
        self._files = files
        self._log = log
        self._times = times
        self._now = now

    def ask(
        self,
        kind: ExportKind,
        form: ExportFormat,
        filters: Mapping[str, Any],
        *,
        reader: Reader,
        reaches: Mapping[str, Reach],
    ) -> Export:
        """Keep that a reader wants an export, with how far their roles extend now; recorded first.

        Raises:
            NotPossibleError: there is no place for files, or the reader has too many exports that are not done.
        """
        if self._files is None:
            raise NotPossibleError("exports are off: PROMPTLEDGER_EXPORTS names no place for their files")
        if len(self._store.unfinished_exports(reader=reader.id, limit=_MOST_UNFINISHED)) == _MOST_UNFINISHED:
            raise NotPossibleError(f"you have {_MOST_UNFINISHED} exports that are not done: cancel one, or wait")
        now = self._now()
        export = Export(
            id=uuid.uuid4().hex,
            kind=kind,
            format=form,
            filters=filters,
            reader=reader,
            reaches=reaches,
            wanted_at=utc_of(now),
            until=utc_of(now + self._times.most),
        )
        filtered = [f"{name}={value}" for name, value in filters.items()]
        self._record(reader, " ".join([export.id, kind.value, form.value, *filtered]))
        self._store.add_export(export)
        return export

    def export(self, export_id: str, *, reader: Reader) -> Export:
        """Return one export of the reader's.

        Raises:
            NotFoundError: they have none of this id.
        """
        found = self._store.export(export_id)
        if found is None or found.reader.id != reader.id:
            raise NotFoundError("there is no export with this id")
        return found

    def exports(self, *, reader: Reader, after: ListKey | None, limit: int) -> ExportPage:
        """Return exports of the reader's, newest first."""
        found = self._store.list_exports(reader.id, after=after, limit=limit + 1)
        last = found[limit - 1] if len(found) > limit else None
        return ExportPage(found[:limit], None if last is None else ListKey(last.wanted_at, last.id))

    def cancel(self, export_id: str, *, reader: Reader) -> Export:
        """Let an export go no further, or a done one be had no more; recorded. Asking twice changes nothing.

        Raises:
            NotFoundError: the reader has none of this id.
        """
        self.export(export_id, reader=reader)
        self._record(reader, f"cancel {export_id}")
        now = self._now()
        at, remove_at = utc_of(now), utc_of(now + CANCEL_GRACE)
        self._store.end_export(export_id, ExportState.CANCELLED, reason=None, at=at, remove_at=remove_at)
        return self.export(export_id, reader=reader)

    def part(self, export: Export, number: int, *, reader: Reader) -> tuple[ExportPart, Iterator[bytes]]:
        """Return a part of an export and its file in blocks; recorded, with the interactions in it, before.

        Raises:
            NotFoundError: the part is not there, or not any more.
        """
        found = self._store.export_parts(export.id, after=number - 1, limit=1) if _is_readable(export) else []
        if not found or found[0].number != number or self._files is None:
            self._record(reader, f"{export.id} part {number}", result=AccessResult.NOT_FOUND)
            raise NotFoundError("there is no such part of this export, or not any more")
        part = found[0]
        self._record(reader, f"{export.id} part {number} sha256={part.sha256}", part=part)
        blocks = self._files.read(part_name(export.id, export.format, part))
        if blocks is None:
            raise NotFoundError("the file of this part was removed")
        return part, blocks

    def manifest(self, export: Export) -> bytes:
        """Return what an export that is done consists of, as JSON.

        Raises:
            NotFoundError: it is not done, or its files were removed.
        """
        is_done = export.state is ExportState.DONE and self._files is not None
        blocks = self._files.read(manifest_name(export.id)) if is_done and self._files is not None else None
        if blocks is None:
            raise NotFoundError("this export is not done, or its files were removed")
        return b"".join(blocks)

    def _record(
        self,
        reader: Reader,
        subject: str,
        *,
        part: ExportPart | None = None,
        result: AccessResult = AccessResult.DONE,
    ) -> None:
        entry = entry_of(reader, subject, at=utc_of(self._now()), rows=part and part.row_count, result=result)
        self._log.record_access(entry._replace(interactions=part and part.interactions))


def _is_readable(export: Export) -> bool:
    return export.state in {ExportState.MAKING, ExportState.DONE}
