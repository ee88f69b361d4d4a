"""`/quarantine`: events that cannot be understood, and what is done with them."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request, Response

from shared.api.bodies import GuardedRoute
from shared.api.callers import Role
from shared.api.cursors import list_cursor, list_key
from shared.api.models import Discarded, Page, QuarantinedBody, QuarantinedEvent, ReplayResult
from shared.api.parameters import DiscardRequest, ListParameters, NoParameters, ReplayRequest, TextParameters
from shared.api.responses import item_response, json_response
from shared.api.routes.common import AdminCaller, Audit, ContentCaller, Quarantine, described
from shared.api.views import discarded_view, held_view, page_view, quarantine_view, replayed_view

__all__ = ["router"]

router = APIRouter(prefix="/quarantine", tags=["quarantine"], route_class=GuardedRoute)

_BODY: Final = "/api/v1/quarantine/{id}/body"
_Id = Annotated[str, Path(alias="id", description="the event's id in quarantine", max_length=64)]
_Nothing = Annotated[NoParameters, Query()]


@router.get("", **described(Role.AUDIT_ADMIN, model=Page[QuarantinedEvent]))
def list_quarantine(query: Annotated[ListParameters, Query()], _caller: AdminCaller, audit: Audit) -> Response:
    """List what is in quarantine, newest first, without the bytes. What was discarded is not listed."""
    page = audit.quarantined(after=list_key(query.cursor, query.question()), limit=query.limit)
    return json_response(page_view(map(quarantine_view, page.rows), list_cursor(page.next, query.question())))


@router.get("/{id}/body", **described(Role.CONTENT_READ, model=QuarantinedBody, missing=True, tagged=True))  # noqa: FAST003  # by its alias
def read_quarantined_body(
    event_id: _Id,
    _query: Annotated[TextParameters, Query()],
    caller: ContentCaller,
    quarantine: Quarantine,
    request: Request,
) -> Response:
    """Return the bytes of one event, as text or in base64. The reading is recorded."""
    return item_response(request, held_view(quarantine.event(event_id, reader=caller.reads(_BODY))))


@router.post("/replay", **described(Role.AUDIT_ADMIN, model=ReplayResult))
def replay_quarantine(
    request: ReplayRequest, _query: _Nothing, caller: AdminCaller, quarantine: Quarantine
) -> Response:
    """Try events again, by id or by the time they were enqueued, newest first; each try is recorded.

    What can be read now leaves quarantine and counts where it belongs. What cannot stays, with the new
    reason. Asking twice has the effect of asking once.
    """
    if request.ids is not None:
        replayed = quarantine.replay(list(dict.fromkeys(request.ids)), actor=caller.label)
    else:
        after = list_key(request.cursor, request.question())
        replayed = quarantine.replay_between(
            request.from_, request.to, after=after, limit=request.limit, actor=caller.label
        )
    return json_response(replayed_view(replayed, list_cursor(replayed.next, request.question())))


@router.post("/{id}/discard", **described(Role.AUDIT_ADMIN, model=Discarded, missing=True))  # noqa: FAST003  # by its alias
def discard_quarantined(
    event_id: _Id, request: DiscardRequest, _query: _Nothing, caller: AdminCaller, quarantine: Quarantine
) -> Response:
    """Forget the bytes of one event, for good, and say why; it counts as skipped. This is recorded."""
    quarantine.discard(event_id, reason=request.reason, actor=caller.label)
    return json_response(discarded_view(event_id))
