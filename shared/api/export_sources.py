"""The rows of exports: the lists of the API, page by page, as they answer the same question."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from shared.api.access_models import AccessRecord, access_view
from shared.api.callers import Role
from shared.api.columns import columns_of
from shared.api.cost_models import StatementLine
from shared.api.cost_views import statement_view
from shared.api.export_models import parameters_of
from shared.api.models import ContentTexts, Interaction, Usage
from shared.api.parameters import DIMENSIONS
from shared.api.views import Answer, interaction_view, texts_view, usage_view
from shared.domain.exports import Export, ExportKind
from shared.domain.reach import Reach
from shared.questions import InteractionFilter, ListKey
from shared.services.audit import AuditService, Page
from shared.services.costs import CostService
from shared.services.export_files import Column, ColumnKind
from shared.services.export_making import ExportRows, ExportSource
from shared.stores.ports import Row

__all__ = ["sources_of"]

_ROWS: Final = 1_000
_CONTENT_ROWS: Final = 200
_CONTENT_BYTES: Final = 4 * 1024 * 1024
"""Of the bodies that are read together, as their interactions tell: one alone may be larger."""
_UNKNOWN_BYTES: Final = 64 * 1024
"""Taken for a body whose size nobody given."""


def sources_of(audit: AuditService, costs: CostService) -> Mapping[ExportKind, ExportSource]:
    """Return where the rows of each kind come from."""
    return {
        ExportKind.INTERACTIONS: _Interactions(audit),
        ExportKind.CONTENT: _Content(audit),
        ExportKind.USAGE: _Usage(audit),
        ExportKind.STATEMENT: _Statement(costs),
        ExportKind.ACCESS_LOG: _Accesses(audit),
    }


class _Interactions:
    """Facts of calls; without any text, whatever roles the reader has: exports of content have those."""

    def __init__(self, audit: AuditService) -> None:
        self._audit = audit

    def columns(self, _export: Export) -> Sequence[Column]:
        return columns_of(Interaction)

    def rows(self, export: Export, after: tuple[str, ...] | None) -> ExportRows:
        page = _interactions(self._audit, export, after, _ROWS)
        return ExportRows(list(map(interaction_view, page.rows)), page.next)


class _Content:
    """Texts and bodies."""

    def __init__(self, audit: AuditService) -> None:
        self._audit = audit

    def columns(self, _export: Export) -> Sequence[Column]:
        named = [Column(("id",), ColumnKind.TEXT), Column(("occurredAt",), ColumnKind.TIME)]
        return [*named, *columns_of(ContentTexts)]

    def rows(self, export: Export, after: tuple[str, ...] | None) -> ExportRows:
        page = _interactions(self._audit, export, after, _CONTENT_ROWS)
        rows = page.rows[: _fitting(page.rows)]
        following = page.next
        if len(rows) < len(page.rows):
            following = ListKey(rows[-1]["occurred_at"], rows[-1]["id"])
        items: list[Answer] = [
            {"id": row["id"], "occurredAt": row["occurred_at"], **texts_view(content._asdict())}
            for row, content in zip(rows, self._audit.contents(rows), strict=True)
        ]
        return ExportRows(items, following, [row["id"] for row in rows])


class _Usage:
    """Usage by group and interval."""

    def __init__(self, audit: AuditService) -> None:
        self._audit = audit

    def columns(self, export: Export) -> Sequence[Column]:
        dimensions = parameters_of(export.kind, dict(export.filters)).query().dimensions
        return columns_of(Usage, optional={name for name, column in DIMENSIONS.items() if column in dimensions})

    def rows(self, export: Export, after: tuple[str, ...] | None) -> ExportRows:
        question = parameters_of(export.kind, dict(export.filters)).query()
        question = replace(question, narrow=question.narrow.within(_within(export, Role.USAGE_READ)))
        page = self._audit.usage(question, after=after, limit=_ROWS)
        return ExportRows([usage_view(row, question.dimensions) for row in page.rows], page.next)


class _Statement:
    """The lines of a month."""

    def __init__(self, costs: CostService) -> None:
        self._costs = costs

    def columns(self, _export: Export) -> Sequence[Column]:
        return columns_of(StatementLine)

    def rows(self, export: Export, after: tuple[str, ...] | None) -> ExportRows:
        question = parameters_of(export.kind, dict(export.filters)).query()
        question = replace(question, reaches=_within(export, Role.USAGE_READ))
        found = self._costs.statement(question, after=after, limit=_ROWS)
        lines = statement_view(question, found, None)["items"]
        assert isinstance(lines, list)  # noqa: S101  # so its model says
        return ExportRows(lines, found.next)


class _Accesses:
    """The access log."""

    def __init__(self, audit: AuditService) -> None:
        self._audit = audit

    def columns(self, _export: Export) -> Sequence[Column]:
        return columns_of(AccessRecord)

    def rows(self, export: Export, after: tuple[str, ...] | None) -> ExportRows:
        narrow = parameters_of(export.kind, dict(export.filters)).narrow()
        page = self._audit.accesses(narrow, after=_key(after), limit=_ROWS)
        return ExportRows(list(map(access_view, page.rows)), page.next)


def _interactions(audit: AuditService, export: Export, after: tuple[str, ...] | None, limit: int) -> Page:
    narrow: InteractionFilter = parameters_of(export.kind, dict(export.filters)).narrow()
    reaches = [*_within(export, Role.AUDIT_READ), *_within(export, Role.CONTENT_READ)]
    return audit.interactions(narrow.within(reaches), after=_key(after), limit=limit, reader=None)


def _within(export: Export, role: Role) -> tuple[Reach, ...]:
    """Return to which calls a role extended when the export was asked for, of the roles that its kind needs."""
    return (export.reaches[role.value],) if role.value in export.reaches else ()


def _key(after: tuple[str, ...] | None) -> ListKey | None:
    return None if after is None else ListKey(*after)


def _fitting(rows: Sequence[Row]) -> int:
    """Return of how many of the first rows the bodies may be in memory at one time: one at least."""
    total = 0
    for number, row in enumerate(rows):
        given = (row["request_bytes"], row["response_bytes"])
        total += sum(_UNKNOWN_BYTES if size is None else size for size in given)
        if total > _CONTENT_BYTES and number:
            return number
    return len(rows)
