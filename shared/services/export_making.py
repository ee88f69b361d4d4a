"""Exports that were asked for -> parts in storage: one after the other, each whole or not there.

A part's file comes first, then its note, then the row that counts it. Whoever is stopped between two of them leaves
what the next run takes up: the first note of a part decides which file it is, and where the next part begins.
"""

import hashlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final, NamedTuple, Protocol

import orjson

from shared.domain.access_log import entry_of, interactions_in
from shared.domain.exports import (
    Export,
    ExportKind,
    ExportPart,
    ExportState,
    PartNote,
    manifest_name,
    note_name,
    part_name,
)
from shared.domain.values import utc_now, utc_of
from shared.errors import StoreUnavailableError
from shared.services.export_files import Column, Lines
from shared.services.exports import CANCEL_GRACE, ExportTimes
from shared.services.isolation import LOGGED_ONLY, Failures, one_by_one
from shared.stores.access_ports import AccessLogStore
from shared.stores.export_ports import ExportFiles, ExportStore

__all__ = ["ExportMaker", "ExportRows", "ExportSource"]

logger = logging.getLogger(__name__)

_SECONDS: Final = 240.0
"""Of one run, about: what is left waits for the next one."""
_PART_BYTES: Final = 8 * 1024 * 1024
"""A part ends with the page of rows that brings it there."""
_PART_ROWS: Final = 50_000
_MOST_PARTS: Final = 10_000
_AT_A_TIME: Final = 20


class ExportRows(NamedTuple):
    """Some rows of an export, in order."""

    items: Sequence[Mapping[str, Any]]
    """As the API answers them."""
    next_key: tuple[str, ...] | None
    """Behind which the next rows begin; None at the end."""
    ids: Sequence[str] | None = None
    """Of the interactions whose texts are in them; None where there are no texts."""


class ExportSource(Protocol):
    """Where rows of one kind come from."""

    def columns(self, export: Export) -> Sequence[Column]:
        """Return what the table of an export has."""

    def rows(self, export: Export, after: tuple[str, ...] | None) -> ExportRows:
        """Return some rows behind a place, no more than fit into memory beside others."""


class ExportMaker:
    """What the timer runs."""

    def __init__(  # noqa: PLR0913  # stores, and what tests change
        self,
        store: ExportStore,
        files: ExportFiles | None,
        log: AccessLogStore,
        sources: Callable[[], Mapping[ExportKind, ExportSource]],
        *,
        times: ExportTimes,
        failures: Failures = LOGGED_ONLY,
        part_bytes: int = _PART_BYTES,
        seconds: float = _SECONDS,
        now: Callable[[], datetime] = utc_now,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make what `store` wants from `sources`, which are asked for with the first export, into `files`."""
        self._store = store
        self._files = files
        self._log = log
        self._sources = sources
        self._times = times
        self._failures = failures
        self._part_bytes = part_bytes
        self._seconds = seconds
        self._now = now
        self._clock = clock

    def run(self) -> int:
        """Make parts of all exports that are not done, by turns, until all are or the time is over; return how many.

        Files that are due to go are removed before. An export that fails stops no other; it is tried until its time
        is over.

        Raises:
            StoreUnavailableError: what was made stays; the next run goes on.
        """
        if self._files is None:
            return 0
        self._remove_files(self._files)
        until, number = self._clock() + self._seconds, 0
        while self._clock() < until and (waiting := self._store.unfinished_exports(limit=_AT_A_TIME)):
            made = self._turn(waiting, self._files)
            number += made
            if not made:
                break
        return number

    def _turn(self, waiting: Sequence[Export], files: ExportFiles) -> int:
        """Make a part of each export; return how many that are."""
        made, fault = 0, None
        for export in waiting:
            try:
                # By its id, which is logged where it fails.
                step = partial(self._step_of, {export.id: export}, files)
                made += sum(one_by_one(step, [export.id], self._failures).results)
            except StoreUnavailableError as error:
                # One whose rows take the database too long must not keep the others waiting.
                fault = error
        if fault is not None and not made:
            raise fault
        return made

    def _remove_files(self, files: ExportFiles) -> None:
        def remove(export_id: str) -> None:
            files.remove(export_id)
            self._store.forget_files(export_id)

        due = self._store.removable_exports(utc_of(self._now()), _AT_A_TIME)
        one_by_one(remove, [export.id for export in due], self._failures)

    def _step_of(self, exports: Mapping[str, Export], files: ExportFiles, export_id: str) -> int:
        return self._step(exports[export_id], files=files)

    def _step(self, export: Export, *, files: ExportFiles) -> int:
        """Make the next part of an export, or give it up; return how many parts that are."""
        now = self._now()
        reason = self._reason_to_end(export, utc_of(now))
        if reason is not None:
            at, remove_at = utc_of(now), utc_of(now + CANCEL_GRACE)
            self._store.end_export(export.id, ExportState.FAILED, reason=reason, at=at, remove_at=remove_at)
            logger.warning("export.failed id=%s parts=%d reason=%s", export.id, export.part_count, reason)
            return 0
        number = export.part_count + 1
        note = _note_of(files.read(note_name(export.id, number))) or self._make(export, number, files)
        if note.next_key is not None:
            self._store.advance_export(export.id, note.part, note.next_key)
            return 1
        files.keep(manifest_name(export.id), self._manifest(export, note.part))
        done = self._now()
        self._store.finish_export(export.id, note.part, at=utc_of(done), remove_at=utc_of(done + self._times.kept))
        logger.info("export.done id=%s kind=%s parts=%d", export.id, export.kind.value, number)
        return 1

    @staticmethod
    def _reason_to_end(export: Export, at: str) -> str | None:
        if at >= export.until:
            return "it was not done in time: narrow it"
        return "it has too many parts: narrow it" if export.part_count >= _MOST_PARTS else None

    def _make(self, export: Export, number: int, files: ExportFiles) -> PartNote:
        """Return the note of a part that is made now; or of the one that somebody else made meanwhile."""
        source = self._sources()[export.kind]
        lines = Lines(export.format, source.columns(export))
        after, ids = export.next_key, list[str]()
        has_texts = False
        while True:
            found = source.rows(export, after)
            lines.add(found.items)
            has_texts = has_texts or found.ids is not None
            ids.extend(found.ids or ())
            after = found.next_key
            if after is None or lines.size >= self._part_bytes or lines.rows >= _PART_ROWS:
                break
        body = lines.body()
        held = interactions_in(ids) if has_texts else None
        part = ExportPart(number, lines.rows, len(body), hashlib.sha256(body).hexdigest(), held)
        if has_texts:
            # Before the texts lie in the place for files, from where others may take them.
            entry = entry_of(export.reader, f"{export.id} makes part {number}", at=utc_of(self._now()), ids=ids)
            self._log.record_access(entry)
        files.keep(part_name(export.id, export.format, part), body)
        files.keep(note_name(export.id, number), orjson.dumps({"part": [*part], "next": after and [*after]}))
        kept = _note_of(files.read(note_name(export.id, number)))
        if kept is None:
            raise StoreUnavailableError("a part of an export was removed while it was made")
        return kept

    def _manifest(self, export: Export, last: ExportPart) -> bytes:
        """Return the manifest: the same for the same parts."""
        parts = [*self._parts(export.id), last]
        return orjson.dumps(
            {
                "id": export.id,
                "kind": export.kind.value,
                "format": export.format.value,
                "filters": export.filters,
                "wantedBy": export.reader.id,
                "wantedAt": export.wanted_at,
                "purpose": export.reader.purpose,
                "rows": sum(part.row_count for part in parts),
                "bytes": sum(part.byte_count for part in parts),
                "parts": [
                    {
                        "number": part.number,
                        "file": part_name(export.id, export.format, part),
                        "rows": part.row_count,
                        "bytes": part.byte_count,
                        "sha256": part.sha256,
                    }
                    for part in parts
                ],
            },
            option=orjson.OPT_INDENT_2,
        )

    def _parts(self, export_id: str) -> Iterator[ExportPart]:
        last = 0
        while found := self._store.export_parts(export_id, after=last, limit=1_000):
            yield from found
            last = found[-1].number


def _note_of(blocks: Iterator[bytes] | None) -> PartNote | None:
    if blocks is None:
        return None
    note = orjson.loads(b"".join(blocks))
    return PartNote(ExportPart(*note["part"]), None if note["next"] is None else tuple(note["next"]))
