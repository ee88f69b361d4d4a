"""`/exports`: whole lists as files, made in parts while nobody waits."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from shared.api.bodies import GuardedRoute
from shared.api.callers import Caller
from shared.api.cursors import list_cursor, list_key
from shared.api.export_models import ROLES, ExportAnswer, ExportRequest, Manifest, export_view, filters_in
from shared.api.models import Page
from shared.api.parameters import ListParameters, NoParameters, TextParameters
from shared.api.responses import item_response, json_response
from shared.api.routes.common import AnyCaller, Exports, described
from shared.api.views import page_view
from shared.domain.access_log import Reader
from shared.domain.exports import Export, ExportKind
from shared.domain.reach import Reach
from shared.errors import LimitedRoleError, NotPossibleError

__all__ = ["router"]

router = APIRouter(prefix="/exports", tags=["exports"], route_class=GuardedRoute)

_ROUTE: Final = "/api/v1/exports"
_ONE: Final = "/api/v1/exports/{id}"
_PART: Final = "/api/v1/exports/{id}/parts/{n}"
_MOST_NUMBER: Final = 1_000_000

_Id = Annotated[str, Path(alias="id", description="the export's id", max_length=64)]
_Number = Annotated[int, Path(alias="n", description="of the part, from 1", ge=1, le=_MOST_NUMBER)]
_Nothing = Annotated[NoParameters, Query()]
_BYTES: Final = "application/octet-stream"


@router.post("", **described(None, model=ExportAnswer, refused=True))
def ask_for_export(request: ExportRequest, _query: _Nothing, caller: AnyCaller, exports: Exports) -> Response:
    """Ask for a whole list as files. It needs the roles that the list needs, and content those for texts; recorded.

    What is exported is what these roles extend to now. A timer makes it; `GET /exports/{id}` says how far it is.
    """
    filters = filters_in(request)
    reader = _reader(caller, request.kind, _ROUTE, request.purpose)
    reaches = {role.value: caller.reaches[role.value] for role in ROLES[request.kind] if role.value in caller.reaches}
    export = exports.ask(request.kind, request.format, filters, reader=reader, reaches=reaches)
    response = json_response(export_view(export))
    response.headers["Location"] = f"{_ROUTE}/{export.id}"
    return response


@router.get("", **described(None, model=Page[ExportAnswer]))
def list_exports(query: Annotated[ListParameters, Query()], caller: AnyCaller, exports: Exports) -> Response:
    """List the caller's own exports, newest first, those that have expired too."""
    # Of this caller: a cursor that somebody else got names no place in this list.
    asker = f"{query.question()} {caller.id}"
    found = exports.exports(reader=caller.asks(_ROUTE), after=list_key(query.cursor, asker), limit=query.limit)
    return json_response(page_view(map(export_view, found.exports), list_cursor(found.next, asker)))


@router.get("/{id}/manifest", **described(None, model=Manifest, missing=True, refused=True))  # noqa: FAST003  # by its alias
def read_manifest(
    export_id: _Id, _query: Annotated[TextParameters, Query()], caller: AnyCaller, exports: Exports
) -> Response:
    """Return what a finished export consists of: its question, counts, and the SHA-256 of each part."""
    export = exports.export(export_id, reader=caller.asks(_ONE))
    _check(caller, export)
    return Response(exports.manifest(export), media_type="application/json")


# Of no media type but the one that is described: the file's name says what it is.
_PARTS: Final = described(None, model=None, missing=True, refused=True) | {"response_class": Response}
_PARTS["responses"][200] = {
    "description": "the part's file",
    "content": {_BYTES: {"schema": {"type": "string", "format": "binary"}}},
}


@router.get("/{id}/parts/{n}", **_PARTS)  # noqa: FAST003  # by its alias
def read_export_part(
    export_id: _Id, number: _Number, _query: Annotated[TextParameters, Query()], caller: AnyCaller, exports: Exports
) -> Response:
    """Return a part. The roles are looked at anew, and the reading is recorded. A part never changes."""
    export = exports.export(export_id, reader=caller.asks(_PART))
    _check(caller, export)
    reader = _reader(caller, export.kind, _PART, export.reader.purpose)
    part, blocks = exports.part(export, number, reader=reader)
    response = StreamingResponse(blocks, media_type=_BYTES)
    name = f"{export.id}-{number:05}.{export.format.value}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["ETag"] = f'"{part.sha256}"'
    return response


@router.get("/{id}", **described(None, model=ExportAnswer, missing=True, tagged=True))  # noqa: FAST003  # by its alias
def read_export(request: Request, export_id: _Id, _query: _Nothing, caller: AnyCaller, exports: Exports) -> Response:
    """Return one of the caller's own exports, and how far it is."""
    return item_response(request, export_view(exports.export(export_id, reader=caller.asks(_ONE))))


@router.delete("/{id}", **described(None, model=ExportAnswer, missing=True))  # noqa: FAST003  # by its alias
def cancel_export(export_id: _Id, _query: _Nothing, caller: AnyCaller, exports: Exports) -> Response:
    """Let an export go no further, and be had no more; recorded. Asking twice changes nothing."""
    return json_response(export_view(exports.cancel(export_id, reader=caller.asks(_ONE))))


def _reader(caller: Caller, kind: ExportKind, route: str, purpose: str | None) -> Reader:
    """Return the caller as the access log keeps them, for a purpose of the request's or the one they state.

    Raises:
        ForbiddenError: they lack a role.
        InvalidRequestError: they do not say why, and texts need that.
        HTTPException: 403, they lack a grant, and texts need one.
    """
    for role in ROLES[kind]:
        caller.needs(role)
    if kind is ExportKind.ACCESS_LOG and caller.within(ROLES[kind][0]):
        raise LimitedRoleError(ROLES[kind][0].value)
    if kind is ExportKind.CONTENT:
        return caller.reads(route, purpose)
    reader = caller.asks(route)
    return reader if purpose is None else reader._replace(purpose=purpose)


def _check(caller: Caller, export: Export) -> None:
    """Raise unless the caller has the roles that an export needs, as far as they extended when it was made."""
    for role in ROLES[export.kind]:
        caller.needs(role)
        now, then = caller.reaches.get(role.value), export.reaches.get(role.value)
        if now is not None and (then is None or not _covers(now, then)):
            raise NotPossibleError(f"{role.value} extends to fewer calls than when this was made: make it anew")


def _covers(wide: Reach, narrow: Reach) -> bool:
    return all(set(values) <= set(wide.columns.get(name, ())) for name, values in narrow.columns.items())
