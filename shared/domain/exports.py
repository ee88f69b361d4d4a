"""Exports: what a caller wants as files, how far that is, and the parts that are there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, NamedTuple

from shared.domain.access_log import Reader
from shared.domain.reach import Reach

__all__ = [
    "UNFINISHED",
    "Export",
    "ExportFormat",
    "ExportKind",
    "ExportPart",
    "ExportState",
    "PartNote",
    "manifest_name",
    "note_name",
    "part_name",
]


class ExportKind(StrEnum):
    """Of what rows are."""

    INTERACTIONS = "interactions"
    CONTENT = "content"
    USAGE = "usage"
    STATEMENT = "statement"
    ACCESS_LOG = "access-log"


class ExportFormat(StrEnum):
    """How rows are written; also how the names of files end."""

    NDJSON = "ndjson"
    CSV = "csv"
    PARQUET = "parquet"


class ExportState(StrEnum):
    """How far an export is."""

    WAITING = "waiting"
    MAKING = "making"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


UNFINISHED: Final = (ExportState.WAITING, ExportState.MAKING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What somebody wants, as of when they asked."""

    id: str
    kind: ExportKind
    format: ExportFormat
    filters: Mapping[str, Any]
    """Parameters of the list that it exports, by their public names; the caller's own."""
    reader: Reader
    reaches: Mapping[str, Reach] = field(default_factory=dict)
    """Role -> to which calls it extended, of the roles that the kind needs and that were limited."""
    wanted_at: str
    until: str
    """It is given up when it is not done by then."""
    state: ExportState = ExportState.WAITING
    part_count: int = 0
    row_count: int = 0
    byte_count: int = 0
    next_key: tuple[str, ...] | None = None
    """Behind which the next part begins; None: at the beginning."""
    reason: str | None = None
    finished_at: str | None = None
    remove_at: str | None = None
    """When its files are removed; None once they are, and while it is made."""


class ExportPart(NamedTuple):
    """One file; it never changes."""

    number: int
    """From 1."""
    row_count: int
    byte_count: int
    sha256: str
    interactions: str | None = None
    """Which are in it, as the access log says it; None where rows are no interactions."""


class PartNote(NamedTuple):
    """What is kept beside a file once it is complete: the first note of a part decides which file it is."""

    part: ExportPart
    next_key: tuple[str, ...] | None
    """Behind which the next part begins; None: this is the last."""


def part_name(export_id: str, form: ExportFormat, part: ExportPart) -> str:
    """Return the name of a part's file. It holds the digest: two that differ never have one name."""
    return f"{export_id}/{part.number:05}-{part.sha256[:16]}.{form.value}"


def note_name(export_id: str, number: int) -> str:
    """Return the name of a part's note."""
    return f"{export_id}/{number:05}.json"


def manifest_name(export_id: str) -> str:
    """Return the name of an export's manifest."""
    return f"{export_id}/manifest.json"
