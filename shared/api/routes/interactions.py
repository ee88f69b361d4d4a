"""`/interactions`: the facts of calls, and their texts."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Response

from shared.api.bodies import GuardedRoute
from shared.api.callers import Role
from shared.api.cursors import list_cursor, list_key
from shared.api.models import ContentTexts, Interaction, InteractionPage
from shared.api.parameters import InteractionParameters, PromptParameters, SearchRequest, TextParameters
from shared.api.responses import json_response
from shared.api.routes.common import Audit, AuditCaller, ContentCaller, described
from shared.api.views import found_page_view, interaction_view, page_view, texts_view
from shared.questions import ListKey
from shared.services.audit import Reader

__all__ = ["router"]

router = APIRouter(prefix="/interactions", tags=["interactions"], route_class=GuardedRoute)

_LIST: Final = "/api/v1/interactions"
_ONE: Final = "/api/v1/interactions/{id}"
_SEARCH: Final = "/api/v1/interactions/search"
_CONTENT: Final = "/api/v1/interactions/{id}/content"

# An id is somebody else's text, a slash included: hence `path`, and the longer route first.
_Id = Annotated[str, Path(alias="id", description="the interaction's id")]


@router.get("", **described(Role.AUDIT_READ, model=InteractionPage))
def list_interactions(query: Annotated[InteractionParameters, Query()], caller: AuditCaller, audit: Audit) -> Response:
    """List interactions, newest first. Previews, and `q`, need Content.Read; each such reading is recorded."""
    after = list_key(query.cursor, query.question())
    if query.q is not None:
        return _found(query, query.q, after, audit, caller.reads(_LIST))
    page = audit.interactions(query.narrow(), after=after, limit=query.limit, reader=caller.reader(_LIST))
    return json_response(page_view(map(interaction_view, page.rows), list_cursor(page.next, query.question())))


@router.post("/search", **described(Role.AUDIT_READ, model=InteractionPage))
def search_interactions(
    request: SearchRequest, _query: Annotated[TextParameters, Query()], caller: AuditCaller, audit: Audit
) -> Response:
    """List the interactions whose texts match `q`, newest first. Needs Content.Read too; the search is recorded."""
    after = list_key(request.cursor, request.question())
    return _found(request, request.q, after, audit, caller.reads(_SEARCH, request.purpose))


def _found(query: PromptParameters, question: str, after: ListKey | None, audit: Audit, reader: Reader) -> Response:
    page = audit.search(question, query.narrow(), after=after, limit=query.limit, reader=reader)
    items = map(interaction_view, page.rows)
    following = list_cursor(page.next, query.question())
    return json_response(found_page_view(items, following, is_degraded=page.is_degraded, waiting=page.waiting))


@router.get("/{id:path}/content", **described(Role.CONTENT_READ, model=ContentTexts, missing=True))  # noqa: FAST003  # by its alias
def read_content(
    interaction_id: _Id, _query: Annotated[TextParameters, Query()], caller: ContentCaller, audit: Audit
) -> Response:
    """Return an interaction's texts and bodies. The reading is recorded."""
    content = audit.content_of(interaction_id, reader=caller.reads(_CONTENT))
    return json_response(texts_view(content._asdict()))


@router.get("/{id:path}", **described(Role.AUDIT_READ, model=Interaction, missing=True))  # noqa: FAST003  # by its alias
def read_interaction(
    interaction_id: _Id, _query: Annotated[TextParameters, Query()], caller: AuditCaller, audit: Audit
) -> Response:
    """Return one interaction. Its previews need Content.Read; their reading is recorded."""
    return json_response(interaction_view(audit.interaction(interaction_id, reader=caller.reader(_ONE))))
