"""`/statistics` and `/top`: usage with durations and errors, and the largest groups, from the rollups."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Response

from shared.api.callers import Role
from shared.api.cursors import usage_cursor, usage_key
from shared.api.models import Page, Usage
from shared.api.parameters import TOP_MEASURES, StatisticsParameters, TopParameters
from shared.api.responses import json_response
from shared.api.routes.common import Audit, UsageWithin, described
from shared.api.statistics_models import Statistics, statistics_view
from shared.api.views import page_view, usage_view

__all__ = ["router"]

router = APIRouter(tags=["usage"])


@router.get("/statistics", **described(Role.USAGE_READ, model=Page[Statistics]))
def list_statistics(query: Annotated[StatisticsParameters, Query()], caller: UsageWithin, audit: Audit) -> Response:
    """Add up usage as `/usage` does, each group with how long its calls took and how they failed.

    Durations are of the calls that did not fail: those of several groups or intervals are merged, not averaged.
    """
    question = query.query()
    question = replace(question, narrow=question.narrow.within(caller.within(Role.USAGE_READ)))
    dimensions, timed = question.dimensions, question.interval is not None
    after = usage_key(query.cursor, query.question(), dimensions=len(dimensions), timed=timed)
    page = audit.statistics(question, after=after, limit=query.limit)
    following = usage_cursor(page.next, query.question())
    return json_response(page_view((statistics_view(row, spread, dimensions) for row, spread in page.rows), following))


@router.get("/top", **described(Role.USAGE_READ, model=Page[Usage]))
def list_largest(query: Annotated[TopParameters, Query()], caller: UsageWithin, audit: Audit) -> Response:
    """List the users, teams, models or others with the most calls, tokens, money or errors, the largest first.

    By `amount` each currency of a group is an item of its own. What is unknown is an item like the others.
    """
    question = query.query()
    question = replace(question, narrow=question.narrow.within(caller.within(Role.USAGE_READ)))
    rows = audit.largest(question, measure=TOP_MEASURES[query.measure], limit=query.limit)
    return json_response(page_view((usage_view(row, question.dimensions) for row in rows), None))
