"""`/usage`: usage by group and interval, from the rollups."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from shared.api.callers import Role
from shared.api.cursors import usage_cursor, usage_key
from shared.api.models import Page, Usage
from shared.api.parameters import DIMENSIONS, UsageParameters
from shared.api.routes.common import Audit, UsageWithin, described
from shared.api.tabular import list_response, tabular
from shared.api.views import usage_view

__all__ = ["router"]

router = APIRouter(prefix="/usage", tags=["usage"])


@router.get("", **tabular(described(Role.USAGE_READ, model=Page[Usage])))
def list_usage(
    query: Annotated[UsageParameters, Query()], caller: UsageWithin, audit: Audit, request: Request
) -> Response:
    """Add up usage by group, and by hour, day or month when an interval is given.

    Rows are whole intervals (UTC): `from` is rounded down to one, `to` up. Without an interval the
    hours of the range are added up, one row a group. Rows come in the order of their interval, then
    of their group. Every filter must hold. The rollups follow the facts by minutes.
    """
    question = query.query()
    question = replace(question, narrow=question.narrow.within(caller.within(Role.USAGE_READ)))
    dimensions, timed = question.dimensions, question.interval is not None
    after = usage_key(query.cursor, query.question(), dimensions=len(dimensions), timed=timed)
    page = audit.usage(question, after=after, limit=query.limit)
    following = usage_cursor(page.next, query.question())
    grouped = {name for name, column in DIMENSIONS.items() if column in dimensions}
    items = (usage_view(row, dimensions) for row in page.rows)
    return list_response(request, Usage, items, following, optional=grouped)
