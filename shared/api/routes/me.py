"""`/me`: what concerns the caller alone, whoever may see what else."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Response

from shared.api.budget_models import OwnUsage
from shared.api.budget_views import budget_view
from shared.api.cursors import usage_cursor, usage_key
from shared.api.parameters import NoParameters, OwnUsageParameters
from shared.api.reach_models import Me, me_view
from shared.api.responses import json_response
from shared.api.routes.common import AnyCaller, Audit, Budgets, described
from shared.api.views import usage_view, view_of
from shared.pricing.budgets import Target
from shared.questions import InteractionFilter

__all__ = ["router"]

router = APIRouter(prefix="/me", tags=["me"])


@router.get("", **described(None, model=Me))
def read_me(_query: Annotated[NoParameters, Query()], caller: AnyCaller) -> Response:
    """Return the caller's id, roles, and how far each of them extends. Whoever is signed in may ask."""
    return json_response(me_view(caller))


@router.get("/usage", **described(None, model=OwnUsage))
def list_own_usage(
    query: Annotated[OwnUsageParameters, Query()], caller: AnyCaller, audit: Audit, budgets: Budgets
) -> Response:
    """Add up the caller's own usage, as `/usage` does, and show his own budgets. No role is needed.

    His own are the calls whose `userId` is the object id of his token. Whatever is asked, nobody else's are added.
    """
    given = query.query()
    question = replace(given, narrow=InteractionFilter(**{**given.narrow.values, "user_id": caller.id}))
    timed = question.interval is not None
    # Of this caller: a cursor that somebody else got names no place in this list.
    asker = f"{query.question()} {caller.id}"
    after = usage_key(query.cursor, asker, dimensions=len(question.dimensions), timed=timed)
    page = audit.usage(question, after=after, limit=query.limit)
    own = budgets.budgets_of(Target.USER, caller.id)
    answer = view_of(
        OwnUsage,
        {},
        user_id=caller.id,
        items=[usage_view(row, question.dimensions) for row in page.rows],
        next_cursor=usage_cursor(page.next, asker),
        budgets=[budget_view(one) for one in own],
    )
    return json_response(answer)
