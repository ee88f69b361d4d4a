"""How far exports are, in SQL."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shared.domain.access_log import Reader
from shared.domain.exports import UNFINISHED, Export, ExportFormat, ExportKind, ExportPart, ExportState
from shared.domain.reach import Reach
from shared.questions import ListKey
from shared.retry import QUICK_SECONDS, retried
from shared.stores.sql import tables
from shared.stores.sql.conditions import is_equal
from shared.stores.sql.engine import reading, writing

__all__ = ["SqlExports"]

_TABLE: Final = tables.export.c
_PART: Final = tables.export_part.c
_NAMES: Final = [column.name for column in _TABLE]
_PARTS: Final = [_PART[name] for name in ExportPart._fields]
_OPEN: Final = [state.value for state in UNFINISHED]


class SqlExports:
    """`shared.stores.export_ports.ExportStore` on either database."""

    def __init__(self, engine: Engine, *, retry_seconds: float = QUICK_SECONDS) -> None:
        """Use `engine`, whose database is migrated to the newest revision, and try again for so long."""
        self._engine = engine
        self._retry_seconds = retry_seconds

    def add_export(self, export: Export) -> None:
        """Keep an export; see the port."""
        self._write(sa.insert(tables.export).inline().values(**_row_of(export)))

    def export(self, export_id: str) -> Export | None:
        """Return one export; see the port."""
        found = self._exports(sa.select(*_TABLE).where(_TABLE.id == export_id))
        return found[0] if found else None

    def list_exports(self, reader: str, *, after: ListKey | None, limit: int) -> list[Export]:
        """Return exports, newest first; see the port."""
        statement = sa.select(*_TABLE).where(is_equal(_TABLE.reader, reader))
        if after is not None:
            behind = sa.or_(_TABLE.wanted_at < after.moment, _TABLE.id < after.id)
            statement = statement.where(_TABLE.wanted_at <= after.moment, behind)
        return self._exports(statement.order_by(_TABLE.wanted_at.desc(), _TABLE.id.desc()).limit(limit))

    def unfinished_exports(self, *, reader: str | None = None, limit: int) -> list[Export]:
        """Return what is to be made, oldest first; see the port."""
        statement = sa.select(*_TABLE).where(_TABLE.state.in_(_OPEN))
        if reader is not None:
            statement = statement.where(is_equal(_TABLE.reader, reader))
        return self._exports(statement.order_by(_TABLE.wanted_at, _TABLE.id).limit(limit))

    def advance_export(self, export_id: str, part: ExportPart, next_key: tuple[str, ...]) -> None:
        """Keep a part; see the port."""
        state = {"state": ExportState.MAKING.value, "next_key": orjson.dumps([*next_key]).decode()}
        retried(partial(self._keep, export_id, part, state), seconds=self._retry_seconds)

    def finish_export(self, export_id: str, part: ExportPart, *, at: str, remove_at: str) -> None:
        """Keep the last part; see the port."""
        state = {"state": ExportState.DONE.value, "finished_at": at, "remove_at": remove_at}
        retried(partial(self._keep, export_id, part, state), seconds=self._retry_seconds)

    def end_export(self, export_id: str, state: ExportState, *, reason: str | None, at: str, remove_at: str) -> None:
        """Let an export go no further; see the port."""
        endable = [*_OPEN, ExportState.DONE.value] if state is ExportState.CANCELLED else _OPEN
        ended = sa.update(tables.export).where(_TABLE.id == export_id, _TABLE.state.in_(endable))
        self._write(ended.values(state=state.value, reason=reason, finished_at=at, remove_at=remove_at))

    def export_parts(self, export_id: str, *, after: int = 0, limit: int) -> list[ExportPart]:
        """Return parts; see the port."""
        statement = sa.select(*_PARTS).where(_PART.export_id == export_id, _PART.number > after)
        return [ExportPart._make(row) for row in self._read(statement.order_by(_PART.number).limit(limit))]

    def removable_exports(self, at: str, limit: int) -> list[Export]:
        """Return exports whose files are to go; see the port."""
        due = sa.select(*_TABLE).where(_TABLE.remove_at <= at)
        return self._exports(due.order_by(_TABLE.remove_at, _TABLE.id).limit(limit))

    def forget_files(self, export_id: str) -> None:
        """Keep that files are removed; see the port."""
        is_done = _TABLE.state == ExportState.DONE.value
        state = sa.case((is_done, sa.literal(ExportState.EXPIRED.value, _TABLE.state.type)), else_=_TABLE.state)
        gone = sa.update(tables.export).where(_TABLE.id == export_id)
        self._write(gone.values(state=state, remove_at=sa.null()))

    def _keep(self, export_id: str, part: ExportPart, state: Mapping[str, str]) -> None:
        before = part.number - 1
        moved = sa.update(tables.export).where(
            _TABLE.id == export_id, _TABLE.part_count == before, _TABLE.state.in_(_OPEN)
        )
        moved = moved.values(
            part_count=part.number,
            row_count=_TABLE.row_count + part.row_count,
            byte_count=_TABLE.byte_count + part.byte_count,
            **state,
        )
        with writing(self._engine) as connection:
            if connection.execute(moved).rowcount:
                connection.execute(sa.insert(tables.export_part).inline().values(export_id=export_id, **part._asdict()))

    def _exports(self, statement: sa.Select[Any]) -> list[Export]:
        return [_export_of(dict(zip(_NAMES, row, strict=True))) for row in self._read(statement)]

    def _read(self, statement: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        def read() -> Sequence[sa.Row[Any]]:
            with reading(self._engine) as connection:
                return connection.execute(statement).all()

        return retried(read, seconds=self._retry_seconds)

    def _write(self, statement: sa.Insert | sa.Update) -> None:
        def transaction() -> None:
            with writing(self._engine) as connection:
                connection.execute(statement)

        retried(transaction, seconds=self._retry_seconds)


def _row_of(export: Export) -> dict[str, Any]:
    reader = export.reader._asdict() | {"roles": sorted(export.reader.roles)}
    del reader["reaches"]
    reaches = {role: [reach.subscriptions, reach.products, reach.teams] for role, reach in export.reaches.items()}
    return {
        "id": export.id,
        "reader": export.reader.id,
        "asker": orjson.dumps({"reader": reader, "reaches": reaches}).decode(),
        "kind": export.kind.value,
        "format": export.format.value,
        "filters": orjson.dumps(export.filters).decode(),
        "wanted_at": export.wanted_at,
        "until": export.until,
        "state": export.state.value,
        "part_count": export.part_count,
        "row_count": export.row_count,
        "byte_count": export.byte_count,
    }


def _export_of(row: Mapping[str, Any]) -> Export:
    asker = orjson.loads(row["asker"])
    reader = asker["reader"] | {"roles": frozenset(asker["reader"]["roles"])}
    same = ("id", "wanted_at", "until", "part_count", "row_count", "byte_count", "reason", "finished_at", "remove_at")
    return Export(
        kind=ExportKind(row["kind"]),
        format=ExportFormat(row["format"]),
        filters=orjson.loads(row["filters"]),
        reader=Reader(**reader),
        reaches={role: Reach(*map(tuple, found)) for role, found in asker["reaches"].items()},
        state=ExportState(row["state"]),
        next_key=None if row["next_key"] is None else tuple(orjson.loads(row["next_key"])),
        **{name: row[name] for name in same},
    )
