"""`/prompts`: each call, the size of its prompt and how it begins."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from shared.api.callers import Role
from shared.api.cursors import list_cursor, list_key
from shared.api.models import Page, Prompt
from shared.api.parameters import PromptParameters
from shared.api.responses import json_response
from shared.api.routes.common import Audit, UsageWithin, described
from shared.api.views import page_view, prompt_view

__all__ = ["router"]

router = APIRouter(prefix="/prompts", tags=["prompts"])


@router.get("", **described(Role.USAGE_READ, model=Page[Prompt]))
def list_prompts(query: Annotated[PromptParameters, Query()], caller: UsageWithin, audit: Audit) -> Response:
    """List calls, newest first. `promptPreview` needs Content.Read as well; such a reading is recorded."""
    reader = caller.reader("/api/v1/prompts")
    after = list_key(query.cursor, query.question())
    page = audit.prompts(
        query.narrow().within(caller.within(Role.USAGE_READ)), after=after, limit=query.limit, reader=reader
    )
    return json_response(page_view(map(prompt_view, page.rows), list_cursor(page.next, query.question())))
