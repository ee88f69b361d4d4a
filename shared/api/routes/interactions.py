"""`/interactions`: the facts of calls, and their texts."""

from collections.abc import Sequence
from typing import Annotated, Final, NamedTuple

from fastapi import APIRouter, Query, Request, Response

from shared.api.bodies import GuardedRoute
from shared.api.callers import Caller, Role
from shared.api.cursors import list_cursor, list_key, moving_cursor, moving_key
from shared.api.ids import ItemId
from shared.api.models import ContentTexts, Interaction
from shared.api.page_models import InteractionPage
from shared.api.parameters import InteractionParameters, PromptParameters, SearchRequest, TextParameters
from shared.api.responses import item_response, json_response
from shared.api.routes.common import Audit, AuditWithin, ContentWithin, described
from shared.api.tabular import list_response, tabular, wanted_format
from shared.api.views import counted_page_view, found_page_view, interaction_view, texts_view
from shared.domain.interaction import State
from shared.domain.reach import Reach
from shared.errors import InvalidRequestError
from shared.questions import ListKey
from shared.services.audit import Reader

__all__ = ["router"]

router = APIRouter(prefix="/interactions", tags=["interactions"], route_class=GuardedRoute)

_WAITING: Final = {State.PENDING.value, State.INCOMPLETE.value}
_MOST_LETTERS: Final = 100
"""Of an id that a cursor holds: a cursor stands in an address."""
_LIST: Final = "/api/v1/interactions"
_ONE: Final = "/api/v1/interactions/{id}"
_SEARCH: Final = "/api/v1/interactions/search"
_CONTENT: Final = "/api/v1/interactions/{id}/content"

# An id is somebody else's text, a slash included: hence the longer route first.


@router.get("", **tabular(described(Role.AUDIT_READ, model=InteractionPage)))
def list_interactions(
    query: Annotated[InteractionParameters, Query()], caller: AuditWithin, audit: Audit, request: Request
) -> Response:
    """List interactions, newest first. Previews, and `q`, need Content.Read; each such reading is recorded."""
    if query.q is not None:
        if query.total:
            raise InvalidRequestError("total", "what a search finds is not counted")
        return _found(query, query.q, list_key(query.cursor, query.question()), audit, _asker(caller, _LIST, request))
    after, given = moving_key(query.cursor, query.question())
    narrow = query.narrow().within(caller.within(Role.AUDIT_READ))
    page = audit.interactions(narrow, after=after, limit=query.limit, reader=caller.reader(_LIST))
    # A call that waits for its request is told by its answer's time until it comes: it may move behind the cursor.
    rows = [row for row in page.rows if row["id"] not in given]
    given += tuple(row["id"] for row in rows if row["state"] in _WAITING and len(row["id"]) <= _MOST_LETTERS)
    following = moving_cursor(page.next, query.question(), given)
    items = map(interaction_view, rows)
    # Tables have no place for it.
    if query.total and wanted_format(request) is None:
        return json_response(counted_page_view(items, following, audit.count(narrow)))
    return list_response(request, Interaction, items, following)


@router.post("/search", **tabular(described(Role.AUDIT_READ, model=InteractionPage, limited=True)))
def search_interactions(
    request: SearchRequest,
    _query: Annotated[TextParameters, Query()],
    caller: AuditWithin,
    audit: Audit,
    http_request: Request,
) -> Response:
    """List the interactions whose texts match `q`, newest first. Needs Content.Read too; the search is recorded."""
    after = list_key(request.cursor, request.question())
    return _found(request, request.q, after, audit, _asker(caller, _SEARCH, http_request, request.purpose))


class _Asker(NamedTuple):
    """Who searches."""

    reader: Reader
    within: Sequence[Reach]
    """To which calls the role for facts extends."""
    request: Request


def _asker(caller: Caller, route: str, request: Request, purpose: str | None = None) -> _Asker:
    return _Asker(caller.reads(route, purpose), caller.within(Role.AUDIT_READ), request)


def _found(query: PromptParameters, question: str, after: ListKey | None, audit: Audit, asker: _Asker) -> Response:
    narrow = query.narrow().within(asker.within)
    page = audit.search(question, narrow, after=after, limit=query.limit, reader=asker.reader)
    items = map(interaction_view, page.rows)
    following = list_cursor(page.next, query.question())
    if wanted_format(asker.request) is not None:
        return list_response(asker.request, Interaction, items, following)
    return json_response(found_page_view(items, following, is_degraded=page.is_degraded, waiting=page.waiting))


@router.get("/{id:anything}/content", **described(Role.CONTENT_READ, model=ContentTexts, missing=True, tagged=True))  # noqa: FAST003  # by its alias
def read_content(
    interaction_id: ItemId,
    _query: Annotated[TextParameters, Query()],
    caller: ContentWithin,
    audit: Audit,
    request: Request,
) -> Response:
    """Return an interaction's texts and bodies. The reading is recorded."""
    content = audit.content_of(interaction_id, reader=caller.reads(_CONTENT))
    return item_response(request, texts_view(content._asdict()))


@router.get("/{id:anything}", **described(Role.AUDIT_READ, model=Interaction, missing=True, tagged=True))  # noqa: FAST003  # by its alias
def read_interaction(
    interaction_id: ItemId,
    _query: Annotated[TextParameters, Query()],
    caller: AuditWithin,
    audit: Audit,
    request: Request,
) -> Response:
    """Return one interaction. Its previews need Content.Read; their reading is recorded."""
    reaches = caller.within(Role.AUDIT_READ)
    return item_response(
        request, interaction_view(audit.interaction(interaction_id, reader=caller.reader(_ONE), reaches=reaches))
    )
