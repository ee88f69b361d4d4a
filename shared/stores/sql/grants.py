"""Grants to read texts, in SQL."""

from functools import partial
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shared.domain.grants import Grant
from shared.questions import ListKey
from shared.retry import QUICK_SECONDS, retried
from shared.stores.sql import tables
from shared.stores.sql.conditions import is_equal
from shared.stores.sql.engine import reading, writing

__all__ = ["SqlGrants"]

_TABLE: Final = tables.content_grant.c


class SqlGrants:
    """`shared.stores.access_ports.GrantStore` on either database."""

    _engine: Engine

    def has_grant(self, reader: str, case_id: str, *, at: str) -> bool:
        """Return whether one counts; see the port."""
        is_open = sa.and_(_TABLE.given_at <= at, _TABLE.valid_to > at, _TABLE.ended_at.is_(None))
        same = (is_equal(_TABLE.reader, reader), is_equal(_TABLE.case_id, case_id))
        return bool(self._grants(sa.select(*_TABLE).where(*same, is_open).limit(1)))

    def grant(self, grant_id: str) -> Grant | None:
        """Return one grant; see the port."""
        found = self._grants(sa.select(*_TABLE).where(_TABLE.id == grant_id))
        return found[0] if found else None

    def list_grants(self, *, after: ListKey | None, limit: int) -> list[Grant]:
        """Return grants, newest first; see the port."""
        statement = sa.select(*_TABLE)
        if after is not None:
            behind = sa.or_(_TABLE.wanted_at < after.moment, _TABLE.id < after.id)
            statement = statement.where(_TABLE.wanted_at <= after.moment, behind)
        return self._grants(statement.order_by(_TABLE.wanted_at.desc(), _TABLE.id.desc()).limit(limit))

    def add_grant(self, grant: Grant) -> None:
        """Keep a grant; see the port."""
        self._change(sa.insert(tables.content_grant).inline().values(**grant._asdict()))

    def give_grant(self, grant_id: str, *, at: str, valid_to: str, actor: str) -> None:
        """Let a grant count; see the port."""
        change = sa.update(tables.content_grant).values(given_by=actor, given_at=at, valid_to=valid_to)
        self._change(change.where(_TABLE.id == grant_id, _TABLE.given_at.is_(None), _TABLE.ended_at.is_(None)))

    def end_grant(self, grant_id: str, *, at: str, actor: str) -> None:
        """Let a grant count no longer; see the port."""
        change = sa.update(tables.content_grant).values(ended_by=actor, ended_at=at)
        self._change(change.where(_TABLE.id == grant_id, _TABLE.ended_at.is_(None)))

    def _grants(self, statement: sa.Select[Any]) -> list[Grant]:
        def read() -> list[Grant]:
            with reading(self._engine) as connection:
                return [Grant(*row) for row in connection.execute(statement)]

        return retried(read, seconds=QUICK_SECONDS)

    def _change(self, statement: sa.Insert | sa.Update) -> None:
        retried(partial(self._changed, statement), seconds=QUICK_SECONDS)

    def _changed(self, statement: sa.Insert | sa.Update) -> None:
        with writing(self._engine) as connection:
            connection.execute(statement)
